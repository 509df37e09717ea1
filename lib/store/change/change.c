#include "store/change/change.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "store/names/layout.h"
#include "store/run/resolve.h"
#include "value/values.h"

struct fk_change_list {
    fk_values *values; /* owns texts and lists */
    fk_change *rows;   /* from malloc */
    size_t count;
    size_t capacity;
    const char **notes; /* of the run under way; from malloc, the texts in `values` */
    size_t note_count;
    size_t note_capacity;
    fk_problem *left; /* likewise */
    size_t left_count;
    size_t left_capacity;
};

/* ---- the list ----------------------------------------------------------------------------- */

void fk_change_list_destroy(fk_change_list *changes) {
    if (changes != NULL) {
        fk_values_destroy(changes->values);
        free(changes->notes);
        free(changes->left);
        free(changes->rows);
        free(changes);
    }
}

size_t fk_change_list_count(const fk_change_list *changes) {
    return changes->count;
}

const fk_change *fk_change_list_at(const fk_change_list *changes, size_t index) {
    return index < changes->count ? &changes->rows[index] : NULL;
}

fk_code fk_change_list_create(fk_change_list **ret_changes, fk_error *err) {
    FK_SCOPED(fk_change_list_destroyp) fk_change_list *changes = calloc(1, sizeof *changes);
    if (changes != NULL) {
        changes->values = fk_values_create();
    }
    if (changes == NULL || changes->values == NULL) {
        return fk_error_no_memory(err);
    }
    *ret_changes = fk_take(changes);
    return FK_OK;
}

static const char *keep_text(fk_change_list *changes, const char *text) {
    char *copy = fk_values_allocate(changes->values, strlen(text) + 1);
    return copy == NULL ? NULL : memcpy(copy, text, strlen(text) + 1);
}

fk_code fk_change_note(fk_change_list *changes, const char *path, fk_error *err) {
    if (changes->note_count == changes->note_capacity) {
        size_t capacity = 2 * changes->note_capacity + 8;
        const char **notes = reallocarray(changes->notes, capacity, sizeof *notes);
        if (notes == NULL) {
            return fk_error_no_memory(err);
        }
        changes->notes = notes;
        changes->note_capacity = capacity;
    }
    const char *text = keep_text(changes, path);
    if (text == NULL) {
        return fk_error_no_memory(err);
    }
    changes->notes[changes->note_count++] = text;
    return FK_OK;
}

fk_code fk_change_note_left(fk_change_list *changes, const fk_problem *problem, fk_error *err) {
    if (changes->left_count == changes->left_capacity) {
        size_t capacity = 2 * changes->left_capacity + 8;
        fk_problem *left = reallocarray(changes->left, capacity, sizeof *left);
        if (left == NULL) {
            return fk_error_no_memory(err);
        }
        changes->left = left;
        changes->left_capacity = capacity;
    }
    fk_problem kept = *problem;
    kept.path = keep_text(changes, problem->path);
    kept.message = keep_text(changes, problem->message);
    if (kept.path == NULL || kept.message == NULL) {
        return fk_error_no_memory(err);
    }
    changes->left[changes->left_count++] = kept;
    return FK_OK;
}

/* Everything that takes memory: then the row stands behind the last one, and counting it in cannot
 * fail. */
static fk_code prepare_row(fk_change_list *changes, fk_change *row, fk_error *err) {
    row->font_id = keep_text(changes, row->font_id);
    row->run_id = keep_text(changes, row->run_id);
    row->message = keep_text(changes, row->message);
    row->hint = keep_text(changes, row->hint);
    row->path = keep_text(changes, row->path);
    if (row->font_id == NULL || row->run_id == NULL || row->message == NULL || row->hint == NULL ||
        row->path == NULL) {
        return fk_error_no_memory(err);
    }
    if (changes->count == changes->capacity) {
        size_t capacity = 2 * changes->capacity + 8;
        fk_change *rows = reallocarray(changes->rows, capacity, sizeof *rows);
        if (rows == NULL) {
            return fk_error_no_memory(err);
        }
        changes->rows = rows;
        changes->capacity = capacity;
    }
    changes->rows[changes->count] = *row;
    return FK_OK;
}

static int compare_texts(const void *one, const void *other) {
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static fk_code prepare_changed(fk_change_list *changes, const char *font_id, const char *run_id,
                               fk_error *err) {
    size_t count = changes->note_count;
    size_t left_bytes = changes->left_count * sizeof *changes->left;
    const char **paths = fk_values_allocate(changes->values, count * sizeof *paths);
    fk_problem *left = fk_values_allocate(changes->values, left_bytes);
    if (paths == NULL || left == NULL) {
        return fk_error_no_memory(err);
    }
    if (count > 0) {
        memcpy(paths, changes->notes, count * sizeof *paths);
        qsort(paths, count, sizeof *paths, compare_texts);
    }
    if (left_bytes > 0) {
        memcpy(left, changes->left, left_bytes);
    }
    fk_change row = {.font_id = font_id,
                     .run_id = run_id,
                     .changed = paths,
                     .changed_count = count,
                     .message = "",
                     .hint = "",
                     .path = "",
                     .left = left,
                     .left_count = changes->left_count};
    return prepare_row(changes, &row, err);
}

static fk_code add_refused(fk_change_list *changes, const char *font_id, const char *run_id,
                           const fk_error *why, fk_error *err) {
    fk_change row = {.font_id = font_id,
                     .run_id = run_id,
                     .code = why->code,
                     .message = why->message,
                     .hint = why->hint,
                     .path = why->path};
    fk_code code = prepare_row(changes, &row, err);
    changes->count += code == FK_OK ? 1 : 0;
    return code;
}

/* ---- one run ------------------------------------------------------------------------------ */

static bool is_about_run(fk_code code) {
    return code == FK_E_CORRUPT || code == FK_E_INCOMPLETE || code == FK_E_UNSUPPORTED ||
           code == FK_E_INVALID || code == FK_E_LIMIT || code == FK_E_BUSY;
}

/* The row is there before the run is changed: a change that nobody hears of would look like a
 * failure. */
static fk_code publish(fk_change_list *changes, fk_generation *generation, bool needed,
                       const char *font_id, const char *run_id, fk_error *err) {
    fk_code code = FK_OK;
    if (needed) {
        code = fk_change_note(changes, FK_MANIFEST_FILE, err);
    } else {
        changes->note_count = 0;
    }
    if (code == FK_OK) {
        code = prepare_changed(changes, font_id, run_id, err);
    }
    if (code == FK_OK && needed) {
        code = fk_generation_publish(generation, err);
    }
    changes->count += code == FK_OK || code == FK_E_NOT_DURABLE ? 1 : 0;
    return code;
}

static fk_code try_once(fk_change_list *changes, fk_store *store, const char *font_id,
                        const char *run_id, const fk_changer *changer, fk_error *err) {
    FK_SCOPED(fk_generation_destroyp) fk_generation *generation = NULL;
    bool needed = false;
    changes->note_count = 0;
    changes->left_count = 0;
    fk_code code = fk_generation_create(store, font_id, run_id, &generation, err);
    if (code != FK_OK) {
        return code;
    }
    generation->draft->progress = changer->progress;
    generation->draft->progress_user = changer->progress_user;
    code = changer->fill(changer->user, generation, changes, &needed, err);
    if (code != FK_OK || !(needed || changer->lists_unchanged)) {
        return code;
    }
    return publish(changes, generation, needed, font_id, generation->run->place.id.text, err);
}

fk_code fk_change_run(fk_change_list *changes, fk_store *store, const char *font_id,
                      const char *run_id, const fk_changer *changer, fk_error *err) {
    fk_code code = try_once(changes, store, font_id, run_id, changer, err);
    for (unsigned retry = 0; code == FK_E_BUSY && retry < FK_LIMIT_RETRIES; retry++) {
        code = try_once(changes, store, font_id, run_id, changer, err);
    }
    return code;
}

/* ---- a font ------------------------------------------------------------------------------- */

/* One that cannot be looked at may be concerned: the change itself will tell why not. */
static fk_code is_concerned(fk_store *store, const fk_history *history, const char *font_id,
                            const fk_scan_run *place, const fk_changer *changer, bool *ret_is,
                            fk_error *err) {
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    FK_SCOPED(fk_run_finish) fk_run run = {0};
    if (values == NULL) {
        return fk_error_no_memory(err);
    }
    fk_code code = fk_run_init(&run, store, history->runs, font_id, place, false, values, NULL);
    *ret_is = code != FK_OK || changer->concerns(&run);
    return FK_OK;
}

static fk_code change_one_of_many(fk_change_list *changes, fk_store *store, const char *font_id,
                                  const char *run_id, const fk_changer *changer, fk_error *err) {
    fk_error why = {0};
    fk_code code = fk_change_run(changes, store, font_id, run_id, changer, &why);
    if (code == FK_E_RUN_NOT_FOUND) {
        return FK_OK; /* removed meanwhile */
    }
    if (is_about_run(code)) {
        return add_refused(changes, font_id, run_id, &why, err);
    }
    if (code != FK_OK && err != NULL) {
        *err = why;
    }
    return code;
}

fk_code fk_change_font(fk_change_list *changes, fk_store *store, const char *font_id,
                       const fk_changer *changer, fk_error *err) {
    FK_SCOPED(fk_history_close) fk_history history = {.runs = -1};
    fk_code code = fk_history_open(store, font_id, &history, err);
    for (size_t i = 0; code == FK_OK && i < history.scan.count; i++) {
        const fk_scan_run *place = &history.scan.runs[i];
        bool concerned = false;
        code = is_concerned(store, &history, font_id, place, changer, &concerned, err);
        if (code == FK_OK && concerned) {
            code = change_one_of_many(changes, store, font_id, place->id.text, changer, err);
        }
    }
    return code;
}
