#include "store/handle/runs_directory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/text.h"
#include "os/directory.h"
#include "os/file.h"
#include "store/handle/stage_lock.h"
#include "store/names/layout.h"

void fk_runs_directory_close(fk_runs_directory *directory) {
    fk_file_closep(&directory->runs);
    fk_file_closep(&directory->font);
    fk_file_closep(&directory->root);
    free(fk_take(directory->path));
}

void fk_runs_directory_abandon(fk_runs_directory *directory) {
    if (directory->made_runs) {
        fk_directory_remove_empty(directory->font, FK_RUNS_DIRECTORY, NULL);
    }
    if (directory->made_font) {
        fk_directory_remove_empty(directory->root, directory->font_id.text, NULL);
    }
    directory->made_runs = false;
    directory->made_font = false;
}

/* Opens a directory, made when it is missing. */
static fk_code open_or_make(int parent, const char *name, int *ret_fd, bool *ret_made,
                            fk_error *err) {
    fk_code code = fk_directory_open(parent, name, ret_fd, err);
    if (code == FK_OK || err->system_errno != ENOENT) {
        return code;
    }
    code = fk_directory_make(parent, name, ret_made, err);
    return code == FK_OK ? fk_directory_open(parent, name, ret_fd, err) : code;
}

static fk_code open_font(fk_store *store, bool create_font, fk_runs_directory *directory,
                         fk_error *err) {
    const char *font_id = directory->font_id.text;
    if (!create_font) {
        return fk_store_open_font(store, directory->root, font_id, &directory->font, err);
    }
    fk_code code =
        open_or_make(directory->root, font_id, &directory->font, &directory->made_font, err);
    if (code != FK_OK) {
        fk_error_path_join(err, store->path);
    }
    return code;
}

static fk_code open_runs(fk_store *store, fk_runs_directory *directory, fk_error *err) {
    fk_code code = FK_OK;
    if (store->no_create_runs && !directory->made_font) {
        code = fk_directory_open(directory->font, FK_RUNS_DIRECTORY, &directory->runs, err);
        if (code != FK_OK && err->system_errno == ENOENT) {
            code = fk_error_set(err, FK_E_INCOMPLETE, "font '%s' has no runs/",
                                directory->font_id.text);
            fk_error_hint(err, "make the directory, or open the store with create_runs on");
        }
    } else {
        code = open_or_make(directory->font, FK_RUNS_DIRECTORY, &directory->runs,
                            &directory->made_runs, err);
    }
    if (code != FK_OK) {
        fk_error_path(err, directory->path);
    }
    return code;
}

static fk_code name_path(fk_store *store, fk_runs_directory *directory, fk_error *err) {
    FK_SCOPED(fk_buffer_finish) fk_buffer path = {0};
    fk_buffer_append_format(&path, "%s/%s/%s", store->path, directory->font_id.text,
                            FK_RUNS_DIRECTORY);
    directory->path = fk_buffer_take(&path, NULL);
    return directory->path == NULL ? fk_error_no_memory(err) : FK_OK;
}

fk_code fk_runs_directory_open(fk_store *store, const char *font_id, bool create_font,
                               fk_runs_directory *ret_directory, fk_error *err) {
    fk_runs_directory directory = FK_RUNS_DIRECTORY_CLOSED;
    fk_error unheard = {0};
    err = err != NULL ? err : &unheard;
    fk_text_copy(directory.font_id.text, sizeof directory.font_id.text, font_id);
    fk_code code = name_path(store, &directory, err);
    if (code == FK_OK) {
        code = fk_store_open_root(store, &directory.root, err);
    }
    if (code == FK_OK) {
        code = open_font(store, create_font, &directory, err);
    }
    if (code == FK_OK) {
        code = open_runs(store, &directory, err);
    }
    if (code != FK_OK) {
        fk_runs_directory_abandon(&directory);
        fk_runs_directory_close(&directory);
        return code;
    }
    *ret_directory = directory;
    return FK_OK;
}

fk_code fk_runs_directory_probe_colon(fk_runs_directory *directory, bool *ret_refused,
                                      fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    char stage[FK_STAGE_NAME_BYTES];
    char lock[FK_STAGE_LOCK_NAME_BYTES];
    char probe[FK_STAGE_NAME_BYTES + sizeof ":" FK_LOCK_SUFFIX];
    fk_error cause = {0};
    fk_code code = fk_stage_lock_name(stage, lock, err);
    if (code != FK_OK) {
        return code;
    }
    /* Left behind by a kill, it is swept as a lock file without a stage. */
    snprintf(probe, sizeof probe, "%s:%s", stage, FK_LOCK_SUFFIX);
    code = fk_file_create(directory->runs, probe, &fd, &cause);
    if (code == FK_OK) {
        *ret_refused = false;
        code = fk_file_remove(directory->runs, probe, &cause);
    } else if (cause.system_errno == EINVAL || cause.system_errno == EILSEQ) {
        *ret_refused = true;
        return FK_OK;
    }
    if (code != FK_OK && err != NULL) {
        fk_error_path_join(&cause, directory->path);
        *err = cause;
    }
    return code;
}

fk_code fk_runs_directory_check(fk_runs_directory *directory, fk_error *err) {
    const char *font_id = directory->font_id.text;
    bool font = false;
    bool runs = false;
    fk_code code = fk_file_is_at(directory->font, directory->root, font_id, &font, err);
    if (code == FK_OK) {
        code = fk_file_is_at(directory->runs, directory->font, FK_RUNS_DIRECTORY, &runs, err);
    }
    if (code != FK_OK || (font && runs)) {
        return code;
    }
    directory->made_font = false;
    directory->made_runs = false;
    fk_error_set(err, FK_E_FONT_NOT_FOUND, "font '%s' was removed meanwhile", font_id);
    fk_error_hint(err, "look into the trash; restore the font, or save again to make it anew");
    fk_error_path(err, directory->path);
    return FK_E_FONT_NOT_FOUND;
}

fk_code fk_runs_directory_sync(fk_runs_directory *directory, fk_error *err) {
    fk_code code = fk_file_sync(directory->font, directory->font_id.text, err);
    return code == FK_OK ? fk_file_sync(directory->root, ".", err) : code;
}
