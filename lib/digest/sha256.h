/* SHA-256, fed in parts or at once. It fails only when OpenSSL does (FK_E_IO) or memory is short.
 */
#ifndef FK_DIGEST_SHA256_H
#define FK_DIGEST_SHA256_H

#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

enum { FK_SHA256_HEX_BYTES = 65 };

fk_code fk_sha256_hex(const void *from, size_t bytes, char into[FK_SHA256_HEX_BYTES],
                      fk_error *err);

typedef struct fk_sha256 fk_sha256;
fk_code fk_sha256_create(fk_sha256 **ret_sha256, fk_error *err);
void fk_sha256_destroy(fk_sha256 *sha256);
fk_code fk_sha256_update(fk_sha256 *sha256, const void *from, size_t bytes, fk_error *err);
/* Gives the digest and starts afresh. */
fk_code fk_sha256_next(fk_sha256 *sha256, char into[FK_SHA256_HEX_BYTES], fk_error *err);

FK_DEFINE_SCOPED(fk_sha256, fk_sha256_destroy);

#endif
