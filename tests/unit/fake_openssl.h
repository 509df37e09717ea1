/* OpenSSL that fails on request. A test that uses it is linked with fake_openssl_dep, which wraps
 * what lib/digest calls. */
#ifndef FAKE_OPENSSL_H
#define FAKE_OPENSSL_H

#include <stdbool.h>
#include <stddef.h>

typedef enum fake_openssl_call {
    FAKE_OPENSSL_CONTEXT, /* EVP_MD_CTX_new */
    FAKE_OPENSSL_INIT,    /* EVP_DigestInit_ex2 */
    FAKE_OPENSSL_UPDATE,  /* EVP_DigestUpdate */
    FAKE_OPENSSL_FINAL,   /* EVP_DigestFinal_ex */
    FAKE_OPENSSL_CALLS
} fake_openssl_call;

/* The `nth` such call from now on fails (1 is the next), once; any thread's counts. */
void fake_openssl_fail(fake_openssl_call call, size_t nth);
/* No call fails any more. Tells whether one did. */
bool fake_openssl_relent(void);

#endif
