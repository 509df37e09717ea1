/* lib/os/file.c: opening, reading, writing, syncing, closing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fake_kernel.h"
#include "fake_memory.h"
#include "os/file.h"
#include "scratch.h"

static fk_error err;

static int create(const char *path) {
    int fd = -1;
    assert_int_equal(fk_file_create(scratch_fd, path, &fd, &err), FK_OK);
    return fd;
}

static void test_what_was_written_reads_back(void **state) {
    (void)state;
    FK_SCOPED(fk_file_closep) int fd = create("a");
    assert_int_equal(fk_file_write(fd, "hello ", 6, "a", &err), FK_OK);
    assert_int_equal(fk_file_write(fd, "world", 5, "a", &err), FK_OK);
    char text[6] = "";
    assert_int_equal(fk_file_read_at(fd, text, 5, 6, "a", &err), FK_OK);
    assert_string_equal(text, "world");
    void *bytes = NULL;
    size_t length = 0;
    assert_int_equal(fk_file_read_whole(fd, 11, "a", &bytes, &length, &err), FK_OK);
    assert_int_equal(length, 11);
    assert_string_equal(bytes, "hello world");
    free(bytes);
}

static void test_short_reads_and_writes_are_carried_on(void **state) {
    (void)state;
    fake_kernel_move_at_most(3);
    FK_SCOPED(fk_file_closep) int fd = create("a");
    assert_int_equal(fk_file_write(fd, "hello world", 11, "a", &err), FK_OK);
    assert_int_equal(fake_kernel_count("write"), 4);
    char text[12] = "";
    assert_int_equal(fk_file_read_at(fd, text, 11, 0, "a", &err), FK_OK);
    assert_int_equal(fake_kernel_count("pread"), 4);
    assert_string_equal(text, "hello world");
}

static void test_writes_at_an_offset_leave_the_position_alone(void **state) {
    (void)state;
    fake_kernel_move_at_most(3);
    FK_SCOPED(fk_file_closep) int fd = create("a");
    assert_int_equal(fk_file_write_at(fd, " world", 6, 5, "a", &err), FK_OK);
    assert_int_equal(fake_kernel_count("pwrite"), 2);
    assert_int_equal(fk_file_write(fd, "hello", 5, "a", &err), FK_OK);
    char text[12] = "";
    assert_int_equal(fk_file_read_at(fd, text, 11, 0, "a", &err), FK_OK);
    assert_string_equal(text, "hello world");
}

static void test_interrupted_calls_are_made_again(void **state) {
    (void)state;
    struct stat status;
    bool missing = true;
    FK_SCOPED(fk_file_closep) int fd = -1;
    char byte = 'x';
    static const char *const calls[] = {"openat_beneath", "openat",  "write",   "pread",
                                        "fallocate",      "fsync",   "fstatat", "linkat",
                                        "renameat",       "unlinkat"};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        fake_kernel_fail(calls[i], 1, EINTR, FAKE_ONCE);
    }
    fd = create("a");
    assert_int_equal(fk_file_write(fd, &byte, 1, "a", &err), FK_OK);
    assert_int_equal(fk_file_read_at(fd, &byte, 1, 0, "a", &err), FK_OK);
    assert_int_equal(fk_file_reserve(fd, 4096, "a", &err), FK_OK);
    assert_int_equal(fk_file_sync(fd, "a", &err), FK_OK);
    assert_int_equal(fk_file_look(scratch_fd, "a", &status, &missing, &err), FK_OK);
    assert_int_equal(fk_file_link(scratch_fd, "a", scratch_fd, "b", &err), FK_OK);
    assert_int_equal(fk_file_rename(scratch_fd, "b", "c", &err), FK_OK);
    assert_int_equal(fk_file_remove(scratch_fd, "c", &err), FK_OK);
    char path[4200];
    snprintf(path, sizeof path, "%s/a", scratch_path);
    fk_file_closep(&fd);
    assert_int_equal(fk_file_open_path(path, &fd, NULL, &err), FK_OK);
    fk_file_closep(&fd);
    fake_kernel_fail("openat_beneath", 1, EINTR, FAKE_ONCE);
    assert_int_equal(fk_file_open(scratch_fd, "a", &fd, NULL, &err), FK_OK);
}

static void test_a_short_file_is_corrupt_at_its_end(void **state) {
    (void)state;
    scratch_write_text("a", "1234567");
    FK_SCOPED(fk_file_closep) int fd = -1;
    assert_int_equal(fk_file_open(scratch_fd, "a", &fd, NULL, &err), FK_OK);
    char text[10];
    assert_int_equal(fk_file_read_at(fd, text, 10, 0, "a", &err), FK_E_CORRUPT);
    assert_int_equal(err.offset, 7);
    assert_string_equal(err.path, "a");
    assert_string_equal(err.message, "'a' ends 3 bytes too early");
    assert_int_equal(fk_file_read_at(fd, text, 1, 100, "a", NULL), FK_E_CORRUPT);
}

static void test_a_read_beyond_any_file_is_refused(void **state) {
    (void)state;
    char byte;
    assert_int_equal(fk_file_read_at(0, &byte, 1, UINT64_MAX, "a", &err), FK_E_LIMIT);
    assert_int_equal(fk_file_read_at(0, &byte, 1, INT64_MAX, "a", &err), FK_E_LIMIT);
    assert_int_equal(fake_kernel_count("pread"), 0);
}

static void test_a_bad_sector_is_an_error_with_its_offset(void **state) {
    (void)state;
    scratch_write_text("a", "123456");
    fake_kernel_move_at_most(2);
    fake_kernel_fail("pread", 3, EIO, FAKE_ONCE);
    FK_SCOPED(fk_file_closep) int fd = -1;
    assert_int_equal(fk_file_open(scratch_fd, "a", &fd, NULL, &err), FK_OK);
    char text[6];
    assert_int_equal(fk_file_read_at(fd, text, 6, 0, "a", &err), FK_E_IO);
    assert_int_equal(err.offset, 4);
    assert_int_equal(err.system_errno, EIO);
    assert_non_null(strstr(err.hint, "dmesg"));
}

static void test_a_file_over_its_limit_is_not_read(void **state) {
    (void)state;
    scratch_write_text("a", "123456");
    FK_SCOPED(fk_file_closep) int fd = -1;
    void *bytes = NULL;
    size_t length = 99;
    assert_int_equal(fk_file_open(scratch_fd, "a", &fd, NULL, &err), FK_OK);
    assert_int_equal(fk_file_read_whole(fd, 5, "a", &bytes, &length, &err), FK_E_LIMIT);
    assert_string_equal(err.path, "a");
    assert_null(bytes);
    assert_int_equal(length, 99);
    assert_int_equal(fake_kernel_count("pread"), 0);
    fake_kernel_fail("pread", 1, EIO, FAKE_ONCE);
    assert_int_equal(fk_file_read_whole(fd, 6, "a", &bytes, &length, &err), FK_E_IO);
    fake_kernel_fail("fstat", 1, EIO, FAKE_ONCE);
    assert_int_equal(fk_file_read_whole(fd, 6, "a", &bytes, &length, &err), FK_E_IO);
}

static void test_an_empty_file_reads_as_an_empty_text(void **state) {
    (void)state;
    scratch_write_text("a", "");
    FK_SCOPED(fk_file_closep) int fd = -1;
    void *bytes = NULL;
    size_t length = 99;
    assert_int_equal(fk_file_open(scratch_fd, "a", &fd, NULL, &err), FK_OK);
    assert_int_equal(fk_file_read_whole(fd, 0, "a", &bytes, &length, &err), FK_OK);
    assert_int_equal(length, 0);
    assert_string_equal(bytes, "");
    free(bytes);
}

static void test_what_cannot_be_read_whole_is_told(void **state) {
    (void)state;
    int ends[2];
    void *bytes = NULL;
    size_t length = 99;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(fk_file_read_whole(ends[0], 9, "s", &bytes, &length, &err), FK_E_INVALID);
    assert_string_equal(err.message, "'s' is a socket, not a regular file");
    close(ends[0]);
    close(ends[1]);
    scratch_write_text("a", "123456");
    FK_SCOPED(fk_file_closep) int fd = -1;
    assert_int_equal(fk_file_open(scratch_fd, "a", &fd, NULL, &err), FK_OK);
    fake_memory_fail(1);
    assert_int_equal(fk_file_read_whole(fd, 9, "a", &bytes, &length, &err), FK_E_NO_MEMORY);
    assert_true(fake_memory_relent());
    assert_null(bytes);
    assert_int_equal(length, 99);
}

static void test_open_tells_the_status(void **state) {
    (void)state;
    scratch_write_text("a", "123456");
    FK_SCOPED(fk_file_closep) int fd = -1;
    struct stat status;
    assert_int_equal(fk_file_open(scratch_fd, "a", &fd, &status, &err), FK_OK);
    assert_int_equal(status.st_size, 6);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

static void refuse(const char *path, const char *message) {
    int fd = -7;
    assert_int_equal(fk_file_open(scratch_fd, path, &fd, NULL, &err), FK_E_INVALID);
    assert_string_equal(err.message, message);
    assert_string_equal(err.path, path);
    assert_string_not_equal(err.hint, "");
    assert_int_equal(fd, -7);
}

static void test_what_is_no_regular_file_is_refused_without_waiting(void **state) {
    (void)state;
    scratch_mkdir("directory");
    assert_int_equal(mkfifoat(scratch_fd, "pipe", 0666), 0);
    refuse("directory", "'directory' is a directory, not a file");
    refuse("pipe", "'pipe' is a pipe, not a regular file");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.80s/socket", scratch_path);
    int endpoint = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(endpoint, (struct sockaddr *)&address, sizeof address), 0);
    close(endpoint);
    refuse("socket", "'socket' is a socket or pipe, not a regular file");
    int fd = -7;
    assert_int_equal(fk_file_open_path(address.sun_path, &fd, NULL, &err), FK_E_INVALID);
    assert_int_equal(fk_file_open_path("/dev/null", &fd, NULL, &err), FK_E_INVALID);
    assert_string_equal(err.message, "'/dev/null' is a device, not a regular file");
    assert_int_equal(fk_file_open_path(scratch_path, &fd, NULL, NULL), FK_E_INVALID);
    assert_int_equal(fd, -7);
}

static void test_symbolic_links_and_ways_out_are_refused(void **state) {
    (void)state;
    scratch_write_text("real", "x");
    scratch_mkdir("directory");
    assert_int_equal(symlinkat("real", scratch_fd, "link"), 0);
    assert_int_equal(symlinkat(".", scratch_fd, "here"), 0);
    refuse("link", "'link' is or leads through a symbolic link");
    refuse("here/real", "'here/real' is or leads through a symbolic link");
    refuse("../etc", "'../etc' is outside the directory it should be in");
    refuse("/etc/passwd", "'/etc/passwd' is outside the directory it should be in");
}

static void test_a_path_the_user_named_may_be_a_link(void **state) {
    (void)state;
    char path[4200];
    scratch_write_text("real", "x");
    assert_int_equal(symlinkat("real", scratch_fd, "link"), 0);
    snprintf(path, sizeof path, "%s/link", scratch_path);
    FK_SCOPED(fk_file_closep) int fd = -1;
    struct stat status;
    assert_int_equal(fk_file_open_path(path, &fd, &status, &err), FK_OK);
    assert_int_equal(status.st_size, 1);
    int other = -1;
    assert_int_equal(fk_file_open_path("/nowhere/x", &other, NULL, &err), FK_E_IO);
    assert_int_equal(err.system_errno, ENOENT);
}

static void test_a_failing_look_at_an_opened_file_closes_it(void **state) {
    (void)state;
    int fd = -1;
    scratch_write_text("a", "x");
    fake_kernel_fail("fstat", 1, EIO, FAKE_ONCE);
    assert_int_equal(fk_file_open(scratch_fd, "a", &fd, NULL, &err), FK_E_IO);
    assert_int_equal(fake_kernel_count("close"), 1);
    assert_int_equal(fd, -1);
}

static void test_a_new_file_never_replaces_one(void **state) {
    (void)state;
    int fd = -1;
    scratch_write_text("a", "old");
    assert_int_equal(fk_file_create(scratch_fd, "a", &fd, &err), FK_E_IO);
    assert_int_equal(err.system_errno, EEXIST);
    assert_int_equal(symlinkat("elsewhere", scratch_fd, "link"), 0);
    assert_int_equal(fk_file_create(scratch_fd, "link", &fd, &err), FK_E_IO);
    assert_false(scratch_exists("elsewhere"));
    assert_int_equal(fd, -1);
}

static void test_a_new_file_has_the_mode_that_the_umask_leaves(void **state) {
    (void)state;
    mode_t old = umask(027);
    FK_SCOPED(fk_file_closep) int fd = create("a");
    umask(old);
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
}

static void test_a_user_path_can_be_created(void **state) {
    (void)state;
    char path[4200];
    snprintf(path, sizeof path, "%s/new", scratch_path);
    int fd = -1;
    assert_int_equal(fk_file_create(AT_FDCWD, path, &fd, &err), FK_OK);
    assert_int_equal(fk_file_close(&fd, path, &err), FK_OK);
    assert_true(scratch_exists("new"));
    struct stat status;
    bool missing = true;
    assert_int_equal(fk_file_look(AT_FDCWD, path, &status, &missing, &err), FK_OK);
    assert_false(missing);
    assert_int_equal(fk_file_remove(AT_FDCWD, path, &err), FK_OK);
    assert_false(scratch_exists("new"));
}

static void test_a_full_disk_is_told_by_every_call_that_may_meet_it(void **state) {
    (void)state;
    FK_SCOPED(fk_file_closep) int fd = create("a");
    fake_kernel_fail("write", 1, ENOSPC, FAKE_ONCE);
    assert_int_equal(fk_file_write(fd, "x", 1, "a", &err), FK_E_NO_SPACE);
    assert_int_equal(err.system_errno, ENOSPC);
    assert_string_equal(err.message, "cannot write 'a': No space left on device");
    fake_kernel_fail("fallocate", 1, EDQUOT, FAKE_ONCE);
    assert_int_equal(fk_file_reserve(fd, 1, "a", &err), FK_E_NO_SPACE);
    assert_string_equal(err.message, "cannot reserve space for 'a': Disk quota exceeded");
    fake_kernel_fail("fsync", 1, ENOSPC, FAKE_ONCE);
    assert_int_equal(fk_file_sync(fd, "a", &err), FK_E_NO_SPACE);
    fake_kernel_fail("close", 1, EDQUOT, FAKE_ONCE);
    assert_int_equal(fk_file_close(&fd, "a", &err), FK_E_NO_SPACE);
    assert_int_equal(fd, -1);
}

static void test_a_write_that_writes_nothing_ends(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    char block[4096] = "";
    fk_code code = FK_OK;
    for (size_t i = 0; i < 1000 && code == FK_OK; i++) {
        code = fk_file_write(ends[1], block, sizeof block, "pipe", &err);
    }
    assert_int_equal(code, FK_E_BUSY);
    close(ends[0]);
    close(ends[1]);
}

static void test_reserving_sets_the_size_and_needs_no_support(void **state) {
    (void)state;
    FK_SCOPED(fk_file_closep) int fd = create("a");
    static const int unknown[] = {EOPNOTSUPP, ENOSYS, EINVAL};
    for (size_t i = 0; i < 3; i++) {
        fake_kernel_fail("fallocate", 1, unknown[i], FAKE_ONCE);
        assert_int_equal(fk_file_reserve(fd, 1 << 20, "a", &err), FK_OK);
    }
    assert_int_equal(fk_file_reserve(fd, 1 << 20, "a", &err), FK_OK);
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(status.st_size, 1 << 20);
    size_t calls = fake_kernel_count("fallocate");
    assert_int_equal(fk_file_reserve(fd, 0, "a", &err), FK_OK);
    assert_int_equal(fk_file_reserve(fd, UINT64_MAX, "a", &err), FK_E_IO);
    assert_int_equal(err.system_errno, EFBIG);
    assert_int_equal(fake_kernel_count("fallocate"), calls);
}

static void test_a_kick_never_fails(void **state) {
    (void)state;
    FK_SCOPED(fk_file_closep) int fd = create("a");
    fake_kernel_record_clear();
    fake_kernel_fail("sync_file_range", 1, EIO, FAKE_ONCE);
    fk_file_kick(fd, 0, 4096);
    fk_file_kick(fd, 0, 4096);
    assert_string_equal(fake_kernel_record(), "sync_file_range a (EIO)\nsync_file_range a\n");
}

static void test_a_failed_sync_is_not_tried_again(void **state) {
    (void)state;
    FK_SCOPED(fk_file_closep) int fd = create("a");
    fake_kernel_fail("fsync", 1, EIO, FAKE_ONCE);
    assert_int_equal(fk_file_sync(fd, "a", &err), FK_E_IO);
    assert_int_equal(fake_kernel_count("fsync"), 1);
    fake_kernel_fail("fsync", 1, EINVAL, FAKE_ONCE);
    assert_int_equal(fk_file_sync(fd, "a", &err), FK_E_IO);
    assert_int_equal(err.system_errno, EINVAL);
}

static void test_a_file_system_without_sync_of_directories_is_fine(void **state) {
    (void)state;
    fake_kernel_fail("fsync", 1, EINVAL, FAKE_ONCE);
    assert_int_equal(fk_file_sync(scratch_fd, ".", &err), FK_OK);
    fake_kernel_fail("fsync", 1, EIO, FAKE_ONCE);
    assert_int_equal(fk_file_sync(scratch_fd, ".", &err), FK_E_IO);
}

static void test_close_is_never_retried(void **state) {
    (void)state;
    int fd = create("a");
    fake_kernel_fail("close", 1, EINTR, FAKE_ONCE);
    assert_int_equal(fk_file_close(&fd, "a", &err), FK_E_IO);
    assert_int_equal(err.system_errno, EINTR);
    assert_int_equal(fd, -1);
    assert_int_equal(fake_kernel_count("close"), 1);
    assert_int_equal(fk_file_close(&fd, "a", &err), FK_OK);
    fk_file_closep(&fd);
    assert_int_equal(fake_kernel_count("close"), 1);
}

#define scratch_test(function)                                                                     \
    cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        scratch_test(test_what_was_written_reads_back),
        scratch_test(test_short_reads_and_writes_are_carried_on),
        scratch_test(test_writes_at_an_offset_leave_the_position_alone),
        scratch_test(test_interrupted_calls_are_made_again),
        scratch_test(test_a_short_file_is_corrupt_at_its_end),
        scratch_test(test_a_read_beyond_any_file_is_refused),
        scratch_test(test_a_bad_sector_is_an_error_with_its_offset),
        scratch_test(test_a_file_over_its_limit_is_not_read),
        scratch_test(test_an_empty_file_reads_as_an_empty_text),
        scratch_test(test_what_cannot_be_read_whole_is_told),
        scratch_test(test_open_tells_the_status),
        scratch_test(test_what_is_no_regular_file_is_refused_without_waiting),
        scratch_test(test_symbolic_links_and_ways_out_are_refused),
        scratch_test(test_a_path_the_user_named_may_be_a_link),
        scratch_test(test_a_failing_look_at_an_opened_file_closes_it),
        scratch_test(test_a_new_file_never_replaces_one),
        scratch_test(test_a_new_file_has_the_mode_that_the_umask_leaves),
        scratch_test(test_a_user_path_can_be_created),
        scratch_test(test_a_full_disk_is_told_by_every_call_that_may_meet_it),
        scratch_test(test_a_write_that_writes_nothing_ends),
        scratch_test(test_reserving_sets_the_size_and_needs_no_support),
        scratch_test(test_a_kick_never_fails),
        scratch_test(test_a_failed_sync_is_not_tried_again),
        scratch_test(test_a_file_system_without_sync_of_directories_is_fine),
        scratch_test(test_close_is_never_retried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
