/* lib/os/directory_rename.c: publishing, exchanging; on kernels and file systems without them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "fake_kernel.h"
#include "old_kernel.h"
#include "os/directory.h"
#include "scratch.h"

static fk_error err;

/* ---- publishing --------------------------------------------------------------------------- */

static void test_publishing_gives_the_name_and_replaces_nothing(void **state) {
    (void)state;
    bool taken = true;
    scratch_mkdir("stage");
    scratch_write_text("stage/f", "new");
    assert_int_equal(fk_directory_publish(scratch_fd, "stage", "run", &taken, &err), FK_OK);
    assert_false(taken);
    assert_string_equal(fake_kernel_record(), "renameat2 stage -> run\n");
    scratch_mkdir("stage");
    scratch_mkdir("empty");
    assert_int_equal(fk_directory_publish(scratch_fd, "stage", "run", &taken, &err), FK_OK);
    assert_true(taken);
    assert_int_equal(fk_directory_publish(scratch_fd, "stage", "empty", &taken, &err), FK_OK);
    assert_true(taken);
    assert_true(scratch_exists("stage"));
    assert_int_equal(fk_directory_publish(scratch_fd, "none", "x", &taken, &err), FK_E_IO);
    assert_int_equal(err.system_errno, ENOENT);
}

static void test_publishing_works_where_renameat2_does_not(void **state) {
    (void)state;
    static const int unknown[] = {EINVAL, ENOSYS, EOPNOTSUPP};
    for (size_t i = 0; i < 3; i++) {
        fake_kernel_fail("renameat2", 1, unknown[i], FAKE_ONCE);
        bool taken = true;
        scratch_mkdir("stage");
        scratch_write_text("stage/f", "new");
        assert_int_equal(fk_directory_publish(scratch_fd, "stage", "run", &taken, &err), FK_OK);
        assert_int_equal(taken, i > 0);
        assert_true(scratch_exists("run/f"));
        assert_int_equal(fk_directory_remove(scratch_fd, "stage", &err), FK_OK);
    }
    bool taken = false;
    scratch_mkdir("stage");
    scratch_write_text("file", "");
    fake_kernel_fail("renameat2", 1, EINVAL, FAKE_ONCE);
    assert_int_equal(fk_directory_publish(scratch_fd, "stage", "file", &taken, &err), FK_OK);
    assert_true(taken);
    assert_true(scratch_exists("file"));
    taken = false;
    fake_kernel_fail("renameat2", 1, EINVAL, FAKE_ONCE);
    fake_kernel_fail("renameat", 1, EEXIST, FAKE_ONCE);
    assert_int_equal(fk_directory_publish(scratch_fd, "stage", "run2", &taken, &err), FK_OK);
    assert_true(taken);
}

static void test_a_rename_whose_answer_got_lost_counts(void **state) {
    (void)state;
    static const int answers[] = {ENOENT, EEXIST, EIO, EINTR};
    for (size_t i = 0; i < 4; i++) {
        bool taken = true;
        char name[8];
        snprintf(name, sizeof name, "run%zu", i);
        scratch_mkdir("stage");
        fake_kernel_fail_after("renameat2", 1, answers[i]);
        assert_int_equal(fk_directory_publish(scratch_fd, "stage", name, &taken, &err), FK_OK);
        assert_false(taken);
        assert_true(scratch_exists(name));
    }
}

static void test_a_rename_that_fails_is_an_error(void **state) {
    (void)state;
    bool taken = false;
    scratch_mkdir("stage");
    fake_kernel_fail("renameat2", 1, EIO, FAKE_ONCE);
    assert_int_equal(fk_directory_publish(scratch_fd, "stage", "run", &taken, &err), FK_E_IO);
    assert_true(scratch_exists("stage"));
    fake_kernel_fail("renameat2", 1, EINTR, FAKE_ONCE);
    assert_int_equal(fk_directory_publish(scratch_fd, "stage", "run", &taken, &err), FK_OK);
    assert_true(scratch_exists("run"));
}

/* "taken" is EEXIST on some file systems, ENOTEMPTY on others. */
static void test_both_names_for_a_taken_name_are_understood(void **state) {
    (void)state;
    static const int answers[] = {EEXIST, ENOTEMPTY};
    static const char *const calls[] = {"renameat2", "renameat"};
    for (size_t i = 0; i < 4; i++) {
        bool taken = false;
        scratch_mkdir("stage");
        if (i >= 2) {
            fake_kernel_fail("renameat2", 1, EINVAL, FAKE_ONCE);
        }
        fake_kernel_fail(calls[i / 2], 1, answers[i % 2], FAKE_ONCE);
        assert_int_equal(fk_directory_publish(scratch_fd, "stage", "run", &taken, &err), FK_OK);
        assert_true(taken);
        assert_int_equal(fk_directory_remove(scratch_fd, "stage", &err), FK_OK);
    }
    assert_false(scratch_exists("run"));
}

/* 0, or the number of what went wrong. */
static int publish_twice(void *user) {
    (void)user;
    bool taken = true;
    fk_error error = {0};
    if (fk_directory_publish(scratch_fd, "stage", "run", &taken, &error) != FK_OK || taken) {
        return 1;
    }
    if (fk_directory_publish(scratch_fd, "second", "run", &taken, &error) != FK_OK || !taken) {
        return 2;
    }
    return 0;
}

static void test_publishing_works_on_kernels_without_renameat2(void **state) {
    (void)state;
    static const old_kernel kernels[] = {
        {SYS_renameat2, 4, EINVAL},     /* the file system knows no flags: NFS, FUSE */
        {SYS_renameat2, 4, EOPNOTSUPP}, /* the same, in another mood */
        {SYS_renameat2, -1, ENOSYS},    /* before Linux 3.15 */
    };
    for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; i++) {
        scratch_mkdir("stage");
        scratch_write_text("stage/f", "first");
        scratch_mkdir("second");
        scratch_write_text("second/f", "second");
        assert_int_equal(old_kernel_run(&kernels[i], 1, publish_twice, NULL), 0);
        size_t length = 0;
        char *text = scratch_read("run/f", &length);
        assert_string_equal(text, "first");
        free(text);
        assert_int_equal(fk_directory_remove(scratch_fd, "run", &err), FK_OK);
        assert_int_equal(fk_directory_remove(scratch_fd, "second", &err), FK_OK);
    }
}

/* ---- exchanging --------------------------------------------------------------------------- */

static void make_two(void) {
    assert_int_equal(fk_directory_remove(scratch_fd, "one", &err), FK_OK);
    assert_int_equal(fk_directory_remove(scratch_fd, "other", &err), FK_OK);
    scratch_mkdir("one");
    scratch_write_text("one/1", "");
    scratch_mkdir("other");
    scratch_write_text("other/2", "");
}

static void assert_exchanged(bool exchanged) {
    assert_int_equal(scratch_exists("one/1"), !exchanged);
    assert_int_equal(scratch_exists("other/2"), !exchanged);
    assert_int_equal(scratch_exists("one/2"), exchanged);
    assert_int_equal(scratch_exists("other/1"), exchanged);
}

static void test_two_directories_exchange_their_names(void **state) {
    (void)state;
    bool unknown = true;
    make_two();
    assert_int_equal(fk_directory_exchange(scratch_fd, "one", "other", &unknown, &err), FK_OK);
    assert_false(unknown);
    assert_exchanged(true);
    assert_string_equal(fake_kernel_record(), "renameat2 one -> other\n");
}

static void test_where_exchanging_is_unknown_the_caller_is_told(void **state) {
    (void)state;
    static const int answers[] = {EINVAL, ENOSYS, EOPNOTSUPP};
    for (size_t i = 0; i < 3; i++) {
        bool unknown = false;
        make_two();
        fake_kernel_fail("renameat2", 1, answers[i], FAKE_ONCE);
        assert_int_equal(fk_directory_exchange(scratch_fd, "one", "other", &unknown, &err), FK_OK);
        assert_true(unknown);
        assert_exchanged(false);
    }
    assert_int_equal(fake_kernel_count("renameat"), 0);
}

static int exchange(void *user) {
    bool *unknown = user;
    return (int)fk_directory_exchange(scratch_fd, "one", "other", unknown, NULL);
}

static void test_exchanging_is_unknown_to_old_kernels(void **state) {
    (void)state;
    const old_kernel lacking = {SYS_renameat2, 4, EINVAL};
    bool unknown = false;
    make_two();
    assert_int_equal(old_kernel_run(&lacking, 1, exchange, &unknown), FK_OK);
    assert_true(unknown);
    assert_exchanged(false);
}

/* A second try would undo the first. */
static void test_an_exchange_whose_answer_got_lost_is_not_done_again(void **state) {
    (void)state;
    static const int answers[] = {EIO, EINTR, EBUSY, EINVAL};
    for (size_t i = 0; i < 4; i++) {
        bool unknown = true;
        make_two();
        fake_kernel_fail_after("renameat2", 1, answers[i]);
        assert_int_equal(fk_directory_exchange(scratch_fd, "one", "other", &unknown, &err), FK_OK);
        assert_false(unknown);
        assert_exchanged(true);
    }
    assert_int_equal(fake_kernel_slept_ms(), 0);
}

static void test_an_exchange_that_fails_changes_nothing(void **state) {
    (void)state;
    bool unknown = true;
    make_two();
    fake_kernel_fail("renameat2", 1, EIO, FAKE_ONCE);
    assert_int_equal(fk_directory_exchange(scratch_fd, "one", "other", &unknown, &err), FK_E_IO);
    assert_exchanged(false);
    assert_int_equal(fk_directory_exchange(scratch_fd, "one", "none", &unknown, &err), FK_E_IO);
    assert_string_equal(err.path, "none");
    assert_int_equal(fk_directory_exchange(scratch_fd, "none", "one", &unknown, &err), FK_E_IO);
    assert_int_equal(err.system_errno, ENOENT);
    assert_exchanged(false);
}

#define scratch_test(function)                                                                     \
    cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        scratch_test(test_publishing_gives_the_name_and_replaces_nothing),
        scratch_test(test_publishing_works_where_renameat2_does_not),
        scratch_test(test_a_rename_whose_answer_got_lost_counts),
        scratch_test(test_a_rename_that_fails_is_an_error),
        scratch_test(test_both_names_for_a_taken_name_are_understood),
        scratch_test(test_publishing_works_on_kernels_without_renameat2),
        scratch_test(test_two_directories_exchange_their_names),
        scratch_test(test_where_exchanging_is_unknown_the_caller_is_told),
        scratch_test(test_exchanging_is_unknown_to_old_kernels),
        scratch_test(test_an_exchange_whose_answer_got_lost_is_not_done_again),
        scratch_test(test_an_exchange_that_fails_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
