/* lib/digest/digest_stream.c: whole files, in chunks of any size, against digests of each piece. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "digest/digest.h"

enum { MEBIBYTE = 1 << 20, PIECE = 16 << 20 };

static fk_error err;
static uint8_t *bytes; /* 33 MiB and a bit that do not repeat */
static const size_t bytes_count = 33 * (size_t)MEBIBYTE + 12345;

static int setup(void **state) {
    (void)state;
    bytes = malloc(bytes_count);
    if (bytes == NULL) {
        return -1;
    }
    uint32_t number = 1;
    for (size_t i = 0; i < bytes_count; i++) {
        number = number * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(number >> 24);
    }
    return 0;
}

static int teardown(void **state) {
    (void)state;
    free(bytes);
    return 0;
}

static void digest(size_t length, size_t chunk, fk_file_digests *ret_digests) {
    FK_SCOPED(fk_digest_stream_destroyp) fk_digest_stream *stream = NULL;
    assert_int_equal(fk_digest_stream_create(&stream, &err), FK_OK);
    for (size_t at = 0; at < length; at += chunk) {
        size_t part = length - at < chunk ? length - at : chunk;
        assert_int_equal(fk_digest_stream_update(stream, bytes + at, part, &err), FK_OK);
    }
    assert_int_equal(fk_digest_stream_finish(stream, ret_digests, &err), FK_OK);
}

/* Each piece's digest, computed at once, must be the stream's. */
static void check(size_t length, size_t chunk) {
    FK_SCOPED(fk_file_digests_finish) fk_file_digests digests = {0};
    digest(length, chunk, &digests);
    assert_int_equal(digests.bytes, length);
    assert_int_equal(digests.pieces, length == 0 ? 1 : (length + PIECE - 1) / PIECE);
    assert_int_equal(digests.xxh3 != NULL, length >= 65536);
    for (size_t i = 0; i < digests.pieces; i++) {
        char sha256[FK_SHA256_HEX_BYTES];
        char xxh3[FK_XXH3_HEX_BYTES];
        size_t left = length - i * PIECE;
        size_t piece = left < PIECE ? left : PIECE;
        assert_int_equal(fk_sha256_hex(bytes + i * PIECE, piece, sha256, &err), FK_OK);
        assert_string_equal(digests.sha256[i], sha256);
        if (digests.xxh3 != NULL) {
            fk_xxh3_hex(bytes + i * PIECE, piece, xxh3);
            assert_string_equal(digests.xxh3[i], xxh3);
        }
    }
}

static void test_an_empty_file_has_one_piece(void **state) {
    (void)state;
    check(0, 1);
}

static void test_a_file_without_a_thread(void **state) {
    (void)state;
    check(1, 1);
    check(65535, 1000);
    check(65536, 65536);
    check(MEBIBYTE, 4096);
}

static void test_a_file_with_a_thread(void **state) {
    (void)state;
    check(MEBIBYTE + 1, 4096);
    check(3 * MEBIBYTE + 777, 99999);
}

static void test_pieces_end_at_sixteen_mebibytes(void **state) {
    (void)state;
    check(PIECE - 1, MEBIBYTE);
    check(PIECE, MEBIBYTE);
    check(PIECE + 1, MEBIBYTE);
}

static void test_chunks_of_any_size_give_the_same(void **state) {
    (void)state;
    check(bytes_count, bytes_count);
    check(bytes_count, 777777);
    check(bytes_count, 5 * MEBIBYTE + 3);
}

static void test_the_stream_is_done_with_a_chunk_when_update_returns(void **state) {
    (void)state;
    FK_SCOPED(fk_digest_stream_destroyp) fk_digest_stream *stream = NULL;
    FK_SCOPED(fk_file_digests_finish) fk_file_digests digests = {0};
    FK_SCOPED(fk_file_digests_finish) fk_file_digests expected = {0};
    FK_SCOPED(fk_freep) uint8_t *chunk = malloc(MEBIBYTE);
    assert_int_equal(fk_digest_stream_create(&stream, &err), FK_OK);
    for (size_t at = 0; at + MEBIBYTE <= bytes_count; at += MEBIBYTE) {
        memcpy(chunk, bytes + at, MEBIBYTE);
        assert_int_equal(fk_digest_stream_update(stream, chunk, MEBIBYTE, &err), FK_OK);
        memset(chunk, 0xEE, MEBIBYTE);
    }
    assert_int_equal(fk_digest_stream_finish(stream, &digests, &err), FK_OK);
    digest(33 * (size_t)MEBIBYTE, PIECE, &expected);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(digests.sha256[i], expected.sha256[i]);
    }
}

static void test_a_stream_can_be_given_up_at_any_time(void **state) {
    (void)state;
    for (size_t chunks = 0; chunks < 12; chunks++) {
        fk_digest_stream *stream = NULL;
        assert_int_equal(fk_digest_stream_create(&stream, &err), FK_OK);
        assert_int_equal(fk_digest_stream_update(stream, bytes, chunks * MEBIBYTE + 1, &err),
                         FK_OK);
        fk_digest_stream_destroy(stream);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_file_has_one_piece),
        cmocka_unit_test(test_a_file_without_a_thread),
        cmocka_unit_test(test_a_file_with_a_thread),
        cmocka_unit_test(test_pieces_end_at_sixteen_mebibytes),
        cmocka_unit_test(test_chunks_of_any_size_give_the_same),
        cmocka_unit_test(test_the_stream_is_done_with_a_chunk_when_update_returns),
        cmocka_unit_test(test_a_stream_can_be_given_up_at_any_time),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
