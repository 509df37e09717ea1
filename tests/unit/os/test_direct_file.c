/* lib/os/direct_file.c: what goes past the page cache, and what goes through it after all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "fake_kernel.h"
#include "os/direct_file.h"
#include "os/file.h"
#include "os/kernel.h"
#include "scratch.h"

enum { BLOCK = 4096, BLOCKS = 8 };

static fk_error err;
static fk_direct_file file;
static _Alignas(BLOCK) uint8_t memory[BLOCKS * BLOCK];

static int setup(void **state) {
    for (size_t i = 0; i < sizeof memory; i++) {
        memory[i] = (uint8_t)(i * 31 + i / 251);
    }
    return scratch_setup(state);
}

static int create(void) {
    int fd = -1;
    assert_int_equal(fk_file_create(scratch_fd, "a", &fd, &err), FK_OK);
    return fd;
}

static void assert_written(size_t length) {
    size_t got_length = 0;
    FK_SCOPED(fk_freep) char *got = scratch_read("a", &got_length);
    assert_int_equal(got_length, length);
    assert_memory_equal(got, memory, length);
}

static void test_whole_blocks_go_past_the_cache(void **state) {
    (void)state;
    FK_SCOPED(fk_file_closep) int fd = create();
    assert_true(fk_direct_file_begin(&file, fd, "a"));
    assert_int_equal(fk_direct_file_write_at(&file, memory, 6 * BLOCK, 0, &err), FK_OK);
    assert_int_equal(fk_direct_file_write_at(&file, memory + 6 * BLOCK, 0, 6 * BLOCK, &err), FK_OK);
    assert_int_equal(fk_direct_file_write_at(&file, memory + 6 * BLOCK, BLOCK, 6 * BLOCK, &err),
                     FK_OK);
    assert_true(file.granted);
    assert_int_equal(fake_kernel_count("pwrite"), 2);
    assert_written(7 * (size_t)BLOCK);
}

/* Whether the disk of this machine grants it or not. */
static void test_the_real_kernel_writes_the_same(void **state) {
    (void)state;
    fake_kernel_remove();
    FK_SCOPED(fk_file_closep) int fd = create();
    (void)fk_direct_file_begin(&file, fd, "a");
    assert_int_equal(fk_direct_file_write_at(&file, memory, 6 * BLOCK, 0, &err), FK_OK);
    assert_int_equal(fk_direct_file_write_at(&file, memory + 6 * BLOCK, BLOCK + 1, 6 * BLOCK, &err),
                     FK_OK);
    assert_false(file.granted);
    assert_written(7 * BLOCK + 1);
}

static void test_without_a_grant_all_goes_through_the_cache(void **state) {
    (void)state;
    FK_SCOPED(fk_file_closep) int fd = create();
    fake_kernel_fail("set_status_flags", 1, EINVAL, FAKE_ONCE);
    assert_false(fk_direct_file_begin(&file, fd, "a"));
    assert_int_equal(fk_direct_file_write_at(&file, memory, BLOCK + 1, 0, &err), FK_OK);
    assert_int_equal(fake_kernel_count("set_status_flags"), 1);
    assert_written(BLOCK + 1);
}

static void test_what_is_no_whole_block_ends_the_grant(void **state) {
    (void)state;
    FK_SCOPED(fk_file_closep) int fd = create();
    assert_true(fk_direct_file_begin(&file, fd, "a"));
    assert_int_equal(fk_direct_file_write_at(&file, memory, BLOCK - 1, 0, &err), FK_OK);
    assert_false(file.granted);
    assert_int_equal(fk_direct_file_write_at(&file, memory + BLOCK - 1, BLOCK, BLOCK - 1, &err),
                     FK_OK);
    assert_written(2 * BLOCK - 1);
}

static void test_a_refused_write_is_made_through_the_cache(void **state) {
    (void)state;
    FK_SCOPED(fk_file_closep) int fd = create();
    assert_true(fk_direct_file_begin(&file, fd, "a"));
    fake_kernel_fail("pwrite", 1, EINVAL, FAKE_ONCE);
    assert_int_equal(fk_direct_file_write_at(&file, memory, 2 * BLOCK, 0, &err), FK_OK);
    assert_false(file.granted);
    assert_written(2 * (size_t)BLOCK);
}

static void test_short_writes_are_gone_on_with(void **state) {
    (void)state;
    static const size_t moves[] = {BLOCK, BLOCK + 512, 100};
    for (size_t i = 0; i < 3; i++) {
        FK_SCOPED(fk_file_closep) int fd = create();
        assert_true(fk_direct_file_begin(&file, fd, "a"));
        fake_kernel_move_at_most(moves[i]);
        assert_int_equal(fk_direct_file_write_at(&file, memory, 3 * BLOCK, 0, &err), FK_OK);
        fake_kernel_move_at_most(0);
        assert_int_equal(file.granted, i == 0);
        assert_written(3 * (size_t)BLOCK);
        assert_int_equal(fk_file_remove(scratch_fd, "a", &err), FK_OK);
    }
}

static void test_interrupted_writes_are_made_again(void **state) {
    (void)state;
    FK_SCOPED(fk_file_closep) int fd = create();
    assert_true(fk_direct_file_begin(&file, fd, "a"));
    fake_kernel_fail("pwrite", 1, EINTR, FAKE_ONCE);
    assert_int_equal(fk_direct_file_write_at(&file, memory, BLOCK, 0, &err), FK_OK);
    assert_true(file.granted);
    assert_written(BLOCK);
}

static void test_other_failures_are_errors(void **state) {
    (void)state;
    FK_SCOPED(fk_file_closep) int fd = create();
    assert_true(fk_direct_file_begin(&file, fd, "a"));
    fake_kernel_fail("pwrite", 1, ENOSPC, FAKE_ONCE);
    assert_int_equal(fk_direct_file_write_at(&file, memory, BLOCK, 0, &err), FK_E_NO_SPACE);
    fake_kernel_fail("pwrite", 1, EINVAL, FAKE_EVER_AFTER);
    assert_int_equal(fk_direct_file_write_at(&file, memory, BLOCK, 0, &err), FK_E_IO);
    assert_int_equal(err.system_errno, EINVAL);
    assert_string_equal(err.path, "a");
    fake_kernel_relent();
    assert_true(fk_direct_file_begin(&file, fd, "a"));
    fake_kernel_fail("set_status_flags", 1, EPERM, FAKE_ONCE);
    assert_int_equal(fk_direct_file_write_at(&file, memory, 1, 0, &err), FK_E_ACCESS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whole_blocks_go_past_the_cache, setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(test_the_real_kernel_writes_the_same, setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(test_without_a_grant_all_goes_through_the_cache, setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(test_what_is_no_whole_block_ends_the_grant, setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(test_a_refused_write_is_made_through_the_cache, setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(test_short_writes_are_gone_on_with, setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(test_interrupted_writes_are_made_again, setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(test_other_failures_are_errors, setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
