/* lib/digest where OpenSSL, threads or memory fail: the linker sends their calls here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>

#include "digest/digest.h"
#include "fake_memory.h"

enum { MEBIBYTE = 1 << 20 };

static fk_error err;
static bool fail_threads;
static bool fail_attributes;
static bool fail_context;
static int updates_left = -1; /* until one fails; below 0: none */
static int finals_left = -1;
static int inits_left = -1;
static int threads_started;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *user);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *user);
int __real_pthread_attr_init(pthread_attr_t *attributes);
int __wrap_pthread_attr_init(pthread_attr_t *attributes);
int __real_EVP_DigestUpdate(EVP_MD_CTX *context, const void *from, size_t bytes);
int __wrap_EVP_DigestUpdate(EVP_MD_CTX *context, const void *from, size_t bytes);
int __real_EVP_DigestFinal_ex(EVP_MD_CTX *context, unsigned char *into, unsigned *length);
int __wrap_EVP_DigestFinal_ex(EVP_MD_CTX *context, unsigned char *into, unsigned *length);
int __real_EVP_DigestInit_ex2(EVP_MD_CTX *context, const EVP_MD *type, const OSSL_PARAM *params);
int __wrap_EVP_DigestInit_ex2(EVP_MD_CTX *context, const EVP_MD *type, const OSSL_PARAM *params);
EVP_MD_CTX *__real_EVP_MD_CTX_new(void);
EVP_MD_CTX *__wrap_EVP_MD_CTX_new(void);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *user) {
    threads_started += !fail_threads;
    return fail_threads ? EAGAIN : __real_pthread_create(thread, attributes, run, user);
}

int __wrap_pthread_attr_init(pthread_attr_t *attributes) {
    return fail_attributes ? ENOMEM : __real_pthread_attr_init(attributes);
}

static bool runs_out(int *left) {
    return *left >= 0 && (*left)-- == 0;
}

int __wrap_EVP_DigestUpdate(EVP_MD_CTX *context, const void *from, size_t bytes) {
    return runs_out(&updates_left) ? 0 : __real_EVP_DigestUpdate(context, from, bytes);
}

int __wrap_EVP_DigestFinal_ex(EVP_MD_CTX *context, unsigned char *into, unsigned *length) {
    return runs_out(&finals_left) ? 0 : __real_EVP_DigestFinal_ex(context, into, length);
}

int __wrap_EVP_DigestInit_ex2(EVP_MD_CTX *context, const EVP_MD *type, const OSSL_PARAM *params) {
    return runs_out(&inits_left) ? 0 : __real_EVP_DigestInit_ex2(context, type, params);
}

EVP_MD_CTX *__wrap_EVP_MD_CTX_new(void) {
    return fail_context ? NULL : __real_EVP_MD_CTX_new();
}

static int relent(void **state) {
    (void)state;
    fake_memory_relent();
    fail_threads = fail_attributes = fail_context = false;
    updates_left = finals_left = inits_left = -1;
    threads_started = 0;
    return 0;
}

/* Digests `chunks` MiB of zeros. */
static fk_code digest_zeros(size_t chunks, fk_file_digests *ret_digests) {
    FK_SCOPED(fk_freep) uint8_t *chunk = calloc(1, MEBIBYTE);
    FK_SCOPED(fk_digest_stream_destroyp) fk_digest_stream *stream = NULL;
    fk_code code = fk_digest_stream_create(&stream, &err);
    for (size_t i = 0; code == FK_OK && i < chunks; i++) {
        code = fk_digest_stream_update(stream, chunk, MEBIBYTE, &err);
    }
    return code == FK_OK ? fk_digest_stream_finish(stream, ret_digests, &err) : code;
}

static void test_without_threads_the_caller_digests_by_himself(void **state) {
    (void)state;
    FK_SCOPED(fk_file_digests_finish) fk_file_digests with = {0};
    FK_SCOPED(fk_file_digests_finish) fk_file_digests without = {0};
    FK_SCOPED(fk_file_digests_finish) fk_file_digests neither = {0};
    assert_int_equal(digest_zeros(20, &with), FK_OK);
    assert_int_equal(threads_started, 1);
    fail_threads = true;
    assert_int_equal(digest_zeros(20, &without), FK_OK);
    fail_attributes = true;
    assert_int_equal(digest_zeros(20, &neither), FK_OK);
    assert_int_equal(threads_started, 1);
    assert_int_equal(with.pieces, 2);
    assert_int_equal(without.pieces, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(with.sha256[i], without.sha256[i]);
        assert_string_equal(with.sha256[i], neither.sha256[i]);
        assert_string_equal(with.xxh3[i], without.xxh3[i]);
    }
}

static void test_openssl_that_fails_on_the_thread_fails_the_stream(void **state) {
    (void)state;
    static const size_t sizes[] = {2, 3, 40};
    for (size_t i = 0; i < 3; i++) {
        FK_SCOPED(fk_file_digests_finish) fk_file_digests digests = {0};
        updates_left = 1;
        assert_int_equal(digest_zeros(sizes[i], &digests), FK_E_IO);
        assert_string_equal(err.message, "OpenSSL cannot compute SHA-256");
        assert_string_not_equal(err.hint, "");
        assert_null(digests.sha256);
    }
}

static void test_a_piece_that_cannot_end_fails_the_stream(void **state) {
    (void)state;
    fk_file_digests digests = {0};
    finals_left = 0;
    assert_int_equal(digest_zeros(17, &digests), FK_E_IO);
    finals_left = 1;
    assert_int_equal(digest_zeros(17, &digests), FK_E_IO);
    inits_left = 1;
    assert_int_equal(digest_zeros(0, &digests), FK_E_IO);
}

static void test_openssl_that_fails_at_once_is_an_error(void **state) {
    (void)state;
    char hex[FK_SHA256_HEX_BYTES];
    updates_left = 0;
    assert_int_equal(fk_sha256_hex("abc", 3, hex, &err), FK_E_IO);
    finals_left = 0;
    assert_int_equal(fk_sha256_hex("abc", 3, hex, &err), FK_E_IO);
    inits_left = 0;
    assert_int_equal(fk_sha256_hex("abc", 3, hex, NULL), FK_E_IO);
    fail_context = true;
    assert_int_equal(fk_sha256_hex("abc", 3, hex, &err), FK_E_NO_MEMORY);
}

static void test_short_memory_fails_a_stream_or_only_costs_its_thread(void **state) {
    (void)state;
    size_t failures = 0;
    for (size_t nth = 1;; nth++) {
        FK_SCOPED(fk_file_digests_finish) fk_file_digests digests = {0};
        static uint8_t chunk[2 * MEBIBYTE];
        FK_SCOPED(fk_digest_stream_destroyp) fk_digest_stream *stream = NULL;
        fake_memory_fail(nth);
        fk_code code = fk_digest_stream_create(&stream, &err);
        if (code == FK_OK) {
            code = fk_digest_stream_update(stream, chunk, sizeof chunk, &err);
        }
        if (code == FK_OK) {
            code = fk_digest_stream_finish(stream, &digests, &err);
        }
        bool failed = fake_memory_relent();
        assert_true(code == FK_OK || (failed && code == FK_E_NO_MEMORY));
        assert_int_equal(digests.pieces, code == FK_OK);
        failures += code != FK_OK;
        if (!failed) {
            break;
        }
    }
    assert_true(failures >= 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_without_threads_the_caller_digests_by_himself, relent),
        cmocka_unit_test_setup(test_openssl_that_fails_on_the_thread_fails_the_stream, relent),
        cmocka_unit_test_setup(test_a_piece_that_cannot_end_fails_the_stream, relent),
        cmocka_unit_test_setup(test_openssl_that_fails_at_once_is_an_error, relent),
        cmocka_unit_test_setup(test_short_memory_fails_a_stream_or_only_costs_its_thread, relent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
