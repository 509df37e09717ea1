/* fk_recover: dead stages in the store and all fonts, and generations that were never published. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "os/directory.h"
#include "os/file.h"
#include "store/handle/handle.h"
#include "store/handle/run_lock.h"
#include "store/names/font_id.h"
#include "store/names/layout.h"
#include "store/names/trash_name.h"
#include "store/trash/sweep.h"
#include "store/trash/trash.h"
#include "store/trash/unpublished.h"
#include "value/values.h"

/* A growing list of texts that live in an arena. */
typedef struct text_list {
    const char **texts;
    size_t count;
    size_t capacity;
} text_list;

typedef struct recovery {
    fk_recovery open; /* what the caller sees; first, so that its address is ours */
    fk_values *values;
    text_list removed;
    text_list kept;
    text_list reasons;
} recovery;

/* Where a sweep is. */
typedef struct swept_place {
    recovery *recovery;
    const char *prefix; /* of the paths it tells: "1-fruity/runs/", or "" in the store */
} swept_place;

void fk_recovery_destroy(fk_recovery *open) {
    if (open == NULL) {
        return;
    }
    recovery *it = (recovery *)open;
    free(it->removed.texts);
    free(it->kept.texts);
    free(it->reasons.texts);
    fk_values_destroy(it->values);
    free(it);
}

static recovery *new_recovery(void) {
    recovery *it = calloc(1, sizeof *it);
    if (it != NULL) {
        it->values = fk_values_create();
    }
    if (it != NULL && it->values == NULL) {
        free(it);
        return NULL;
    }
    return it;
}

static fk_code add_text(recovery *it, text_list *list, const char *text, fk_error *err) {
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 8 : 2 * list->capacity;
        const char **texts = reallocarray(list->texts, capacity, sizeof *texts);
        if (texts == NULL) {
            return fk_error_no_memory(err);
        }
        list->texts = texts;
        list->capacity = capacity;
    }
    char *copy = fk_values_allocate(it->values, strlen(text) + 1);
    if (copy == NULL) {
        return fk_error_no_memory(err);
    }
    memcpy(copy, text, strlen(text) + 1);
    list->texts[list->count++] = copy;
    return FK_OK;
}

static fk_code note(void *user, const char *name, bool removed, const char *reason, fk_error *err) {
    const swept_place *place = user;
    recovery *it = place->recovery;
    FK_SCOPED(fk_buffer_finish) fk_buffer path = {0};
    if (!fk_buffer_append_format(&path, "%s%s", place->prefix, name)) {
        return fk_error_no_memory(err);
    }
    const char *text = (const char *)path.bytes;
    if (removed) {
        return add_text(it, &it->removed, text, err);
    }
    fk_code code = add_text(it, &it->kept, text, err);
    return code == FK_OK ? add_text(it, &it->reasons, reason, err) : code;
}

/* A generation in the trash that nobody published, unless somebody is just about to. */
static fk_code sweep_generation(swept_place *place, fk_store *store, int runs, const char *font_id,
                                const fk_trash_name *name, fk_error *err) {
    FK_SCOPED(fk_run_lock_release) fk_run_lock lock = FK_RUN_LOCK_FREE;
    char directory[FK_TRASH_NAME_BYTES];
    bool is = false;
    bool removed = false;
    fk_error cause = {0};
    fk_trash_name_format(name, directory);
    fk_code code = fk_unpublished_judge(store, runs, font_id, name, &is, err);
    if (code != FK_OK || !is) {
        return code;
    }
    code = fk_run_lock_take(runs, FK_RUNS_DIRECTORY, name->subject, &lock, &cause);
    if (code == FK_OK) {
        code =
            fk_unpublished_remove(store, runs, FK_RUNS_DIRECTORY, font_id, name, &removed, &cause);
    }
    if (code == FK_OK && !removed) {
        return FK_OK; /* it was published just now */
    }
    return code == FK_E_NO_MEMORY ? fk_error_no_memory(err)
                                  : note(place, directory, removed, cause.message, err);
}

static fk_code sweep_generations(swept_place *place, fk_store *store, int runs, const char *font_id,
                                 fk_error *err) {
    FK_SCOPED(fk_names_finish) fk_names names = {0};
    fk_code code = fk_directory_list(runs, FK_RUNS_DIRECTORY, &names, err);
    for (size_t i = 0; code == FK_OK && i < names.count; i++) {
        fk_trash_name name;
        if (fk_trash_name_parse(names.names[i], &name)) {
            code = sweep_generation(place, store, runs, font_id, &name, err);
        }
    }
    return code;
}

static fk_code sweep_font(recovery *it, fk_store *store, int root, const char *font_id,
                          fk_error *err) {
    FK_SCOPED(fk_file_closep) int runs = -1;
    char prefix[sizeof(fk_font_id) + sizeof "/" FK_RUNS_DIRECTORY "/"];
    fk_error cause = {0};
    swept_place place = {.recovery = it, .prefix = ""};
    if (fk_trash_open_runs(root, font_id, &runs, &cause) != FK_OK) {
        return note(&place, font_id, false, cause.message, err);
    }
    if (runs < 0) {
        return FK_OK;
    }
    snprintf(prefix, sizeof prefix, "%s/" FK_RUNS_DIRECTORY "/", font_id);
    place.prefix = prefix;
    fk_code code = fk_sweep(runs, FK_RUNS_DIRECTORY, note, &place, err);
    if (code == FK_OK) {
        code = sweep_generations(&place, store, runs, font_id, err);
    }
    if (code != FK_OK) {
        fk_error_path_join(err, font_id);
    }
    return code;
}

static fk_code sweep_store(recovery *it, fk_store *store, fk_error *err) {
    FK_SCOPED(fk_file_closep) int root = -1;
    FK_SCOPED(fk_names_finish) fk_names names = {0};
    fk_code code = fk_store_open_root(store, &root, err);
    if (code != FK_OK) {
        return code;
    }
    swept_place place = {.recovery = it, .prefix = ""};
    code = fk_sweep(root, ".", note, &place, err);
    if (code == FK_OK) {
        code = fk_directory_list(root, ".", &names, err);
    }
    for (size_t i = 0; code == FK_OK && i < names.count; i++) {
        if (fk_font_id_is_valid(names.names[i])) {
            code = sweep_font(it, store, root, names.names[i], err);
        }
    }
    if (code != FK_OK) {
        fk_error_path_join(err, fk_store_path(store));
    }
    return code;
}

fk_code fk_recover(fk_store *store, fk_recovery **ret_recovery, fk_error *err) {
    recovery *it = new_recovery();
    if (it == NULL) {
        return fk_error_no_memory(err);
    }
    fk_code code = sweep_store(it, store, err);
    if (code != FK_OK) {
        fk_recovery_destroy(&it->open);
        return code;
    }
    it->open = (fk_recovery){
        .removed = it->removed.texts,
        .removed_count = it->removed.count,
        .kept = it->kept.texts,
        .reasons = it->reasons.texts,
        .kept_count = it->kept.count,
    };
    *ret_recovery = &it->open;
    return FK_OK;
}
