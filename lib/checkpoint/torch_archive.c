#include "checkpoint/torch_archive.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/limits.h"
#include "base/text.h"
#include "digest/digest.h"
#include "value/values.h"

enum { VERSION_MAX = 10, ALIGNMENT_MAX = 65536 };

#define PICKLE   "data.pkl"
#define STORAGES "data/" /* the names of their records start so */

#define HINT_RESTORE "restore the file from a copy"

static fk_code fail(fk_error *err, fk_code code, uint64_t offset, const char *hint,
                    const char *what) {
    fk_error_set(err, code, "%s", what);
    fk_error_offset(err, offset);
    fk_error_hint(err, "%s", hint);
    if (code == FK_E_UNSUPPORTED) {
        fk_error_subject(err, FK_SUBJECT_DATA);
    }
    return code;
}

bool fk_torch_is_storage(const fk_zip_entry *entry) {
    return fk_text_starts_with(entry->name, STORAGES);
}

bool fk_torch_is_lost(const fk_storage *storage) {
    return storage->data == NULL && storage->bytes > 0;
}

/* ---- the records beside the pickle */

static bool is_whole(const fk_torch_archive *archive, const fk_zip_entry *entry) {
    bool computed;
    return !entry->damaged && fk_zip_check(archive->zip, entry, &computed);
}

/* The text of a record; NULL when it is absent. Texts that are too long to be right come out cut.
 * Past damage, what is damaged is absent. */
static const fk_zip_entry *read_text(const fk_torch_archive *archive, const char *name,
                                     char into[16]) {
    const fk_zip_entry *entry = fk_zip_find(archive->zip, name);
    if (entry != NULL && archive->past_damage && !is_whole(archive, entry)) {
        entry = NULL;
    }
    if (entry != NULL) {
        size_t length = entry->bytes < 15 ? (size_t)entry->bytes : 15;
        memcpy(into, archive->bytes + entry->offset, length);
        into[length] = '\0';
        if (strlen(into) != length) {
            memcpy(into, "?", 2); /* a NUL is never right */
        }
    }
    return entry;
}

/* A decimal number without sign or leading zeros, or -1. */
static long read_decimal(const char *text) {
    size_t length = strspn(text, "0123456789");
    if (length == 0 || length > 6 || text[length] != '\0' || (text[0] == '0' && length > 1)) {
        return -1;
    }
    return strtol(text, NULL, 10);
}

static fk_code refuse_torchscript(uint64_t offset, fk_error *err) {
    return fail(err, FK_E_UNSUPPORTED, offset,
                "load it with torch.jit.load and save its state_dict()",
                "the file is a TorchScript archive");
}

/* The code in a TorchScript archive is compressed, so it fails as a zip archive already. */
static fk_code refine_zip_error(const uint8_t *bytes, size_t length, fk_code code, fk_error *err) {
    static const char name[] = "/constants.pkl";
    if (code == FK_E_UNSUPPORTED && memmem(bytes, length, name, sizeof name - 1) != NULL) {
        return refuse_torchscript(err != NULL ? err->offset : 0, err);
    }
    return code;
}

/* Archives that only look like a checkpoint. */
static fk_code refuse_relatives(const fk_torch_archive *archive, fk_error *err) {
    for (size_t i = 0; i < fk_zip_count(archive->zip); i++) {
        const fk_zip_entry *entry = fk_zip_at(archive->zip, i);
        if (strcmp(entry->name, "constants.pkl") == 0 || strcmp(entry->name, "model.json") == 0 ||
            fk_text_starts_with(entry->name, "code/")) {
            return refuse_torchscript(entry->header, err);
        }
        if (strcmp(entry->name, ".data/version") == 0 ||
            strcmp(entry->name, ".data/extern_modules") == 0) {
            return fail(err, FK_E_UNSUPPORTED, entry->header,
                        "import it with torch.package and save its state_dict()",
                        "the file is a torch.package archive");
        }
    }
    return FK_OK;
}

static fk_code check_version(const fk_torch_archive *archive, fk_error *err) {
    char text[16];
    const fk_zip_entry *entry = read_text(archive, "version", text);
    if (entry == NULL && archive->past_damage) {
        return FK_OK;
    }
    if (entry == NULL) {
        return fail(err, FK_E_CORRUPT, archive->pickle->header, HINT_RESTORE,
                    "the checkpoint has no record 'version'");
    }
    size_t length = strlen(text);
    if (length > 0 && text[length - 1] == '\n') {
        text[length - 1] = '\0';
    }
    long version = read_decimal(text);
    if (version > VERSION_MAX) {
        return fail(err, FK_E_UNSUPPORTED, entry->offset,
                    "save it again with a PyTorch whose files have version 10 or less",
                    "the checkpoint's version is higher than 10");
    }
    return version >= 1 ? FK_OK
                        : fail(err, FK_E_CORRUPT, entry->offset, HINT_RESTORE,
                               "the checkpoint's record 'version' is no number from 1 to 10");
}

static fk_code check_layout(const fk_torch_archive *archive, fk_error *err) {
    char text[16];
    const fk_zip_entry *entry = read_text(archive, ".format_version", text);
    if (entry != NULL && strcmp(text, "1") != 0) {
        bool newer = read_decimal(text) > 1;
        return fail(err, newer ? FK_E_UNSUPPORTED : FK_E_CORRUPT, entry->offset,
                    newer ? "save it again with an older PyTorch" : HINT_RESTORE,
                    "the checkpoint's record '.format_version' is not 1");
    }
    entry = read_text(archive, ".storage_alignment", text);
    if (entry != NULL && (read_decimal(text) < 1 || read_decimal(text) > ALIGNMENT_MAX)) {
        return fail(err, FK_E_CORRUPT, entry->offset, HINT_RESTORE,
                    "the checkpoint's record '.storage_alignment' is no number from 1 to 65536");
    }
    return FK_OK;
}

/* Of two texts, the CRC of a damaged record still tells which it was. */
static const fk_zip_entry *read_byteorder(const fk_torch_archive *archive, char into[16]) {
    static const char *const orders[] = {"little", "big"};
    const fk_zip_entry *entry = fk_zip_find(archive->zip, "byteorder");
    for (size_t i = 0; entry != NULL && archive->past_damage && i < 2; i++) {
        if (fk_crc32_update(0, orders[i], strlen(orders[i])) == entry->crc32) {
            snprintf(into, 16, "%s", orders[i]);
            return entry;
        }
    }
    return read_text(archive, "byteorder", into);
}

static fk_code check_byteorder(fk_torch_archive *archive, fk_error *err) {
    char text[16];
    const fk_zip_entry *entry = read_byteorder(archive, text);
    archive->big_endian = entry != NULL && strcmp(text, "big") == 0;
    if (entry != NULL && !archive->big_endian && strcmp(text, "little") != 0) {
        return fail(err, FK_E_CORRUPT, entry->offset, HINT_RESTORE,
                    "the checkpoint's record 'byteorder' is neither 'little' nor 'big'");
    }
    return FK_OK;
}

/* A save that died leaves a whole archive without its pickle. */
static fk_code find_pickle(fk_torch_archive *archive, fk_error *err) {
    archive->pickle = fk_zip_find(archive->zip, PICKLE);
    if (archive->pickle != NULL) {
        return FK_OK;
    }
    uint64_t offset = fk_zip_at(archive->zip, 0)->header;
    if (fk_zip_find(archive->zip, "version") != NULL) {
        return fail(err, FK_E_CORRUPT, offset, "restore the file from a copy: its save failed",
                    "the checkpoint has no record 'data.pkl'");
    }
    return fail(err, FK_E_UNSUPPORTED, offset, "give a file that torch.save wrote",
                "the zip archive is no PyTorch checkpoint: it has no record 'data.pkl'");
}

static bool has_pickle(const fk_zip *zip) {
    return fk_zip_find(zip, PICKLE) != NULL;
}

/* Whether a walk found each name that the directory tells. */
static bool tells_all(const fk_zip *walked, const fk_zip *listed) {
    size_t i = 0;
    while (i < fk_zip_count(listed) && fk_zip_find(walked, fk_zip_at(listed, i)->name) != NULL) {
        i++;
    }
    return i == fk_zip_count(listed);
}

static size_t count_intact(const fk_zip *zip) {
    size_t intact = 0;
    for (size_t i = 0; i < fk_zip_count(zip); i++) {
        const fk_zip_entry *entry = fk_zip_at(zip, i);
        bool computed;
        intact += !entry->damaged && fk_zip_check(zip, entry, &computed) && computed;
    }
    return intact;
}

/* Where the directory and the records disagree, the CRCs of the payloads tell who is right. */
static bool is_better(const fk_zip *walked, const fk_zip *listed) {
    return !has_pickle(listed) ||
           (tells_all(walked, listed) && count_intact(walked) > count_intact(listed));
}

/* By the directory; where that is damaged, or contradicts the records, maybe by the records alone.
 */
static fk_code open_damaged(const fk_zip_source *source, fk_zip **ret_zip, fk_error *err) {
    FK_SCOPED(fk_zip_closep) fk_zip *listed = NULL;
    FK_SCOPED(fk_zip_closep) fk_zip *walked = NULL;
    fk_code code = fk_zip_open(source, &listed, err);
    bool whole = code == FK_OK && fk_zip_damaged(listed) == 0;
    if (!whole && code != FK_E_NO_MEMORY &&
        fk_zip_open_walked(source, &walked, NULL) == FK_E_NO_MEMORY) {
        return fk_error_no_memory(err);
    }
    bool take =
        walked != NULL && has_pickle(walked) && (code != FK_OK || is_better(walked, listed));
    if (take || code == FK_OK) {
        *ret_zip = take ? fk_take(walked) : fk_take(listed);
        return FK_OK;
    }
    return code;
}

static fk_code init(fk_torch_archive *archive, size_t length, fk_error *err) {
    uint8_t *bytes = archive->bytes;
    bool past_damage = archive->past_damage;
    const fk_zip_source source = {.bytes = bytes,
                                  .length = length,
                                  .numbered = past_damage ? STORAGES : NULL,
                                  .peek = archive->peek};
    fk_code code = past_damage ? open_damaged(&source, &archive->zip, err)
                               : fk_zip_open(&source, &archive->zip, err);
    if (code != FK_OK) {
        return refine_zip_error(bytes, length, code, err);
    }
    archive->records = calloc(fk_zip_count(archive->zip), sizeof archive->records[0]);
    if (archive->records == NULL) {
        return fk_error_no_memory(err);
    }
    code = refuse_relatives(archive, err);
    if (code == FK_OK) {
        code = find_pickle(archive, err);
    }
    if (code == FK_OK) {
        code = check_version(archive, err);
    }
    if (code == FK_OK) {
        code = check_layout(archive, err);
    }
    return code == FK_OK ? check_byteorder(archive, err) : code;
}

fk_code fk_torch_archive_init(fk_torch_archive *archive, uint8_t *bytes, size_t length,
                              const fk_zip_peek *peek, fk_values *values, fk_error *err) {
    *archive = (fk_torch_archive){.bytes = bytes, .peek = peek, .values = values};
    return init(archive, length, err);
}

fk_code fk_torch_archive_init_damaged(fk_torch_archive *archive, uint8_t *bytes, size_t length,
                                      fk_values *values, fk_error *err) {
    *archive = (fk_torch_archive){.bytes = bytes, .past_damage = true, .values = values};
    return init(archive, length, err);
}

void fk_torch_archive_finish(fk_torch_archive *archive) {
    fk_zip_close(archive->zip);
    free(archive->records);
    archive->zip = NULL;
    archive->records = NULL;
}

/* ---- storages */

static fk_storage *make_storage(fk_torch_archive *archive, const fk_zip_entry *entry,
                                fk_dtype dtype) {
    uint64_t bytes = entry->bytes - entry->bytes % fk_torch_counted_bytes(dtype);
    if (bytes == 0) {
        return fk_storage_create(archive->values, NULL, 0);
    }
    uint8_t *data = archive->bytes + entry->offset;
    if (!archive->look_only) {
        data = fk_torch_storage_memory(archive->values, data, bytes, dtype, archive->big_endian);
    }
    return data == NULL ? NULL : fk_storage_create(archive->values, data, bytes);
}

/* PyTorch writes all bytes of a storage, and counts whole elements only: a float32 view of five
 * bytes has one element and a record of five bytes. */
static fk_code check_first(const fk_zip_entry *entry, const char *key, fk_dtype dtype,
                           const char *location, uint64_t elements, fk_error *err) {
    fk_code code = fk_torch_check_location(location, err);
    if (code != FK_OK) {
        return code;
    }
    if (entry == NULL) {
        return fk_error_set(err, FK_E_CORRUPT, "the storage '%.100s' has no record in the file",
                            key);
    }
    size_t item = fk_torch_counted_bytes(dtype);
    if (elements != entry->bytes / item && !entry->damaged) {
        fk_error_set(err, FK_E_CORRUPT,
                     "the record '%s' has %" PRIu64 " bytes, its storage %" PRIu64
                     " elements of %zu bytes",
                     entry->name, entry->bytes, elements, item);
        fk_error_offset(err, entry->offset);
        return FK_E_CORRUPT;
    }
    return FK_OK;
}

/* A storage of which nothing but its size is left. */
static fk_code make_lost(fk_torch_archive *archive, fk_dtype dtype, uint64_t elements,
                         fk_storage **ret_storage, fk_error *err) {
    uint64_t bytes;
    if (!fk_checked_multiply(elements, fk_torch_counted_bytes(dtype), &bytes)) {
        return fk_error_set(err, FK_E_CORRUPT, "the size of a storage overflows");
    }
    fk_storage *storage = fk_storage_create(archive->values, NULL, bytes);
    if (storage == NULL) {
        return fk_error_no_memory(err);
    }
    *ret_storage = storage;
    return FK_OK;
}

fk_code fk_torch_archive_storage(void *user, const char *key, fk_dtype dtype, const char *location,
                                 uint64_t elements, fk_storage **ret_storage, fk_error *err) {
    fk_torch_archive *archive = user;
    char name[FK_LIMIT_ZIP_NAME_BYTES + 8];
    bool fits = (size_t)snprintf(name, sizeof name, "data/%s", key) < sizeof name;
    const fk_zip_entry *entry = fits ? fk_zip_find(archive->zip, name) : NULL;
    if (archive->lost != NULL && entry == NULL) {
        return make_lost(archive, dtype, elements, ret_storage, err);
    }
    fk_code code = check_first(entry, key, dtype, location, elements, err);
    if (code != FK_OK) {
        return code;
    }
    size_t index = fk_zip_index(archive->zip, entry);
    fk_torch_record *record = &archive->records[index];
    if (record->used) {
        code = fk_torch_check_again(record, entry->name, dtype, location, err);
        if (code != FK_OK) {
            return code;
        }
    }
    fk_storage *storage = record->storage;
    if (storage == NULL && archive->lost != NULL && archive->lost[index]) {
        code = make_lost(archive, dtype, elements, &storage, err);
    } else if (storage == NULL || entry->bytes == 0) { /* PyTorch shares no empty ones either */
        storage = make_storage(archive, entry, dtype);
        code = storage == NULL ? fk_error_no_memory(err) : FK_OK;
    }
    if (code != FK_OK) {
        return code;
    }
    if (!record->used) {
        *record = (fk_torch_record){true, dtype, location, storage};
    }
    *ret_storage = storage;
    return FK_OK;
}
