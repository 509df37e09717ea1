/* Where in the object that a pickle makes an opcode stands which is refused. */
#ifndef FK_CHECKPOINT_PICKLE_PLACE_H
#define FK_CHECKPOINT_PICKLE_PLACE_H

#include "checkpoint/pickle_machine.h"

/* The dotted path of what the opcode at `machine->at` was to make or to store, on one line. False
 * when the rest of the pickle does not tell. The machine's stack is used up; its error is not
 * touched. */
bool fk_pickle_place(fk_machine *machine, const uint8_t *pickle, char into[FK_DOTTED_PATH_BYTES]);

#endif
