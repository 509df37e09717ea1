/* lib/digest/digest_stream.c: whole files against digests of each piece, and what
 * the writer gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "digest/digest.h"

enum { MEBIBYTE = 1 << 20, PIECE = 16 << 20 };

static fk_error err;
static uint8_t *bytes; /* 50 MiB and a bit that do not repeat */
static const size_t bytes_count = 50 * (size_t)MEBIBYTE + 12345;

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

/* What the writer was given, in the order in which it came. */
typedef struct written {
    uint8_t *bytes;
    size_t count;
    size_t fail_at; /* the write that gets so far fails; 0: none */
} written;

static fk_code write_down(void *user, uint64_t offset, const void *chunk, size_t count,
                          fk_error *error) {
    written *to = user;
    if (offset != to->count) {
        return fk_error_set(error, FK_E_INVALID, "%zu bytes came out of order", count);
    }
    if (to->fail_at != 0 && to->count + count >= to->fail_at) {
        return fk_error_set(error, FK_E_NO_SPACE, "the disk is full at %zu", to->count);
    }
    memcpy(to->bytes + to->count, chunk, count);
    to->count += count;
    return FK_OK;
}

/* The first `length` bytes through a stream. */
static fk_code stream_through(size_t length, void *memory, const fk_chunk_writer *writer,
                              fk_file_digests *ret_digests) {
    FK_SCOPED(fk_digest_stream_destroyp) fk_digest_stream *stream = NULL;
    fk_code code = fk_digest_stream_create(length, memory, writer, &stream, &err);
    size_t at = 0;
    do {
        uint8_t *chunk = NULL;
        size_t room = 0;
        if (code == FK_OK) {
            code = fk_digest_stream_next(stream, &chunk, &room, &err);
        }
        if (code != FK_OK) {
            return code;
        }
        memcpy(chunk, bytes + at, room);
        fk_digest_stream_push(stream);
        at += room;
    } while (at < length);
    return fk_digest_stream_finish(stream, ret_digests, &err);
}

static fk_code digest(size_t length, written *to, fk_file_digests *ret_digests) {
    FK_SCOPED(fk_freep) uint8_t *memory = malloc(fk_digest_stream_memory(length));
    const fk_chunk_writer writer = {.write = write_down, .user = to, .at_once = 1};
    return stream_through(length, memory, &writer, ret_digests);
}

/* Each piece's digest, computed at once, must be the stream's, and the writer have got all. */
static void check(size_t length) {
    FK_SCOPED(fk_file_digests_finish) fk_file_digests digests = {0};
    FK_SCOPED(fk_freep) uint8_t *copy = malloc(length + 1);
    written to = {.bytes = copy};
    assert_int_equal(digest(length, &to, &digests), FK_OK);
    assert_int_equal(to.count, length);
    assert_memory_equal(copy, bytes, length);
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
    check(0);
}

static void test_a_file_of_one_chunk(void **state) {
    (void)state;
    check(1);
    check(65535);
    check(65536);
    check(MEBIBYTE / 4 - 1);
    check(MEBIBYTE / 4);
}

static void test_a_file_of_several_chunks(void **state) {
    (void)state;
    check(MEBIBYTE / 4 + 1);
    check(MEBIBYTE - 1);
    check(MEBIBYTE + 1);
    check(4 * (size_t)MEBIBYTE - 1);
    check(4 * (size_t)MEBIBYTE);
    check(4 * (size_t)MEBIBYTE + 1);
    check(2 * (size_t)MEBIBYTE);
    check(3 * (size_t)MEBIBYTE + 777);
}

/* One chunk around what the memory takes at once. */
static void test_memory_is_filled_again_only_when_everybody_is_done_with_it(void **state) {
    (void)state;
    size_t memory = fk_digest_stream_memory(bytes_count);
    check(memory - 1);
    check(memory);
    check(memory + 1);
}

static void test_pieces_end_at_sixteen_mebibytes(void **state) {
    (void)state;
    check(PIECE - 1);
    check(PIECE);
    check(PIECE + 1);
    check(2 * (size_t)PIECE - 1);
    check(2 * (size_t)PIECE);
    check(2 * (size_t)PIECE + 1);
    check(3 * (size_t)PIECE - MEBIBYTE);
    check(bytes_count);
}

static void test_memory_stays_within_twelve_mebibytes(void **state) {
    (void)state;
    assert_int_equal(fk_digest_stream_memory(0), 1);
    assert_int_equal(fk_digest_stream_memory(1234), 1234);
    assert_int_equal(fk_digest_stream_memory(4 * MEBIBYTE - 1), 3 * MEBIBYTE);
    assert_int_equal(fk_digest_stream_memory(UINT64_MAX), 12 * MEBIBYTE);
}

static void test_a_failing_writer_fails_the_stream(void **state) {
    (void)state;
    static const size_t sizes[] = {1000, 3 * MEBIBYTE, 40 * MEBIBYTE};
    for (size_t i = 0; i < 3; i++) {
        for (size_t fail_at = 1; fail_at <= sizes[i]; fail_at += sizes[i] / 3) {
            FK_SCOPED(fk_freep) uint8_t *copy = malloc(sizes[i]);
            fk_file_digests digests = {0};
            written to = {.bytes = copy, .fail_at = fail_at};
            err = (fk_error){0};
            assert_int_equal(digest(sizes[i], &to, &digests), FK_E_NO_SPACE);
            assert_non_null(strstr(err.message, "the disk is full"));
            assert_null(digests.sha256);
            assert_true(to.count < fail_at); /* nothing is written behind a failure */
        }
    }
}

/* What several writers were given. */
typedef struct shared {
    atomic_uint times[50]; /* each chunk came */
    atomic_uint busy;      /* writers at this moment */
    atomic_uint most_busy;
} shared;

static fk_code write_apart(void *user, uint64_t offset, const void *chunk, size_t count,
                           fk_error *error) {
    shared *to = user;
    size_t number = (size_t)(offset / MEBIBYTE);
    unsigned busy = atomic_fetch_add(&to->busy, 1) + 1;
    if (busy > atomic_load(&to->most_busy)) {
        atomic_store(&to->most_busy, busy);
    }
    bool good = count == MEBIBYTE && memcmp(chunk, bytes + offset, count) == 0;
    atomic_fetch_add(&to->times[number], 1);
    atomic_fetch_sub(&to->busy, 1);
    return good ? FK_OK : fk_error_set(error, FK_E_INVALID, "not what is at this offset");
}

static void test_several_writers_share_the_chunks(void **state) {
    (void)state;
    for (size_t at_once = 1; at_once <= FK_STREAM_WRITERS_MAX; at_once++) {
        static uint8_t memory[12 * MEBIBYTE];
        shared to = {0};
        const fk_chunk_writer writer = {.write = write_apart, .user = &to, .at_once = at_once};
        FK_SCOPED(fk_file_digests_finish) fk_file_digests digests = {0};
        assert_int_equal(stream_through(50 * (size_t)MEBIBYTE, memory, &writer, &digests), FK_OK);
        for (size_t i = 0; i < 50; i++) {
            assert_int_equal(atomic_load(&to.times[i]), 1);
        }
        assert_true(atomic_load(&to.most_busy) <= at_once);
    }
}

static void test_what_nobody_writes_is_digested_all_the_same(void **state) {
    (void)state;
    FK_SCOPED(fk_file_digests_finish) fk_file_digests with = {0};
    FK_SCOPED(fk_file_digests_finish) fk_file_digests without = {0};
    static uint8_t memory[12 * MEBIBYTE];
    const fk_chunk_writer nowhere = {0};
    FK_SCOPED(fk_freep) uint8_t *copy = malloc(bytes_count);
    written to = {.bytes = copy};
    assert_int_equal(digest(bytes_count, &to, &with), FK_OK);
    assert_int_equal(stream_through(bytes_count, memory, &nowhere, &without), FK_OK);
    assert_int_equal(with.pieces, without.pieces);
    for (size_t i = 0; i < with.pieces; i++) {
        assert_string_equal(with.sha256[i], without.sha256[i]);
    }
}

static void test_a_stream_can_be_given_up_at_any_time(void **state) {
    (void)state;
    static uint8_t memory[12 * MEBIBYTE];
    FK_SCOPED(fk_freep) uint8_t *copy = malloc(bytes_count);
    for (size_t chunks = 0; chunks < 20; chunks++) {
        written to = {.bytes = copy};
        const fk_chunk_writer writer = {.write = write_down, .user = &to, .at_once = 1};
        fk_digest_stream *stream = NULL;
        uint8_t *chunk;
        size_t room;
        assert_int_equal(fk_digest_stream_create(bytes_count, memory, &writer, &stream, &err),
                         FK_OK);
        for (size_t i = 0; i < chunks; i++) {
            assert_int_equal(fk_digest_stream_next(stream, &chunk, &room, &err), FK_OK);
            memset(chunk, 7, room);
            fk_digest_stream_push(stream);
        }
        fk_digest_stream_destroy(stream);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_file_has_one_piece),
        cmocka_unit_test(test_a_file_of_one_chunk),
        cmocka_unit_test(test_a_file_of_several_chunks),
        cmocka_unit_test(test_memory_is_filled_again_only_when_everybody_is_done_with_it),
        cmocka_unit_test(test_pieces_end_at_sixteen_mebibytes),
        cmocka_unit_test(test_memory_stays_within_twelve_mebibytes),
        cmocka_unit_test(test_a_failing_writer_fails_the_stream),
        cmocka_unit_test(test_several_writers_share_the_chunks),
        cmocka_unit_test(test_what_nobody_writes_is_digested_all_the_same),
        cmocka_unit_test(test_a_stream_can_be_given_up_at_any_time),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
