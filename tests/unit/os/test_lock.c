/* lib/os/lock.c: locks on open file descriptions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake_kernel.h"
#include "os/file.h"
#include "os/lock.h"
#include "scratch.h"

static fk_error err;

static int open_lock(void) {
    int fd = -1;
    assert_int_equal(fk_lock_open(scratch_fd, "lock", &fd, &err), FK_OK);
    return fd;
}

static void test_a_lock_is_held_until_its_description_is_closed(void **state) {
    (void)state;
    scratch_write_text("lock", "");
    FK_SCOPED(fk_file_closep) int one = open_lock();
    FK_SCOPED(fk_file_closep) int other = open_lock();
    bool held = true;
    assert_int_equal(fk_lock_try(one, "lock", &held, &err), FK_OK);
    assert_false(held);
    assert_int_equal(fk_lock_try(other, "lock", &held, &err), FK_OK);
    assert_true(held);
    fk_file_closep(&one);
    assert_int_equal(fk_lock_try(other, "lock", &held, &err), FK_OK);
    assert_false(held);
}

static void test_a_lock_dies_with_its_process(void **state) {
    (void)state;
    scratch_write_text("lock", "");
    pid_t child = fork();
    if (child == 0) {
        bool held = true;
        int fd = -1;
        fk_code code = fk_lock_open(scratch_fd, "lock", &fd, NULL);
        code = code == FK_OK ? fk_lock_try(fd, "lock", &held, NULL) : code;
        _exit(code == FK_OK && !held ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    FK_SCOPED(fk_file_closep) int fd = open_lock();
    assert_int_equal(fk_lock_wait(fd, "lock", &err), FK_OK);
    assert_int_equal(fake_kernel_slept_ms(), 0);
}

static void test_what_is_no_lock_file_is_not_opened(void **state) {
    (void)state;
    int fd = -7;
    scratch_write_text("real", "");
    scratch_mkdir("directory");
    assert_int_equal(symlinkat("real", scratch_fd, "link"), 0);
    assert_int_equal(mkfifoat(scratch_fd, "pipe", 0600), 0);
    assert_int_equal(fk_lock_open(scratch_fd, "link", &fd, &err), FK_E_INVALID);
    assert_int_equal(fk_lock_open(scratch_fd, "pipe", &fd, &err), FK_E_INVALID);
    assert_string_equal(err.path, "pipe");
    assert_int_equal(fk_lock_open(scratch_fd, "directory", &fd, &err), FK_E_IO);
    assert_int_equal(err.system_errno, EISDIR);
    assert_int_equal(fk_lock_open(scratch_fd, "none", &fd, &err), FK_E_IO);
    assert_int_equal(err.system_errno, ENOENT);
    fake_kernel_fail("openat_beneath", 1, EACCES, FAKE_ONCE);
    assert_int_equal(fk_lock_open(scratch_fd, "real", &fd, &err), FK_E_ACCESS);
    assert_non_null(strstr(err.hint, "read and write permission (rw)"));
    fake_kernel_fail("fstat", 1, EIO, FAKE_ONCE);
    assert_int_equal(fk_lock_open(scratch_fd, "real", &fd, &err), FK_E_IO);
    assert_int_equal(fd, -7);
}

static void test_waiting_takes_three_retries_with_growing_pauses(void **state) {
    (void)state;
    scratch_write_text("lock", "");
    FK_SCOPED(fk_file_closep) int holder = open_lock();
    FK_SCOPED(fk_file_closep) int waiter = open_lock();
    assert_int_equal(fk_lock_wait(holder, "lock", &err), FK_OK);
    assert_int_equal(fk_lock_wait(waiter, "lock", &err), FK_E_BUSY);
    assert_string_equal(err.message, "'lock' is locked by another process");
    assert_string_equal(err.path, "lock");
    assert_int_equal(fake_kernel_slept_ms(), 50 + 100 + 200);
    assert_int_equal(fake_kernel_count("set_lock"), 1 + 4);
}

static void release(void *user) {
    close(*(int *)user);
    *(int *)user = -1;
}

static void test_a_lock_that_becomes_free_meanwhile_is_taken(void **state) {
    (void)state;
    scratch_write_text("lock", "");
    FK_SCOPED(fk_file_closep) int holder = open_lock();
    FK_SCOPED(fk_file_closep) int waiter = open_lock();
    assert_int_equal(fk_lock_wait(holder, "lock", &err), FK_OK);
    fake_kernel_before("nanosleep", 2, release, &holder);
    assert_int_equal(fk_lock_wait(waiter, "lock", &err), FK_OK);
    assert_int_equal(fake_kernel_slept_ms(), 50 + 100);
}

static void test_interruptions_and_failures_are_told_apart(void **state) {
    (void)state;
    scratch_write_text("lock", "");
    bool held = true;
    fake_kernel_fail("openat_beneath", 1, EINTR, FAKE_ONCE);
    FK_SCOPED(fk_file_closep) int fd = open_lock();
    fake_kernel_fail("set_lock", 1, EINTR, FAKE_ONCE);
    assert_int_equal(fk_lock_try(fd, "lock", &held, &err), FK_OK);
    assert_false(held);
    fake_kernel_fail("set_lock", 1, EACCES, FAKE_ONCE);
    assert_int_equal(fk_lock_try(fd, "lock", &held, &err), FK_OK);
    assert_true(held);
    fake_kernel_fail("set_lock", 1, ENOLCK, FAKE_ONCE);
    assert_int_equal(fk_lock_wait(fd, "lock", &err), FK_E_IO);
    assert_int_equal(err.system_errno, ENOLCK);
}

#define scratch_test(function)                                                                     \
    cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        scratch_test(test_a_lock_is_held_until_its_description_is_closed),
        scratch_test(test_a_lock_dies_with_its_process),
        scratch_test(test_what_is_no_lock_file_is_not_opened),
        scratch_test(test_waiting_takes_three_retries_with_growing_pauses),
        scratch_test(test_a_lock_that_becomes_free_meanwhile_is_taken),
        scratch_test(test_interruptions_and_failures_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
