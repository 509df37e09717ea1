/* lib/os/directory.c, names.c and file_system.c: directories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_kernel.h"
#include "fake_memory.h"
#include "os/directory.h"
#include "os/file.h"
#include "scratch.h"

static fk_error err;

static void test_directories_open_beneath_and_only_directories(void **state) {
    (void)state;
    scratch_mkdir("d");
    scratch_mkdir("d/e");
    scratch_write_text("file", "");
    assert_int_equal(symlinkat("d", scratch_fd, "link"), 0);
    FK_SCOPED(fk_file_closep) int fd = -1;
    fake_kernel_fail("openat_beneath", 1, EINTR, FAKE_ONCE);
    assert_int_equal(fk_directory_open(scratch_fd, "d/e", &fd, &err), FK_OK);
    int other = -7;
    assert_int_equal(fk_directory_open(scratch_fd, "file", &other, &err), FK_E_INVALID);
    assert_int_equal(err.system_errno, ENOTDIR);
    assert_string_equal(err.message, "'file' is no directory");
    assert_int_equal(fk_directory_open(scratch_fd, "link", &other, &err), FK_E_INVALID);
    assert_int_equal(fk_directory_open(scratch_fd, "link/e", &other, &err), FK_E_INVALID);
    assert_int_equal(fk_directory_open(scratch_fd, "../x", &other, NULL), FK_E_INVALID);
    assert_int_equal(fk_directory_open(scratch_fd, "none", &other, &err), FK_E_IO);
    assert_int_equal(err.system_errno, ENOENT);
    assert_int_equal(other, -7);
}

static void test_a_path_the_user_named_may_lead_through_links(void **state) {
    (void)state;
    char path[4200];
    scratch_mkdir("d");
    scratch_write_text("file", "");
    assert_int_equal(symlinkat("d", scratch_fd, "link"), 0);
    snprintf(path, sizeof path, "%s/link", scratch_path);
    FK_SCOPED(fk_file_closep) int fd = -1;
    fake_kernel_fail("openat", 1, EINTR, FAKE_ONCE);
    assert_int_equal(fk_directory_open_path(path, &fd, &err), FK_OK);
    int other = -7;
    snprintf(path, sizeof path, "%s/file", scratch_path);
    assert_int_equal(fk_directory_open_path(path, &other, &err), FK_E_INVALID);
    assert_int_equal(err.system_errno, ENOTDIR);
    assert_int_equal(fk_directory_open_path("/nowhere", &other, &err), FK_E_IO);
    assert_int_equal(err.system_errno, ENOENT);
}

static void test_making_tells_whether_it_is_new(void **state) {
    (void)state;
    bool made = false;
    mode_t old = umask(027);
    fake_kernel_fail("mkdirat", 1, EINTR, FAKE_ONCE);
    assert_int_equal(fk_directory_make(scratch_fd, "d", &made, &err), FK_OK);
    umask(old);
    assert_true(made);
    struct stat status;
    assert_int_equal(fstatat(scratch_fd, "d", &status, 0), 0);
    assert_int_equal(status.st_mode & 0777, 0750);
    assert_int_equal(fk_directory_make(scratch_fd, "d", &made, &err), FK_OK);
    assert_false(made);
    assert_int_equal(fk_directory_make(scratch_fd, "d/e", NULL, &err), FK_OK);
    assert_true(scratch_exists("d/e"));
}

static void test_what_is_there_and_no_directory_is_refused(void **state) {
    (void)state;
    bool made = true;
    scratch_write_text("file", "");
    scratch_mkdir("d");
    assert_int_equal(symlinkat("d", scratch_fd, "link"), 0);
    assert_int_equal(fk_directory_make(scratch_fd, "file", &made, &err), FK_E_INVALID);
    assert_int_equal(fk_directory_make(scratch_fd, "link", &made, &err), FK_E_INVALID);
    assert_int_equal(fk_directory_make(scratch_fd, "link/x", &made, &err), FK_E_INVALID);
    assert_int_equal(fk_directory_make(scratch_fd, "none/x", &made, &err), FK_E_IO);
    fake_kernel_fail("mkdirat", 1, EROFS, FAKE_ONCE);
    assert_int_equal(fk_directory_make(scratch_fd, "x", &made, &err), FK_E_ACCESS);
    fake_kernel_fail("fstatat", 1, EIO, FAKE_ONCE);
    assert_int_equal(fk_directory_make(scratch_fd, "d", &made, &err), FK_E_IO);
    assert_true(made);
    assert_false(scratch_exists("d/x"));
}

static void test_a_path_is_made_with_its_parents_and_each_is_synced(void **state) {
    (void)state;
    char path[4200];
    snprintf(path, sizeof path, "%s//a/./b/c//", scratch_path);
    assert_int_equal(fk_directory_make_path(path, NULL, &err), FK_OK);
    assert_true(scratch_exists("a/b/c"));
    assert_int_equal(fake_kernel_count("mkdirat"), 3);
    assert_int_equal(fake_kernel_count("fsync"), 3);
    assert_int_equal(fk_directory_make_path(path, NULL, &err), FK_OK);
    assert_int_equal(fake_kernel_count("mkdirat"), 3);
    assert_int_equal(fk_directory_make_path("/", NULL, &err), FK_OK);
}

static void test_what_was_made_of_a_path_is_unmade(void **state) {
    (void)state;
    char path[4200];
    size_t made = 99;
    scratch_mkdir("a");
    snprintf(path, sizeof path, "%s/a//b/./c/", scratch_path);
    assert_int_equal(fk_directory_make_path(path, &made, &err), FK_OK);
    assert_int_equal(made, strlen(scratch_path) + strlen("/a//b"));
    scratch_write_text("a/b/file", "");
    fk_directory_unmake_path(path, made);
    assert_false(scratch_exists("a/b/c"));
    assert_true(scratch_exists("a/b/file"));
    assert_int_equal(unlinkat(scratch_fd, "a/b/file", 0), 0);
    fk_directory_unmake_path(path, made);
    assert_false(scratch_exists("a/b"));
    assert_true(scratch_exists("a"));
    fk_directory_unmake_path(path, 0);
    assert_true(scratch_exists("a"));
    assert_int_equal(fk_directory_make_path(scratch_path, &made, &err), FK_OK);
    assert_int_equal(made, 0);
}

static void test_a_path_that_cannot_be_made_leaves_no_parents(void **state) {
    (void)state;
    char path[4200];
    snprintf(path, sizeof path, "%s/x/y/z", scratch_path);
    for (size_t nth = 1; nth <= 3; nth++) {
        fake_kernel_fail("mkdirat", nth, EROFS, FAKE_ONCE);
        assert_int_equal(fk_directory_make_path(path, NULL, &err), FK_E_ACCESS);
        assert_false(scratch_exists("x"));
        fake_kernel_fail("fsync", nth, EIO, FAKE_ONCE);
        assert_int_equal(fk_directory_make_path(path, NULL, &err), FK_E_IO);
        assert_false(scratch_exists("x"));
    }
}

static void test_a_path_too_long_for_the_kernel_leaves_no_parents(void **state) {
    (void)state;
    char path[6000];
    size_t made = 0;
    fake_kernel_remove(); /* such names are longer than what it records */
    size_t length = (size_t)snprintf(path, sizeof path, "%s/x", scratch_path);
    while (length < PATH_MAX) {
        length += (size_t)snprintf(path + length, sizeof path - length, "/%0200d", 1);
    }
    assert_int_not_equal(fk_directory_make_path(path, NULL, &err), FK_OK);
    assert_int_equal(err.system_errno, ENAMETOOLONG);
    assert_false(scratch_exists("x"));
    length = (size_t)snprintf(path, sizeof path, "%s/x", scratch_path);
    memset(path + length, '/', PATH_MAX);
    path[length + PATH_MAX] = '\0';
    assert_int_equal(fk_directory_make_path(path, &made, &err), FK_OK);
    assert_true(scratch_exists("x"));
    fk_directory_unmake_path(path, made);
    assert_false(scratch_exists("x"));
}

static void test_a_path_relative_to_the_working_directory_is_made(void **state) {
    (void)state;
    FK_SCOPED(fk_file_closep) int before = open(".", O_RDONLY | O_DIRECTORY);
    assert_int_equal(fchdir(scratch_fd), 0);
    fk_code code = fk_directory_make_path("x/y", NULL, &err);
    char *absolute = NULL;
    fk_code absolute_code = fk_directory_absolute("./x//y/../z/", &absolute, &err);
    assert_int_equal(fchdir(before), 0);
    assert_int_equal(code, FK_OK);
    assert_true(scratch_exists("x/y"));
    assert_int_equal(absolute_code, FK_OK);
    char expected[4200];
    snprintf(expected, sizeof expected, "%s/x/y/../z", scratch_path);
    assert_string_equal(absolute, expected);
    free(absolute);
}

static void test_a_path_that_cannot_be_made_says_where(void **state) {
    (void)state;
    char path[4200];
    scratch_write_text("file", "");
    snprintf(path, sizeof path, "%s/file/x", scratch_path);
    assert_int_equal(fk_directory_make_path(path, NULL, &err), FK_E_INVALID);
    path[strlen(path) - 2] = '\0';
    assert_string_equal(err.path, path);
    assert_int_equal(symlinkat("nowhere", scratch_fd, "link"), 0);
    snprintf(path, sizeof path, "%s/link", scratch_path);
    assert_int_equal(fk_directory_make_path(path, NULL, &err), FK_E_IO);
    assert_int_equal(fk_directory_make_path("", NULL, &err), FK_E_IO);
    snprintf(path, sizeof path, "%s/new", scratch_path);
    fake_kernel_fail("mkdirat", 1, EACCES, FAKE_ONCE);
    assert_int_equal(fk_directory_make_path(path, NULL, &err), FK_E_ACCESS);
    fake_kernel_fail("fsync", 1, EIO, FAKE_ONCE);
    assert_int_equal(fk_directory_make_path(path, NULL, &err), FK_E_IO);
}

static void test_absolute_paths_stay_and_lose_what_means_nothing(void **state) {
    (void)state;
    char *absolute = NULL;
    assert_int_equal(fk_directory_absolute("/a//b/./c/", &absolute, &err), FK_OK);
    assert_string_equal(absolute, "/a/b/c");
    free(absolute);
    assert_int_equal(fk_directory_absolute("/./", &absolute, &err), FK_OK);
    assert_string_equal(absolute, "/");
    free(absolute);
    fake_kernel_fail("getcwd", 1, ENOENT, FAKE_ONCE);
    assert_int_equal(fk_directory_absolute("a", &absolute, &err), FK_E_IO);
    assert_int_equal(err.system_errno, ENOENT);
}

static void test_names_are_listed_sorted_and_again(void **state) {
    (void)state;
    scratch_write_text("b", "");
    scratch_write_text(".hidden", "");
    scratch_mkdir("a");
    for (int round = 0; round < 2; round++) {
        FK_SCOPED(fk_names_finish) fk_names names = {0};
        assert_int_equal(fk_directory_list(scratch_fd, ".", &names, &err), FK_OK);
        assert_int_equal(names.count, 3);
        assert_string_equal(names.names[0], ".hidden");
        assert_string_equal(names.names[1], "a");
        assert_string_equal(names.names[2], "b");
        assert_true(names.types[1] == DT_DIR || names.types[1] == DT_UNKNOWN);
        assert_true(fk_names_contain(&names, "b"));
        assert_false(fk_names_contain(&names, "c"));
    }
}

static void test_an_empty_directory_has_no_names(void **state) {
    (void)state;
    FK_SCOPED(fk_names_finish) fk_names names = {0};
    assert_int_equal(fk_directory_list(scratch_fd, ".", &names, &err), FK_OK);
    assert_int_equal(names.count, 0);
    assert_false(fk_names_contain(&names, "a"));
}

static void test_many_names_are_all_listed(void **state) {
    (void)state;
    char name[32];
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "a-rather-long-name-%04d", 2999 - i);
        scratch_write_text(name, "");
    }
    FK_SCOPED(fk_names_finish) fk_names names = {0};
    assert_int_equal(fk_directory_list(scratch_fd, ".", &names, &err), FK_OK);
    assert_int_equal(names.count, 3000);
    assert_string_equal(names.names[1234], "a-rather-long-name-1234");
    assert_true(fake_kernel_count("getdents") > 2);
}

static void test_a_listing_that_fails_leaves_nothing(void **state) {
    (void)state;
    fk_names names = {0};
    fake_kernel_fail("getdents", 1, EINTR, FAKE_ONCE);
    fake_kernel_fail("getdents", 2, EIO, FAKE_ONCE);
    assert_int_equal(fk_directory_list(scratch_fd, "runs", &names, &err), FK_E_IO);
    assert_string_equal(err.message, "cannot list 'runs': Input/output error");
    fake_kernel_fail("openat", 1, EINTR, FAKE_ONCE);
    fake_kernel_fail("openat", 2, EMFILE, FAKE_ONCE);
    assert_int_equal(fk_directory_list(scratch_fd, "runs", &names, &err), FK_E_IO);
    assert_null(names.names);
}

static void test_short_memory_is_an_error_that_leaves_nothing(void **state) {
    (void)state;
    char path[4200];
    snprintf(path, sizeof path, "%s/new", scratch_path);
    scratch_write_text("a", "x");
    assert_int_equal(linkat(scratch_fd, "a", scratch_fd, "b", 0), 0);
    scratch_mkdir("t");
    scratch_mkdir("t/u");
    assert_int_equal(linkat(scratch_fd, "a", scratch_fd, "t/u/c", 0), 0);
    size_t failures[4] = {0};
    for (size_t nth = 1; nth < 20; nth++) {
        fk_names names = {0};
        char *absolute = NULL;
        uint64_t bytes = 99;
        for (size_t i = 0; i < 4; i++) {
            fake_memory_fail(nth);
            fk_code code = i == 0   ? fk_directory_list(scratch_fd, ".", &names, &err)
                           : i == 1 ? fk_directory_absolute("x", &absolute, &err)
                           : i == 2 ? fk_directory_bytes(scratch_fd, "t", &bytes, &err)
                                    : fk_directory_make_path(path, NULL, &err);
            bool failed = fake_memory_relent();
            assert_int_equal(code, failed ? FK_E_NO_MEMORY : FK_OK);
            failures[i] += failed;
        }
        assert_int_equal(names.names != NULL, nth > failures[0]);
        assert_int_equal(absolute != NULL, nth > failures[1]);
        assert_int_equal(bytes, nth > failures[2] ? 0 : 99);
        fk_names_finish(&names);
        free(absolute);
    }
    assert_true(failures[0] == 3 && failures[1] == 1 && failures[2] >= 10 && failures[3] == 1);
}

static void test_only_empty_directories_are_removed_as_such(void **state) {
    (void)state;
    scratch_mkdir("d");
    scratch_mkdir("d/e");
    assert_int_equal(fk_directory_remove_empty(scratch_fd, "d", &err), FK_OK);
    assert_true(scratch_exists("d"));
    fake_kernel_fail("unlinkat", 1, EINTR, FAKE_ONCE);
    assert_int_equal(fk_directory_remove_empty(scratch_fd, "d/e", &err), FK_OK);
    assert_int_equal(fk_directory_remove_empty(scratch_fd, "d/e", &err), FK_OK);
    assert_false(scratch_exists("d/e"));
    scratch_write_text("file", "");
    assert_int_equal(fk_directory_remove_empty(scratch_fd, "file", &err), FK_E_IO);
    assert_int_equal(fk_directory_remove_empty(scratch_fd, "none/x", &err), FK_OK);
}

static void test_network_file_systems_are_not_local(void **state) {
    (void)state;
    fake_kernel_set_file_system(EXT4_SUPER_MAGIC);
    assert_true(fk_directory_is_local(scratch_fd));
    fake_kernel_set_file_system(NFS_SUPER_MAGIC);
    assert_false(fk_directory_is_local(scratch_fd));
    fake_kernel_set_file_system(FUSE_SUPER_MAGIC);
    assert_false(fk_directory_is_local(scratch_fd));
    fake_kernel_set_file_system(0xFF534D42L);
    assert_false(fk_directory_is_local(scratch_fd));
    fake_kernel_fail("fstatfs", 1, EIO, FAKE_ONCE);
    fake_kernel_set_file_system(EXT4_SUPER_MAGIC);
    assert_false(fk_directory_is_local(scratch_fd));
}

static void test_free_bytes_are_those_for_ordinary_users(void **state) {
    (void)state;
    fake_kernel_set_free_bytes(12345);
    assert_int_equal(fk_directory_free_bytes(scratch_fd), 12345);
    fake_kernel_set_free_bytes(UINT64_MAX);
    assert_true(fk_directory_free_bytes(scratch_fd) > 0);
    fake_kernel_fail("fstatvfs", 1, EIO, FAKE_ONCE);
    assert_true(fk_directory_free_bytes(scratch_fd) == UINT64_MAX);
}

#define scratch_test(function)                                                                     \
    cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        scratch_test(test_directories_open_beneath_and_only_directories),
        scratch_test(test_a_path_the_user_named_may_lead_through_links),
        scratch_test(test_making_tells_whether_it_is_new),
        scratch_test(test_what_is_there_and_no_directory_is_refused),
        scratch_test(test_a_path_is_made_with_its_parents_and_each_is_synced),
        scratch_test(test_what_was_made_of_a_path_is_unmade),
        scratch_test(test_a_path_that_cannot_be_made_leaves_no_parents),
        scratch_test(test_a_path_too_long_for_the_kernel_leaves_no_parents),
        scratch_test(test_a_path_relative_to_the_working_directory_is_made),
        scratch_test(test_a_path_that_cannot_be_made_says_where),
        scratch_test(test_absolute_paths_stay_and_lose_what_means_nothing),
        scratch_test(test_names_are_listed_sorted_and_again),
        scratch_test(test_an_empty_directory_has_no_names),
        scratch_test(test_many_names_are_all_listed),
        scratch_test(test_a_listing_that_fails_leaves_nothing),
        scratch_test(test_short_memory_is_an_error_that_leaves_nothing),
        scratch_test(test_only_empty_directories_are_removed_as_such),
        scratch_test(test_network_file_systems_are_not_local),
        scratch_test(test_free_bytes_are_those_for_ordinary_users),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
