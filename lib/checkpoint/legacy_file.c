#include "checkpoint/legacy_file.h"

#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "base/limits.h"
#include "checkpoint/little_endian.h"
#include "value/values.h"

enum { PROTOCOL = 1001, COUNT_BYTES = 8 };

#define MAGIC        "\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19" /* LONG1 of ten bytes */
#define HINT_RESTORE "restore the file from a copy"

bool fk_legacy_recognise(const uint8_t *bytes, size_t length) {
    size_t at = 2; /* behind PROTO */
    if (length < at || bytes[0] != 0x80 || bytes[1] < 2 || bytes[1] > 5) {
        return false;
    }
    at += length > at && bytes[at] == 0x95 ? 9 : 0; /* FRAME, of protocol 4 and 5 */
    return length >= at + sizeof MAGIC && memcmp(bytes + at, MAGIC ".", sizeof MAGIC) == 0;
}

void fk_legacy_file_init(fk_legacy_file *file, uint8_t *bytes, size_t length, fk_values *values) {
    *file = (fk_legacy_file){.bytes = bytes, .length = length, .values = values};
}

void fk_legacy_file_finish(fk_legacy_file *file) {
    fk_legacy_storages_finish(&file->storages);
}

static fk_code damaged(fk_error *err, uint64_t offset) {
    fk_error_offset(err, offset);
    fk_error_hint(err, HINT_RESTORE);
    return FK_E_CORRUPT;
}

/* ---- what ids say */

static fk_code add_storage(fk_legacy_file *file, const char *key, fk_dtype dtype,
                           const char *location, uint64_t elements, fk_legacy_storage **ret_storage,
                           fk_error *err) {
    uint64_t bytes;
    fk_code code = fk_torch_check_location(location, err);
    if (code != FK_OK) {
        return code;
    }
    if (!fk_checked_multiply(elements, fk_torch_counted_bytes(dtype), &bytes) ||
        bytes > file->length) {
        fk_error_set(err, FK_E_CORRUPT,
                     "the storage '%s' has %" PRIu64 " elements, more than the file can hold", key,
                     elements);
        return damaged(err, FK_NO_OFFSET);
    }
    code = fk_legacy_storages_add(&file->storages, key, ret_storage, err);
    if (code != FK_OK) {
        return code;
    }
    fk_storage *storage = fk_storage_create(file->values, NULL, bytes);
    if (storage == NULL) {
        return fk_error_no_memory(err);
    }
    (*ret_storage)->record = (fk_torch_record){true, dtype, location, storage};
    (*ret_storage)->elements = elements;
    file->storages.whole++;
    return FK_OK;
}

fk_code fk_legacy_file_storage(void *user, const char *key, fk_dtype dtype, const char *location,
                               uint64_t elements, fk_storage **ret_storage, fk_error *err) {
    fk_legacy_file *file = user;
    fk_legacy_storage *found = fk_legacy_storages_find(&file->storages, key);
    fk_code code = FK_OK;
    if (found == NULL) {
        code = add_storage(file, key, dtype, location, elements, &found, err);
    } else if (found->root != FK_LEGACY_WHOLE || found->elements != elements) {
        code = fk_error_set(err, FK_E_CORRUPT,
                            "the storage '%s' is said to have different numbers of elements", key);
    } else {
        code = fk_torch_check_again(&found->record, key, dtype, location, err);
    }
    if (code != FK_OK) {
        return code;
    }
    *ret_storage = found->record.storage;
    if (elements == 0) { /* PyTorch does not share empty ones either */
        *ret_storage = fk_storage_create(file->values, NULL, 0);
    }
    return *ret_storage == NULL ? fk_error_no_memory(err) : FK_OK;
}

fk_code fk_legacy_file_part(void *user, const char *key, const char *root_key, uint64_t offset,
                            uint64_t elements, fk_error *err) {
    fk_legacy_file *file = user;
    size_t root =
        (size_t)(fk_legacy_storages_find(&file->storages, root_key) - file->storages.items);
    fk_legacy_storage *found = fk_legacy_storages_find(&file->storages, key);
    if (found == NULL) {
        fk_code code = fk_legacy_storages_add(&file->storages, key, &found, err);
        if (code == FK_OK) {
            found->root = root;
            found->offset = offset;
            found->elements = elements;
        }
        return code;
    }
    if (found->root != root || found->offset != offset || found->elements != elements) {
        return fk_error_set(err, FK_E_CORRUPT, "'%s' names different parts of storages", key);
    }
    return FK_OK;
}

/* ---- the pickles */

static fk_code read_pickle(const fk_legacy_file *file, const fk_pickle_host *host, size_t *at,
                           fk_value **ret_value, fk_error *err) {
    size_t used = 0;
    if (*at == file->length) {
        fk_error_set(err, FK_E_CORRUPT, "the file was cut off between its pickles");
        return damaged(err, *at);
    }
    fk_code code = fk_pickle_read(file->bytes + *at, file->length - *at, *at, host, file->values,
                                  ret_value, &used, err);
    *at += used;
    return code;
}

static bool is_int(const fk_value *value, int64_t number) {
    return value != NULL && fk_value_kind(value) == FK_KIND_INT && fk_value_as_int(value) == number;
}

static fk_code check_protocol(const fk_value *protocol, uint64_t offset, fk_error *err) {
    if (is_int(protocol, PROTOCOL)) {
        return FK_OK;
    }
    if (fk_value_kind(protocol) != FK_KIND_INT) {
        fk_error_set(err, FK_E_CORRUPT, "the checkpoint's protocol version is no number");
        return damaged(err, offset);
    }
    fk_error_set(err, FK_E_UNSUPPORTED,
                 "the checkpoint is of protocol version %lld, this fontkeep reads %d",
                 (long long)fk_value_as_int(protocol), PROTOCOL);
    fk_error_subject(err, FK_SUBJECT_DATA);
    fk_error_offset(err, offset);
    fk_error_hint(err, "load it with torch.load and save it again with torch.save");
    return FK_E_UNSUPPORTED;
}

/* {"protocol_version": 1001, "little_endian", "type_sizes"} of the machine that wrote the file.
 * Elements are little endian whatever it says: PyTorch swaps them when it writes, and never looks
 * at this dict. */
static fk_code check_machine(const fk_value *machine, uint64_t offset, fk_error *err) {
    bool is_dict = fk_value_kind(machine) == FK_KIND_DICT;
    const fk_value *protocol = is_dict ? fk_value_get(machine, "protocol_version") : NULL;
    if (is_dict && (protocol == NULL || is_int(protocol, PROTOCOL))) {
        return FK_OK;
    }
    fk_error_set(err, FK_E_CORRUPT, "the checkpoint's facts about its machine are none");
    return damaged(err, offset);
}

static fk_code read_head(const fk_legacy_file *file, const fk_pickle_host *host, size_t *at,
                         fk_error *err) {
    fk_value *value = NULL;
    fk_code code = read_pickle(file, host, at, &value, err); /* the magic number is known */
    size_t offset = *at;
    if (code == FK_OK) {
        code = read_pickle(file, host, at, &value, err);
    }
    if (code == FK_OK) {
        code = check_protocol(value, offset, err);
    }
    offset = *at;
    if (code == FK_OK) {
        code = read_pickle(file, host, at, &value, err);
    }
    return code == FK_OK ? check_machine(value, offset, err) : code;
}

/* ---- the storages */

/* The bytes of one storage, from its number of elements on. */
static fk_code place(fk_legacy_file *file, fk_legacy_storage *found, size_t *at, fk_error *err) {
    size_t rest = file->length - *at;
    fk_storage *storage = found->record.storage;
    if (rest < COUNT_BYTES || rest - COUNT_BYTES < storage->bytes) {
        fk_error_set(err, FK_E_CORRUPT,
                     "the file was cut off within the storage '%s': %zu of its %" PRIu64
                     " bytes are there",
                     found->key, rest < COUNT_BYTES ? 0 : rest - COUNT_BYTES, storage->bytes);
        return damaged(err, file->length);
    }
    uint64_t elements = fk_little_u64(file->bytes + *at);
    if (elements != found->elements) {
        fk_error_set(err, FK_E_CORRUPT,
                     "the storage '%s' has %" PRIu64 " elements, and %" PRIu64 " in the pickle",
                     found->key, elements, found->elements);
        return damaged(err, *at);
    }
    *at += COUNT_BYTES;
    storage->data = storage->bytes == 0 ? NULL : file->bytes + *at;
    if (storage->bytes > 0 && !file->look_only) {
        storage->data = fk_torch_storage_memory(file->values, storage->data, storage->bytes,
                                                found->record.dtype, false);
        if (storage->data == NULL) {
            return fk_error_no_memory(err);
        }
    }
    *at += (size_t)storage->bytes;
    found->placed = true;
    return FK_OK;
}

/* The storage that a key in the list names; each stands there once. */
static fk_code find_listed(const fk_legacy_file *file, const fk_value *key, uint64_t offset,
                           fk_legacy_storage **ret_found, fk_error *err) {
    size_t length = 0;
    const char *text = fk_value_kind(key) == FK_KIND_STRING ? fk_value_as_text(key, &length) : NULL;
    if (text == NULL || strlen(text) != length) {
        fk_error_set(err, FK_E_CORRUPT, "the list of storages holds something else than keys");
        return damaged(err, offset);
    }
    fk_legacy_storage *found = fk_legacy_storages_find(&file->storages, text);
    if (found == NULL || found->root != FK_LEGACY_WHOLE) {
        fk_error_set(err, FK_E_CORRUPT, "the storage '%.100s' belongs to no tensor", text);
        return damaged(err, offset);
    }
    if (found->placed) {
        fk_error_set(err, FK_E_CORRUPT, "the storage '%.100s' is listed twice", text);
        return damaged(err, offset);
    }
    *ret_found = found;
    return FK_OK;
}

static fk_code place_all(fk_legacy_file *file, const fk_value *keys, size_t offset, size_t at,
                         fk_error *err) {
    if (fk_value_kind(keys) != FK_KIND_LIST || fk_value_count(keys) != file->storages.whole) {
        fk_error_set(err, FK_E_CORRUPT,
                     "the list of storages is not that of the tensors' storages");
        return damaged(err, offset);
    }
    for (size_t i = 0; i < fk_value_count(keys); i++) {
        fk_legacy_storage *found = NULL;
        fk_code code = find_listed(file, fk_value_item(keys, i), offset, &found, err);
        if (code == FK_OK) {
            code = place(file, found, &at, err);
        }
        if (code != FK_OK) {
            return code;
        }
    }
    if (at != file->length) {
        fk_error_set(err, FK_E_CORRUPT, "%zu bytes follow the last storage", file->length - at);
        return damaged(err, at);
    }
    return FK_OK;
}

fk_code fk_legacy_file_read(fk_legacy_file *file, const fk_pickle_host *host, fk_value **ret_top,
                            fk_error *err) {
    size_t at = 0;
    fk_value *keys = NULL;
    *ret_top = NULL;
    fk_code code = read_head(file, host, &at, err);
    if (code == FK_OK) {
        code = read_pickle(file, host, &at, ret_top, err);
    }
    size_t offset = at;
    if (code == FK_OK) {
        code = read_pickle(file, host, &at, &keys, err);
    }
    if (code == FK_OK) {
        code = place_all(file, keys, offset, at, err);
    }
    return code;
}
