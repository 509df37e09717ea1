#include "digest/xxh3.h"

#include <stdlib.h>
#include <xxhash.h>

#ifdef FK_XXH3_DISPATCH
/* turns XXH3_128bits and XXH3_128bits_update into those that choose vectors at run time */
#include <xxh_x86dispatch.h>
#endif

#include "base/text.h"

struct fk_xxh3 {
    XXH3_state_t *state;
};

static void write_hex(XXH128_hash_t hash, char into[FK_XXH3_HEX_BYTES]) {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, hash);
    fk_text_from_bytes(canonical.digest, sizeof canonical.digest, into);
}

void fk_xxh3_hex(const void *from, size_t bytes, char into[FK_XXH3_HEX_BYTES]) {
    write_hex(XXH3_128bits(from, bytes), into);
}

fk_code fk_xxh3_create(fk_xxh3 **ret_xxh3, fk_error *err) {
    FK_SCOPED(fk_xxh3_destroyp) fk_xxh3 *xxh3 = calloc(1, sizeof *xxh3);
    if (xxh3 == NULL) {
        return fk_error_no_memory(err);
    }
    xxh3->state = XXH3_createState();
    if (xxh3->state == NULL) {
        return fk_error_no_memory(err);
    }
    XXH3_128bits_reset(xxh3->state);
    *ret_xxh3 = fk_take(xxh3);
    return FK_OK;
}

void fk_xxh3_destroy(fk_xxh3 *xxh3) {
    if (xxh3 != NULL) {
        XXH3_freeState(xxh3->state);
        free(xxh3);
    }
}

void fk_xxh3_update(fk_xxh3 *xxh3, const void *from, size_t bytes) {
    if (bytes > 0) { /* it can fail for NULL only */
        XXH3_128bits_update(xxh3->state, from, bytes);
    }
}

void fk_xxh3_next(fk_xxh3 *xxh3, char into[FK_XXH3_HEX_BYTES]) {
    write_hex(XXH3_128bits_digest(xxh3->state), into);
    XXH3_128bits_reset(xxh3->state);
}
