/* The stream: feed it a file from start to end, in chunks of any size; it gives the digests.
 *
 * XXH3 is computed on the caller's thread. SHA-256, which is slower than a disk, is too for the
 * first MiB; larger files get a thread of their own for it, which ends with the stream (finish or
 * destroy join it). When that thread cannot be had, all is done on the caller's. */
#ifndef FK_DIGEST_DIGEST_STREAM_H
#define FK_DIGEST_DIGEST_STREAM_H

#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "digest/file_digests.h"

typedef struct fk_digest_stream fk_digest_stream;
fk_code fk_digest_stream_create(fk_digest_stream **ret_stream, fk_error *err);
/* Without finish: gives up. NULL is fine. */
void fk_digest_stream_destroy(fk_digest_stream *stream);
/* When it returns, the stream is done with the chunk. */
fk_code fk_digest_stream_update(fk_digest_stream *stream, const void *from, size_t bytes,
                                fk_error *err);
/* Ends the file; the caller finishes `*ret_digests`, and only destroys the stream from then on. */
fk_code fk_digest_stream_finish(fk_digest_stream *stream, fk_file_digests *ret_digests,
                                fk_error *err);

FK_DEFINE_SCOPED(fk_digest_stream, fk_digest_stream_destroy);

#endif
