/* lib/os/directory_tree.c and walk.c: whole trees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake_kernel.h"
#include "os/directory.h"
#include "scratch.h"

static fk_error err;

static void test_a_tree_is_removed_and_links_are_not_followed(void **state) {
    (void)state;
    scratch_mkdir("outside");
    scratch_write_text("outside/precious", "x");
    scratch_mkdir("t");
    scratch_mkdir("t/a");
    scratch_mkdir("t/a/b");
    scratch_write_text("t/a/b/f", "x");
    scratch_write_text("t/a/g", "x");
    assert_int_equal(symlinkat("../outside", scratch_fd, "t/link"), 0);
    assert_int_equal(mkfifoat(scratch_fd, "t/pipe", 0600), 0);
    fake_kernel_fail("unlinkat", 1, EINTR, FAKE_ONCE);
    fake_kernel_fail("openat_beneath", 1, EINTR, FAKE_ONCE);
    assert_int_equal(fk_directory_remove(scratch_fd, "t", &err), FK_OK);
    assert_false(scratch_exists("t"));
    assert_true(scratch_exists("outside/precious"));
    assert_int_equal(fk_directory_remove(scratch_fd, "t", &err), FK_OK);
}

static void test_a_tree_deeper_than_any_stack_is_removed(void **state) {
    (void)state;
    enum { DEPTH = 3000 };
    int fd = dup(scratch_fd);
    for (int i = 0; i < DEPTH; i++) {
        assert_int_equal(mkdirat(fd, "d", 0777), 0);
        int deeper = openat(fd, "d", O_RDONLY | O_DIRECTORY);
        close(fd);
        fd = deeper;
    }
    close(fd);
    uint64_t bytes = 99;
    assert_int_equal(fk_directory_bytes(scratch_fd, "d", &bytes, &err), FK_OK);
    assert_int_equal(bytes, 0);
    assert_int_equal(fk_directory_remove(scratch_fd, "d", &err), FK_OK);
    assert_false(scratch_exists("d"));
}

static void test_the_first_error_is_told_and_the_rest_removed(void **state) {
    (void)state;
    scratch_mkdir("t");
    scratch_mkdir("t/a");
    scratch_write_text("t/a/f", "x");
    scratch_write_text("t/g", "x");
    fake_kernel_fail("unlinkat", 1, EIO, FAKE_ONCE);
    assert_int_equal(fk_directory_remove(scratch_fd, "t", &err), FK_E_IO);
    assert_string_equal(err.path, "t/a/f");
    assert_string_equal(err.message, "cannot remove 't/a/f': Input/output error");
    assert_false(scratch_exists("t/g"));
    assert_true(scratch_exists("t/a/f"));
    assert_int_equal(fk_directory_remove(scratch_fd, "t", NULL), FK_OK);
}

static void test_every_failing_call_of_a_removal_is_told_and_does_no_harm(void **state) {
    (void)state;
    static const char *const calls[] = {"openat_beneath", "fstat", "openat", "getdents",
                                        "unlinkat"};
    size_t failures = 0;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        for (size_t nth = 1; nth < 6; nth++) {
            scratch_mkdir("t");
            scratch_mkdir("t/a");
            scratch_mkdir("t/a/b");
            scratch_write_text("t/a/b/f", "x");
            scratch_write_text("t/a/f", "x");
            fake_kernel_fail(calls[i], nth, EIO, FAKE_ONCE);
            fk_code code = fk_directory_remove(scratch_fd, "t", &err);
            fake_kernel_relent();
            assert_int_equal(code == FK_OK, !scratch_exists("t"));
            failures += code != FK_OK;
            assert_int_equal(fk_directory_remove(scratch_fd, "t", &err), FK_OK);
        }
    }
    assert_true(failures >= 20);
}

static void move_away(void *user) {
    (void)user;
    assert_int_equal(renameat(scratch_fd, "t/a/b", scratch_fd, "moved"), 0);
}

static void test_a_tree_that_is_moved_meanwhile_is_left(void **state) {
    (void)state;
    scratch_mkdir("t");
    scratch_mkdir("t/a");
    scratch_mkdir("t/a/b");
    scratch_write_text("t/a/b/f", "x");
    scratch_write_text("precious", "x");
    fake_kernel_before("unlinkat", 1, move_away, NULL);
    assert_int_equal(fk_directory_remove(scratch_fd, "t", &err), FK_E_IO);
    assert_int_equal(err.system_errno, EXDEV);
    assert_true(scratch_exists("moved"));
    assert_true(scratch_exists("precious"));
}

static void replace_with_link(void *user) {
    (void)user;
    assert_int_equal(unlinkat(scratch_fd, "t/a", AT_REMOVEDIR), 0);
    assert_int_equal(symlinkat("../outside", scratch_fd, "t/a"), 0);
}

static void test_a_directory_swapped_for_a_link_is_not_followed(void **state) {
    (void)state;
    scratch_mkdir("outside");
    scratch_write_text("outside/precious", "x");
    scratch_mkdir("t");
    scratch_mkdir("t/a");
    fake_kernel_before("openat_beneath", 2, replace_with_link, NULL);
    assert_int_not_equal(fk_directory_remove(scratch_fd, "t", &err), FK_OK);
    assert_true(scratch_exists("outside/precious"));
}

/* In a name space of its own: mounts a file system in the tree and removes the tree. */
static int remove_around_a_mount(void) {
    char path[4200];
    snprintf(path, sizeof path, "%s/t/mount", scratch_path);
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 || mount("none", path, "tmpfs", 0, NULL) != 0) {
        return 77;
    }
    /* the open one is of the old name space, which sees no mount of the new one */
    scratch_fd = open(scratch_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fk_code code = fk_directory_remove(scratch_fd, "t", &err);
    bool told = code == FK_E_IO && err.system_errno == EXDEV && strcmp(err.path, "t/mount") == 0;
    return told && scratch_exists("t/mount") ? 0 : 1;
}

static void test_another_file_system_in_a_tree_is_left_alone(void **state) {
    (void)state;
    scratch_mkdir("t");
    scratch_mkdir("t/mount");
    scratch_write_text("t/z", "x");
    pid_t child = fork();
    if (child == 0) {
        _exit(remove_around_a_mount());
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        skip(); /* this machine lets nobody mount */
    }
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_false(scratch_exists("t/z"));
}

static void test_bytes_count_what_only_this_directory_holds(void **state) {
    (void)state;
    uint64_t bytes = 0;
    scratch_mkdir("t");
    scratch_mkdir("t/a");
    scratch_write_text("t/f", "12345");
    scratch_write_text("t/a/g", "1234567");
    scratch_write_text("outside", "123");
    assert_int_equal(symlinkat("outside", scratch_fd, "t/link"), 0);
    assert_int_equal(linkat(scratch_fd, "outside", scratch_fd, "t/shared", 0), 0);
    assert_int_equal(fk_directory_bytes(scratch_fd, "t", &bytes, &err), FK_OK);
    assert_int_equal(bytes, 12);
    assert_int_equal(linkat(scratch_fd, "t/f", scratch_fd, "t/a/f", 0), 0);
    assert_int_equal(fk_directory_bytes(scratch_fd, "t", &bytes, &err), FK_OK);
    assert_int_equal(bytes, 12);
    fake_kernel_fail("fstatat", 2, EIO, FAKE_ONCE);
    assert_int_equal(fk_directory_bytes(scratch_fd, "t", &bytes, &err), FK_E_IO);
    assert_int_equal(bytes, 12);
    assert_int_equal(fk_directory_bytes(scratch_fd, "none", &bytes, &err), FK_OK);
    assert_int_equal(bytes, 0);
}

#define scratch_test(function)                                                                     \
    cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        scratch_test(test_a_tree_is_removed_and_links_are_not_followed),
        scratch_test(test_a_tree_deeper_than_any_stack_is_removed),
        scratch_test(test_the_first_error_is_told_and_the_rest_removed),
        scratch_test(test_every_failing_call_of_a_removal_is_told_and_does_no_harm),
        scratch_test(test_a_tree_that_is_moved_meanwhile_is_left),
        scratch_test(test_a_directory_swapped_for_a_link_is_not_followed),
        scratch_test(test_another_file_system_in_a_tree_is_left_alone),
        scratch_test(test_bytes_count_what_only_this_directory_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
