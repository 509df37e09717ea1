#include "digest/sha256.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/text.h"

struct fk_sha256 {
    EVP_MD_CTX *context;
};

/* Fetching takes locks and a search through OpenSSL's providers: once is enough. */
static EVP_MD *algorithm;

static void fetch_algorithm(void) {
    algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
}

static fk_code set_failure(fk_error *err) {
    fk_code code = fk_error_set(err, FK_E_IO, "OpenSSL cannot compute SHA-256");
    fk_error_hint(err, "check the installation and configuration of OpenSSL (openssl.cnf)");
    return code;
}

fk_code fk_sha256_create(fk_sha256 **ret_sha256, fk_error *err) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fetch_algorithm);
    FK_SCOPED(fk_sha256_destroyp) fk_sha256 *sha256 = calloc(1, sizeof *sha256);
    if (sha256 == NULL) {
        return fk_error_no_memory(err);
    }
    sha256->context = EVP_MD_CTX_new();
    if (sha256->context == NULL) {
        return fk_error_no_memory(err);
    }
    if (algorithm == NULL || EVP_DigestInit_ex2(sha256->context, algorithm, NULL) != 1) {
        return set_failure(err);
    }
    *ret_sha256 = fk_take(sha256);
    return FK_OK;
}

void fk_sha256_destroy(fk_sha256 *sha256) {
    if (sha256 != NULL) {
        EVP_MD_CTX_free(sha256->context);
        free(sha256);
    }
}

fk_code fk_sha256_update(fk_sha256 *sha256, const void *from, size_t bytes, fk_error *err) {
    bool fine = bytes == 0 || EVP_DigestUpdate(sha256->context, from, bytes) == 1;
    return fine ? FK_OK : set_failure(err);
}

fk_code fk_sha256_next(fk_sha256 *sha256, char into[FK_SHA256_HEX_BYTES], fk_error *err) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    if (EVP_DigestFinal_ex(sha256->context, digest, &length) != 1 ||
        EVP_DigestInit_ex2(sha256->context, algorithm, NULL) != 1) {
        return set_failure(err);
    }
    fk_text_from_bytes(digest, length, into);
    return FK_OK;
}

fk_code fk_sha256_hex(const void *from, size_t bytes, char into[FK_SHA256_HEX_BYTES],
                      fk_error *err) {
    FK_SCOPED(fk_sha256_destroyp) fk_sha256 *sha256 = NULL;
    fk_code code = fk_sha256_create(&sha256, err);
    if (code == FK_OK) {
        code = fk_sha256_update(sha256, from, bytes, err);
    }
    return code == FK_OK ? fk_sha256_next(sha256, into, err) : code;
}
