#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/limits.h"
#include "checkpoint/torch_read.h"
#include "os/file.h"
#include "store/load/load.h"
#include "store/load/vector.h"
#include "store/names/layout.h"
#include "store/run/damage.h"
#include "store/run/health.h"
#include "store/run/pieces.h"
#include "store/run/remnant.h"
#include "store/run/run_file.h"
#include "value/values.h"

/* One reading of a weights file. */
typedef struct weights_reading {
    fk_loaded *loaded;
    const fk_load_options *options;
    fk_watch *watch;
    const char *name;
    const fk_run_file *listed; /* what it must be, or NULL: nothing vouches for it, or none asked */
    int fd;
    uint64_t bytes;
} weights_reading;

static void weights_reading_finish(weights_reading *reading) {
    fk_file_closep(&reading->fd);
}

static fk_code refuse_version(const fk_run *run, fk_error *err) {
    fk_error_set(err, FK_E_UNSUPPORTED,
                 "weights of run '%s' are of version '%s', this fontkeep reads up to '%s'",
                 run->info.run_id, run->info.weights_version, FK_WEIGHTS_VERSION);
    fk_error_subject(err, FK_SUBJECT_VERSION);
    fk_error_path(err, FK_WEIGHTS_FILE);
    fk_error_hint(err, "update fontkeep");
    return FK_E_UNSUPPORTED;
}

static fk_code no_weights(const fk_run *run, fk_error *err) {
    fk_error_set(err, FK_E_INCOMPLETE, "run '%s' has no weights%s%s", run->info.run_id,
                 run->info.status == FK_STATUS_UNKNOWN ? "" : ": it is ",
                 run->info.status == FK_STATUS_UNKNOWN ? "" : fk_run_status_name(run->info.status));
    fk_error_path(err, FK_WEIGHTS_FILE);
    fk_error_hint(err, "load another run");
    return FK_E_INCOMPLETE;
}

/* Which file to read, and what it must be. */
static fk_code choose_file(weights_reading *reading, fk_error *err) {
    const fk_run *run = reading->loaded->run;
    bool past_damage = reading->options->no_verify && run->manifest == FK_RUN_MANIFEST_DAMAGED;
    fk_code code = past_damage ? FK_OK : fk_run_check_manifest(run, err);
    if (code != FK_OK) {
        return code;
    }
    if (fk_health_is_newer(run->info.weights_version, 1)) {
        return fk_run_error_path(run, refuse_version(run, err), err);
    }
    bool unlisted = false;
    if (run->manifest == FK_RUN_MANIFEST_GOOD) {
        const fk_run_file *listed = fk_run_find_file(&run->info, FK_WEIGHTS_FILE);
        reading->listed = reading->options->no_verify ? NULL : listed;
        unlisted = listed == NULL;
    }
    if (unlisted || run->weights_name == NULL) {
        return fk_run_error_path(run, no_weights(run, err), err);
    }
    reading->name = run->weights_name;
    return FK_OK;
}

static fk_code set_empty(const weights_reading *reading, fk_error *err) {
    fk_error_set(err, FK_E_CORRUPT, "'%s' of run '%s' is empty", reading->name,
                 reading->loaded->run->info.run_id);
    fk_error_path(err, reading->name);
    fk_error_offset(err, 0);
    fk_error_hint(err, "restore the file from a copy");
    return FK_E_CORRUPT;
}

static void set_hint(bool salvage, fk_error *err) {
    fk_error_hint(err, salvage ? "restore the file from a copy, or salvage what is intact"
                               : "restore the file from a copy");
}

/* From bytes whose digest fails to the tensor, its byte range, and what is intact. */
static fk_code name_damage(const weights_reading *reading, const bool *damaged, fk_error *err) {
    fk_findings scratch;
    fk_findings_init(&scratch, reading->loaded->values);
    fk_damage damage = {.listed = reading->listed,
                        .damaged = damaged,
                        .is_weights = true,
                        .fd = reading->fd,
                        .bytes = reading->options->mmap ? NULL : reading->loaded->map.data};
    fk_code code = fk_damage_examine(&damage, &scratch, err);
    if (code != FK_OK) {
        return code;
    }
    if (damage.summary[0] != '\0') {
        fk_error_set(err, FK_E_CORRUPT, "'%s' of run '%s' is damaged: %s", reading->name,
                     reading->loaded->run->info.run_id, damage.summary);
        fk_error_path(err, reading->name);
        fk_error_offset(err, damage.offset);
    }
    set_hint(damage.intact > 0, err);
    return FK_E_CORRUPT;
}

/* Reads every byte once, into memory or through buffers; digests where there are any. */
static fk_code read_bytes(const weights_reading *reading, fk_error *err) {
    uint8_t *into = reading->options->mmap ? NULL : reading->loaded->map.data;
    if (reading->listed == NULL) {
        fk_pieces_job job = {.fd = reading->fd,
                             .path = reading->name,
                             .bytes = reading->bytes,
                             .into = into,
                             .watch = reading->watch};
        return fk_pieces_check(&job, NULL, err);
    }
    FK_SCOPED(fk_freep) bool *damaged = NULL;
    fk_code code = fk_run_file_check(reading->loaded->run, reading->listed, FK_DEPTH_LOAD,
                                     reading->fd, into, reading->watch, &damaged, err);
    return damaged == NULL ? code : name_damage(reading, damaged, err);
}

/* Of a file of another size: where it was cut, what is lost, and what is intact. What stands behind
 * the end of a longer one, a salvage leaves out. */
static fk_code name_lost(const weights_reading *reading, const fk_problem *size, fk_error *err) {
    bool longer = size->offset == reading->listed->bytes;
    fk_findings scratch;
    fk_remnant remnant;
    fk_findings_init(&scratch, reading->loaded->values);
    fk_code code = fk_remnant_examine(reading->loaded->run, reading->listed, reading->watch,
                                      &scratch, &remnant, err);
    if (code != FK_OK) {
        return code;
    }
    fk_remnant_tell(&remnant, err);
    set_hint(longer || remnant.intact > 0, err);
    return FK_E_CORRUPT;
}

static fk_code open_file(weights_reading *reading, fk_error *err) {
    fk_problem problem = {.code = ""};
    fk_code code = fk_run_file_open(reading->loaded->run, reading->name, reading->listed,
                                    &reading->fd, &reading->bytes, &problem, err);
    bool other_size = code == FK_E_CORRUPT && strcmp(problem.code, "size") == 0;
    return other_size ? name_lost(reading, &problem, err) : code;
}

static fk_code fetch(weights_reading *reading, fk_error *err) {
    fk_loaded *loaded = reading->loaded;
    fk_code code = open_file(reading, err);
    if (code == FK_OK && reading->bytes == 0) {
        code = set_empty(reading, err);
    }
    if (code != FK_OK) {
        return code;
    }
    bool mmap = reading->options->mmap;
    if (!mmap) {
        code = fk_map_allocate((size_t)reading->bytes, &loaded->map, err);
    }
    if (code == FK_OK && !(mmap && reading->options->no_verify)) {
        code = read_bytes(reading, err);
    }
    if (code == FK_OK && mmap) {
        code = fk_map_file(reading->fd, (size_t)reading->bytes, reading->name, &loaded->map, err);
    }
    return code;
}

/* The CRCs of a file that no manifest vouches for say what is damaged, too. */
static fk_code name_crc_damage(const weights_reading *reading, fk_error *err) {
    fk_run_file file = {.path = reading->name, .bytes = reading->bytes};
    fk_damage damage = {.listed = &file, .is_weights = true, .bytes = reading->loaded->map.data};
    fk_findings scratch;
    fk_findings_init(&scratch, reading->loaded->values);
    if (fk_damage_examine(&damage, &scratch, NULL) == FK_OK && scratch.count > 0) {
        fk_error_set(err, FK_E_CORRUPT, "'%s' of run '%s' is damaged: %s", reading->name,
                     reading->loaded->run->info.run_id, damage.summary);
        fk_error_offset(err, damage.offset);
        set_hint(damage.intact > 0, err);
    }
    return FK_E_CORRUPT;
}

static void copy_pages(void *user, uint64_t offset, uint64_t bytes) {
    fk_map_copy_pages(user, offset, bytes);
}

static fk_code parse(const weights_reading *reading, fk_error *err) {
    fk_loaded *loaded = reading->loaded;
    bool check_crc = reading->listed == NULL && !reading->options->no_verify;
    fk_value *top = NULL;
    const fk_zip_peek peek = {.announce = copy_pages, .user = &loaded->map};
    fk_code code =
        fk_torch_read_mapped(loaded->map.data, loaded->map.bytes, check_crc ? FK_READ_CHECK_CRC : 0,
                             reading->options->mmap ? &peek : NULL, loaded->values, &top, err);
    if (code == FK_E_CORRUPT && check_crc) {
        code = name_crc_damage(reading, err);
    }
    if (code == FK_OK) {
        code = fk_weights_unwrap(top, &loaded->weights, err);
    }
    if (code != FK_OK) {
        fk_error_path(err, reading->name);
    }
    return code;
}

fk_code fk_load_weights(fk_loaded *loaded, const fk_load_options *options, fk_watch *watch,
                        fk_error *err) {
    FK_SCOPED(weights_reading_finish)
    weights_reading reading = {.loaded = loaded, .options = options, .watch = watch, .fd = -1};
    fk_code code = choose_file(&reading, err);
    if (code != FK_OK) {
        return code;
    }
    code = fetch(&reading, err);
    if (code == FK_OK) {
        code = parse(&reading, err);
    }
    if (code == FK_OK) {
        code = fk_vector_own(loaded, err);
    }
    bool of_file = code != FK_OK && code != FK_E_NO_MEMORY && code != FK_E_CANCELLED;
    return of_file ? fk_run_error_path(loaded->run, code, err) : code;
}
