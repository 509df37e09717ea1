/* lib/os/file.c, place.c and file_error.c: looking, renaming, linking, removing, and what errors
 * say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fake_kernel.h"
#include "os/file.h"
#include "scratch.h"

static fk_error err;

static void test_looking_tells_missing_from_failing(void **state) {
    (void)state;
    struct stat status;
    bool missing = false;
    scratch_write_text("a", "xyz");
    scratch_mkdir("d");
    scratch_write_text("d/b", "wxyz");
    assert_int_equal(symlinkat("d", scratch_fd, "link"), 0);
    assert_int_equal(fk_file_look(scratch_fd, "none", &status, &missing, &err), FK_OK);
    assert_true(missing);
    assert_int_equal(fk_file_look(scratch_fd, "a", &status, &missing, &err), FK_OK);
    assert_false(missing);
    assert_int_equal(status.st_size, 3);
    assert_int_equal(fk_file_look(scratch_fd, "d/b", &status, &missing, &err), FK_OK);
    assert_int_equal(status.st_size, 4);
    assert_int_equal(fk_file_look(scratch_fd, "link", &status, &missing, &err), FK_OK);
    assert_true(S_ISLNK(status.st_mode));
    assert_int_equal(fk_file_look(scratch_fd, "none/b", &status, &missing, &err), FK_OK);
    assert_true(missing);
    assert_int_equal(fk_file_look(scratch_fd, "a/b", &status, &missing, &err), FK_OK);
    assert_true(missing);
    assert_int_equal(fk_file_look(scratch_fd, "link/b", &status, &missing, &err), FK_E_INVALID);
    fake_kernel_fail("fstatat", 1, EACCES, FAKE_ONCE);
    assert_int_equal(fk_file_look(scratch_fd, "a", &status, &missing, &err), FK_E_ACCESS);
}

static void test_no_change_goes_through_a_link_or_out(void **state) {
    (void)state;
    scratch_mkdir("d");
    scratch_write_text("d/b", "x");
    scratch_write_text("a", "x");
    assert_int_equal(symlinkat("d", scratch_fd, "link"), 0);
    assert_int_equal(fk_file_remove(scratch_fd, "link/b", &err), FK_E_IO);
    assert_int_equal(fk_file_rename(scratch_fd, "link/b", "c", &err), FK_E_IO);
    assert_int_equal(fk_file_rename(scratch_fd, "a", "link/c", &err), FK_E_IO);
    assert_int_equal(fk_file_link(scratch_fd, "link/b", scratch_fd, "c", &err), FK_E_IO);
    assert_int_equal(fk_file_link(scratch_fd, "a", scratch_fd, "link/c", &err), FK_E_IO);
    assert_int_equal(fk_file_remove(scratch_fd, "/tmp", &err), FK_E_IO);
    assert_int_equal(err.system_errno, EXDEV);
    assert_int_equal(fk_file_remove(scratch_fd, "d/../../x", &err), FK_E_IO);
    assert_true(scratch_exists("d/b"));
    assert_false(scratch_exists("d/c"));
    char *longest = malloc(5002);
    memset(longest, 'x', 5001);
    longest[5001] = '\0';
    longest[5000] = '/';
    assert_int_equal(fk_file_remove(scratch_fd, longest, &err), FK_E_IO);
    assert_int_equal(err.system_errno, ENAMETOOLONG);
    free(longest);
}

static void test_files_in_directories_can_be_changed(void **state) {
    (void)state;
    scratch_mkdir("d");
    scratch_write_text("d/b", "new");
    scratch_write_text("a", "old");
    assert_int_equal(fk_file_link(scratch_fd, "d/b", scratch_fd, "d/c", &err), FK_OK);
    fake_kernel_fail("openat_beneath", 1, EINTR, FAKE_ONCE);
    assert_int_equal(fk_file_rename(scratch_fd, "d/c", "a", &err), FK_OK);
    char *text = scratch_read("a", NULL);
    assert_string_equal(text, "new");
    free(text);
    assert_int_equal(fk_file_link(scratch_fd, "d/b", scratch_fd, "a", &err), FK_E_IO);
    assert_int_equal(err.system_errno, EEXIST);
    assert_int_equal(fk_file_remove(scratch_fd, "d/b", &err), FK_OK);
    assert_int_equal(fk_file_remove(scratch_fd, "d/b", &err), FK_OK);
    assert_false(scratch_exists("d/b"));
    fake_kernel_fail("unlinkat", 1, EROFS, FAKE_ONCE);
    assert_int_equal(fk_file_remove(scratch_fd, "a", &err), FK_E_ACCESS);
    assert_int_equal(fk_file_rename(scratch_fd, "none", "a", &err), FK_E_IO);
    assert_int_equal(err.system_errno, ENOENT);
}

static void test_errors_say_what_where_and_what_next(void **state) {
    (void)state;
    static const struct {
        int system_errno;
        const char *verb;
        fk_code code;
        const char *hint;
    } cases[] = {
        {EACCES, "create", FK_E_ACCESS,
         "give the user write and search permission (wx) on the directory (chmod, chown)"},
        {EPERM, "open", FK_E_ACCESS,
         "give the user read permission (r) on it, and search permission (x) on the directories "
         "above (chmod, chown)"},
        {EACCES, "sync", FK_E_ACCESS, "give the user the permission to sync it (chmod, chown)"},
        {EROFS, "create", FK_E_ACCESS,
         "mount the file system read-write to save; reading works without"},
        {ENOSPC, "write", FK_E_NO_SPACE, "free space on the file system and try again"},
        {EBUSY, "rename", FK_E_BUSY, "try again when the other process is done"},
        {EAGAIN, "open", FK_E_BUSY, "try again when the other process is done"},
        {ETXTBSY, "open", FK_E_BUSY, "try again when the other process is done"},
        {ENOMEM, "map", FK_E_NO_MEMORY, "free memory, or load with mmap"},
        {ENOENT, "open", FK_E_IO, "check the path"},
        {EMFILE, "open", FK_E_IO, "close files, or raise the limit of open files (ulimit -n)"},
        {EPROTO, "open", FK_E_IO, "look up error 71 of the system in errno(3)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(fk_file_error(&err, cases[i].system_errno, cases[i].verb, "x/y"),
                         cases[i].code);
        assert_int_equal(err.code, cases[i].code);
        assert_int_equal(err.system_errno, cases[i].system_errno);
        assert_string_equal(err.hint, cases[i].hint);
        assert_string_equal(err.path, "x/y");
        assert_int_equal(err.offset, FK_NO_OFFSET);
        assert_int_equal(fk_file_error(NULL, cases[i].system_errno, "open", "x"), cases[i].code);
    }
    fk_file_error(&err, 9999, "open", "x");
    assert_string_equal(err.message, "cannot open 'x': unknown error");
}

#define scratch_test(function)                                                                     \
    cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        scratch_test(test_looking_tells_missing_from_failing),
        scratch_test(test_no_change_goes_through_a_link_or_out),
        scratch_test(test_files_in_directories_can_be_changed),
        scratch_test(test_errors_say_what_where_and_what_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
