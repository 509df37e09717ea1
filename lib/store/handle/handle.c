#include "store/handle/handle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "os/directory.h"
#include "os/file.h"
#include "store/handle/font_memory.h"
#include "store/handle/options.h"
#include "store/names/font_id.h"
#include "store/names/layout.h"

FK_DEFINE_SCOPED(fk_store, fk_store_close);

enum { WARNING_BYTES = 256 };

const char *fk_store_default_path(void) {
    const char *path = getenv("FONTKEEP_STORE");
    return path != NULL && path[0] != '\0' ? path : "./networks";
}

void fk_store_close(fk_store *store) {
    if (store == NULL) {
        return;
    }
    fk_font_memories_destroy(store->memories);
    free(store->absolute);
    free(store->path);
    free(store);
}

const char *fk_store_path(const fk_store *store) {
    return store->path;
}

static fk_code create_handle(const char *path, const fk_store_options *options,
                             fk_store **ret_store, fk_error *err) {
    FK_SCOPED(fk_store_closep) fk_store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        return fk_error_no_memory(err);
    }
    store->no_create_runs = options->no_create_runs;
    store->durability = options->durability;
    store->max_weights_bytes =
        options->max_weights_bytes != 0 ? options->max_weights_bytes : FK_DEFAULT_MAX_WEIGHTS_BYTES;
    store->path = strdup(path);
    store->memories = fk_font_memories_create();
    if (store->path == NULL || store->memories == NULL) {
        return fk_error_no_memory(err);
    }
    fk_code code = fk_directory_absolute(path, &store->absolute, err);
    if (code == FK_OK) {
        *ret_store = fk_take(store);
    }
    return code;
}

/* The store's directory; `gone` words a missing one. */
static fk_code open_root(fk_store *store, const char *gone, int *ret_fd, fk_error *err) {
    fk_error cause = {0};
    fk_code code = fk_directory_open_path(store->absolute, ret_fd, &cause);
    if (code == FK_OK) {
        return FK_OK;
    }
    if (cause.system_errno == ENOENT) {
        fk_error_set(err, FK_E_STORE_NOT_FOUND, "store '%s' %s", store->path, gone);
        fk_error_hint(err,
                      "make it with `fontkeep init %s`, or name the right directory with "
                      "--store or $FONTKEEP_STORE",
                      store->path);
    } else if (cause.system_errno == ENOTDIR || code == FK_E_INVALID) {
        fk_error_set(err, FK_E_STORE_NOT_FOUND, "store '%s' is no directory", store->path);
        fk_error_hint(err, "name a directory with --store or $FONTKEEP_STORE");
    } else if (err != NULL) {
        *err = cause;
    }
    fk_error_path(err, store->path);
    return cause.system_errno == ENOENT || cause.system_errno == ENOTDIR || code == FK_E_INVALID
               ? FK_E_STORE_NOT_FOUND
               : code;
}

/* Refuses a store of a newer format. A store.json that cannot be read is no reason to lock anybody
 * out: the directories are the truth (I5). */
static fk_code check_format(fk_store *store, int root, fk_error *err) {
    fk_error cause = {0};
    char store_id[37];
    fk_code code = fk_store_read_identity(root, store_id, &cause);
    if (code != FK_E_UNSUPPORTED && code != FK_E_NO_MEMORY) {
        return FK_OK;
    }
    if (err != NULL) {
        *err = cause;
        fk_error_path_join(err, store->path);
    }
    return code;
}

fk_code fk_store_open(const char *path, const fk_store_options *options, fk_store **ret_store,
                      fk_error *err) {
    fk_store_options chosen = {0};
    fk_code code = fk_options_copy(&chosen, sizeof chosen, options, "fk_store_options", err);
    if (code != FK_OK) {
        return code;
    }
    if (chosen.durability != FK_DURABILITY_FULL && chosen.durability != FK_DURABILITY_NONE) {
        return fk_error_set(err, FK_E_USAGE, "durability %d is none of fontkeep's",
                            (int)chosen.durability);
    }
    if (path != NULL && path[0] == '\0') { /* an unset variable, not the current directory */
        fk_error_set(err, FK_E_STORE_NOT_FOUND, "the store's path is empty");
        fk_error_hint(err, "name a directory with --store, '.' for the current one");
        return FK_E_STORE_NOT_FOUND;
    }
    FK_SCOPED(fk_store_closep) fk_store *store = NULL;
    code = create_handle(path != NULL ? path : fk_store_default_path(), &chosen, &store, err);
    if (code == FK_OK && chosen.create) {
        code = fk_directory_make_path(store->absolute, NULL, err);
    }
    FK_SCOPED(fk_file_closep) int root = -1;
    if (code == FK_OK) {
        code = open_root(store, "does not exist", &root, err);
    }
    if (code == FK_OK) {
        code = check_format(store, root, err);
    }
    if (code == FK_OK) {
        *ret_store = fk_take(store);
    }
    return code;
}

fk_code fk_store_open_root(fk_store *store, int *ret_fd, fk_error *err) {
    return open_root(store, "does not exist any more", ret_fd, err);
}

/* ---- fonts -------------------------------------------------------------------------------- */

/* Copies the font id nearest to a wrong one into `into`, or "". */
static void nearest_font(int root, const char *font_id, char into[sizeof(fk_font_id)]) {
    FK_SCOPED(fk_names_finish) fk_names names = {0};
    into[0] = '\0';
    if (fk_directory_list(root, ".", &names, NULL) != FK_OK || names.count == 0) {
        return;
    }
    FK_SCOPED(fk_freep) const char **fonts = calloc(names.count, sizeof *fonts);
    size_t count = 0;
    for (size_t i = 0; fonts != NULL && i < names.count; i++) {
        if (fk_font_id_is_valid(names.names[i])) {
            fonts[count++] = names.names[i];
        }
    }
    const char *nearest = count > 0 ? fk_nearest_name(font_id, fonts, count) : NULL;
    if (nearest != NULL) {
        fk_text_copy(into, sizeof(fk_font_id), nearest);
    }
}

static fk_code font_not_found(fk_store *store, int root, const char *font_id, fk_error *err) {
    char nearest[sizeof(fk_font_id)];
    nearest_font(root, font_id, nearest);
    fk_error_set(err, FK_E_FONT_NOT_FOUND, "no font '%s' in store '%s'", font_id, store->path);
    if (nearest[0] != '\0') {
        fk_error_hint(err, "did you mean '%s'? `fontkeep fonts` lists all", nearest);
    } else {
        fk_error_hint(err,
                      "list the fonts with `fontkeep fonts`, or make it with `fontkeep create`");
    }
    return FK_E_FONT_NOT_FOUND;
}

static fk_code font_id_not_found(fk_store *store, int root, const char *font_id, fk_error *err) {
    fk_font_id corrected;
    fk_font_id_correct(font_id, &corrected);
    FK_SCOPED(fk_file_closep) int fd = -1;
    if (fk_directory_open(root, corrected.text, &fd, NULL) != FK_OK) {
        return font_not_found(store, root, font_id, err);
    }
    fk_error_set(err, FK_E_FONT_NOT_FOUND, "no font '%s' in store '%s': it is no font id", font_id,
                 store->path);
    fk_error_hint(err, "did you mean '%s'?", corrected.text);
    return FK_E_FONT_NOT_FOUND;
}

fk_code fk_store_open_font(fk_store *store, int root, const char *font_id, int *ret_fd,
                           fk_error *err) {
    if (!fk_font_id_is_valid(font_id)) {
        return font_id_not_found(store, root, font_id, err);
    }
    fk_error cause = {0};
    fk_code code = fk_directory_open(root, font_id, ret_fd, &cause);
    if (code == FK_OK) {
        return FK_OK;
    }
    if (cause.system_errno == ENOENT) {
        return font_not_found(store, root, font_id, err);
    }
    fk_error_path_join(&cause, store->path);
    if (err != NULL) {
        *err = cause;
    }
    return code;
}

/* ---- runs/ -------------------------------------------------------------------------------- */

static fk_code runs_missing(fk_store *store, const char *font_id, fk_error *err) {
    fk_error_set(err, FK_E_INCOMPLETE, "font '%s' has no runs/", font_id);
    fk_error_hint(err, "make the directory, or open the store with create_runs on");
    fk_error_path(err, FK_RUNS_DIRECTORY);
    fk_error_path_join(err, font_id);
    fk_error_path_join(err, store->path);
    return FK_E_INCOMPLETE;
}

/* A reader on a read-only store sees an empty history and is told so. */
static fk_code make_runs(int font, const char *font_id, int *ret_fd, char *ret_warning,
                         fk_error *err) {
    fk_code code = fk_directory_make(font, FK_RUNS_DIRECTORY, NULL, err);
    if (code == FK_E_ACCESS) {
        if (ret_warning != NULL) {
            snprintf(ret_warning, WARNING_BYTES,
                     "font '%s' has no runs/, and it cannot be made here: its history looks empty",
                     font_id);
        }
        *ret_fd = -1;
        return FK_OK;
    }
    return code == FK_OK ? fk_directory_open(font, FK_RUNS_DIRECTORY, ret_fd, err) : code;
}

fk_code fk_store_open_runs(fk_store *store, const char *font_id, int *ret_fd, char *ret_warning,
                           fk_error *err) {
    FK_SCOPED(fk_file_closep) int root = -1;
    FK_SCOPED(fk_file_closep) int font = -1;
    if (ret_warning != NULL) {
        ret_warning[0] = '\0';
    }
    fk_code code = fk_store_open_root(store, &root, err);
    if (code == FK_OK) {
        code = fk_store_open_font(store, root, font_id, &font, err);
    }
    if (code != FK_OK) {
        return code;
    }
    fk_error cause = {0};
    code = fk_directory_open(font, FK_RUNS_DIRECTORY, ret_fd, &cause);
    if (code != FK_OK && cause.system_errno == ENOENT) {
        if (store->no_create_runs) {
            return runs_missing(store, font_id, err);
        }
        code = make_runs(font, font_id, ret_fd, ret_warning, &cause);
    }
    if (code != FK_OK && err != NULL) {
        fk_error_path_join(&cause, font_id);
        fk_error_path_join(&cause, store->path);
        *err = cause;
    }
    return code;
}
