/* The storages of a checkpoint of the format before PyTorch 1.6, by the keys that persistent ids
 * give them, in the order of their first appearance. */
#ifndef FK_CHECKPOINT_LEGACY_STORAGES_H
#define FK_CHECKPOINT_LEGACY_STORAGES_H

#include "base/cleanup.h"
#include "checkpoint/torch_storage.h"

typedef struct fk_legacy_storage {
    const char *key;
    fk_torch_record record;
    /* A part of another storage: that one's index, and where; or FK_LEGACY_WHOLE. */
    size_t root;
    uint64_t offset;
    uint64_t elements;
    bool placed; /* its bytes in the file were found */
} fk_legacy_storage;

#define FK_LEGACY_WHOLE SIZE_MAX

/* Start from zeroed memory. Keys that were made to collide cost no more than others. */
typedef struct fk_legacy_storages {
    fk_legacy_storage *items;
    size_t count;
    size_t capacity;
    struct fk_legacy_fork *forks; /* one less than items: a crit-bit tree over the keys */
    size_t top;                   /* branch: see legacy_storages.c */
    size_t whole;                 /* of the items, those that are no parts */
} fk_legacy_storages;

void fk_legacy_storages_finish(fk_legacy_storages *storages);

/* The storage of a key, or NULL. Valid until one is added. */
fk_legacy_storage *fk_legacy_storages_find(const fk_legacy_storages *storages, const char *key);

/* Adds one, zeroed but for its key, which is borrowed and not there yet. FK_E_LIMIT. */
fk_code fk_legacy_storages_add(fk_legacy_storages *storages, const char *key,
                               fk_legacy_storage **ret_storage, fk_error *err);

#endif
