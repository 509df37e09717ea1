/* The stream: a file from start to end, in chunks that the caller fills in place; it gives the
 * digests, and hands each chunk to a writer besides. So the caller's copy is the only one: what is
 * digested is what is written.
 *
 *                    +-> hasher of pieces 0, 2, 4 ...
 *   caller -> ring --+-> hasher of pieces 1, 3, 5 ...
 *                    +-> writer of chunks 0, n, 2n ...
 *                    +-> ... n writers at most
 *
 * Each of them is a thread when the file has more than one chunk, started by create and joined by
 * finish or destroy. What no thread can be had for, the caller does as it hands a chunk over. */
#ifndef FK_DIGEST_DIGEST_STREAM_H
#define FK_DIGEST_DIGEST_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "digest/file_digests.h"

#define FK_STREAM_CHUNK_BYTES (UINT64_C(1) << 20) /* of a chunk, at most */
#define FK_STREAM_CHUNKS_MAX  12u /* in memory: one hasher can be so far ahead of the other */
#define FK_STREAM_WRITERS_MAX 3u

/* Who gets each chunk once, while it lies still, and where it is in the file: in order, on one
 * thread, not always the caller's; or on `at_once` threads, of which each has its chunks in order.
 * With none, the caller may write a chunk that it pushed until it asks for the next one. */
typedef struct fk_chunk_writer {
    fk_code (*write)(void *user, uint64_t offset, const void *chunk, size_t bytes, fk_error *err);
    void *user;
    size_t at_once; /* threads, 1 to FK_STREAM_WRITERS_MAX; 0: nobody is called */
} fk_chunk_writer;

/* The memory a stream of a file of `bytes` wants, at least 1. */
size_t fk_digest_stream_memory(uint64_t bytes);

typedef struct fk_digest_stream fk_digest_stream;
/* `bytes` is the size of the file; `memory`, of fk_digest_stream_memory(bytes), stays the caller's
 * and outlives the stream. */
fk_code fk_digest_stream_create(uint64_t bytes, void *memory, const fk_chunk_writer *writer,
                                fk_digest_stream **ret_stream, fk_error *err);
/* Without finish: gives up, in the middle of what is going on. NULL is fine. */
void fk_digest_stream_destroy(fk_digest_stream *stream);
/* The next chunk and how many bytes it takes, all of which the caller fills in before it pushes the
 * chunk; an empty file has one chunk of 0 bytes, and so it goes on behind the end. Waits while
 * everybody is behind. A failure of a thread comes back here or with finish. */
fk_code fk_digest_stream_next(fk_digest_stream *stream, uint8_t **ret_chunk, size_t *ret_bytes,
                              fk_error *err);
void fk_digest_stream_push(fk_digest_stream *stream);
/* After the last chunk was pushed: waits for everybody. The caller finishes `*ret_digests`, and
 * only destroys the stream from then on. */
fk_code fk_digest_stream_finish(fk_digest_stream *stream, fk_file_digests *ret_digests,
                                fk_error *err);

FK_DEFINE_SCOPED(fk_digest_stream, fk_digest_stream_destroy);

#endif
