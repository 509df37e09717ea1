#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "digest/digest.h"
#include "os/directory.h"
#include "os/file.h"
#include "store/load/load.h"
#include "store/load/salvage.h"
#include "store/names/layout.h"
#include "store/run/health.h"
#include "store/run/inside.h"
#include "store/run/resolve.h"
#include "store/run/run.h"
#include "store/run/run_file.h"

/* A copy under way. What was written is removed again unless it is `done`. */
typedef struct run_copy {
    fk_run *run;
    fk_watch *watch;
    const char *directory; /* as the user named it */
    int target;
    size_t made;               /* of `directory`: what fk_directory_make_path made of it */
    const fk_loaded *salvaged; /* the weights to write, with no manifest; NULL: they are copied */
    bool done;
    char **written; /* [count], from malloc: paths in the order they were made */
    size_t count;
    size_t capacity;
} run_copy;

static void run_copy_finish(run_copy *copy) {
    for (size_t i = copy->count; i-- > 0;) {
        if (!copy->done) {
            bool directory = strcmp(copy->written[i], FK_GLYPHS_DIRECTORY) == 0;
            (void)(directory ? fk_directory_remove_empty(copy->target, copy->written[i], NULL)
                             : fk_file_remove(copy->target, copy->written[i], NULL));
        }
        free(copy->written[i]);
    }
    free(copy->written);
    fk_file_closep(&copy->target);
    if (!copy->done) {
        fk_directory_unmake_path(copy->directory, copy->made);
    }
}

/* Before a path is made: behind it, nothing may fail before it is known. */
static fk_code note_written(run_copy *copy, const char *path, fk_error *err) {
    if (copy->count == copy->capacity) {
        size_t capacity = 2 * copy->capacity + 8;
        char **more = realloc(copy->written, capacity * sizeof *more);
        if (more == NULL) {
            return fk_error_no_memory(err);
        }
        copy->written = more;
        copy->capacity = capacity;
    }
    char *text = strdup(path);
    if (text == NULL) {
        return fk_error_no_memory(err);
    }
    copy->written[copy->count++] = text;
    return FK_OK;
}

/* What could not be made is not ours to remove. */
static fk_code forget_unless(run_copy *copy, fk_code code) {
    if (code != FK_OK) {
        free(copy->written[--copy->count]);
    }
    return code;
}

static fk_code create_file(run_copy *copy, const char *path, int *ret_fd, fk_error *err) {
    fk_code code = note_written(copy, path, err);
    return code == FK_OK ? forget_unless(copy, fk_file_create(copy->target, path, ret_fd, err))
                         : code;
}

static fk_code check_empty(run_copy *copy, fk_error *err) {
    FK_SCOPED(fk_names_finish) fk_names names = {0};
    fk_code code = fk_directory_list(copy->target, copy->directory, &names, err);
    if (code == FK_OK && names.count > 0) {
        code = fk_error_set(err, FK_E_INVALID, "directory '%s' is not empty", copy->directory);
        fk_error_path(err, copy->directory);
        fk_error_hint(err, "name a new or empty directory");
    }
    return code;
}

static fk_code open_target(run_copy *copy, fk_error *err) {
    fk_error why = {0};
    fk_code code = fk_directory_open_path(copy->directory, &copy->target, &why);
    if (code == FK_OK) {
        return check_empty(copy, err);
    }
    if (why.system_errno != ENOENT) {
        return fk_error_pass(err, &why);
    }
    code = fk_directory_make_path(copy->directory, &copy->made, err);
    return code == FK_OK ? fk_directory_open_path(copy->directory, &copy->target, err) : code;
}

static fk_code write_bytes(run_copy *copy, const char *path, const void *bytes, size_t length,
                           fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    fk_code code = create_file(copy, path, &fd, err);
    if (code == FK_OK) {
        code = fk_file_write(fd, bytes, length, path, err);
    }
    return code == FK_OK ? fk_file_close(&fd, path, err) : code;
}

/* What changed between the check and the copy. */
static fk_code set_changed(const run_copy *copy, const char *path, fk_error *err) {
    fk_error_set(err, FK_E_CORRUPT, "'%s' of run '%s' changed while it was copied", path,
                 copy->run->info.run_id);
    fk_error_path(err, path);
    fk_error_hint(err, "verify the run");
    return fk_run_error_path(copy->run, FK_E_CORRUPT, err);
}

static fk_code check_piece(const fk_run_file *listed, size_t piece, const void *bytes,
                           size_t length, bool *ret_good, fk_error *err) {
    char sha256[FK_SHA256_HEX_BYTES];
    char xxh3[FK_XXH3_HEX_BYTES];
    *ret_good = true;
    if (listed == NULL) {
        return FK_OK;
    }
    if (listed->xxh3 != NULL) {
        fk_xxh3_hex(bytes, length, xxh3);
        *ret_good = strcmp(xxh3, listed->xxh3[piece]) == 0;
        return FK_OK;
    }
    fk_code code = fk_sha256_hex(bytes, length, sha256, err);
    *ret_good = code == FK_OK && strcmp(sha256, listed->sha256[piece]) == 0;
    return code;
}

static fk_code write_piece(run_copy *copy, const char *path, int to, const void *piece,
                           size_t length, fk_error *err) {
    fk_code code = fk_file_write(to, piece, length, path, err);
    fk_watch_count(copy->watch, length);
    if (code == FK_OK && !fk_watch_tell(copy->watch)) {
        code = fk_error_set(err, FK_E_CANCELLED, "cancelled");
    }
    return code;
}

/* Piece by piece: only bytes that were checked are written. */
static fk_code copy_pieces(run_copy *copy, const char *path, const fk_run_file *listed, int from,
                           uint64_t bytes, int to, fk_error *err) {
    uint64_t room = bytes < FK_PIECE_BYTES ? bytes : FK_PIECE_BYTES;
    FK_SCOPED(fk_freep) void *piece = malloc((size_t)room + 1);
    if (piece == NULL) {
        return fk_error_no_memory(err);
    }
    uint64_t offset = 0;
    do {
        size_t length = (size_t)(bytes - offset < room ? bytes - offset : room);
        bool good = false;
        fk_code code = fk_file_read_at(from, piece, length, offset, path, err);
        if (code == FK_OK) {
            code =
                check_piece(listed, (size_t)(offset / FK_PIECE_BYTES), piece, length, &good, err);
        }
        if (code == FK_OK && !good) {
            return set_changed(copy, path, err);
        }
        if (code == FK_OK) {
            code = write_piece(copy, path, to, piece, length, err);
        }
        if (code != FK_OK) {
            return code;
        }
        offset += length;
    } while (offset < bytes);
    return FK_OK;
}

static fk_code copy_file(run_copy *copy, const char *path, const fk_run_file *listed,
                         fk_error *err) {
    FK_SCOPED(fk_file_closep) int from = -1;
    FK_SCOPED(fk_file_closep) int to = -1;
    uint64_t bytes = 0;
    fk_code code = fk_run_file_open(copy->run, path, listed, &from, &bytes, NULL, err);
    if (code == FK_OK) {
        code = create_file(copy, path, &to, err);
    }
    if (code == FK_OK) {
        code = copy_pieces(copy, path, listed, from, bytes, to, err);
    }
    return code == FK_OK ? fk_file_close(&to, path, err) : code;
}

static fk_code make_glyph_directory(run_copy *copy, fk_error *err) {
    fk_code code = note_written(copy, FK_GLYPHS_DIRECTORY, err);
    return code == FK_OK ? forget_unless(copy, fk_directory_make(copy->target, FK_GLYPHS_DIRECTORY,
                                                                 NULL, err))
                         : code;
}

/* Whether a file of the manifest is damaged or missing; one of a newer version is whole. */
static bool is_left_out(const fk_run *run, const char *path) {
    for (size_t i = 0; i < run->info.problem_count; i++) {
        const fk_problem *problem = &run->info.problems[i];
        if (fk_text_is(problem->path, path) && strcmp(problem->code, "version") != 0) {
            return true;
        }
    }
    return false;
}

static fk_code write_salvaged(run_copy *copy, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    const char *path = copy->run->weights_name;
    fk_code code = create_file(copy, path, &fd, err);
    if (code == FK_OK) {
        code = fk_salvage_write(copy->salvaged, fd, path, err);
    }
    return code == FK_OK ? fk_file_close(&fd, path, err) : code;
}

static fk_code copy_listed(run_copy *copy, fk_error *err) {
    const fk_run_info *info = &copy->run->info;
    for (size_t i = 0; i < info->file_count; i++) {
        const fk_run_file *file = &info->files[i];
        /* the check knows no subdirectory but this one */
        const char *slash = strchr(file->path, '/');
        bool known = slash == NULL || fk_text_starts_with(file->path, FK_GLYPHS_DIRECTORY "/");
        if (!known || is_left_out(copy->run, file->path)) {
            continue;
        }
        fk_code code = copy_file(copy, file->path, file, err);
        if (code != FK_OK) {
            return code;
        }
    }
    return copy->salvaged != NULL ? write_salvaged(copy, err)
                                  : write_bytes(copy, FK_MANIFEST_FILE, copy->run->manifest_text,
                                                copy->run->manifest_length, err);
}

static fk_code copy_if_there(run_copy *copy, const fk_inside *inside, const char *name,
                             fk_error *err) {
    bool missing = false;
    const char *wrong = NULL;
    fk_code code = fk_inside_kind(copy->run, inside, name, false, &missing, &wrong, err);
    bool there = code == FK_OK && !missing && wrong == NULL;
    return there ? copy_file(copy, name, NULL, err) : code;
}

/* Without a manifest: the files that a run has by their names. */
static fk_code copy_unlisted(run_copy *copy, fk_error *err) {
    FK_SCOPED(fk_inside_finish) fk_inside inside = {0};
    fk_code code = fk_inside_read(copy->run, &inside, err);
    const char *const names[] = {copy->run->weights_name, FK_SAMPLE_FILE, FK_FEEDBACK_FILE};
    if (code == FK_OK && copy->salvaged != NULL) {
        code = write_salvaged(copy, err);
    }
    for (size_t i = copy->salvaged != NULL; code == FK_OK && i < sizeof names / sizeof names[0];
         i++) {
        code = copy_if_there(copy, &inside, names[i], err);
    }
    for (size_t i = 0; code == FK_OK && i < inside.glyphs.count; i++) {
        char path[sizeof FK_GLYPHS_DIRECTORY + NAME_MAX + 2];
        snprintf(path, sizeof path, FK_GLYPHS_DIRECTORY "/%s", inside.glyphs.names[i]);
        code = fk_text_ends_with(path, ".png") ? copy_file(copy, path, NULL, err) : FK_OK;
        code = code == FK_E_CORRUPT ? FK_OK : code; /* no regular file: not an image of ours */
    }
    return code;
}

/* Weights that this user may not read are no damaged ones. */
static fk_code check_access(const fk_run *run, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    fk_error why = {0};
    uint64_t bytes = 0;
    fk_code code = fk_run_file_open(run, run->weights_name, NULL, &fd, &bytes, NULL, &why);
    if (code != FK_E_ACCESS) {
        return FK_OK;
    }
    fk_error_pass(err, &why);
    return fk_run_error_path(run, code, err);
}

/* Damage that leaves nothing to copy. */
static fk_code check_usable(const fk_run *run, fk_error *err) {
    fk_code code = fk_run_check_manifest(run, err);
    if (code != FK_OK) {
        return code;
    }
    if (run->weights_name == NULL || !run->info.has_weights) {
        fk_error_set(err, FK_E_INCOMPLETE, "run '%s' has no weights", run->info.run_id);
        fk_error_path(err, FK_WEIGHTS_FILE);
        fk_error_hint(err, "name another run");
        return fk_run_error_path(run, FK_E_INCOMPLETE, err);
    }
    code = check_access(run, err);
    if (code != FK_OK) {
        return code;
    }
    for (size_t i = 0; i < run->info.problem_count; i++) {
        const fk_problem *problem = &run->info.problems[i];
        bool weights = fk_text_is(problem->path, run->weights_name);
        if (weights && strcmp(problem->code, "unverified") != 0) {
            code = strcmp(problem->code, "missing") == 0   ? FK_E_INCOMPLETE
                   : strcmp(problem->code, "version") == 0 ? FK_E_UNSUPPORTED
                                                           : FK_E_CORRUPT;
            fk_error_set(err, code, "'%s' of run '%s': %s", problem->path, run->info.run_id,
                         problem->message);
            fk_error_path(err, problem->path);
            fk_error_offset(err, problem->offset);
            fk_error_hint(err, code == FK_E_UNSUPPORTED
                                   ? "inspect the file to see what to do, or name another run"
                                   : "restore the file from a copy, salvage what is intact, or "
                                     "name another run");
            return fk_run_error_path(run, code, err);
        }
    }
    return FK_OK;
}

static fk_code copy_files(fk_run *run, const fk_loaded *salvaged, const char *directory,
                          fk_watch *watch, fk_error *err) {
    FK_SCOPED(run_copy_finish)
    run_copy copy = {
        .run = run, .salvaged = salvaged, .watch = watch, .directory = directory, .target = -1};
    fk_code code = open_target(&copy, err);
    if (code == FK_OK) {
        code = make_glyph_directory(&copy, err);
    }
    if (code == FK_OK) {
        code = run->manifest == FK_RUN_MANIFEST_GOOD ? copy_listed(&copy, err)
                                                     : copy_unlisted(&copy, err);
    }
    copy.done = code == FK_OK;
    return code;
}

fk_code fk_copy_run(fk_store *store, const char *font_id, const char *run_id, const char *directory,
                    fk_progress progress, void *progress_user, fk_run_info **ret_info,
                    fk_error *err) {
    FK_SCOPED(fk_run_closep) fk_run *run = NULL;
    fk_watch watch = FK_WATCH(progress, progress_user);
    fk_error why = {0};
    fk_code code = fk_resolve_and_open(store, font_id, run_id, &run, err);
    if (code != FK_OK) {
        return code;
    }
    watch.total_bytes = 2 * run->info.size_bytes; /* checked, then copied */
    code = fk_health_deep(run, FK_DEPTH_LOAD, false, &watch, &why);
    if (code == FK_OK) {
        code = check_usable(run, &why);
        if (code != FK_OK) {
            fk_load_name_newest(run, &why);
        }
    }
    if (code != FK_OK) {
        return fk_error_pass(err, &why);
    }
    code = copy_files(run, NULL, directory, &watch, err);
    if (code == FK_OK && ret_info != NULL) {
        fk_run_finish(run);
        *ret_info = &fk_take(run)->info;
    }
    return code;
}

/* What is intact of a run that cannot be copied as it is. */
static fk_code copy_salvaged(fk_store *store, const char *font_id, const char *run_id,
                             const char *directory, fk_watch *watch, fk_run_info **ret_info,
                             fk_error *err) {
    FK_SCOPED(fk_loaded_destroyp) fk_loaded *loaded = NULL;
    const fk_load_options options = {.size = sizeof options, .salvage = true};
    fk_code code = fk_load_model(store, font_id, run_id, &options, &loaded, err);
    if (code == FK_OK) {
        bool whole = loaded->lost.count == 0;
        code = copy_files(loaded->run, whole ? NULL : loaded, directory, watch, err);
    }
    if (code == FK_OK && ret_info != NULL) {
        fk_run *run = fk_take(loaded->run);
        fk_run_finish(run);
        *ret_info = &run->info;
    }
    return code;
}

fk_code fk_salvage_run(fk_store *store, const char *font_id, const char *run_id,
                       const char *directory, fk_progress progress, void *progress_user,
                       fk_run_info **ret_info, fk_error *err) {
    fk_watch watch = FK_WATCH(progress, progress_user);
    fk_error why = {0};
    fk_code code =
        fk_copy_run(store, font_id, run_id, directory, progress, progress_user, ret_info, &why);
    if (fk_salvage_may_help(code)) {
        return copy_salvaged(store, font_id, run_id, directory, &watch, ret_info, err);
    }
    return code == FK_OK ? FK_OK : fk_error_pass(err, &why);
}
