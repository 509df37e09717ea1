#include "digest/digest_stream.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/thread.h"
#include "digest/chunk_ring.h"
#include "digest/piece_digest.h"

/* Smaller files have smaller chunks: so several threads work on them, too. */
#define LARGE_BYTES       (4 * FK_STREAM_CHUNK_BYTES)
#define SMALL_CHUNK_BYTES (FK_STREAM_CHUNK_BYTES / 4)

enum { HASHERS_MAX = 2 };

/* One of those who take chunks. */
typedef struct worker {
    fk_digest_stream *stream;
    size_t taker;            /* in the ring */
    uint64_t wanted;         /* the chunk it works on next, or FK_CHUNK_NONE */
    fk_piece_digest *digest; /* a hasher's; writers have none */
    bool has_thread;
    pthread_t thread;
} worker;

struct fk_digest_stream {
    uint64_t bytes;
    uint64_t chunk_bytes;
    uint64_t chunks; /* of the file; an empty one has one, of no bytes */
    size_t hashers;
    fk_chunk_writer writer;
    fk_chunk_ring ring;
    worker workers[FK_CHUNK_TAKERS_MAX]; /* writers first: the disk works while we hash */
    size_t worker_count;
    uint64_t pushed;
    fk_file_digests digests;
};

static uint64_t chunk_size(uint64_t bytes) {
    return bytes < LARGE_BYTES ? SMALL_CHUNK_BYTES : FK_STREAM_CHUNK_BYTES;
}

static size_t bytes_of_chunk(const fk_digest_stream *stream, uint64_t chunk) {
    uint64_t rest = stream->bytes - chunk * stream->chunk_bytes;
    return (size_t)(rest < stream->chunk_bytes ? rest : stream->chunk_bytes);
}

size_t fk_digest_stream_memory(uint64_t bytes) {
    uint64_t most = FK_STREAM_CHUNKS_MAX * chunk_size(bytes);
    if (bytes == 0) {
        return 1;
    }
    return (size_t)(bytes < most ? bytes : most);
}

/* ---- what workers do ---------------------------------------------------------------------- */

static uint64_t piece_of(const fk_digest_stream *stream, uint64_t chunk) {
    return chunk / (FK_PIECE_BYTES / stream->chunk_bytes);
}

static bool ends_piece(const fk_digest_stream *stream, uint64_t chunk) {
    return chunk == stream->chunks - 1 || piece_of(stream, chunk + 1) != piece_of(stream, chunk);
}

static fk_code hash(worker *hasher, uint64_t chunk, const uint8_t *from, size_t bytes,
                    fk_error *err) {
    fk_digest_stream *stream = hasher->stream;
    fk_file_digests *digests = &stream->digests;
    fk_code code = fk_piece_digest_update(hasher->digest, from, bytes, err);
    if (code == FK_OK && ends_piece(stream, chunk)) {
        size_t piece = (size_t)piece_of(stream, chunk);
        code = fk_piece_digest_next(hasher->digest, digests->sha256[piece],
                                    digests->xxh3 == NULL ? NULL : digests->xxh3[piece], err);
    }
    return code;
}

/* A hasher goes over every `hashers`-th piece, a writer over every `at_once`-th chunk. */
static uint64_t chunk_after(const worker *of, uint64_t chunk) {
    const fk_digest_stream *stream = of->stream;
    uint64_t next = chunk + 1;
    if (of->digest == NULL) {
        next = chunk + stream->writer.at_once;
    } else if (ends_piece(stream, chunk)) {
        next += (stream->hashers - 1) * (FK_PIECE_BYTES / stream->chunk_bytes);
    }
    return next < stream->chunks ? next : FK_CHUNK_NONE;
}

static fk_code write_out(const fk_digest_stream *stream, uint64_t chunk, const uint8_t *from,
                         size_t bytes, fk_error *err) {
    const fk_chunk_writer *writer = &stream->writer;
    return writer->write(writer->user, chunk * stream->chunk_bytes, from, bytes, err);
}

static void work(worker *of) {
    fk_digest_stream *stream = of->stream;
    uint64_t chunk = of->wanted;
    const uint8_t *from = fk_chunk_ring_at(&stream->ring, chunk);
    size_t bytes = bytes_of_chunk(stream, chunk);
    fk_error error = {0};
    fk_code code = of->digest != NULL ? hash(of, chunk, from, bytes, &error)
                                      : write_out(stream, chunk, from, bytes, &error);
    if (code != FK_OK) {
        fk_chunk_ring_stop(&stream->ring, code, &error);
    }
    of->wanted = chunk_after(of, chunk);
    fk_chunk_ring_want(&stream->ring, of->taker, of->wanted);
}

static void *run(void *user) {
    worker *of = user;
    while (fk_chunk_ring_wait_for_chunk(&of->stream->ring, of->wanted)) {
        work(of);
    }
    return NULL;
}

/* ---- making ------------------------------------------------------------------------------- */

static fk_code make_digests(fk_digest_stream *stream, fk_error *err) {
    fk_file_digests *digests = &stream->digests;
    digests->bytes = stream->bytes;
    digests->pieces = (size_t)piece_of(stream, stream->chunks - 1) + 1;
    digests->sha256 = calloc(digests->pieces, sizeof *digests->sha256);
    bool enough = digests->sha256 != NULL;
    if (stream->bytes >= FK_XXH3_BYTES_MIN) {
        digests->xxh3 = calloc(digests->pieces, sizeof *digests->xxh3);
        enough = enough && digests->xxh3 != NULL;
    }
    return enough ? FK_OK : fk_error_no_memory(err);
}

static worker *add_worker(fk_digest_stream *stream, uint64_t first_chunk) {
    size_t taker = stream->worker_count++;
    fk_chunk_ring_want(&stream->ring, taker, first_chunk);
    stream->workers[taker] = (worker){.stream = stream, .taker = taker, .wanted = first_chunk};
    return &stream->workers[taker];
}

static fk_code add_workers(fk_digest_stream *stream, fk_error *err) {
    fk_code code = FK_OK;
    size_t pieces = stream->digests.pieces;
    stream->hashers = pieces < HASHERS_MAX ? pieces : HASHERS_MAX;
    for (size_t i = 0; i < stream->writer.at_once; i++) {
        add_worker(stream, i < stream->chunks ? i : FK_CHUNK_NONE);
    }
    for (size_t i = 0; code == FK_OK && i < stream->hashers; i++) {
        worker *hasher = add_worker(stream, i * (FK_PIECE_BYTES / stream->chunk_bytes));
        code = fk_piece_digest_create(true, stream->digests.xxh3 != NULL, &hasher->digest, err);
    }
    return code;
}

static void start_threads(fk_digest_stream *stream) {
    for (size_t i = 0; i < stream->worker_count; i++) {
        worker *of = &stream->workers[i];
        of->has_thread = fk_thread_start(&of->thread, run, of);
    }
}

fk_code fk_digest_stream_create(uint64_t bytes, void *memory, const fk_chunk_writer *writer,
                                fk_digest_stream **ret_stream, fk_error *err) {
    FK_SCOPED(fk_digest_stream_destroyp) fk_digest_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        return fk_error_no_memory(err);
    }
    stream->bytes = bytes;
    stream->chunk_bytes = chunk_size(bytes);
    stream->chunks = bytes == 0 ? 1 : (bytes - 1) / stream->chunk_bytes + 1;
    stream->writer = *writer;
    size_t slots =
        stream->chunks < FK_STREAM_CHUNKS_MAX ? (size_t)stream->chunks : FK_STREAM_CHUNKS_MAX;
    fk_chunk_ring_init(&stream->ring, memory, slots, (size_t)stream->chunk_bytes);
    fk_code code = make_digests(stream, err);
    if (code == FK_OK) {
        code = add_workers(stream, err);
    }
    if (code != FK_OK) {
        return code;
    }
    if (stream->chunks > 1) {
        start_threads(stream);
    }
    *ret_stream = fk_take(stream);
    return FK_OK;
}

static void join(fk_digest_stream *stream) {
    for (size_t i = 0; i < stream->worker_count; i++) {
        worker *of = &stream->workers[i];
        if (of->has_thread) {
            pthread_join(of->thread, NULL);
            of->has_thread = false;
        }
    }
}

void fk_digest_stream_destroy(fk_digest_stream *stream) {
    if (stream == NULL) {
        return;
    }
    fk_chunk_ring_stop(&stream->ring, FK_OK, NULL);
    join(stream);
    for (size_t i = 0; i < stream->worker_count; i++) {
        fk_piece_digest_destroy(stream->workers[i].digest);
    }
    fk_chunk_ring_finish(&stream->ring);
    fk_file_digests_finish(&stream->digests);
    free(stream);
}

/* ---- the file ----------------------------------------------------------------------------- */

fk_code fk_digest_stream_next(fk_digest_stream *stream, uint8_t **ret_chunk, size_t *ret_bytes,
                              fk_error *err) {
    fk_code code = fk_chunk_ring_wait_for_room(&stream->ring, err);
    if (code == FK_OK) {
        *ret_chunk = fk_chunk_ring_at(&stream->ring, stream->pushed);
        *ret_bytes = stream->pushed < stream->chunks ? bytes_of_chunk(stream, stream->pushed) : 0;
    }
    return code;
}

void fk_digest_stream_push(fk_digest_stream *stream) {
    assert(stream->pushed < stream->chunks);
    uint64_t chunk = stream->pushed++;
    fk_chunk_ring_publish(&stream->ring);
    for (size_t i = 0; i < stream->worker_count; i++) {
        worker *of = &stream->workers[i];
        if (!of->has_thread && of->wanted == chunk) {
            work(of);
        }
    }
}

fk_code fk_digest_stream_finish(fk_digest_stream *stream, fk_file_digests *ret_digests,
                                fk_error *err) {
    assert(stream->pushed == stream->chunks);
    join(stream);
    fk_code code = fk_chunk_ring_outcome(&stream->ring, err);
    if (code == FK_OK) {
        *ret_digests = stream->digests;
        stream->digests = (fk_file_digests){0};
    }
    return code;
}
