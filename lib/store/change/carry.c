#include "store/change/carry.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "os/directory.h"
#include "os/file.h"
#include "store/names/layout.h"
#include "store/run/inside.h"

enum { CHUNK_BYTES = 1 << 20 };

/* ---- one file ----------------------------------------------------------------------------- */

/* Whether the file system will not link this file, though it may copy it. */
static bool cannot_link(const fk_error *error) {
    int failure = error->system_errno;
    return failure == EXDEV || failure == EPERM || failure == EMLINK || failure == EOPNOTSUPP ||
           failure == ENOSYS;
}

static fk_code copy_bytes(int from, int to, uint64_t bytes, const char *path, fk_error *err) {
    FK_SCOPED(fk_freep) void *chunk = malloc(CHUNK_BYTES);
    fk_code code = chunk != NULL ? FK_OK : fk_error_no_memory(err);
    for (uint64_t done = 0; code == FK_OK && done < bytes;) {
        size_t now = bytes - done < CHUNK_BYTES ? (size_t)(bytes - done) : CHUNK_BYTES;
        code = fk_file_read_at(from, chunk, now, done, path, err);
        if (code == FK_OK) {
            code = fk_file_write(to, chunk, now, path, err);
        }
        done += now;
    }
    return code;
}

static fk_code copy(fk_draft *draft, const fk_run *source, const char *path, const char *new_path,
                    fk_error *err) {
    FK_SCOPED(fk_file_closep) int from = -1;
    FK_SCOPED(fk_file_closep) int to = -1;
    struct stat status;
    fk_code code = fk_file_open(source->directory, path, &from, &status, err);
    if (code == FK_OK) {
        code = fk_file_create(draft->stage.directory, new_path, &to, err);
    }
    if (code == FK_OK && status.st_size > CHUNK_BYTES) {
        code = fk_file_reserve(to, (uint64_t)status.st_size, new_path, err);
    }
    if (code == FK_OK) {
        code = copy_bytes(from, to, (uint64_t)status.st_size, path, err);
    }
    return code == FK_OK ? fk_stage_keep(&draft->stage, new_path, &to, err) : code;
}

/* A link is opened where it came to: what was checked there cannot be changed by a change of names
 * in the source. */
static fk_code link_file(fk_draft *draft, const fk_run *source, const char *path,
                         const char *new_path, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    int stage = draft->stage.directory;
    fk_code code = fk_file_link(source->directory, path, stage, new_path, err);
    if (code != FK_OK) {
        return code;
    }
    code = fk_file_open(stage, new_path, &fd, NULL, err);
    if (code == FK_OK) {
        return fk_stage_keep(&draft->stage, new_path, &fd, err);
    }
    (void)fk_file_remove(stage, new_path, NULL);
    return code;
}

/* Missing, or no regular file: a link, a FIFO, a directory. */
static bool is_missing(fk_code code, const fk_error *error) {
    return code == FK_E_INVALID || (code != FK_OK && error->system_errno == ENOENT);
}

fk_code fk_carry_file(fk_draft *draft, const fk_run *source, const char *path, const char *new_path,
                      bool *ret_missing, fk_error *err) {
    fk_error cause = {0};
    struct stat status;
    bool missing = false;
    fk_code code = fk_file_look(source->directory, path, &status, &missing, &cause);
    if (code == FK_OK) {
        missing = missing || !S_ISREG(status.st_mode);
    }
    if (code == FK_OK && !missing) {
        code = link_file(draft, source, path, new_path, &cause);
        if (code != FK_OK && cannot_link(&cause)) {
            code = copy(draft, source, path, new_path, &cause);
        }
        missing = is_missing(code, &cause);
    }
    if (code == FK_OK || missing) {
        *ret_missing = missing;
        return FK_OK;
    }
    if (err != NULL) {
        *err = cause;
        fk_error_path_join(err, draft->where.path);
    }
    return fk_draft_written(draft, code);
}

/* ---- the rest ----------------------------------------------------------------------------- */

static fk_code copy_digests(const fk_run_file *file, fk_file_digests *ret_digests, fk_error *err) {
    fk_file_digests digests = {.bytes = file->bytes, .pieces = file->pieces};
    digests.sha256 = calloc(file->pieces, sizeof *digests.sha256);
    digests.xxh3 = file->xxh3 == NULL ? NULL : calloc(file->pieces, sizeof *digests.xxh3);
    if (digests.sha256 == NULL || (file->xxh3 != NULL && digests.xxh3 == NULL)) {
        fk_file_digests_finish(&digests);
        return fk_error_no_memory(err);
    }
    for (size_t i = 0; i < file->pieces; i++) {
        fk_text_copy(digests.sha256[i], sizeof digests.sha256[i], file->sha256[i]);
        if (digests.xxh3 != NULL) {
            fk_text_copy(digests.xxh3[i], sizeof digests.xxh3[i], file->xxh3[i]);
        }
    }
    *ret_digests = digests;
    return FK_OK;
}

static bool is_glyph(const char *path) {
    return fk_text_starts_with(path, FK_GLYPHS_DIRECTORY "/");
}

static fk_code refuse_directory(const char *path, fk_error *err) {
    fk_error_set(err, FK_E_UNSUPPORTED, "the manifest lists '%s' in a directory that is not known",
                 path);
    fk_error_hint(err, "use the newer fontkeep that wrote it");
    fk_error_path(err, path);
    return FK_E_UNSUPPORTED;
}

static fk_code carry_listed(fk_draft *draft, const fk_run *source, const fk_run_file *file,
                            fk_error *err) {
    bool missing = false;
    fk_file_digests digests = {0};
    fk_code code = FK_OK;
    if (strchr(file->path, '/') != NULL && !is_glyph(file->path)) {
        return refuse_directory(file->path, err);
    }
    if (is_glyph(file->path)) {
        code = fk_stage_make_glyphs(&draft->stage, err);
    }
    if (code == FK_OK) {
        code = fk_carry_file(draft, source, file->path, file->path, &missing, err);
    }
    if (code == FK_OK) {
        code = copy_digests(file, &digests, err);
    }
    return code == FK_OK
               ? fk_manifest_files_add(&draft->files, file->path, file->label, &digests, err)
               : code;
}

static fk_code carry_stranger(fk_draft *draft, const fk_run *source, const char *path,
                              fk_error *err) {
    struct stat status;
    bool missing = false;
    bool renamed = source->weights_name != NULL && strcmp(path, source->weights_name) == 0 &&
                   fk_manifest_files_have(&draft->files, FK_WEIGHTS_FILE);
    if (renamed || strcmp(path, FK_MANIFEST_FILE) == 0 ||
        fk_manifest_files_have(&draft->files, path)) {
        return FK_OK;
    }
    fk_code code = fk_file_look(draft->stage.directory, path, &status, &missing, err);
    return code == FK_OK && missing ? fk_carry_file(draft, source, path, path, &missing, err)
                                    : code;
}

static fk_code carry_strangers(fk_draft *draft, const fk_run *source, fk_error *err) {
    FK_SCOPED(fk_inside_finish) fk_inside inside = {0};
    fk_code code = fk_inside_read(source, &inside, err);
    if (code == FK_OK && inside.has_glyphs) {
        code = fk_stage_make_glyphs(&draft->stage, err);
    }
    for (size_t i = 0; code == FK_OK && i < inside.top.count; i++) {
        code = carry_stranger(draft, source, inside.top.names[i], err);
    }
    for (size_t i = 0; code == FK_OK && i < inside.glyphs.count; i++) {
        char path[sizeof FK_GLYPHS_DIRECTORY + NAME_MAX + 2];
        snprintf(path, sizeof path, FK_GLYPHS_DIRECTORY "/%s", inside.glyphs.names[i]);
        code = carry_stranger(draft, source, path, err);
    }
    return code;
}

fk_code fk_carry_rest(fk_draft *draft, const fk_run *source, fk_error *err) {
    fk_code code = FK_OK;
    for (size_t i = 0; code == FK_OK && i < source->info.file_count; i++) {
        const fk_run_file *file = &source->info.files[i];
        if (!fk_manifest_files_have(&draft->files, file->path)) {
            code = carry_listed(draft, source, file, err);
        }
    }
    return code == FK_OK ? carry_strangers(draft, source, err) : code;
}
