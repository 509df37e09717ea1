/* The file that a writer writes into: one copy of each byte, digests of that copy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fake_kernel.h"
#include "store/save/staged_file.h"
#include "tree.h"

enum { MIB = 1 << 20 };

typedef struct bench {
    char *path;
    int directory;
    bool durable;
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
    fk_code code =
        fk_staged_file_create(it->directory, "weights", length, it->durable, &file, &it->err);
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
    assert_int_equal(fake_kernel_count("write"), 3 * 4 + 1);
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
                                              "write weights\n"
                                              "sync_file_range weights\n");
    assert_written(it, bytes, 17 * MIB, &digests);
    fk_file_digests_finish(&digests);
    free(bytes);
}

/* So the disk has something to do before the caller's next file. */
static void test_write_back_starts_at_the_end_of_all_but_small_files(void **state) {
    bench *it = *state;
    static const size_t sizes[] = {256 << 10, (256 << 10) - 1};
    uint8_t *bytes = make_bytes(MIB);
    for (size_t i = 0; i < 2; i++) {
        fk_file_digests digests = {0};
        size_t before = fake_kernel_count("sync_file_range");
        assert_int_equal(write_in_parts(it, bytes, sizes[i], 1000, NULL, &digests), FK_OK);
        assert_int_equal(fake_kernel_count("sync_file_range") - before, i == 0);
        fk_file_digests_finish(&digests);
        assert_int_equal(unlink(tree_path(it->path, "weights")), 0);
    }
    free(bytes);
}

static void test_large_files_that_will_be_synced_go_past_the_page_cache(void **state) {
    bench *it = *state;
    it->durable = true;
    uint8_t *bytes = make_bytes(17 * MIB);
    fk_file_digests digests = {0};
    assert_int_equal(write_in_parts(it, bytes, 17 * MIB, 100003, NULL, &digests), FK_OK);
    assert_string_equal(fake_kernel_record(), "openat_beneath weights\n"
                                              "fallocate weights\n"
                                              "set_status_flags weights O_DIRECT\n"
                                              "pwrite weights\n");
    assert_int_equal(fake_kernel_count("pwrite"), 17);
    assert_written(it, bytes, 17 * MIB, &digests);
    fk_file_digests_finish(&digests);
    free(bytes);
}

static void test_an_end_that_is_no_whole_block_goes_through_the_page_cache(void **state) {
    bench *it = *state;
    it->durable = true;
    uint8_t *bytes = make_bytes(5 * MIB + 4097);
    fk_file_digests digests = {0};
    assert_int_equal(write_in_parts(it, bytes, 5 * MIB + 4097, MIB, NULL, &digests), FK_OK);
    /* the end may come before the others */
    static const char start[] = "openat_beneath weights\n"
                                "fallocate weights\n"
                                "set_status_flags weights O_DIRECT\n";
    assert_memory_equal(fake_kernel_record(), start, sizeof start - 1);
    assert_non_null(strstr(fake_kernel_record(), "\nset_status_flags weights\npwrite weights\n"));
    assert_non_null(strstr(fake_kernel_record(), "\nsync_file_range weights\n"));
    assert_int_equal(fake_kernel_count("set_status_flags"), 2);
    assert_written(it, bytes, 5 * MIB + 4097, &digests);
    fk_file_digests_finish(&digests);
    free(bytes);
}

/* The same file and digests, whatever the size and whatever the kernel grants. */
static void check_all_ways(bench *it, const uint8_t *bytes, size_t length) {
    static const struct {
        bool durable;
        bool granted;
        size_t refused_from; /* this write past the cache; 0: all are fine */
    } ways[] = {
        {false, false, 0}, {true, true, 0}, {true, false, 0}, {true, true, 1}, {true, true, 3}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        fk_file_digests digests = {0};
        it->durable = ways[i].durable;
        if (!ways[i].granted) {
            fake_kernel_fail("set_status_flags", 1, EINVAL, FAKE_ONCE);
        }
        fake_kernel_refuse_direct_writes(ways[i].refused_from);
        assert_int_equal(write_in_parts(it, bytes, length, 3 * MIB + 1, NULL, &digests), FK_OK);
        assert_written(it, bytes, length, &digests);
        fake_kernel_relent();
        fake_kernel_refuse_direct_writes(0);
        fk_file_digests_finish(&digests);
        assert_int_equal(unlink(tree_path(it->path, "weights")), 0);
    }
}

static void test_every_way_to_the_disk_gives_the_same_file(void **state) {
    bench *it = *state;
    static const size_t sizes[] = {
        4 * MIB,      4 * MIB + 1,  4 * MIB + 4096, 12 * MIB - 1, 12 * MIB,
        12 * MIB + 1, 16 * MIB - 1, 16 * MIB,       16 * MIB + 1, 33 * MIB + 4095,
    };
    uint8_t *bytes = make_bytes(34 * MIB);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        check_all_ways(it, bytes, sizes[i]);
    }
    free(bytes);
}

static void test_short_writes_are_gone_on_with(void **state) {
    bench *it = *state;
    static const size_t moves[] = {65536, 65537}; /* whole blocks, and not */
    uint8_t *bytes = make_bytes(5 * MIB + 1);
    for (size_t i = 0; i < 4; i++) {
        fk_file_digests digests = {0};
        it->durable = i >= 2;
        fake_kernel_move_at_most(moves[i % 2]);
        assert_int_equal(write_in_parts(it, bytes, 5 * MIB + 1, MIB, NULL, &digests), FK_OK);
        fake_kernel_move_at_most(0);
        assert_written(it, bytes, 5 * MIB + 1, &digests);
        fk_file_digests_finish(&digests);
        assert_int_equal(unlink(tree_path(it->path, "weights")), 0);
    }
    free(bytes);
}

static void scribble(void *user) {
    memset(user, 0xee, MIB);
}

/* A tensor that another thread changes between the copy and the write: the file holds what was
 * digested, or no run would ever verify. */
static void test_memory_changed_meanwhile_still_gives_a_consistent_file(void **state) {
    bench *it = *state;
    const size_t length = MIB / 8; /* one chunk: all of it was copied before anything is written */
    uint8_t *source = make_bytes(MIB);
    uint8_t *expected = make_bytes(MIB);
    uint32_t crc = 0;
    fk_file_digests digests = {0};
    fake_kernel_before("write", 1, scribble, source);
    assert_int_equal(write_in_parts(it, source, length, length, &crc, &digests), FK_OK);
    assert_written(it, expected, length, &digests);
    assert_int_equal(source[0], 0xee);
    assert_int_equal(crc, fk_crc32_update(0, expected, length));
    fk_file_digests_finish(&digests);
    free(source);
    free(expected);
}

/* As above, with everybody a thread of his own: each part is changed once it was handed over. */
static void test_memory_may_change_as_soon_as_it_was_handed_over(void **state) {
    bench *it = *state;
    uint8_t *bytes = make_bytes(20 * MIB);
    uint8_t *part = malloc(MIB);
    FK_SCOPED(fk_staged_file_destroyp) fk_staged_file *file = NULL;
    assert_int_equal(
        fk_staged_file_create(it->directory, "weights", 20 * MIB, true, &file, &it->err), FK_OK);
    fk_sink sink = fk_staged_file_sink(file);
    for (size_t at = 0; at < 20 * MIB; at += MIB) {
        memcpy(part, bytes + at, MIB);
        assert_int_equal(fk_sink_write(&sink, part, MIB, NULL, &it->err), FK_OK);
        scribble(part);
    }
    fk_file_digests digests = {0};
    int fd = -1;
    assert_int_equal(fk_staged_file_finish(file, &fd, &digests, &it->err), FK_OK);
    assert_int_equal(close(fd), 0);
    assert_written(it, bytes, 20 * MIB, &digests);
    fk_file_digests_finish(&digests);
    free(part);
    free(bytes);
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

/* `others`: who may be at another chunk when one finds out. */
static void check_failing_writes(bench *it, size_t length, size_t writes, size_t others) {
    uint8_t *bytes = make_bytes(length);
    for (size_t nth = 1; nth <= writes; nth++) {
        fk_file_digests digests = {0};
        it->err = (fk_error){0};
        const char *call = it->durable ? "pwrite" : "write";
        fake_kernel_fail(call, nth, EDQUOT, FAKE_EVER_AFTER);
        size_t before = fake_kernel_count(call);
        assert_int_equal(write_in_parts(it, bytes, length, 4096, NULL, &digests), FK_E_NO_SPACE);
        assert_int_equal(it->err.system_errno, EDQUOT);
        assert_string_equal(it->err.path, "weights");
        size_t made = fake_kernel_count(call) - before;
        assert_true(made >= nth && made <= nth + others); /* nobody tries again */
        fake_kernel_relent();
        assert_int_equal(unlink(tree_path(it->path, "weights")), 0);
    }
    free(bytes);
}

static void test_a_failing_write_is_reported_wherever_it_happens(void **state) {
    bench *it = *state;
    check_failing_writes(it, MIB, 1, 0);
    check_failing_writes(it, 3 * MIB + 5, 4, 0);
    it->durable = true;
    check_failing_writes(it, 17 * MIB + 5, 18, FK_STREAM_WRITERS_MAX - 1);
}

static void test_the_page_cache_that_cannot_be_gone_back_to_is_an_error(void **state) {
    bench *it = *state;
    uint8_t *bytes = make_bytes(5 * MIB + 5);
    fk_file_digests digests = {0};
    it->durable = true;
    fake_kernel_fail("set_status_flags", 2, EPERM, FAKE_ONCE);
    assert_int_equal(write_in_parts(it, bytes, 5 * MIB + 5, MIB, NULL, &digests), FK_E_ACCESS);
    assert_string_equal(it->err.path, "weights");
    free(bytes);
}

static void test_a_file_can_be_given_up_at_any_time(void **state) {
    bench *it = *state;
    uint8_t *bytes = make_bytes(20 * MIB);
    it->durable = true;
    for (size_t given = 0; given < 20; given += 3) {
        fk_staged_file *file = NULL;
        assert_int_equal(
            fk_staged_file_create(it->directory, "weights", 20 * MIB, true, &file, &it->err),
            FK_OK);
        fk_sink sink = fk_staged_file_sink(file);
        assert_int_equal(fk_sink_write(&sink, bytes, given * MIB, NULL, &it->err), FK_OK);
        fk_staged_file_destroy(file);
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
        cmocka_unit_test_setup_teardown(test_write_back_starts_at_the_end_of_all_but_small_files,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_large_files_that_will_be_synced_go_past_the_page_cache,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_an_end_that_is_no_whole_block_goes_through_the_page_cache, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_way_to_the_disk_gives_the_same_file, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_short_writes_are_gone_on_with, setup, teardown),
        cmocka_unit_test_setup_teardown(test_memory_changed_meanwhile_still_gives_a_consistent_file,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_memory_may_change_as_soon_as_it_was_handed_over, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_file_that_exists_is_not_written_into, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_full_disk_is_found_out_before_the_first_byte, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_failing_write_is_reported_wherever_it_happens, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_the_page_cache_that_cannot_be_gone_back_to_is_an_error,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_file_can_be_given_up_at_any_time, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
