/* Values without values inside, as torch.save pickles them. */
#ifndef FK_CHECKPOINT_WRITE_ATOM_H
#define FK_CHECKPOINT_WRITE_ATOM_H

#include <stdbool.h>

#include "checkpoint/write_emit.h"
#include "fontkeep/value.h"

/* Whether the value is one, tensors and containers being none; torch.Size is. */
bool fk_write_atom_is(const fk_value *value);

/* Whether Python has no identity for it: never memoised as a value. */
bool fk_write_atom_is_plain(const fk_value *value);

/* Writes it; what has an identity is left for the caller to memoise as a value. */
void fk_write_atom(fk_write_emit *emit, const fk_value *value);

#endif
