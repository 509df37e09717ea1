#include "checkpoint/legacy_read.h"

#include "checkpoint/inspect_notes.h"
#include "checkpoint/inspection.h"
#include "checkpoint/legacy_file.h"
#include "value/values.h"

fk_code fk_legacy_read(uint8_t *bytes, size_t length, fk_values *values, fk_value **ret_top,
                       fk_error *err) {
    FK_SCOPED(fk_legacy_file_finish) fk_legacy_file file;
    fk_legacy_file_init(&file, bytes, length, values);
    const fk_pickle_host host = {
        .storage = fk_legacy_file_storage, .part = fk_legacy_file_part, .user = &file};
    fk_value *top = NULL;
    fk_code code = fk_legacy_file_read(&file, &host, &top, err);
    if (code == FK_OK) {
        *ret_top = top;
    }
    return code;
}

/* ---- inspection */

typedef struct legacy_inspector {
    fk_inspect_notes notes; /* first */
    fk_legacy_file file;
} legacy_inspector;

static void inspector_finish(legacy_inspector *inspect) {
    fk_legacy_file_finish(&inspect->file);
}

static fk_code find_storage(void *user, const char *key, fk_dtype dtype, const char *location,
                            uint64_t elements, fk_storage **ret_storage, fk_error *err) {
    legacy_inspector *inspect = user;
    return fk_legacy_file_storage(&inspect->file, key, dtype, location, elements, ret_storage, err);
}

static fk_code find_part(void *user, const char *key, const char *root_key, uint64_t offset,
                         uint64_t elements, fk_error *err) {
    legacy_inspector *inspect = user;
    return fk_legacy_file_part(&inspect->file, key, root_key, offset, elements, err);
}

static fk_code inspect_file(legacy_inspector *inspect, fk_error *err) {
    const fk_pickle_host host = {find_storage, find_part, fk_inspect_note_global,
                                 fk_inspect_note_opcode, inspect};
    fk_value *top = NULL;
    fk_error found = {.offset = FK_NO_OFFSET};
    fk_code code = fk_legacy_file_read(&inspect->file, &host, &top, &found);
    if (code != FK_OK) {
        code = fk_inspect_note_break(&inspect->notes, &found, code, err);
    }
    return code == FK_OK && top != NULL ? fk_inspect_note_tensors(&inspect->notes, top, err) : code;
}

fk_code fk_legacy_inspect(const uint8_t *bytes, size_t length, fk_inspection **ret_inspection,
                          fk_error *err) {
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    FK_SCOPED(fk_inspection_destroyp)
    fk_inspection *inspection = fk_inspection_create("pytorch-legacy", length);
    FK_SCOPED(inspector_finish) legacy_inspector inspect = {.notes.inspection = inspection};
    if (values == NULL || inspection == NULL) {
        return fk_error_no_memory(err);
    }
    /* nothing is written through the storages: they die here, with their values */
    fk_legacy_file_init(&inspect.file, (uint8_t *)(uintptr_t)bytes, length, values);
    inspect.file.look_only = true;
    fk_code code = fk_inspection_add_finding(
        inspection, "crc", FK_NO_OFFSET, 0, err,
        "the format before PyTorch 1.6 has no checksums: damage in tensors cannot be seen");
    if (code == FK_OK) {
        code = inspect_file(&inspect, err);
    }
    if (code == FK_OK) {
        *ret_inspection = fk_take(inspection);
    }
    return code;
}
