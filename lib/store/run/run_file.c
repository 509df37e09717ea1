#include "store/run/run_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "digest/digest.h"
#include "os/file.h"
#include "store/names/layout.h"
#include "store/run/damage.h"
#include "store/run/pieces.h"
#include "store/run/remnant.h"

void fk_run_file_hint(const fk_run *run, const char *path, const char *otherwise, fk_error *err) {
    const char *font_id = run->info.font_id;
    const char *run_id = run->info.run_id;
    const fk_run_file *listed = fk_run_find_file(&run->info, path);
    if (strcmp(path, FK_SAMPLE_FILE) == 0) {
        fk_error_hint(err, "'fontkeep regenerate %s %s' makes it anew; or %s", font_id, run_id,
                      otherwise);
    } else if (listed != NULL && listed->label != NULL) {
        fk_error_hint(err, "'fontkeep regenerate %s %s --command CMD' draws it anew; or %s",
                      font_id, run_id, otherwise);
    } else {
        fk_error_hint(err, "%s", otherwise);
    }
}

static fk_code set_missing(const fk_run *run, const char *path, fk_error *err) {
    fk_error_set(err, FK_E_INCOMPLETE, "'%s' of run '%s' is missing", path, run->info.run_id);
    fk_error_path(err, path);
    bool weights =
        strcmp(path, run->weights_name == NULL ? FK_WEIGHTS_FILE : run->weights_name) == 0;
    fk_run_file_hint(run, path,
                     weights ? "restore the file from a copy, or load another run"
                             : "restore the file from a copy",
                     err);
    return FK_E_INCOMPLETE;
}

static fk_code set_size(const fk_run *run, const fk_run_file *listed, uint64_t bytes,
                        fk_problem *problem, fk_error *err) {
    problem->code = "size";
    problem->offset = bytes < listed->bytes ? bytes : listed->bytes;
    problem->length = bytes < listed->bytes ? listed->bytes - bytes : bytes - listed->bytes;
    fk_error_set(err, FK_E_CORRUPT,
                 "'%s' of run '%s' has %" PRIu64 " bytes, its manifest says %" PRIu64, listed->path,
                 run->info.run_id, bytes, listed->bytes);
    fk_error_path(err, listed->path);
    fk_error_offset(err, problem->offset);
    fk_run_file_hint(run, listed->path, "restore the file from a copy", err);
    return FK_E_CORRUPT;
}

static fk_code set_unopened(const fk_run *run, const char *path, const fk_error *why,
                            fk_problem *problem, fk_error *err) {
    if (why->system_errno == ENOENT) {
        problem->code = "missing";
        return set_missing(run, path, err);
    }
    problem->code = "digest";
    if (err != NULL) {
        *err = *why;
        err->code = why->code == FK_E_INVALID ? FK_E_CORRUPT : why->code;
    }
    return why->code == FK_E_INVALID ? FK_E_CORRUPT : why->code;
}

fk_code fk_run_file_open(const fk_run *run, const char *path, const fk_run_file *listed,
                         int *ret_fd, uint64_t *ret_bytes, fk_problem *ret_problem, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    struct stat status = {0};
    fk_error why = {0};
    fk_problem problem = FK_PROBLEM("digest", path);
    fk_code code = fk_file_open(run->directory, path, &fd, &status, &why);
    uint64_t bytes = (uint64_t)status.st_size;
    if (code != FK_OK) {
        code = set_unopened(run, path, &why, &problem, err);
    } else if (listed != NULL && bytes != listed->bytes) {
        code = set_size(run, listed, bytes, &problem, err);
    }
    if (code != FK_OK) {
        if (ret_problem != NULL) {
            *ret_problem = problem;
        }
        return code;
    }
    *ret_fd = fk_file_take(&fd);
    *ret_bytes = bytes;
    return FK_OK;
}

static fk_code set_damaged(const fk_run *run, const fk_run_file *listed, const bool *damaged,
                           fk_error *err) {
    fk_byte_range range = fk_damage_range(listed, damaged);
    fk_error_set(err, FK_E_CORRUPT,
                 "'%s' of run '%s' is damaged: bytes %" PRIu64 " to %" PRIu64
                 " are not those that were saved",
                 listed->path, run->info.run_id, range.offset, range.offset + range.length);
    fk_error_path(err, listed->path);
    fk_error_offset(err, range.offset);
    fk_run_file_hint(run, listed->path, "restore the file from a copy", err);
    return FK_E_CORRUPT;
}

fk_code fk_run_file_check(const fk_run *run, const fk_run_file *listed, fk_depth depth, int fd,
                          uint8_t *into, fk_watch *watch, bool **ret_damaged, fk_error *err) {
    bool few[4] = {false};
    FK_SCOPED(fk_freep) bool *many = NULL;
    if (listed->pieces > sizeof few || ret_damaged != NULL) {
        many = calloc(listed->pieces, sizeof *many);
        if (many == NULL) {
            return fk_error_no_memory(err);
        }
    }
    bool *damaged = many != NULL ? many : few;
    fk_pieces_job job = {.fd = fd,
                         .path = listed->path,
                         .bytes = listed->bytes,
                         .file = listed,
                         .sha256 = depth == FK_DEPTH_FULL,
                         .into = into,
                         .watch = watch};
    fk_code code = fk_pieces_check(&job, damaged, err);
    if (code != FK_OK || memchr(damaged, true, listed->pieces) == NULL) {
        return code;
    }
    set_damaged(run, listed, damaged, err);
    if (ret_damaged != NULL) {
        *ret_damaged = fk_take(many);
    }
    return FK_E_CORRUPT;
}

/* A file that cannot be opened or read to its end. */
static fk_code note_failure(fk_run *run, fk_code code, const fk_problem *problem,
                            const fk_error *error, fk_error *err) {
    if (code == FK_E_NO_MEMORY || code == FK_E_CANCELLED) {
        return fk_error_pass(err, error);
    }
    fk_findings_add_error(&run->findings, code == FK_E_INCOMPLETE ? FK_INCOMPLETE : FK_CORRUPT,
                          problem, error);
    return FK_OK;
}

/* Weights that were cut: what is left of them is told, too. */
static fk_code note_cut(fk_run *run, const fk_run_file *listed, fk_watch *watch,
                        const fk_problem *problem, fk_error *error, fk_error *err) {
    fk_findings lost;
    fk_remnant remnant;
    fk_findings_init(&lost, run->values);
    fk_code code = fk_remnant_examine(run, listed, watch, &lost, &remnant, err);
    if (code != FK_OK) {
        return code;
    }
    fk_remnant_tell(&remnant, error);
    fk_findings_add_error(&run->findings, FK_CORRUPT, problem, error);
    fk_findings_join(&run->findings, &lost);
    return FK_OK;
}

fk_code fk_run_file_examine(fk_run *run, const fk_run_file *listed, fk_depth depth, fk_watch *watch,
                            fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    FK_SCOPED(fk_freep) bool *damaged = NULL;
    fk_problem problem = FK_PROBLEM("digest", listed->path);
    fk_error error = {0};
    uint64_t bytes = 0;
    fk_code code = fk_run_file_open(run, listed->path, listed, &fd, &bytes, &problem, &error);
    bool is_weights = strcmp(listed->path, FK_WEIGHTS_FILE) == 0;
    if (code != FK_OK) {
        bool is_cut = problem.offset < listed->bytes; /* else there is no offset, or the end */
        bool look = is_weights && depth != FK_DEPTH_SIZES && is_cut;
        fk_watch_count(watch, look ? problem.length : listed->bytes);
        return look ? note_cut(run, listed, watch, &problem, &error, err)
                    : note_failure(run, code, &problem, &error, err);
    }
    if (depth == FK_DEPTH_SIZES) {
        return FK_OK;
    }
    code = fk_run_file_check(run, listed, depth, fd, NULL, watch, &damaged, &error);
    if (code == FK_OK) {
        return FK_OK;
    }
    if (damaged == NULL) {
        return note_failure(run, code, &problem, &error, err);
    }
    fk_damage damage = {.listed = listed, .damaged = damaged, .is_weights = is_weights, .fd = fd};
    return fk_damage_examine(&damage, &run->findings, err);
}

static fk_code read_whole(const fk_run *run, const char *path, const fk_run_file *listed, int fd,
                          uint8_t *into, uint64_t length, fk_error *err) {
    if (listed != NULL) {
        return fk_run_file_check(run, listed, FK_DEPTH_LOAD, fd, into, NULL, NULL, err);
    }
    return fk_file_read_at(fd, into, (size_t)length, 0, path, err);
}

fk_code fk_run_file_read(const fk_run *run, const char *path, const fk_run_file *listed,
                         void **ret_bytes, size_t *ret_length, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    FK_SCOPED(fk_freep) uint8_t *bytes = NULL;
    uint64_t length = 0;
    fk_code code = fk_run_file_open(run, path, listed, &fd, &length, NULL, err);
    if (code != FK_OK) {
        return code;
    }
    bytes = length < SIZE_MAX ? malloc((size_t)length + 1) : NULL;
    if (bytes == NULL) {
        return fk_error_no_memory(err);
    }
    code = read_whole(run, path, listed, fd, bytes, length, err);
    if (code != FK_OK) {
        return code;
    }
    bytes[length] = '\0';
    *ret_bytes = fk_take(bytes);
    *ret_length = (size_t)length;
    return FK_OK;
}
