/* What the formats of checkpoints have in common about storages: what persistent ids may say of
 * one, and how its bytes become memory. */
#ifndef FK_CHECKPOINT_TORCH_STORAGE_H
#define FK_CHECKPOINT_TORCH_STORAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "fontkeep/value.h"

/* What is known of a storage. */
typedef struct fk_torch_record {
    bool used; /* a persistent id named it */
    fk_dtype dtype;
    const char *location;
    fk_storage *storage;
} fk_torch_record;

/* Bytes of one of the elements that a persistent id counts. */
size_t fk_torch_counted_bytes(fk_dtype dtype);

/* FK_E_UNSUPPORTED for a storage that has no data. */
fk_code fk_torch_check_location(const char *location, fk_error *err);

/* Every id of one key must say the same of it. `name` is for the message. */
fk_code fk_torch_check_again(const fk_torch_record *record, const char *name, fk_dtype dtype,
                             const char *location, fk_error *err);

/* The memory of a storage whose bytes are in the file: they themselves, or a copy where they are
 * misaligned for the dtype or in the other byte order. NULL when memory is short. */
uint8_t *fk_torch_storage_memory(fk_values *values, uint8_t *data, uint64_t bytes, fk_dtype dtype,
                                 bool big_endian);

#endif
