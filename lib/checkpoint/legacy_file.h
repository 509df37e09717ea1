/* Checkpoints of the format before PyTorch 1.6: five pickles one behind the other (a magic number,
 * a protocol version, facts about the machine, the object, the keys of the storages), then the
 * storages, each behind its number of elements. Nothing in it is a checksum. */
#ifndef FK_CHECKPOINT_LEGACY_FILE_H
#define FK_CHECKPOINT_LEGACY_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "checkpoint/legacy_storages.h"
#include "checkpoint/pickle_read.h"
#include "fontkeep/value.h"

/* Start from zeroed memory. */
typedef struct fk_legacy_file {
    uint8_t *bytes;
    size_t length;
    bool look_only; /* for inspection: storages are never copied, their bytes not to be touched */
    fk_values *values;
    fk_legacy_storages storages;
} fk_legacy_file;

/* Whether the bytes start like such a file. */
bool fk_legacy_recognise(const uint8_t *bytes, size_t length);

void fk_legacy_file_init(fk_legacy_file *file, uint8_t *bytes, size_t length, fk_values *values);
void fk_legacy_file_finish(fk_legacy_file *file);

/* Reads the whole file. The host's `storage` and `part` lead to the two functions below. `*ret_top`
 * is the object as soon as it was read, also when what follows it fails: NULL before. */
fk_code fk_legacy_file_read(fk_legacy_file *file, const fk_pickle_host *host, fk_value **ret_top,
                            fk_error *err);

/* For an fk_pickle_host whose user is the file. The bytes of a storage are found only once all
 * pickles were read. */
fk_code fk_legacy_file_storage(void *user, const char *key, fk_dtype dtype, const char *location,
                               uint64_t elements, fk_storage **ret_storage, fk_error *err);
fk_code fk_legacy_file_part(void *user, const char *key, const char *root_key, uint64_t offset,
                            uint64_t elements, fk_error *err);

#endif
