/* The file that a writer writes into: one copy of each byte, digests of that copy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fake_kernel.h"
#include "store/staged_file.h"
#include "tree.h"

enum { MIB = 1 << 20 };

typedef struct bench {
    char *path;
    int directory;
    fk_error err;
} bench;

static int setup(void **state) {
    bench *it = calloc(1, sizeof *it);
    it->path = tree_create();
    it->directory = open(it->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fake_kernel_install();
    *state = it;
    return 0;
}

static int teardown(void **state) {
    bench *it = *state;
    fake_kernel_remove();
    close(it->directory);
    tree_destroy(it->path);
    free(it);
    return 0;
}

static uint8_t *make_bytes(size_t length) {
    uint8_t *bytes = malloc(length + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < length; i++) {
        bytes[i] = (uint8_t)(i * 31 + i / 251);
    }
    return bytes;
}

/* Writes `bytes` in parts and finishes the file. */
static fk_code write_in_parts(bench *it, const uint8_t *bytes, size_t length, size_t part,
                              uint32_t *crc, fk_file_digests *ret_digests) {
    FK_SCOPED(fk_staged_file_destroyp) fk_staged_file *file = NULL;
    fk_code code = fk_staged_file_create(it->directory, "weights", length, &file, &it->err);
    if (code != FK_OK) {
        return code;
    }
    fk_sink sink = fk_staged_file_sink(file);
    for (size_t at = 0; code == FK_OK && at < length; at += part) {
        size_t now = length - at < part ? length - at : part;
        code = fk_sink_write(&sink, bytes + at, now, crc, &it->err);
    }
    int fd = -1;
    if (code == FK_OK) {
        code = fk_staged_file_finish(file, &fd, ret_digests, &it->err);
    }
    if (code == FK_OK) {
        assert_int_equal(close(fd), 0);
    }
    return code;
}

static void assert_written(bench *it, const uint8_t *bytes, size_t length,
                           const fk_file_digests *digests) {
    size_t got_length = 0;
    char *got = tree_read(tree_path(it->path, "weights"), &got_length);
    assert_int_equal(got_length, length);
    assert_memory_equal(got, bytes, length);
    assert_int_equal(digests->bytes, length);
    size_t pieces = length == 0 ? 1 : (length + FK_PIECE_BYTES - 1) / FK_PIECE_BYTES;
    assert_int_equal(digests->pieces, pieces);
    for (size_t i = 0; i < pieces; i++) {
        size_t start = i * FK_PIECE_BYTES;
        size_t rest = length - start;
        char hex[FK_SHA256_HEX_BYTES];
        assert_int_equal(
            fk_sha256_hex(got + start, rest < FK_PIECE_BYTES ? rest : FK_PIECE_BYTES, hex, NULL),
            FK_OK);
        assert_string_equal(digests->sha256[i], hex);
    }
    free(got);
}

static void test_small_writes_come_out_in_order_with_their_digests(void **state) {
    bench *it = *state;
    uint8_t *bytes = make_bytes(3 * MIB + 5);
    uint32_t crc = 0;
    fk_file_digests digests = {0};
    assert_int_equal(write_in_parts(it, bytes, 3 * MIB + 5, 100003, &crc, &digests), FK_OK);
    assert_written(it, bytes, 3 * MIB + 5, &digests);
    assert_int_equal(crc, fk_crc32_update(0, bytes, 3 * MIB + 5));
    assert_non_null(digests.xxh3);
    /* whole chunks, however small the parts */
    assert_int_equal(fake_kernel_count("write"), 4);
    fk_file_digests_finish(&digests);
    free(bytes);
}

static void test_an_empty_file_has_one_piece(void **state) {
    bench *it = *state;
    fk_file_digests digests = {0};
    assert_int_equal(write_in_parts(it, (const uint8_t *)"", 0, 1, NULL, &digests), FK_OK);
    assert_written(it, (const uint8_t *)"", 0, &digests);
    assert_null(digests.xxh3);
    assert_int_equal(fake_kernel_count("write"), 0);
    fk_file_digests_finish(&digests);
}

static void test_large_files_are_reserved_first_and_kicked_every_8_mib(void **state) {
    bench *it = *state;
    uint8_t *bytes = make_bytes(17 * MIB);
    fk_file_digests digests = {0};
    assert_int_equal(write_in_parts(it, bytes, 17 * MIB, 17 * MIB, NULL, &digests), FK_OK);
    assert_string_equal(fake_kernel_record(), "openat_beneath weights\n"
                                              "fallocate weights\n"
                                              "write weights\n"
                                              "sync_file_range weights\n"
                                              "write weights\n"
                                              "sync_file_range weights\n"
                                              "write weights\n");
    assert_written(it, bytes, 17 * MIB, &digests);
    fk_file_digests_finish(&digests);
    free(bytes);
}

static void test_short_writes_are_gone_on_with(void **state) {
    bench *it = *state;
    uint8_t *bytes = make_bytes(2 * MIB + 1);
    fk_file_digests digests = {0};
    fake_kernel_move_at_most(65537);
    assert_int_equal(write_in_parts(it, bytes, 2 * MIB + 1, MIB, NULL, &digests), FK_OK);
    fake_kernel_move_at_most(0);
    assert_written(it, bytes, 2 * MIB + 1, &digests);
    fk_file_digests_finish(&digests);
    free(bytes);
}

static void scribble(void *user) {
    memset(user, 0xee, 2 * MIB);
}

/* A tensor that another thread changes between the copy and the write: the file holds what was
 * digested, or no run would ever verify. */
static void test_memory_changed_meanwhile_still_gives_a_consistent_file(void **state) {
    bench *it = *state;
    uint8_t *source = make_bytes(2 * MIB);
    uint8_t *expected = make_bytes(2 * MIB);
    memset(expected + MIB, 0xee, MIB); /* the second chunk was copied after the change */
    uint32_t crc = 0;
    fk_file_digests digests = {0};
    fake_kernel_before("write", 1, scribble, source);
    assert_int_equal(write_in_parts(it, source, 2 * MIB, 2 * MIB, &crc, &digests), FK_OK);
    assert_written(it, expected, 2 * MIB, &digests);
    assert_int_equal(crc, fk_crc32_update(0, expected, 2 * MIB));
    fk_file_digests_finish(&digests);
    free(source);
    free(expected);
}

static void test_a_file_that_exists_is_not_written_into(void **state) {
    bench *it = *state;
    fk_file_digests digests = {0};
    tree_write(tree_path(it->path, "weights"), "mine", 4);
    assert_int_equal(write_in_parts(it, (const uint8_t *)"x", 1, 1, NULL, &digests), FK_E_IO);
    assert_int_equal(it->err.system_errno, EEXIST);
    size_t length = 0;
    char *kept = tree_read(tree_path(it->path, "weights"), &length);
    assert_string_equal(kept, "mine");
    free(kept);
}

static void test_a_full_disk_is_found_out_before_the_first_byte(void **state) {
    bench *it = *state;
    uint8_t *bytes = make_bytes(2 * MIB);
    fk_file_digests digests = {0};
    fake_kernel_fail("fallocate", 1, ENOSPC, FAKE_ONCE);
    assert_int_equal(write_in_parts(it, bytes, 2 * MIB, MIB, NULL, &digests), FK_E_NO_SPACE);
    assert_int_equal(fake_kernel_count("write"), 0);
    assert_string_equal(it->err.path, "weights");
    free(bytes);
}

static void test_a_failing_write_is_reported_wherever_it_happens(void **state) {
    bench *it = *state;
    uint8_t *bytes = make_bytes(3 * MIB + 5);
    for (size_t nth = 1; nth <= 4; nth++) {
        fk_file_digests digests = {0};
        fake_kernel_fail("write", nth, EDQUOT, FAKE_ONCE);
        assert_int_equal(write_in_parts(it, bytes, 3 * MIB + 5, 4096, NULL, &digests),
                         FK_E_NO_SPACE);
        assert_int_equal(it->err.system_errno, EDQUOT);
        fake_kernel_relent();
        assert_int_equal(unlink(tree_path(it->path, "weights")), 0);
    }
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_small_writes_come_out_in_order_with_their_digests,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_empty_file_has_one_piece, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large_files_are_reserved_first_and_kicked_every_8_mib,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_short_writes_are_gone_on_with, setup, teardown),
        cmocka_unit_test_setup_teardown(test_memory_changed_meanwhile_still_gives_a_consistent_file,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_file_that_exists_is_not_written_into, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_full_disk_is_found_out_before_the_first_byte, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_failing_write_is_reported_wherever_it_happens, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
