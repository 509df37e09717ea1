/* Digests of a whole file, piece by piece. */
#ifndef FK_DIGEST_FILE_DIGESTS_H
#define FK_DIGEST_FILE_DIGESTS_H

#include <stddef.h>
#include <stdint.h>

#include "digest/sha256.h"
#include "digest/xxh3.h"

typedef struct fk_file_digests {
    uint64_t bytes;
    size_t pieces;
    char (*sha256)[FK_SHA256_HEX_BYTES]; /* [pieces], from malloc */
    char (*xxh3)[FK_XXH3_HEX_BYTES];     /* [pieces], or NULL below FK_XXH3_BYTES_MIN */
} fk_file_digests;

void fk_file_digests_finish(fk_file_digests *digests); /* also the scope attribute's function */

#endif
