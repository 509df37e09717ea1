/* lib/digest where OpenSSL, threads or memory fail: the linker sends their calls here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>

#include "digest/digest.h"
#include "fake_memory.h"
#include "fake_openssl.h"

enum { MEBIBYTE = 1 << 20 };

static fk_error err;
static bool fail_attributes;
static int threads_started;
static int threads_max; /* no more can be had */

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *user);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *user);
int __real_pthread_attr_init(pthread_attr_t *attributes);
int __wrap_pthread_attr_init(pthread_attr_t *attributes);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *user) {
    if (threads_started == threads_max) {
        return EAGAIN;
    }
    threads_started++;
    return __real_pthread_create(thread, attributes, run, user);
}

int __wrap_pthread_attr_init(pthread_attr_t *attributes) {
    return fail_attributes ? ENOMEM : __real_pthread_attr_init(attributes);
}

static int relent(void **state) {
    (void)state;
    fake_memory_relent();
    fake_openssl_relent();
    fail_attributes = false;
    threads_started = 0;
    threads_max = 1000;
    return 0;
}

static fk_code count_write(void *user, uint64_t offset, const void *chunk, size_t bytes,
                           fk_error *error) {
    (void)offset;
    (void)chunk;
    (void)error;
    *(size_t *)user += bytes;
    return FK_OK;
}

/* Digests zeros, but for the number of each chunk in its first byte. */
static fk_code digest_zeros(size_t bytes, fk_file_digests *ret_digests) {
    static uint8_t memory[12 * MEBIBYTE];
    size_t written = 0;
    size_t filled = 0;
    const fk_chunk_writer writer = {.write = count_write, .user = &written, .at_once = 1};
    FK_SCOPED(fk_digest_stream_destroyp) fk_digest_stream *stream = NULL;
    fk_code code = fk_digest_stream_create(bytes, memory, &writer, &stream, &err);
    for (uint8_t number = 0; code == FK_OK && (filled < bytes || number == 0); number++) {
        uint8_t *chunk;
        size_t room;
        code = fk_digest_stream_next(stream, &chunk, &room, &err);
        if (code == FK_OK) {
            memset(chunk, 0, room);
            *chunk = number;
            filled += room;
            fk_digest_stream_push(stream);
        }
    }
    if (code == FK_OK) {
        code = fk_digest_stream_finish(stream, ret_digests, &err);
    }
    assert_true(code != FK_OK || written == bytes);
    return code;
}

static void assert_same(const fk_file_digests *some, const fk_file_digests *other) {
    assert_int_equal(some->pieces, other->pieces);
    for (size_t i = 0; i < some->pieces; i++) {
        assert_string_equal(some->sha256[i], other->sha256[i]);
        assert_string_equal(some->xxh3[i], other->xxh3[i]);
    }
}

static void test_what_no_thread_can_be_had_for_the_caller_does(void **state) {
    (void)state;
    FK_SCOPED(fk_file_digests_finish) fk_file_digests with = {0};
    assert_int_equal(digest_zeros(50 * MEBIBYTE, &with), FK_OK);
    assert_int_equal(with.pieces, 4);
    assert_int_equal(threads_started, 3); /* two hashers and the writer */
    for (threads_max = 0; threads_max < 3; threads_max++) {
        FK_SCOPED(fk_file_digests_finish) fk_file_digests without = {0};
        threads_started = 0;
        assert_int_equal(digest_zeros(50 * MEBIBYTE, &without), FK_OK);
        assert_same(&with, &without);
    }
    FK_SCOPED(fk_file_digests_finish) fk_file_digests neither = {0};
    fail_attributes = true;
    assert_int_equal(digest_zeros(50 * MEBIBYTE, &neither), FK_OK);
    assert_same(&with, &neither);
}

static void test_a_file_of_one_chunk_is_not_worth_a_thread(void **state) {
    (void)state;
    FK_SCOPED(fk_file_digests_finish) fk_file_digests digests = {0};
    assert_int_equal(digest_zeros(MEBIBYTE / 4, &digests), FK_OK);
    assert_int_equal(threads_started, 0);
}

static void test_openssl_that_fails_on_the_thread_fails_the_stream(void **state) {
    (void)state;
    static const size_t sizes[] = {MEBIBYTE / 4 + 1, 3 * MEBIBYTE, 40 * MEBIBYTE};
    for (size_t i = 0; i < 3; i++) {
        FK_SCOPED(fk_file_digests_finish) fk_file_digests digests = {0};
        fake_openssl_fail(FAKE_OPENSSL_UPDATE, 2);
        assert_int_equal(digest_zeros(sizes[i], &digests), FK_E_IO);
        assert_string_equal(err.message, "OpenSSL cannot compute SHA-256");
        assert_string_not_equal(err.hint, "");
        assert_null(digests.sha256);
    }
}

static void test_a_piece_that_cannot_end_fails_the_stream(void **state) {
    (void)state;
    fk_file_digests digests = {0};
    fake_openssl_fail(FAKE_OPENSSL_FINAL, 1);
    assert_int_equal(digest_zeros(17 * MEBIBYTE, &digests), FK_E_IO);
    fake_openssl_fail(FAKE_OPENSSL_FINAL, 2);
    assert_int_equal(digest_zeros(17 * MEBIBYTE, &digests), FK_E_IO);
    fake_openssl_fail(FAKE_OPENSSL_INIT, 2);
    assert_int_equal(digest_zeros(0, &digests), FK_E_IO);
}

static void test_openssl_that_fails_at_once_is_an_error(void **state) {
    (void)state;
    char hex[FK_SHA256_HEX_BYTES];
    fake_openssl_fail(FAKE_OPENSSL_UPDATE, 1);
    assert_int_equal(fk_sha256_hex("abc", 3, hex, &err), FK_E_IO);
    fake_openssl_fail(FAKE_OPENSSL_FINAL, 1);
    assert_int_equal(fk_sha256_hex("abc", 3, hex, &err), FK_E_IO);
    fake_openssl_fail(FAKE_OPENSSL_INIT, 1);
    assert_int_equal(fk_sha256_hex("abc", 3, hex, NULL), FK_E_IO);
    fake_openssl_fail(FAKE_OPENSSL_CONTEXT, 1);
    assert_int_equal(fk_sha256_hex("abc", 3, hex, &err), FK_E_NO_MEMORY);
}

static void test_short_memory_fails_a_stream(void **state) {
    (void)state;
    size_t failures = 0;
    for (size_t nth = 1;; nth++) {
        FK_SCOPED(fk_file_digests_finish) fk_file_digests digests = {0};
        fake_memory_fail(nth);
        fk_code code = digest_zeros(17 * MEBIBYTE, &digests);
        bool failed = fake_memory_relent();
        assert_int_equal(code, failed ? FK_E_NO_MEMORY : FK_OK);
        assert_int_equal(digests.pieces, failed ? 0 : 2);
        failures += failed;
        if (!failed) {
            break;
        }
    }
    assert_true(failures >= 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_what_no_thread_can_be_had_for_the_caller_does, relent),
        cmocka_unit_test_setup(test_a_file_of_one_chunk_is_not_worth_a_thread, relent),
        cmocka_unit_test_setup(test_openssl_that_fails_on_the_thread_fails_the_stream, relent),
        cmocka_unit_test_setup(test_a_piece_that_cannot_end_fails_the_stream, relent),
        cmocka_unit_test_setup(test_openssl_that_fails_at_once_is_an_error, relent),
        cmocka_unit_test_setup(test_short_memory_fails_a_stream, relent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
