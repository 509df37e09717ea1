#include "fake_openssl.h"

#include <openssl/evp.h>
#include <stdatomic.h>

/* The linker's --wrap: calls of EVP_DigestUpdate come to __wrap_EVP_DigestUpdate. */
EVP_MD_CTX *__real_EVP_MD_CTX_new(void);
EVP_MD_CTX *__wrap_EVP_MD_CTX_new(void);
int __real_EVP_DigestInit_ex2(EVP_MD_CTX *context, const EVP_MD *type, const OSSL_PARAM *params);
int __wrap_EVP_DigestInit_ex2(EVP_MD_CTX *context, const EVP_MD *type, const OSSL_PARAM *params);
int __real_EVP_DigestUpdate(EVP_MD_CTX *context, const void *from, size_t bytes);
int __wrap_EVP_DigestUpdate(EVP_MD_CTX *context, const void *from, size_t bytes);
int __real_EVP_DigestFinal_ex(EVP_MD_CTX *context, unsigned char *into, unsigned *length);
int __wrap_EVP_DigestFinal_ex(EVP_MD_CTX *context, unsigned char *into, unsigned *length);

static atomic_size_t left[FAKE_OPENSSL_CALLS]; /* calls until one fails; 0: none does */
static atomic_bool failed;

void fake_openssl_fail(fake_openssl_call call, size_t nth) {
    failed = false;
    left[call] = nth;
}

bool fake_openssl_relent(void) {
    for (size_t i = 0; i < FAKE_OPENSSL_CALLS; i++) {
        left[i] = 0;
    }
    return failed;
}

static bool fails(fake_openssl_call call) {
    size_t now = left[call];
    while (now > 0 && !atomic_compare_exchange_weak(&left[call], &now, now - 1)) {
    }
    if (now == 1) {
        failed = true;
    }
    return now == 1;
}

EVP_MD_CTX *__wrap_EVP_MD_CTX_new(void) {
    return fails(FAKE_OPENSSL_CONTEXT) ? NULL : __real_EVP_MD_CTX_new();
}

int __wrap_EVP_DigestInit_ex2(EVP_MD_CTX *context, const EVP_MD *type, const OSSL_PARAM *params) {
    return fails(FAKE_OPENSSL_INIT) ? 0 : __real_EVP_DigestInit_ex2(context, type, params);
}

int __wrap_EVP_DigestUpdate(EVP_MD_CTX *context, const void *from, size_t bytes) {
    return fails(FAKE_OPENSSL_UPDATE) ? 0 : __real_EVP_DigestUpdate(context, from, bytes);
}

int __wrap_EVP_DigestFinal_ex(EVP_MD_CTX *context, unsigned char *into, unsigned *length) {
    return fails(FAKE_OPENSSL_FINAL) ? 0 : __real_EVP_DigestFinal_ex(context, into, length);
}
