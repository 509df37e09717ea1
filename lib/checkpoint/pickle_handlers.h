/* What each opcode does to the machine. */
#ifndef FK_CHECKPOINT_PICKLE_HANDLERS_H
#define FK_CHECKPOINT_PICKLE_HANDLERS_H

#include "checkpoint/pickle_machine.h"

typedef fk_code (*fk_pickle_handler)(fk_machine *machine, const fk_pickle_step *step);

/* The handler of an opcode, or NULL: it is not read. PROTO, FRAME and STOP have none. */
fk_pickle_handler fk_pickle_handler_of(uint8_t opcode);

/* Those that call, build and resolve. */
fk_code fk_pickle_reduce(fk_machine *machine, const fk_pickle_step *step);
fk_code fk_pickle_newobj(fk_machine *machine, const fk_pickle_step *step);
fk_code fk_pickle_build(fk_machine *machine, const fk_pickle_step *step);
fk_code fk_pickle_binpersid(fk_machine *machine, const fk_pickle_step *step);

/* Inspection: entries hung on an opaque item. */
fk_code fk_opaque_put(fk_machine *machine, fk_opaque *opaque, fk_value *key, fk_value *item);

#endif
