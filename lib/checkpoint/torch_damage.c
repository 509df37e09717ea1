#include "checkpoint/torch_damage.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "checkpoint/pickle_read.h"
#include "checkpoint/torch_archive.h"
#include "checkpoint/torch_read.h"
#include "value/prune.h"
#include "value/values.h"

/* A record that is not intact, and the storage that has its size. */
typedef struct suspect {
    const fk_storage *storage;
    size_t record;
} suspect;

/* What is found, and where it is looked for. */
typedef struct locator {
    fk_torch_archive archive;
    uint64_t length; /* of the file */
    const fk_torch_proof *proof;
    bool *lost;        /* by record */
    bool *named;       /* by record: a tensor that uses it has a row */
    suspect *suspects; /* by address of the storage */
    size_t suspect_count;
    uint64_t named_bytes_max; /* of rows: nobody reads so many */
    bool complete;            /* more rows than that are an error, and not just left out */
    fk_torch_losses losses;
    size_t capacity;
} locator;

void fk_torch_losses_finish(fk_torch_losses *losses) {
    for (size_t i = 0; i < losses->count; i++) {
        free(losses->rows[i].tensor);
    }
    free(losses->rows);
    *losses = (fk_torch_losses){0};
}

static void locator_finish(locator *locate) {
    fk_torch_losses_finish(&locate->losses);
    free(locate->lost);
    free(locate->named);
    free(locate->suspects);
    fk_torch_archive_finish(&locate->archive);
}

static fk_torch_losses take_losses(locator *locate) {
    fk_torch_losses losses = locate->losses;
    locate->losses = (fk_torch_losses){0};
    return losses;
}

/* ---- rows */

/* `entry` NULL: the record is not found. Where the records' order alone tells of them, it stood
 * behind them. */
static fk_code add_row(locator *locate, const char *tensor, const fk_zip_entry *entry,
                       fk_error *err) {
    fk_torch_losses *losses = &locate->losses;
    if (losses->count == locate->capacity) {
        size_t capacity = locate->capacity == 0 ? 16 : locate->capacity * 2;
        fk_torch_loss *rows = reallocarray(losses->rows, capacity, sizeof *rows);
        if (rows == NULL) {
            return fk_error_no_memory(err);
        }
        losses->rows = rows;
        locate->capacity = capacity;
    }
    char *name = tensor != NULL ? strdup(tensor) : NULL;
    if (tensor != NULL && name == NULL) {
        return fk_error_no_memory(err);
    }
    fk_torch_loss *row = &losses->rows[losses->count++];
    *row = (fk_torch_loss){
        .tensor = name, .offset = fk_zip_rest(locate->archive.zip), .undescribed = true};
    if (row->offset != FK_NO_OFFSET) {
        row->bytes = locate->length - row->offset;
    }
    if (entry != NULL) {
        row->offset = entry->offset;
        row->bytes = entry->bytes;
        row->undescribed = entry->damaged;
    }
    return FK_OK;
}

static fk_code fail_rows(fk_error *err) {
    fk_error_set(err, FK_E_LIMIT, "more tensors are lost than can be named");
    fk_error_hint(err, "restore the file from a copy");
    return FK_E_LIMIT;
}

/* ---- records */

static bool is_intact(const locator *locate, const fk_zip_entry *entry) {
    const fk_torch_proof *proof = locate->proof;
    if (entry->damaged) {
        return false;
    }
    bool computed;
    bool same = fk_zip_check(locate->archive.zip, entry, &computed);
    return proof == NULL
               ? same
               : (same && computed) || proof->holds(proof->user, entry->offset, entry->bytes);
}

static fk_code find_damage(locator *locate, fk_error *err) {
    const fk_zip *zip = locate->archive.zip;
    locate->lost = calloc(fk_zip_count(zip), sizeof locate->lost[0]);
    locate->named = calloc(fk_zip_count(zip), sizeof locate->named[0]);
    if (locate->lost == NULL || locate->named == NULL) {
        return fk_error_no_memory(err);
    }
    for (size_t i = 0; i < fk_zip_count(zip); i++) {
        locate->lost[i] = !is_intact(locate, fk_zip_at(zip, i));
    }
    locate->archive.lost = locate->lost;
    return FK_OK;
}

/* Records that no tensor with a row looks at. */
static fk_code add_unnamed(locator *locate, fk_error *err) {
    fk_code code = FK_OK;
    for (size_t i = 0; code == FK_OK && i < fk_zip_count(locate->archive.zip); i++) {
        if (locate->lost[i] && !locate->named[i]) {
            code = add_row(locate, NULL, fk_zip_at(locate->archive.zip, i), err);
        }
    }
    return code;
}

/* ---- tensors */

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
        if (locate->lost[i] && storage != NULL) {
            locate->suspects[locate->suspect_count++] = (suspect){storage, i};
        }
    }
    qsort(locate->suspects, locate->suspect_count, sizeof locate->suspects[0], compare_suspects);
    return FK_OK;
}

static bool is_lost_tensor(const fk_value *value) {
    return fk_value_kind(value) == FK_KIND_TENSOR &&
           fk_torch_is_lost(fk_value_as_tensor(value)->storage);
}

static fk_code visit(void *user, const char *path, const fk_value *value, fk_error *err) {
    locator *locate = user;
    locate->losses.tensors += fk_value_kind(value) == FK_KIND_TENSOR;
    if (!is_lost_tensor(value)) {
        return FK_OK;
    }
    const suspect key = {.storage = fk_value_as_tensor(value)->storage};
    const suspect *found =
        bsearch(&key, locate->suspects, locate->suspect_count, sizeof key, compare_suspects);
    if (found != NULL) {
        locate->named[found->record] = true;
    }
    uint64_t taken = strnlen(path, locate->named_bytes_max + 1) + sizeof locate->losses.rows[0];
    if (taken > locate->named_bytes_max) {
        locate->named_bytes_max = 0;
        return locate->complete ? fail_rows(err) : FK_OK;
    }
    locate->named_bytes_max -= taken;
    return add_row(locate, path,
                   found != NULL ? fk_zip_at(locate->archive.zip, found->record) : NULL, err);
}

/* Reads the pickle, and names the lost tensors. */
static fk_code find_tensors(locator *locate, const fk_pickle_host *host, size_t *ret_used,
                            fk_value **ret_top, fk_error *err) {
    const fk_zip_entry *pickle = locate->archive.pickle;
    fk_code code =
        fk_pickle_read(locate->archive.bytes + pickle->offset, (size_t)pickle->bytes,
                       pickle->offset, host, locate->archive.values, ret_top, ret_used, err);
    if (code == FK_OK) {
        code = list_suspects(locate, err);
    }
    return code == FK_OK ? fk_value_walk(*ret_top, "", visit, locate, err) : code;
}

/* ---- looking */

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

/* As far as the pickle can be read. */
static fk_code look(locator *locate) {
    const fk_pickle_host host = {find_storage, NULL, pass_global, pass_opcode, locate};
    fk_value *top = NULL;
    size_t used = 0;
    fk_code code = find_damage(locate, NULL);
    if (code == FK_OK) {
        code = find_tensors(locate, &host, &used, &top, NULL);
    }
    return code == FK_E_NO_MEMORY ? code : add_unnamed(locate, NULL);
}

fk_code fk_torch_locate_damage(const uint8_t *bytes, size_t length, const fk_torch_proof *proof,
                               fk_torch_losses *ret_losses, fk_error *err) {
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    FK_SCOPED(locator_finish)
    locator locate = {
        .length = length, .proof = proof, .named_bytes_max = FK_LIMIT_LISTED_BYTES + length};
    if (values == NULL) {
        return fk_error_no_memory(err);
    }
    /* nothing is written through the storages: they die here, with their values */
    uint8_t *looked_at = (uint8_t *)(uintptr_t)bytes;
    fk_code code = fk_torch_archive_init_damaged(&locate.archive, looked_at, length, values, NULL);
    locate.archive.look_only = true;
    if (code == FK_OK) {
        code = look(&locate);
    }
    if (code == FK_E_NO_MEMORY) {
        return fk_error_no_memory(err);
    }
    *ret_losses = take_losses(&locate);
    return FK_OK;
}

/* ---- reading what is left */

static fk_code fail(fk_error *err, uint64_t offset, const char *what) {
    fk_error_set(err, FK_E_CORRUPT, "%s", what);
    fk_error_offset(err, offset);
    fk_error_hint(err, "restore the file from a copy");
    return FK_E_CORRUPT;
}

static fk_code check_left(const locator *locate, fk_error *err) {
    const fk_torch_losses *losses = &locate->losses;
    size_t lost = 0;
    for (size_t i = 0; i < losses->count; i++) {
        lost += losses->rows[i].tensor != NULL;
    }
    return lost == 0 || lost < losses->tensors
               ? FK_OK
               : fail(err, losses->rows[0].offset, "none of its tensors is intact");
}

static fk_code salvage(locator *locate, fk_value **ret_top, fk_error *err) {
    const fk_pickle_host host = {.storage = find_storage, .user = locate};
    const fk_zip *zip = locate->archive.zip;
    fk_code code = find_damage(locate, err);
    if (code == FK_OK && locate->lost[fk_zip_index(zip, locate->archive.pickle)]) {
        code = fail(err, locate->archive.pickle->offset,
                    "its record 'data.pkl' is damaged, which says what the tensors are");
    }
    if (code == FK_OK) {
        code = find_tensors(locate, &host, NULL, ret_top, err);
    }
    if (code == FK_OK) {
        code = check_left(locate, err);
    }
    if (code == FK_OK) {
        code = fk_value_prune(locate->archive.values, *ret_top, is_lost_tensor, err);
    }
    return code == FK_OK ? add_unnamed(locate, err) : code;
}

fk_code fk_torch_salvage(uint8_t *bytes, size_t length, const fk_torch_proof *proof,
                         fk_values *values, fk_value **ret_top, fk_torch_losses *ret_losses,
                         fk_error *err) {
    FK_SCOPED(locator_finish)
    locator locate = {.length = length,
                      .proof = proof,
                      .named_bytes_max = FK_LIMIT_LISTED_BYTES + length,
                      .complete = true};
    if (fk_torch_recognise(bytes, length) && !fk_torch_has_crcs(bytes, length)) {
        fk_error_set(err, FK_E_UNSUPPORTED,
                     "the format before PyTorch 1.6 has no checksums that tell what is intact");
        fk_error_subject(err, FK_SUBJECT_DATA);
        fk_error_hint(err, "restore the file from a copy");
        return FK_E_UNSUPPORTED;
    }
    fk_value *top = NULL;
    fk_code code = fk_torch_archive_init_damaged(&locate.archive, bytes, length, values, err);
    if (code == FK_OK) {
        code = salvage(&locate, &top, err);
    }
    if (code != FK_OK) {
        return code;
    }
    *ret_top = top;
    *ret_losses = take_losses(&locate);
    return FK_OK;
}
