#include "store/load/salvage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "checkpoint/torch_damage.h"
#include "checkpoint/torch_write.h"
#include "digest/digest.h"
#include "os/file.h"
#include "store/load/vector.h"
#include "store/run/damage.h"
#include "store/run/pieces.h"
#include "store/run/remnant.h"
#include "store/run/run_file.h"

#define VECTOR "personality_vector"

/* One reading of a damaged file. */
typedef struct salvage_reading {
    fk_loaded *loaded;
    const fk_run_file *listed; /* what it should be, or NULL: no manifest tells */
    fk_run_file found;         /* what is read of it */
    uint64_t size;             /* on disk */
    int fd;
    bool *damaged; /* [pieces] */
    fk_torch_losses losses;
} salvage_reading;

static void salvage_reading_finish(salvage_reading *reading) {
    fk_file_closep(&reading->fd);
    free(reading->damaged);
    fk_torch_losses_finish(&reading->losses);
}

bool fk_salvage_may_help(fk_code code) {
    return code == FK_E_CORRUPT || code == FK_E_IO;
}

/* ---- reading */

/* What stands behind the end that the manifest tells is not read. */
static fk_code open_file(salvage_reading *reading, fk_error *err) {
    const fk_run *run = reading->loaded->run;
    if (run->weights_name == NULL) {
        return fk_error_set(err, FK_E_CORRUPT, "there are no weights");
    }
    if (run->manifest == FK_RUN_MANIFEST_GOOD) {
        reading->listed = fk_run_find_file(&run->info, run->weights_name);
    }
    fk_code code =
        fk_run_file_open(run, run->weights_name, NULL, &reading->fd, &reading->size, NULL, err);
    if (code == FK_OK && reading->size == 0) {
        code = fk_error_set(err, FK_E_CORRUPT, "the file is empty");
    }
    if (code != FK_OK) {
        return code;
    }
    reading->found = reading->listed != NULL
                         ? fk_remnant_of(reading->listed, reading->size)
                         : (fk_run_file){.path = run->weights_name,
                                         .bytes = reading->size,
                                         .pieces = fk_pieces_count(reading->size)};
    return FK_OK;
}

static fk_code read_bytes(salvage_reading *reading, fk_watch *watch, fk_error *err) {
    fk_loaded *loaded = reading->loaded;
    const fk_run_file *found = &reading->found;
    bool digests = found->sha256 != NULL;
    fk_map_finish(&loaded->map);
    fk_code code = fk_map_allocate((size_t)found->bytes, &loaded->map, err);
    if (code != FK_OK) {
        return code;
    }
    if (digests) {
        reading->damaged = calloc(found->pieces + 1, sizeof *reading->damaged);
        if (reading->damaged == NULL) {
            return fk_error_no_memory(err);
        }
    }
    fk_pieces_job job = {.fd = reading->fd,
                         .path = found->path,
                         .bytes = found->bytes,
                         .file = digests ? found : NULL,
                         .past_failures = true,
                         .into = loaded->map.data,
                         .watch = watch};
    return fk_pieces_check(&job, reading->damaged, err);
}

/* ---- what is left */

static bool is_lost(const salvage_reading *reading, const char *tensor) {
    for (size_t i = 0; i < reading->losses.count; i++) {
        const char *lost = reading->losses.rows[i].tensor;
        if (lost != NULL && strcmp(lost, tensor) == 0) {
            return true;
        }
    }
    return false;
}

/* A file of ours whose vector was lost has none. Elsewhere the name means nothing, and attributes
 * go by such a name, too. */
static fk_code mend_top(salvage_reading *reading, fk_value *top, fk_error *err) {
    bool ours = fk_value_get(top, "weights_version") != NULL;
    if (!ours || fk_value_get(top, VECTOR) != NULL || !is_lost(reading, VECTOR)) {
        return FK_OK;
    }
    fk_code code = fk_value_set(top, VECTOR, fk_value_none(reading->loaded->values));
    return code == FK_OK ? FK_OK : fk_error_no_memory(err);
}

static void note_size(const salvage_reading *reading, fk_findings *findings) {
    const fk_run_file *listed = reading->listed;
    if (listed == NULL || reading->size == listed->bytes) {
        return;
    }
    bool cut = reading->size < listed->bytes;
    fk_problem problem = FK_PROBLEM("size", listed->path);
    problem.offset = cut ? reading->size : listed->bytes;
    problem.length = cut ? listed->bytes - reading->size : reading->size - listed->bytes;
    fk_findings_add(findings, FK_CORRUPT, &problem,
                    "it has %" PRIu64 " bytes, its manifest says %" PRIu64 ": %" PRIu64 " bytes %s",
                    reading->size, listed->bytes, problem.length,
                    cut ? "were cut off" : "behind its end are left out");
}

static fk_code take_tensors(salvage_reading *reading, fk_error *err) {
    fk_loaded *loaded = reading->loaded;
    fk_value *top = NULL;
    fk_damage damage = {.listed = &reading->found,
                        .damaged = reading->damaged,
                        .is_weights = true,
                        .bytes = loaded->map.data,
                        .saved_bytes = reading->listed == NULL ? 0 : reading->listed->bytes};
    const fk_torch_proof proof = fk_damage_proof(&damage);
    fk_code code = fk_torch_salvage(loaded->map.data, loaded->map.bytes, &proof, loaded->values,
                                    &top, &reading->losses, err);
    if (code == FK_OK) {
        code = mend_top(reading, top, err);
    }
    if (code == FK_OK) {
        code = fk_weights_unwrap(top, &loaded->weights, err);
    }
    if (code != FK_OK) {
        return code;
    }
    loaded->top = top;
    loaded->lost.limit = FK_LIMIT_PROBLEMS + reading->losses.count;
    note_size(reading, &loaded->lost);
    return fk_damage_report(&damage, &reading->losses, &loaded->lost, err);
}

/* The reason why nothing is left becomes a part of the error that the load gave. */
static fk_code fail(const fk_error *why, const fk_error *reason, fk_error *err) {
    if (reason->code == FK_E_NO_MEMORY || reason->code == FK_E_CANCELLED) {
        return fk_error_set(err, reason->code, "%s", reason->message);
    }
    fk_error_pass(err, why);
    fk_error_add(err, "; nothing can be salvaged: %s", reason->message);
    return why->code;
}

fk_code fk_salvage_weights(fk_loaded *loaded, fk_watch *watch, const fk_error *why, fk_error *err) {
    FK_SCOPED(salvage_reading_finish) salvage_reading reading = {.loaded = loaded, .fd = -1};
    fk_error reason = {0};
    fk_findings_init(&loaded->lost, loaded->run->values);
    fk_code code = open_file(&reading, &reason);
    if (code == FK_OK) {
        code = read_bytes(&reading, watch, &reason);
    }
    if (code == FK_OK) {
        code = take_tensors(&reading, &reason);
    }
    if (code == FK_OK) {
        code = fk_vector_own(loaded, &reason);
    }
    return code == FK_OK ? FK_OK : fail(why, &reason, err);
}

/* ---- writing */

typedef struct salvage_file {
    int fd;
    const char *path;
} salvage_file;

static fk_code write_bytes(void *user, const void *from, size_t bytes, uint32_t *crc32,
                           fk_error *err) {
    const salvage_file *file = user;
    if (crc32 != NULL) {
        *crc32 = fk_crc32_update(*crc32, from, bytes);
    }
    return fk_file_write(file->fd, from, bytes, file->path, err);
}

fk_code fk_salvage_write(const fk_loaded *loaded, int fd, const char *path, fk_error *err) {
    FK_SCOPED(fk_torch_writer_destroyp) fk_torch_writer *writer = NULL;
    salvage_file file = {.fd = fd, .path = path};
    const fk_sink sink = {.write = write_bytes, .user = &file};
    fk_code code = fk_torch_writer_create(loaded->top, &writer, err);
    return code == FK_OK ? fk_torch_writer_write(writer, &sink, NULL, NULL, err) : code;
}
