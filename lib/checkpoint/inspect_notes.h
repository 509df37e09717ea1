/* Inspection: what a pickle would do and what it holds, noted while it is read. */
#ifndef FK_CHECKPOINT_INSPECT_NOTES_H
#define FK_CHECKPOINT_INSPECT_NOTES_H

#include <stdbool.h>

#include "base/error.h"
#include "fontkeep/checkpoint.h"
#include "fontkeep/value.h"

/* The first member of the `user` of an fk_pickle_host that has the two callbacks below. */
typedef struct fk_inspect_notes {
    fk_inspection *inspection;
    bool foreign; /* the pickle would run something: a finding says what */
} fk_inspect_notes;

fk_code fk_inspect_note_global(void *user, const char *module, const char *name, bool call,
                               uint64_t offset, fk_error *err);
fk_code fk_inspect_note_opcode(void *user, const char *opcode, uint64_t offset, fk_error *err);

/* Lists the tensors of what was read. */
fk_code fk_inspect_note_tensors(fk_inspect_notes *notes, const fk_value *top, fk_error *err);

/* A pickle that cannot be read on behind something foreign is how malware hides from scanners: what
 * was found is worth more than the error, which becomes a finding. Gives FK_OK then, else the
 * error. */
fk_code fk_inspect_note_break(fk_inspect_notes *notes, const fk_error *found, fk_code code,
                              fk_error *err);

#endif
