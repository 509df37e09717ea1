/* Digests: CRC-32 (ISA-L), XXH3-128 (xxHash), SHA-256 (OpenSSL), and the stream that feeds them.
 *
 * A file is digested in pieces of 16 MiB, in order; an empty file has one piece. SHA-256 for every
 * file, XXH3-128 for files of 64 KiB and more. Hex digits are lower case; XXH3 is spelled as
 * `xxhsum -H2` prints it. */
#ifndef FK_DIGEST_DIGEST_H
#define FK_DIGEST_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

#define FK_PIECE_BYTES    (UINT64_C(16) << 20)
#define FK_XXH3_BYTES_MIN (UINT64_C(64) << 10) /* smaller files have SHA-256 only */

enum { FK_SHA256_HEX_BYTES = 65, FK_XXH3_HEX_BYTES = 33 };

/* CRC-32 of zip (polynomial 0xEDB88320) of `bytes`, going on from `crc` (0 at the start). */
uint32_t fk_crc32_update(uint32_t crc, const void *from, size_t bytes);

/* Whole-buffer digests. SHA-256 fails only when OpenSSL does (FK_E_IO) or memory is short. */
fk_code fk_sha256_hex(const void *from, size_t bytes, char into[FK_SHA256_HEX_BYTES],
                      fk_error *err);
void fk_xxh3_hex(const void *from, size_t bytes, char into[FK_XXH3_HEX_BYTES]);

/* One digest of one piece, fed in parts. */
typedef struct fk_piece_digest fk_piece_digest;
fk_code fk_piece_digest_create(bool sha256, bool xxh3, fk_piece_digest **ret_digest, fk_error *err);
void fk_piece_digest_destroy(fk_piece_digest *digest);
fk_code fk_piece_digest_update(fk_piece_digest *digest, const void *from, size_t bytes,
                               fk_error *err);
/* Gives the digests asked for (the other text may be NULL) and starts afresh for the next piece. */
fk_code fk_piece_digest_next(fk_piece_digest *digest, char *ret_sha256, char *ret_xxh3,
                             fk_error *err);

/* Digests of a whole file. */
typedef struct fk_file_digests {
    uint64_t bytes;
    size_t pieces;
    char (*sha256)[FK_SHA256_HEX_BYTES]; /* [pieces], from malloc */
    char (*xxh3)[FK_XXH3_HEX_BYTES];     /* [pieces], or NULL below FK_XXH3_BYTES_MIN */
} fk_file_digests;

void fk_file_digests_finish(fk_file_digests *digests);

/* The stream: feed it a file from start to end, in chunks of any size. When an update returns, the
 * stream is done with the chunk. */
typedef struct fk_digest_stream fk_digest_stream;
fk_code fk_digest_stream_create(fk_digest_stream **ret_stream, fk_error *err);
void fk_digest_stream_destroy(fk_digest_stream *stream);
fk_code fk_digest_stream_update(fk_digest_stream *stream, const void *from, size_t bytes,
                                fk_error *err);
/* Ends the file; the caller finishes `*ret_digests`. */
fk_code fk_digest_stream_finish(fk_digest_stream *stream, fk_file_digests *ret_digests,
                                fk_error *err);

FK_DEFINE_SCOPED(fk_piece_digest, fk_piece_digest_destroy);
FK_DEFINE_SCOPED(fk_digest_stream, fk_digest_stream_destroy);

#endif
