/* XXH3-128, spelled as `xxhsum -H2` prints it; with the widest vectors the processor has. */
#ifndef FK_DIGEST_XXH3_H
#define FK_DIGEST_XXH3_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

#define FK_XXH3_BYTES_MIN (UINT64_C(64) << 10) /* smaller files have SHA-256 only */

enum { FK_XXH3_HEX_BYTES = 33 };

void fk_xxh3_hex(const void *from, size_t bytes, char into[FK_XXH3_HEX_BYTES]);

typedef struct fk_xxh3 fk_xxh3;
fk_code fk_xxh3_create(fk_xxh3 **ret_xxh3, fk_error *err);
void fk_xxh3_destroy(fk_xxh3 *xxh3);
void fk_xxh3_update(fk_xxh3 *xxh3, const void *from, size_t bytes);
/* Gives the digest and starts afresh. */
void fk_xxh3_next(fk_xxh3 *xxh3, char into[FK_XXH3_HEX_BYTES]);

FK_DEFINE_SCOPED(fk_xxh3, fk_xxh3_destroy);

#endif
