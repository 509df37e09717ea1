#include "digest/piece_digest.h"

#include <stdlib.h>

#include "digest/sha256.h"
#include "digest/xxh3.h"

struct fk_piece_digest {
    fk_sha256 *sha256; /* NULL when not asked for */
    fk_xxh3 *xxh3;     /* so, too */
};

fk_code fk_piece_digest_create(bool sha256, bool xxh3, fk_piece_digest **ret_digest,
                               fk_error *err) {
    FK_SCOPED(fk_piece_digest_destroyp) fk_piece_digest *digest = calloc(1, sizeof *digest);
    if (digest == NULL) {
        return fk_error_no_memory(err);
    }
    fk_code code = sha256 ? fk_sha256_create(&digest->sha256, err) : FK_OK;
    if (code == FK_OK && xxh3) {
        code = fk_xxh3_create(&digest->xxh3, err);
    }
    if (code == FK_OK) {
        *ret_digest = fk_take(digest);
    }
    return code;
}

void fk_piece_digest_destroy(fk_piece_digest *digest) {
    if (digest != NULL) {
        fk_sha256_destroy(digest->sha256);
        fk_xxh3_destroy(digest->xxh3);
        free(digest);
    }
}

fk_code fk_piece_digest_update(fk_piece_digest *digest, const void *from, size_t bytes,
                               fk_error *err) {
    if (digest->xxh3 != NULL) {
        fk_xxh3_update(digest->xxh3, from, bytes);
    }
    return digest->sha256 == NULL ? FK_OK : fk_sha256_update(digest->sha256, from, bytes, err);
}

fk_code fk_piece_digest_next(fk_piece_digest *digest, char *ret_sha256, char *ret_xxh3,
                             fk_error *err) {
    fk_code code = digest->sha256 == NULL ? FK_OK : fk_sha256_next(digest->sha256, ret_sha256, err);
    if (code == FK_OK && digest->xxh3 != NULL) {
        fk_xxh3_next(digest->xxh3, ret_xxh3);
    }
    return code;
}
