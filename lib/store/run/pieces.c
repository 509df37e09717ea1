#include "store/run/pieces.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "digest/digest.h"
#include "os/crew.h"
#include "os/file.h"
#include "os/map.h"

#define BLOCK_BYTES  (UINT64_C(1) << 20) /* hashed while it is in the cache */
#define SECTOR_BYTES 4096                /* what disks lose at a time */
/* A virtual machine may have to fetch free memory from its host, and huge pages first of all. After
 * so many blocks that came slowly the rest is asked for in small pages, which are still at hand. */
#define SLOW_BLOCKS 3

/* What one thread works with; begins zeroed. */
typedef struct fk_pieces_worker {
    bool ready;
    fk_piece_digest *digest; /* NULL: nothing is compared */
    uint8_t *buffer;         /* one block; NULL when the job has memory for all */
} fk_pieces_worker;

/* What the threads of one call share. */
typedef struct fk_pieces_state {
    const fk_pieces_job *job;
    bool *damaged;
    atomic_uint slow_blocks;
    fk_pieces_worker workers[FK_CREW_MAX];
} fk_pieces_state;

static void fk_pieces_state_finish(fk_pieces_state *state) {
    for (size_t i = 0; i < FK_CREW_MAX; i++) {
        fk_piece_digest_destroy(state->workers[i].digest);
        free(state->workers[i].buffer);
    }
}

size_t fk_pieces_count(uint64_t bytes) {
    return bytes == 0 ? 1 : (size_t)((bytes - 1) / FK_PIECE_BYTES + 1);
}

static bool wants_xxh3(const fk_pieces_job *job) {
    return job->file->xxh3 != NULL;
}

static bool wants_sha256(const fk_pieces_job *job) {
    return job->sha256 || job->file->xxh3 == NULL;
}

static fk_code prepare(const fk_pieces_job *job, fk_pieces_worker *worker, fk_error *err) {
    worker->ready = true;
    if (job->into == NULL) {
        uint64_t bytes = job->bytes < BLOCK_BYTES ? job->bytes : BLOCK_BYTES;
        worker->buffer = malloc(bytes == 0 ? 1 : (size_t)bytes);
        if (worker->buffer == NULL) {
            return fk_error_no_memory(err);
        }
    }
    if (job->file == NULL) {
        return FK_OK;
    }
    return fk_piece_digest_create(wants_sha256(job), wants_xxh3(job), &worker->digest, err);
}

static fk_code compare(const fk_pieces_state *state, fk_piece_digest *digest, size_t piece,
                       fk_error *err) {
    const fk_pieces_job *job = state->job;
    char sha256[FK_SHA256_HEX_BYTES] = "";
    char xxh3[FK_XXH3_HEX_BYTES] = "";
    fk_code code = fk_piece_digest_next(digest, wants_sha256(job) ? sha256 : NULL,
                                        wants_xxh3(job) ? xxh3 : NULL, err);
    if (code != FK_OK) {
        return code;
    }
    bool differs = (wants_sha256(job) && strcmp(sha256, job->file->sha256[piece]) != 0) ||
                   (wants_xxh3(job) && strcmp(xxh3, job->file->xxh3[piece]) != 0);
    state->damaged[piece] = differs;
    return FK_OK;
}

static void populate(fk_pieces_state *state, uint8_t *block, size_t bytes) {
    if (!fk_map_populate(block, bytes) &&
        atomic_fetch_add(&state->slow_blocks, 1) + 1 == SLOW_BLOCKS) {
        fk_map_take_small_pages(state->job->into, (size_t)state->job->bytes);
    }
}

/* All of a block but what cannot be read. */
static fk_code read_sectors(const fk_pieces_job *job, uint64_t offset, uint8_t *into, size_t bytes,
                            fk_error *err) {
    for (size_t at = 0; at < bytes; at += SECTOR_BYTES) {
        size_t sector = bytes - at < SECTOR_BYTES ? bytes - at : SECTOR_BYTES;
        fk_code code = fk_file_read_at(job->fd, into + at, sector, offset + at, job->path, err);
        if (code == FK_E_IO) {
            memset(into + at, 0, sector);
        } else if (code != FK_OK) {
            return code;
        }
    }
    return FK_OK;
}

static fk_code read_block(fk_pieces_state *state, const fk_pieces_worker *worker, uint64_t offset,
                          size_t bytes, fk_error *err) {
    const fk_pieces_job *job = state->job;
    uint8_t *into = job->into != NULL ? job->into + offset : worker->buffer;
    if (job->into != NULL) {
        populate(state, into, bytes);
    }
    fk_code code = fk_file_read_at(job->fd, into, bytes, offset, job->path, err);
    if (code == FK_E_IO && job->past_failures) {
        code = read_sectors(job, offset, into, bytes, err);
    }
    if (code == FK_OK && worker->digest != NULL) {
        code = fk_piece_digest_update(worker->digest, into, bytes, err);
    }
    fk_watch_count(job->watch, bytes);
    if (code == FK_OK && !fk_watch_tell(job->watch)) {
        code = fk_error_set(err, FK_E_CANCELLED, "cancelled");
    }
    return code;
}

static fk_code check_piece(void *user, const fk_crew_member *member, size_t piece, fk_error *err) {
    fk_pieces_state *state = user;
    const fk_pieces_job *job = state->job;
    fk_pieces_worker *worker = &state->workers[member->index];
    uint64_t offset = piece * FK_PIECE_BYTES;
    uint64_t end = offset + FK_PIECE_BYTES;
    end = end < job->bytes ? end : job->bytes;
    fk_code code = worker->ready ? FK_OK : prepare(job, worker, err);
    while (code == FK_OK && offset < end && !fk_crew_is_stopping(member)) {
        size_t bytes = (size_t)(end - offset < BLOCK_BYTES ? end - offset : BLOCK_BYTES);
        code = read_block(state, worker, offset, bytes, err);
        offset += bytes;
    }
    bool whole = code == FK_OK && offset >= end && worker->digest != NULL;
    return whole ? compare(state, worker->digest, piece, err) : code;
}

fk_code fk_pieces_check(const fk_pieces_job *job, bool *ret_damaged, fk_error *err) {
    FK_SCOPED(fk_pieces_state_finish)
    fk_pieces_state state = {.job = job, .damaged = ret_damaged};
    size_t pieces = fk_pieces_count(job->bytes);
    if (job->file != NULL && job->file->pieces != pieces) {
        fk_error_set(err, FK_E_CORRUPT, "run.json lists %zu pieces of '%s', which has %zu",
                     job->file->pieces, job->path, pieces);
        return FK_E_CORRUPT;
    }
    return fk_crew_run(fk_crew_size_to_compute(pieces), pieces, check_piece, &state, err);
}
