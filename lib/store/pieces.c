#include "store/pieces.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "digest/digest.h"
#include "os/file.h"

#define BLOCK_BYTES (UINT64_C(1) << 20) /* hashed while it is in the cache */

enum { THREADS_MAX = 4 };

/* What the threads of one call share. */
typedef struct fk_pieces_state {
    const fk_pieces_job *job;
    bool *damaged;
    size_t pieces;
    atomic_size_t next;
    atomic_bool stop;
    pthread_mutex_t mutex; /* guards the two below */
    fk_code code;          /* of the first failure */
    fk_error *err;
} fk_pieces_state;

/* What one thread works with. */
typedef struct fk_pieces_worker {
    fk_pieces_state *state;
    bool is_caller;
    fk_piece_digest *digest; /* NULL: nothing is compared */
    uint8_t *buffer;         /* one block; NULL when the job has memory for all */
} fk_pieces_worker;

size_t fk_pieces_count(uint64_t bytes) {
    return bytes == 0 ? 1 : (size_t)((bytes - 1) / FK_PIECE_BYTES + 1);
}

static void fail(fk_pieces_state *state, fk_code code, const fk_error *error) {
    pthread_mutex_lock(&state->mutex);
    if (state->code == FK_OK) {
        state->code = code;
        if (state->err != NULL) {
            *state->err = *error;
        }
    }
    pthread_mutex_unlock(&state->mutex);
    atomic_store(&state->stop, true);
}

static bool wants_xxh3(const fk_pieces_job *job) {
    return job->file->xxh3 != NULL;
}

static bool wants_sha256(const fk_pieces_job *job) {
    return job->sha256 || job->file->xxh3 == NULL;
}

static fk_code prepare(fk_pieces_worker *worker, fk_error *err) {
    const fk_pieces_job *job = worker->state->job;
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

static void fk_pieces_worker_finish(fk_pieces_worker *worker) {
    fk_piece_digest_destroy(worker->digest);
    free(worker->buffer);
}

static fk_code compare(fk_pieces_worker *worker, size_t piece, fk_error *err) {
    const fk_pieces_job *job = worker->state->job;
    char sha256[FK_SHA256_HEX_BYTES] = "";
    char xxh3[FK_XXH3_HEX_BYTES] = "";
    fk_code code = fk_piece_digest_next(worker->digest, wants_sha256(job) ? sha256 : NULL,
                                        wants_xxh3(job) ? xxh3 : NULL, err);
    if (code != FK_OK) {
        return code;
    }
    bool differs = (wants_sha256(job) && strcmp(sha256, job->file->sha256[piece]) != 0) ||
                   (wants_xxh3(job) && strcmp(xxh3, job->file->xxh3[piece]) != 0);
    worker->state->damaged[piece] = differs;
    return FK_OK;
}

static fk_code read_block(fk_pieces_worker *worker, uint64_t offset, size_t bytes, fk_error *err) {
    const fk_pieces_job *job = worker->state->job;
    uint8_t *into = job->into != NULL ? job->into + offset : worker->buffer;
    fk_code code = fk_file_read_at(job->fd, into, bytes, offset, job->path, err);
    if (code == FK_OK && worker->digest != NULL) {
        code = fk_piece_digest_update(worker->digest, into, bytes, err);
    }
    fk_watch_count(job->watch, bytes);
    if (code == FK_OK && worker->is_caller && !fk_watch_tell(job->watch)) {
        code = fk_error_set(err, FK_E_CANCELLED, "stopped as asked");
    }
    return code;
}

static fk_code check_piece(fk_pieces_worker *worker, size_t piece, fk_error *err) {
    fk_pieces_state *state = worker->state;
    uint64_t offset = piece * FK_PIECE_BYTES;
    uint64_t end = offset + FK_PIECE_BYTES;
    end = end < state->job->bytes ? end : state->job->bytes;
    while (offset < end && !atomic_load(&state->stop)) {
        size_t bytes = (size_t)(end - offset < BLOCK_BYTES ? end - offset : BLOCK_BYTES);
        fk_code code = read_block(worker, offset, bytes, err);
        if (code != FK_OK) {
            return code;
        }
        offset += bytes;
    }
    bool whole = offset == end;
    return whole && worker->digest != NULL ? compare(worker, piece, err) : FK_OK;
}

static void work(fk_pieces_state *state, bool is_caller) {
    fk_error error;
    FK_SCOPED(fk_pieces_worker_finish)
    fk_pieces_worker worker = {.state = state, .is_caller = is_caller};
    fk_code code = prepare(&worker, &error);
    while (code == FK_OK && !atomic_load(&state->stop)) {
        size_t piece = atomic_fetch_add(&state->next, 1);
        if (piece >= state->pieces) {
            return;
        }
        code = check_piece(&worker, piece, &error);
    }
    if (code != FK_OK) {
        fail(state, code, &error);
    }
}

static void *run_thread(void *state) {
    work(state, false);
    return NULL;
}

static size_t threads_wanted(size_t pieces) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t wanted = processors < 1 ? 1 : (size_t)processors;
    wanted = wanted < THREADS_MAX ? wanted : THREADS_MAX;
    return wanted < pieces ? wanted : pieces;
}

/* Starts helpers beside the caller's own thread; fewer, or none, when the system refuses. Signals
 * are blocked in them, so that the program's handlers run on its own threads. */
static size_t start_helpers(fk_pieces_state *state, pthread_t helpers[THREADS_MAX]) {
    size_t wanted = threads_wanted(state->pieces) - 1;
    pthread_attr_t attributes;
    if (wanted == 0 || pthread_attr_init(&attributes) != 0) {
        return 0;
    }
    sigset_t all;
    sigfillset(&all);
    pthread_attr_setsigmask_np(&attributes, &all);
    size_t started = 0;
    while (started < wanted &&
           pthread_create(&helpers[started], &attributes, run_thread, state) == 0) {
        started++;
    }
    pthread_attr_destroy(&attributes);
    return started;
}

fk_code fk_pieces_check(const fk_pieces_job *job, bool *ret_damaged, fk_error *err) {
    fk_pieces_state state = {
        .job = job, .damaged = ret_damaged, .pieces = fk_pieces_count(job->bytes), .err = err};
    if (job->file != NULL && job->file->pieces != state.pieces) {
        fk_error_set(err, FK_E_CORRUPT, "run.json lists %zu pieces of '%s', which has %zu",
                     job->file->pieces, job->path, state.pieces);
        return FK_E_CORRUPT;
    }
    pthread_mutex_init(&state.mutex, NULL);
    pthread_t helpers[THREADS_MAX];
    size_t started = start_helpers(&state, helpers);
    work(&state, true);
    for (size_t i = 0; i < started; i++) {
        pthread_join(helpers[i], NULL);
    }
    pthread_mutex_destroy(&state.mutex);
    return state.code;
}
