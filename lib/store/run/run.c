#include "store/run/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "os/directory.h"
#include "os/file.h"
#include "store/handle/handle.h"
#include "store/manifest/manifest.h"
#include "store/names/layout.h"
#include "store/run/health.h"
#include "store/run/resolve.h"
#include "store/run/run_file.h"
#include "store/run/wording.h"
#include "value/values.h"

static const char *const weights_names[] = {FK_WEIGHTS_FILE, "weights.pt", "weights.pth"};

/* "store/font/runs/directory", in the arena. */
static char *make_path(fk_values *values, const char *store, const char *font_id,
                       const char *directory) {
    size_t bytes = strlen(store) + strlen(font_id) + strlen(directory) + sizeof FK_RUNS_DIRECTORY +
                   sizeof "//";
    char *path = fk_values_allocate(values, bytes);
    if (path != NULL) {
        snprintf(path, bytes, "%s/%s/" FK_RUNS_DIRECTORY "/%s", store, font_id, directory);
    }
    return path;
}

static fk_code name_run(fk_run *run, const char *font_id, fk_error *err) {
    fk_value *font = fk_value_string(run->values, font_id);
    fk_value *id = fk_value_string(run->values, run->place.id.text);
    const char *path =
        make_path(run->values, fk_store_path(run->store), font_id, run->place.directory.text);
    if (font == NULL || id == NULL || path == NULL) {
        return fk_error_no_memory(err);
    }
    run->info.font_id = fk_value_as_text(font, NULL);
    run->info.run_id = fk_value_as_text(id, NULL);
    run->info.path = path;
    return FK_OK;
}

/* Which of the names of a weights file is there, whatever it is. */
static fk_code find_weights(fk_run *run, fk_error *err) {
    for (size_t i = 0; i < sizeof weights_names / sizeof weights_names[0]; i++) {
        struct stat status;
        bool missing = false;
        fk_code code = fk_file_look(run->directory, weights_names[i], &status, &missing, err);
        if (code != FK_OK) {
            return code;
        }
        if (!missing) {
            run->weights_name = weights_names[i];
            return FK_OK;
        }
    }
    return FK_OK;
}

/* An error of opening or reading run.json, as a state of the manifest. */
static fk_run_manifest state_of_error(const fk_error *error) {
    if (error->code == FK_E_IO && error->system_errno == ENOENT) {
        return FK_RUN_MANIFEST_NONE;
    }
    bool damaged =
        error->code == FK_E_INVALID || error->code == FK_E_CORRUPT || error->code == FK_E_LIMIT;
    return damaged ? FK_RUN_MANIFEST_DAMAGED : FK_RUN_MANIFEST_UNREADABLE;
}

static fk_code read_text(fk_run *run, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    struct stat status;
    void *text = NULL;
    fk_code code = fk_file_open(run->directory, FK_MANIFEST_FILE, &fd, &status, err);
    if (code == FK_OK) {
        code = fk_file_read_whole(fd, FK_LIMIT_MANIFEST_BYTES, FK_MANIFEST_FILE, &text,
                                  &run->manifest_length, err);
    }
    run->manifest_text = text;
    return code;
}

static fk_code parse_text(fk_run *run, bool with_files, fk_error *err) {
    fk_manifest_state state = FK_MANIFEST_GOOD;
    fk_error_set(&run->manifest_error, FK_E_CORRUPT, "run.json is damaged");
    fk_code code = fk_manifest_read(run->manifest_text, run->manifest_length, with_files,
                                    run->values, &state, &run->info, &run->manifest_error);
    if (code == FK_E_NO_MEMORY) {
        return fk_error_no_memory(err);
    }
    run->manifest = code != FK_OK                  ? FK_RUN_MANIFEST_UNREADABLE
                    : state == FK_MANIFEST_GOOD    ? FK_RUN_MANIFEST_GOOD
                    : state == FK_MANIFEST_DAMAGED ? FK_RUN_MANIFEST_DAMAGED
                                                   : FK_RUN_MANIFEST_NEWER;
    return FK_OK;
}

static void know_nothing(fk_run_info *info) {
    info->status = FK_STATUS_UNKNOWN;
    info->started_at_us = FK_NO_TIME;
    info->ended_at_us = FK_NO_TIME;
    info->generation = 1;
}

static fk_code read_manifest(fk_run *run, bool with_files, fk_error *err) {
    know_nothing(&run->info);
    fk_code code = read_text(run, &run->manifest_error);
    if (code == FK_E_NO_MEMORY) {
        return fk_error_no_memory(err);
    }
    if (code == FK_OK) {
        code = parse_text(run, with_files, err);
        if (code != FK_OK) {
            return code;
        }
    } else {
        run->manifest = state_of_error(&run->manifest_error);
    }
    if (!with_files || run->manifest != FK_RUN_MANIFEST_GOOD) {
        free(fk_take(run->manifest_text));
    }
    if (run->manifest == FK_RUN_MANIFEST_GOOD) {
        run->weights_name = FK_WEIGHTS_FILE;
        return FK_OK;
    }
    return find_weights(run, err);
}

/* The manifest may name another run: the directory's own names hold. */
static void note_names(fk_run *run, const char *font_id) {
    const fk_run_info *info = &run->info;
    if (run->manifest != FK_RUN_MANIFEST_GOOD) {
        return;
    }
    if (strcmp(info->font_id, font_id) != 0 || strcmp(info->run_id, run->place.id.text) != 0) {
        run->written_for_font = info->font_id;
        run->written_for_run = info->run_id;
    }
}

static fk_code fill(fk_run *run, const char *font_id, bool with_files, fk_error *err) {
    fk_code code = read_manifest(run, with_files, err);
    if (code != FK_OK) {
        return code;
    }
    fk_findings_init(&run->findings, run->values);
    note_names(run, font_id);
    return name_run(run, font_id, err);
}

fk_code fk_run_init(fk_run *run, fk_store *store, int runs, const char *font_id,
                    const fk_scan_run *place, bool with_files, fk_values *values, fk_error *err) {
    *run = (fk_run){.store = store, .values = values, .directory = -1, .place = *place};
    fk_code code = fk_directory_open(runs, place->directory.text, &run->directory, err);
    if (code == FK_OK) {
        code = fill(run, font_id, with_files, err);
    }
    if (code != FK_OK) {
        fk_run_finish(run);
    }
    return code;
}

fk_code fk_run_init_unopened(fk_run *run, fk_store *store, const char *font_id,
                             const fk_scan_run *place, fk_values *values, const fk_error *why,
                             fk_error *err) {
    *run = (fk_run){.store = store,
                    .values = values,
                    .directory = -1,
                    .place = *place,
                    .manifest = FK_RUN_MANIFEST_UNREADABLE};
    know_nothing(&run->info);
    fk_findings_init(&run->findings, values);
    bool missing = why->code == FK_E_INCOMPLETE; /* runs/ */
    fk_findings_add_error(&run->findings, missing ? FK_INCOMPLETE : FK_CORRUPT,
                          &FK_PROBLEM(missing ? "missing" : "manifest", NULL), why);
    fk_code code = name_run(run, font_id, err);
    return code == FK_OK ? fk_health_conclude(run, err) : code;
}

void fk_run_finish(fk_run *run) {
    if (run->store != NULL) {
        fk_file_closep(&run->directory);
    }
    run->directory = -1;
    free(fk_take(run->manifest_text));
}

/* An empty handle with an arena of its own. */
static fk_run *create_handle(fk_store *store, const fk_scan_run *place) {
    fk_run *run = calloc(1, sizeof *run);
    if (run == NULL) {
        return NULL;
    }
    *run = (fk_run){.store = store, .values = fk_values_create(), .directory = -1, .place = *place};
    if (run->values == NULL) {
        free(fk_take(run));
    }
    return run;
}

fk_code fk_run_open_place(fk_store *store, int runs, const char *font_id, const fk_scan_run *place,
                          fk_run **ret_run, fk_error *err) {
    FK_SCOPED(fk_run_closep) fk_run *run = create_handle(store, place);
    if (run == NULL) {
        return fk_error_no_memory(err);
    }
    fk_code code = fk_run_init(run, store, runs, font_id, place, true, run->values, err);
    if (code != FK_OK) {
        return code;
    }
    *ret_run = fk_take(run);
    return FK_OK;
}

fk_code fk_run_open_again(const fk_run *run, fk_run **ret_run, fk_error *err) {
    FK_SCOPED(fk_run_closep) fk_run *again = create_handle(run->store, &run->place);
    if (again == NULL) {
        return fk_error_no_memory(err);
    }
    fk_code code = fk_directory_open(run->directory, ".", &again->directory, err);
    if (code == FK_OK) {
        code = fill(again, run->info.font_id, true, err);
    }
    if (code != FK_OK) {
        return code;
    }
    *ret_run = fk_take(again);
    return FK_OK;
}

fk_code fk_run_open(fk_store *store, const char *font_id, const char *run_id, fk_run **ret_run,
                    fk_error *err) {
    FK_SCOPED(fk_run_closep) fk_run *run = NULL;
    fk_code code = fk_resolve_and_open(store, font_id, run_id, &run, err);
    if (code == FK_OK) {
        code = fk_health_shallow(run, err);
    }
    if (code != FK_OK) {
        return code;
    }
    *ret_run = fk_take(run);
    return FK_OK;
}

void fk_run_close(fk_run *run) {
    if (run == NULL) {
        return;
    }
    fk_run_finish(run);
    fk_values_destroy(run->values);
    free(run);
}

const fk_run_info *fk_run_get_info(const fk_run *run) {
    return &run->info;
}

fk_code fk_get_run_info(fk_store *store, const char *font_id, const char *run_id,
                        fk_run_info **ret_info, fk_error *err) {
    fk_run *run = NULL;
    fk_code code = fk_run_open(store, font_id, run_id, &run, err);
    if (code != FK_OK) {
        return code;
    }
    fk_run_finish(run);
    *ret_info = &run->info;
    return FK_OK;
}

void fk_run_info_destroy(fk_run_info *info) {
    fk_run_close((fk_run *)info);
}

static int compare_path(const void *path, const void *file) {
    return strcmp(path, ((const fk_run_file *)file)->path);
}

fk_code fk_run_read_files(fk_run *run, fk_run_info *ret_info, fk_error *err) {
    fk_manifest_state state = FK_MANIFEST_GOOD;
    *ret_info = (fk_run_info){0};
    fk_code code = read_text(run, err);
    if (code == FK_OK) {
        code = fk_manifest_read(run->manifest_text, run->manifest_length, true, run->values, &state,
                                ret_info, err);
    }
    free(fk_take(run->manifest_text));
    return code == FK_OK && state != FK_MANIFEST_GOOD ? FK_E_CORRUPT : code;
}

const fk_run_file *fk_run_find_file(const fk_run_info *info, const char *path) {
    return info->file_count == 0
               ? NULL
               : bsearch(path, info->files, info->file_count, sizeof *info->files, compare_path);
}

fk_code fk_run_error_path(const fk_run *run, fk_code code, fk_error *err) {
    fk_error_path_join(err, run->info.path);
    return code;
}

fk_code fk_run_check_manifest(const fk_run *run, fk_error *err) {
    if (run->manifest == FK_RUN_MANIFEST_GOOD || run->manifest == FK_RUN_MANIFEST_NONE) {
        return FK_OK;
    }
    const fk_error *why = &run->manifest_error;
    fk_code code = run->manifest == FK_RUN_MANIFEST_DAMAGED ? FK_E_CORRUPT
                   : run->manifest == FK_RUN_MANIFEST_NEWER ? FK_E_UNSUPPORTED
                                                            : why->code;
    char said[FK_WORDING_BYTES];
    fk_wording_say_it(why->message, FK_MANIFEST_FILE, said);
    fk_error_set(err, code, "run.json of run '%s' cannot be used: %s", run->info.run_id, said);
    if (err != NULL) {
        err->system_errno = why->system_errno;
        fk_error_hint(err, "%s", why->hint);
    }
    fk_error_subject(err, code == FK_E_UNSUPPORTED ? FK_SUBJECT_VERSION : FK_SUBJECT_NONE);
    fk_error_offset(err, why->offset);
    fk_error_path(err, FK_MANIFEST_FILE);
    return fk_run_error_path(run, code, err);
}

fk_code fk_run_check_readable(const fk_run *run, fk_error *err) {
    return run->manifest == FK_RUN_MANIFEST_UNREADABLE ? fk_run_check_manifest(run, err) : FK_OK;
}

/* A path that may be asked for: of a file beneath the run's directory. */
static fk_code check_path(const fk_run *run, const char *path, fk_error *err) {
    if (path != NULL && path[0] != '\0') {
        return fk_run_check_manifest(run, err);
    }
    fk_error_set(err, FK_E_USAGE, "no path of a file is given");
    return FK_E_USAGE;
}

fk_code fk_run_read_file(fk_run *run, const char *path, void **ret_bytes, size_t *ret_length,
                         fk_error *err) {
    fk_code code = check_path(run, path, err);
    if (code != FK_OK) {
        return code;
    }
    const fk_run_file *listed = fk_run_find_file(&run->info, path);
    if (listed == NULL && run->manifest == FK_RUN_MANIFEST_GOOD) {
        fk_error_set(err, FK_E_INCOMPLETE, "run '%s' has no file '%s'", run->info.run_id, path);
        fk_error_path(err, path);
        fk_error_hint(err, "ask for a file that its manifest lists");
        return fk_run_error_path(run, FK_E_INCOMPLETE, err);
    }
    code = fk_run_file_read(run, path, listed, ret_bytes, ret_length, err);
    return code == FK_OK ? FK_OK : fk_run_error_path(run, code, err);
}
