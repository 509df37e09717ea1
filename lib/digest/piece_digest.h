/* The digests of one piece of a file at a time, fed in parts. */
#ifndef FK_DIGEST_PIECE_DIGEST_H
#define FK_DIGEST_PIECE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

#define FK_PIECE_BYTES (UINT64_C(16) << 20)

typedef struct fk_piece_digest fk_piece_digest;
fk_code fk_piece_digest_create(bool sha256, bool xxh3, fk_piece_digest **ret_digest, fk_error *err);
void fk_piece_digest_destroy(fk_piece_digest *digest);
fk_code fk_piece_digest_update(fk_piece_digest *digest, const void *from, size_t bytes,
                               fk_error *err);
/* Gives the digests asked for (the other text may be NULL) and starts afresh for the next piece. */
fk_code fk_piece_digest_next(fk_piece_digest *digest, char *ret_sha256, char *ret_xxh3,
                             fk_error *err);

FK_DEFINE_SCOPED(fk_piece_digest, fk_piece_digest_destroy);

#endif
