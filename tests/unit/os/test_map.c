/* lib/os/map.c: memory blocks and mapped files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_kernel.h"
#include "os/file.h"
#include "os/map.h"
#include "scratch.h"

static fk_error err;

static void test_memory_is_zeroed_writable_and_aligned_to_huge_pages(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 4096, 100000, 2 << 20, (2 << 20) + 1, 5000000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        FK_SCOPED(fk_map_finish) fk_map map = {0};
        assert_int_equal(fk_map_allocate(sizes[i], &map, &err), FK_OK);
        assert_int_equal(map.bytes, sizes[i]);
        uint8_t *bytes = map.data;
        assert_int_equal(bytes[0] | bytes[sizes[i] - 1], 0);
        memset(bytes, 0xFF, sizes[i]);
        assert_int_equal((uintptr_t)bytes % (sizes[i] >= 2 << 20 ? 2 << 20 : 4096), 0);
    }
    assert_int_equal(fake_kernel_count("madvise"), 3);
}

static size_t mapped_kilobytes(void) {
    FILE *statistics = fopen("/proc/self/statm", "r");
    size_t pages = 0;
    assert_non_null(statistics);
    assert_int_equal(fscanf(statistics, "%zu", &pages), 1);
    fclose(statistics);
    return pages * 4;
}

static void test_finish_gives_all_of_it_back(void **state) {
    (void)state;
    size_t before = mapped_kilobytes();
    for (size_t i = 0; i < 20; i++) {
        fk_map map = {0};
        assert_int_equal(fk_map_allocate((10 << 20) + i * 5000, &map, &err), FK_OK);
        fk_map_finish(&map);
        assert_null(map.data);
        fk_map_finish(&map);
    }
    assert_true(mapped_kilobytes() < before + 10 * 1024);
}

static void test_nothing_takes_no_memory(void **state) {
    (void)state;
    FK_SCOPED(fk_map_finish) fk_map map = {.bytes = 9};
    assert_int_equal(fk_map_allocate(0, &map, &err), FK_OK);
    assert_null(map.data);
    assert_int_equal(map.bytes, 0);
    assert_int_equal(fake_kernel_count("mmap"), 0);
}

static void test_without_memory_it_says_how_much_was_asked_for(void **state) {
    (void)state;
    fk_map map = {.bytes = 9};
    fake_kernel_fail("mmap", 1, ENOMEM, FAKE_EVER_AFTER);
    assert_int_equal(fk_map_allocate(3 << 20, &map, &err), FK_E_NO_MEMORY);
    assert_string_equal(err.message, "no memory for 3145728 bytes");
    assert_int_equal(fk_map_allocate(SIZE_MAX, &map, &err), FK_E_NO_MEMORY);
    assert_int_equal(map.bytes, 9);
}

static void test_where_alignment_cannot_be_had_plain_memory_does(void **state) {
    (void)state;
    FK_SCOPED(fk_map_finish) fk_map map = {0};
    fake_kernel_fail("mmap", 1, ENOMEM, FAKE_ONCE);
    assert_int_equal(fk_map_allocate(3 << 20, &map, &err), FK_OK);
    memset(map.data, 1, map.bytes);
}

static void stop_watch(void *user) {
    fake_kernel_set_time(*(const int64_t *)user);
}

static void test_pages_are_there_once_populated_and_may_be_refused(void **state) {
    (void)state;
    FK_SCOPED(fk_map_finish) fk_map map = {0};
    unsigned char there[4] = {0};
    assert_int_equal(fk_map_allocate(4 * 4096, &map, &err), FK_OK);
    fake_kernel_fail("madvise", 1, EINVAL, FAKE_ONCE);
    (void)fk_map_populate(map.data, map.bytes);
    assert_int_equal(mincore(map.data, map.bytes, there), 0);
    assert_int_equal((there[0] | there[3]) & 1, 0);
    (void)fk_map_populate(map.data, map.bytes);
    assert_int_equal(mincore(map.data, map.bytes, there), 0);
    assert_int_equal(there[0] & there[3] & 1, 1);
}

static void test_pages_that_come_slowly_are_told(void **state) {
    (void)state;
    FK_SCOPED(fk_map_finish) fk_map map = {0};
    static int64_t later_us = 1999;
    assert_int_equal(fk_map_allocate(4096, &map, &err), FK_OK);
    fake_kernel_set_time(1000);
    fake_kernel_before("clock_gettime", 2, stop_watch, &later_us);
    assert_true(fk_map_populate(map.data, map.bytes));
    later_us = 3000;
    fake_kernel_before("clock_gettime", 2, stop_watch, &later_us);
    assert_false(fk_map_populate(map.data, map.bytes));
}

static void test_a_mapped_file_is_read_and_never_written(void **state) {
    (void)state;
    scratch_write_text("f", "hello");
    FK_SCOPED(fk_file_closep) int fd = -1;
    FK_SCOPED(fk_map_finish) fk_map map = {0};
    assert_int_equal(fk_file_open(scratch_fd, "f", &fd, NULL, &err), FK_OK);
    assert_int_equal(fk_map_file(fd, 5, "f", &map, &err), FK_OK);
    fk_file_closep(&fd);
    assert_memory_equal(map.data, "hello", 5);
    memcpy(map.data, "HELLO", 5);
    char *text = scratch_read("f", NULL);
    assert_string_equal(text, "hello");
    free(text);
}

static void test_pages_that_were_copied_do_not_change_with_the_file(void **state) {
    (void)state;
    enum { PAGE = 4096, BYTES = 4 * PAGE };
    static char text[BYTES + 1];
    memset(text, 'a', BYTES);
    scratch_write_text("f", text);
    FK_SCOPED(fk_file_closep) int fd = -1;
    FK_SCOPED(fk_map_finish) fk_map map = {0};
    assert_int_equal(fk_file_open(scratch_fd, "f", &fd, NULL, &err), FK_OK);
    assert_int_equal(fk_map_file(fd, BYTES, "f", &map, &err), FK_OK);
    fk_map_copy_pages(&map, 2 * PAGE - 1, 2); /* of both sides of a boundary */
    memset(text, 'b', BYTES);
    FK_SCOPED(fk_file_closep) int written = openat(scratch_fd, "f", O_WRONLY);
    assert_int_equal(pwrite(written, text, BYTES, 0), BYTES);
    const char *bytes = map.data;
    assert_int_equal(bytes[0], 'b');
    assert_int_equal(bytes[PAGE], 'a');
    assert_int_equal(bytes[3 * PAGE - 1], 'a');
    assert_int_equal(bytes[3 * PAGE], 'b');
    fake_kernel_fail("madvise", 1, EINVAL, FAKE_ONCE);
    fk_map_copy_pages(&map, 0, 1);
    assert_int_equal(bytes[0], 'b');
}

static void test_a_file_that_cannot_be_mapped_is_named(void **state) {
    (void)state;
    FK_SCOPED(fk_map_finish) fk_map map = {0};
    assert_int_equal(fk_map_file(scratch_fd, 5, "runs", &map, &err), FK_E_IO);
    assert_string_equal(err.path, "runs");
    assert_int_equal(err.system_errno, ENODEV);
    assert_int_equal(fk_map_file(scratch_fd, 0, "runs", &map, &err), FK_OK);
    assert_null(map.data);
}

#define scratch_test(function)                                                                     \
    cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        scratch_test(test_memory_is_zeroed_writable_and_aligned_to_huge_pages),
        scratch_test(test_finish_gives_all_of_it_back),
        scratch_test(test_nothing_takes_no_memory),
        scratch_test(test_without_memory_it_says_how_much_was_asked_for),
        scratch_test(test_where_alignment_cannot_be_had_plain_memory_does),
        scratch_test(test_pages_are_there_once_populated_and_may_be_refused),
        scratch_test(test_pages_that_come_slowly_are_told),
        scratch_test(test_a_mapped_file_is_read_and_never_written),
        scratch_test(test_pages_that_were_copied_do_not_change_with_the_file),
        scratch_test(test_a_file_that_cannot_be_mapped_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
