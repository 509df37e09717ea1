#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "checkpoint/pickle_read.h"
#include "checkpoint/torch_archive.h"
#include "checkpoint/torch_read.h"
#include "value/values.h"

/* A damaged record that tensors look at. */
typedef struct suspect {
    const fk_storage *storage;
    size_t record;
} suspect;

/* What is found, and where it is looked for. */
typedef struct locator {
    fk_torch_archive archive;
    bool *damaged;     /* by record */
    bool *named;       /* by record: a tensor that uses it has a row */
    suspect *suspects; /* by address of the storage */
    size_t suspect_count;
    size_t tensors;
    uint64_t named_bytes_max; /* names beyond it are left out: nobody reads so many */
    fk_torch_damage *rows;
    size_t count;
    size_t capacity;
} locator;

static void locator_finish(locator *locate) {
    for (size_t i = 0; i < locate->count; i++) {
        free(locate->rows[i].tensor);
    }
    free(locate->rows);
    free(locate->damaged);
    free(locate->named);
    free(locate->suspects);
    fk_torch_archive_finish(&locate->archive);
}

static fk_code add_row(locator *locate, const char *tensor, const fk_zip_entry *entry,
                       fk_error *err) {
    if (locate->count == locate->capacity) {
        size_t capacity = locate->capacity == 0 ? 16 : locate->capacity * 2;
        fk_torch_damage *rows = realloc(locate->rows, capacity * sizeof *rows);
        if (rows == NULL) {
            return fk_error_no_memory(err);
        }
        locate->rows = rows;
        locate->capacity = capacity;
    }
    char *name = tensor != NULL ? strdup(tensor) : NULL;
    if (tensor != NULL && name == NULL) {
        return fk_error_no_memory(err);
    }
    locate->rows[locate->count++] = (fk_torch_damage){name, entry->offset, entry->bytes};
    return FK_OK;
}

static fk_code find_storage(void *user, const char *key, fk_dtype dtype, const char *location,
                            uint64_t elements, fk_storage **ret_storage, fk_error *err) {
    locator *locate = user;
    return fk_torch_archive_storage(&locate->archive, key, dtype, location, elements, ret_storage,
                                    err);
}

static fk_code pass_global(void *user, const char *module, const char *name, bool call,
                           uint64_t offset, fk_error *err) {
    (void)user, (void)module, (void)name, (void)call, (void)offset, (void)err;
    return FK_OK;
}

static fk_code pass_opcode(void *user, const char *opcode, uint64_t offset, fk_error *err) {
    (void)user, (void)opcode, (void)offset, (void)err;
    return FK_OK;
}

static int compare_suspects(const void *one, const void *other) {
    uintptr_t a = (uintptr_t)((const suspect *)one)->storage;
    uintptr_t b = (uintptr_t)((const suspect *)other)->storage;
    return a < b ? -1 : a > b;
}

/* Once the pickle is read, and the records know their storages. */
static fk_code list_suspects(locator *locate, fk_error *err) {
    size_t count = fk_zip_count(locate->archive.zip);
    locate->suspects = calloc(count, sizeof locate->suspects[0]);
    if (locate->suspects == NULL) {
        return fk_error_no_memory(err);
    }
    for (size_t i = 0; i < count; i++) {
        const fk_storage *storage = locate->archive.records[i].storage;
        if (locate->damaged[i] && storage != NULL) {
            locate->suspects[locate->suspect_count++] = (suspect){storage, i};
        }
    }
    qsort(locate->suspects, locate->suspect_count, sizeof locate->suspects[0], compare_suspects);
    return FK_OK;
}

static fk_code visit(void *user, const char *path, const fk_value *value, fk_error *err) {
    locator *locate = user;
    if (fk_value_kind(value) != FK_KIND_TENSOR) {
        return FK_OK;
    }
    locate->tensors++;
    const suspect key = {.storage = fk_value_as_tensor(value)->storage};
    const suspect *found =
        bsearch(&key, locate->suspects, locate->suspect_count, sizeof key, compare_suspects);
    if (found == NULL) {
        return FK_OK;
    }
    locate->named[found->record] = true;
    uint64_t taken = strnlen(path, locate->named_bytes_max + 1) + sizeof locate->rows[0];
    if (taken > locate->named_bytes_max) {
        locate->named_bytes_max = 0;
        return FK_OK;
    }
    locate->named_bytes_max -= taken;
    return add_row(locate, path, fk_zip_at(locate->archive.zip, found->record), err);
}

static fk_code find_damage(locator *locate, fk_error *err) {
    const fk_zip *zip = locate->archive.zip;
    locate->damaged = calloc(fk_zip_count(zip), sizeof locate->damaged[0]);
    locate->named = calloc(fk_zip_count(zip), sizeof locate->named[0]);
    if (locate->damaged == NULL || locate->named == NULL) {
        return fk_error_no_memory(err);
    }
    for (size_t i = 0; i < fk_zip_count(zip); i++) {
        bool computed;
        locate->damaged[i] = !fk_zip_check(zip, fk_zip_at(zip, i), &computed);
    }
    return FK_OK;
}

/* Names the tensors, as far as the pickle can be read. */
static fk_code find_tensors(locator *locate, fk_values *values, fk_error *err) {
    const fk_pickle_host host = {find_storage, NULL, pass_global, pass_opcode, locate};
    const fk_zip_entry *pickle = locate->archive.pickle;
    fk_value *top = NULL;
    size_t used;
    fk_code code = fk_pickle_read(locate->archive.bytes + pickle->offset, (size_t)pickle->bytes,
                                  pickle->offset, &host, values, &top, &used, err);
    if (code == FK_OK) {
        code = list_suspects(locate, err);
    }
    if (code == FK_OK) {
        code = fk_value_walk(top, "", visit, locate, err);
    }
    return code == FK_E_NO_MEMORY ? code : FK_OK;
}

static fk_code add_unnamed(locator *locate, fk_error *err) {
    fk_code code = FK_OK;
    for (size_t i = 0; code == FK_OK && i < fk_zip_count(locate->archive.zip); i++) {
        if (locate->damaged[i] && !locate->named[i]) {
            code = add_row(locate, NULL, fk_zip_at(locate->archive.zip, i), err);
        }
    }
    return code;
}

fk_code fk_torch_locate_damage(const uint8_t *bytes, size_t length, fk_torch_damage **ret_damage,
                               size_t *ret_count, size_t *ret_tensors, fk_error *err) {
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    FK_SCOPED(locator_finish) locator locate = {0};
    if (values == NULL) {
        return fk_error_no_memory(err);
    }
    /* nothing is written through the storages: they die here, with their values */
    uint8_t *looked_at = (uint8_t *)(uintptr_t)bytes;
    fk_code code = fk_torch_archive_init(&locate.archive, looked_at, length, values, NULL);
    locate.archive.look_only = true;
    locate.named_bytes_max = FK_LIMIT_LISTED_BYTES + length;
    if (code == FK_OK) {
        code = find_damage(&locate, NULL);
        if (code == FK_OK) {
            code = find_tensors(&locate, values, NULL);
        }
        if (code == FK_OK) {
            code = add_unnamed(&locate, NULL);
        }
    }
    if (code == FK_E_NO_MEMORY) {
        return fk_error_no_memory(err);
    }
    *ret_tensors = locate.tensors;
    *ret_count = locate.count;
    *ret_damage = fk_take(locate.rows);
    locate.count = 0;
    return FK_OK;
}
