/* Damaged zip checkpoints: which tensors are lost, and reading the others.
 *
 * A record of the archive is intact when its CRC-32 is the one recorded, or all its bytes are known
 * to be as they were. What looks at a storage whose record is not is lost as a whole, also where
 * the damage lies beside it: a CRC says nothing about a part. */
#ifndef FK_CHECKPOINT_TORCH_DAMAGE_H
#define FK_CHECKPOINT_TORCH_DAMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "fontkeep/value.h"

/* What else than CRCs tells that bytes of the file are as they were saved. */
typedef struct fk_torch_proof {
    bool (*holds)(void *user, uint64_t offset, uint64_t bytes);
    void *user;
} fk_torch_proof;

/* Something that damage touches. */
typedef struct fk_torch_loss {
    char *tensor; /* dotted path, from malloc; NULL: bytes that belong to no tensor, or to tensors
                     that are not known */
    uint64_t offset; /* of the damaged record in the file: its payload, or all of it, or of what is
                        there in its place; FK_NO_OFFSET: it is not found */
    uint64_t bytes;
    bool undescribed; /* what the archive says of the record is damaged, here or in its directory */
} fk_torch_loss;

/* Zeroed memory is an empty list. */
typedef struct fk_torch_losses {
    fk_torch_loss *rows; /* [count] */
    size_t count;
    size_t tensors; /* in the file, in all; 0: the pickle cannot be read */
} fk_torch_losses;

void fk_torch_losses_finish(fk_torch_losses *losses);

/* Once a digest failed: which records are not intact, with the tensors that look at them, one row a
 * tensor; without `proof` a record whose CRC was never computed counts as intact. Best effort: no
 * rows when not even the pickle is found. Behind FK_LIMIT_LISTED_BYTES of names more are
 * left out. Only FK_E_NO_MEMORY. */
fk_code fk_torch_locate_damage(const uint8_t *bytes, size_t length, const fk_torch_proof *proof,
                               fk_torch_losses *ret_losses, fk_error *err);

/* fk_torch_read of a damaged file: gives what is left when the lost tensors are taken out. The
 * entry of a dict goes; in a list or tuple None stands for it. `ret_losses` has a row for every
 * lost tensor. Where the archive's directory is damaged or was cut off, its records are found
 * without it. FK_E_CORRUPT when the pickle is damaged, or no tensor is left; FK_E_UNSUPPORTED for
 * the format before PyTorch 1.6, which has no CRCs; FK_E_LIMIT. */
fk_code fk_torch_salvage(uint8_t *bytes, size_t length, const fk_torch_proof *proof,
                         fk_values *values, fk_value **ret_top, fk_torch_losses *ret_losses,
                         fk_error *err);

#endif
