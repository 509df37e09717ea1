/* A zip checkpoint: its archive, the small records that describe it, and its storages. */
#ifndef FK_CHECKPOINT_TORCH_ARCHIVE_H
#define FK_CHECKPOINT_TORCH_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "checkpoint/torch_storage.h"
#include "checkpoint/zip_read.h"
#include "fontkeep/value.h"

/* Start from zeroed memory. */
typedef struct fk_torch_archive {
    uint8_t *bytes;
    fk_zip *zip;
    const fk_zip_entry *pickle; /* data.pkl */
    fk_torch_record *records;   /* as many as the zip has */
    bool big_endian;
    bool look_only; /* for inspection: storages are never copied, their bytes not to be touched */
    bool past_damage;
    const bool *lost;        /* by record; borrowed, NULL while reading strictly */
    const fk_zip_peek *peek; /* or NULL; for opening */
    fk_values *values;
} fk_torch_archive;

/* Opens the archive and checks its small records; `peek` may be NULL. Finish it also on failure. */
fk_code fk_torch_archive_init(fk_torch_archive *archive, uint8_t *bytes, size_t length,
                              const fk_zip_peek *peek, fk_values *values, fk_error *err);
/* The same past damaged records, and without the archive's directory where that is damaged or was
 * cut off. Before its storages are asked for, `lost` is to be set: a storage that is lost, or has
 * no record, then has its size, but no bytes. */
fk_code fk_torch_archive_init_damaged(fk_torch_archive *archive, uint8_t *bytes, size_t length,
                                      fk_values *values, fk_error *err);
void fk_torch_archive_finish(fk_torch_archive *archive);

/* The storage of a persistent id; an fk_pickle_host's `storage` whose user is the archive. */
fk_code fk_torch_archive_storage(void *user, const char *key, fk_dtype dtype, const char *location,
                                 uint64_t elements, fk_storage **ret_storage, fk_error *err);

/* Whether the bytes of a storage were lost. */
bool fk_torch_is_lost(const fk_storage *storage);

/* Whether a record is a storage's. */
bool fk_torch_is_storage(const fk_zip_entry *entry);

#endif
