#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/inspect_notes.h"
#include "checkpoint/inspection.h"
#include "checkpoint/legacy_file.h"
#include "checkpoint/legacy_read.h"
#include "checkpoint/pickle_read.h"
#include "checkpoint/torch_archive.h"
#include "checkpoint/torch_format.h"
#include "checkpoint/torch_read.h"
#include "value/values.h"

/* What the callbacks of one inspection share. */
typedef struct inspector {
    fk_inspect_notes notes; /* first */
    fk_torch_archive archive;
} inspector;

static void inspector_finish(inspector *inspect) {
    fk_torch_archive_finish(&inspect->archive);
}

/* ---- what the pickle would do */

static fk_code find_storage(void *user, const char *key, fk_dtype dtype, const char *location,
                            uint64_t elements, fk_storage **ret_storage, fk_error *err) {
    inspector *inspect = user;
    return fk_torch_archive_storage(&inspect->archive, key, dtype, location, elements, ret_storage,
                                    err);
}

/* ---- what the archive holds */

static bool is_known_record(const fk_zip_entry *entry) {
    static const char *const names[] = {"data.pkl",           "version",
                                        "byteorder",          ".format_version",
                                        ".storage_alignment", ".data/serialization_id"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(entry->name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static fk_code note_crcs(inspector *inspect, bool *ret_pickle_damaged, fk_error *err) {
    const fk_zip *zip = inspect->archive.zip;
    size_t missing = 0;
    fk_code code = FK_OK;
    *ret_pickle_damaged = false;
    for (size_t i = 0; code == FK_OK && i < fk_zip_count(zip); i++) {
        const fk_zip_entry *entry = fk_zip_at(zip, i);
        bool computed;
        if (!fk_zip_check(zip, entry, &computed)) {
            *ret_pickle_damaged = *ret_pickle_damaged || entry == inspect->archive.pickle;
            code = fk_inspection_add_finding(
                inspect->notes.inspection, "crc", entry->offset, entry->bytes, err,
                "the record '%s' is damaged: its CRC-32 is not the one recorded", entry->name);
        }
        missing += !computed;
    }
    if (code == FK_OK && missing > 0) {
        code = fk_inspection_add_finding(
            inspect->notes.inspection, "crc", FK_NO_OFFSET, 0, err,
            "crc not computed: %zu records were written without CRC-32, damage cannot be seen",
            missing);
    }
    return code;
}

static fk_code note_surplus(inspector *inspect, bool pickle_read, fk_error *err) {
    const fk_zip *zip = inspect->archive.zip;
    fk_code code = FK_OK;
    for (size_t i = 0; code == FK_OK && i < fk_zip_count(zip); i++) {
        const fk_zip_entry *entry = fk_zip_at(zip, i);
        bool storage = fk_torch_is_storage(entry);
        bool unused = storage && pickle_read && !inspect->archive.records[i].used;
        if (unused || (!storage && !is_known_record(entry))) {
            code = fk_inspection_add_finding(
                inspect->notes.inspection, "record", entry->offset, entry->bytes, err,
                storage ? "the record '%s' belongs to no tensor"
                        : "the record '%s' is none that torch.save writes",
                entry->name);
        }
    }
    return code;
}

/* ---- the pickle */

/* Reads the pickle and lists its tensors, as far as it goes. */
static fk_code read_pickle(inspector *inspect, fk_values *values, fk_error *err) {
    const fk_pickle_host host = {find_storage, NULL, fk_inspect_note_global, fk_inspect_note_opcode,
                                 inspect};
    const fk_zip_entry *pickle = inspect->archive.pickle;
    fk_value *top = NULL;
    size_t used = 0;
    fk_code code = fk_pickle_read(inspect->archive.bytes + pickle->offset, (size_t)pickle->bytes,
                                  pickle->offset, &host, values, &top, &used, err);
    if (code == FK_OK && used < pickle->bytes) {
        code = fk_inspection_add_finding(
            inspect->notes.inspection, "trailing", pickle->offset + used, pickle->bytes - used, err,
            "%" PRIu64 " bytes follow the pickle's STOP", pickle->bytes - used);
    }
    return code == FK_OK ? fk_inspect_note_tensors(&inspect->notes, top, err) : code;
}

/* Damage is an error; behind something foreign, what was found so far is worth more. */
static fk_code inspect_pickle(inspector *inspect, bool damaged, fk_values *values, bool *ret_read,
                              fk_error *err) {
    fk_error found;
    found.message[0] = '\0';
    found.offset = FK_NO_OFFSET;
    fk_code code = read_pickle(inspect, values, &found);
    *ret_read = code == FK_OK;
    inspect->notes.foreign = inspect->notes.foreign && !damaged;
    return fk_inspect_note_break(&inspect->notes, &found, code, err);
}

/* ---- the whole */

fk_code fk_torch_inspect(const uint8_t *bytes, size_t length, fk_inspection **ret_inspection,
                         fk_error *err) {
    if (fk_legacy_recognise(bytes, length)) {
        return fk_legacy_inspect(bytes, length, ret_inspection, err);
    }
    if (!fk_zip_recognise(bytes, length)) {
        return fk_torch_format_refuse(bytes, length, err);
    }
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    FK_SCOPED(fk_inspection_destroyp)
    fk_inspection *inspection = fk_inspection_create("pytorch-zip", length);
    FK_SCOPED(inspector_finish) inspector inspect = {.notes.inspection = inspection};
    if (values == NULL || inspection == NULL) {
        return fk_error_no_memory(err);
    }
    /* nothing is written through the storages: they die here, with their values */
    uint8_t *looked_at = (uint8_t *)(uintptr_t)bytes;
    fk_code code = fk_torch_archive_init(&inspect.archive, looked_at, length, NULL, values, err);
    inspect.archive.look_only = true;
    bool damaged = false;
    bool pickle_read = false;
    if (code == FK_OK) {
        code = note_crcs(&inspect, &damaged, err);
    }
    if (code == FK_OK) {
        code = inspect_pickle(&inspect, damaged, values, &pickle_read, err);
    }
    if (code == FK_OK) {
        code = note_surplus(&inspect, pickle_read, err);
    }
    if (code == FK_OK) {
        *ret_inspection = fk_take(inspection);
    }
    return code;
}
