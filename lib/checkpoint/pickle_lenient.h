/* Inspection only: the opcodes that a checkpoint never needs, as far as one must follow them to see
 * what a pickle would do. */
#ifndef FK_CHECKPOINT_PICKLE_LENIENT_H
#define FK_CHECKPOINT_PICKLE_LENIENT_H

#include "checkpoint/pickle_handlers.h"

/* Runs an opcode that has no handler. */
fk_code fk_pickle_run_lenient(fk_machine *machine, const fk_pickle_step *step);

#endif
