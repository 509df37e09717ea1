/* What a file system can do: found to work here, and found missing where a fake says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>

#include "fake_kernel.h"
#include "os/directory.h"
#include "os/file.h"
#include "os/kernel.h"
#include "os/primitive.h"
#include "scratch.h"

/* In a directory of its own. */
static fk_code try_it(fk_primitive_kind kind, bool *ret_works, fk_error *err) {
    static unsigned tried;
    FK_SCOPED(fk_file_closep) int directory = -1;
    char name[16];
    snprintf(name, sizeof name, "try-%u", tried++);
    assert_int_equal(fk_directory_make(scratch_fd, name, NULL, NULL), FK_OK);
    assert_int_equal(fk_directory_open(scratch_fd, name, &directory, NULL), FK_OK);
    return fk_primitive_try(kind, directory, ret_works, err);
}

static bool works(fk_primitive_kind kind) {
    bool does = false;
    assert_int_equal(try_it(kind, &does, NULL), FK_OK);
    return does;
}

static void test_all_of_them_are_tried(void **state) {
    (void)state;
    for (fk_primitive_kind kind = 0; kind < FK_PRIMITIVE_COUNT; kind++) {
        bool does = false;
        fk_error err;
        assert_int_equal(try_it(kind, &does, &err), FK_OK);
        bool here = kind == FK_PRIMITIVE_DIRECT_IO || kind == FK_PRIMITIVE_OPENAT2;
        assert_true(does || here); /* all of the others are to be had on every disk of Linux */
    }
}

static const struct {
    fk_primitive_kind kind;
    const char *call;
    int system_errno;
} missing[] = {
    {FK_PRIMITIVE_RENAME_NOREPLACE, "renameat2", EINVAL},
    {FK_PRIMITIVE_RENAME_NOREPLACE, "renameat2", ENOSYS},
    {FK_PRIMITIVE_RENAME_EXCHANGE, "renameat2", EINVAL},
    {FK_PRIMITIVE_FILE_SYNC, "fsync", EINVAL},
    {FK_PRIMITIVE_DIRECTORY_SYNC, "fsync", EINVAL},
    {FK_PRIMITIVE_LOCKS, "set_lock", ENOLCK},
    {FK_PRIMITIVE_HARD_LINKS, "linkat", EPERM},
    {FK_PRIMITIVE_RESERVE, "fallocate", EOPNOTSUPP},
    {FK_PRIMITIVE_DIRECT_IO, "set_status_flags", EINVAL},
    {FK_PRIMITIVE_DIRECT_IO, "pwrite", EINVAL},
    {FK_PRIMITIVE_OPENAT2, "openat2", ENOSYS},
    {FK_PRIMITIVE_OPENAT2, "openat2", EPERM},
};

static void test_what_is_missing_is_found_missing(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
        fake_kernel_fail(missing[i].call, 1, missing[i].system_errno, FAKE_EVER_AFTER);
        assert_false(works(missing[i].kind));
        fake_kernel_relent();
    }
}

static void test_names_with_colons(void **state) {
    (void)state;
    fake_kernel_refuse_colons(EINVAL);
    assert_false(works(FK_PRIMITIVE_COLON_NAMES));
}

/* ---- file systems that lie ---------------------------------------------------------------- */

static fk_kernel lying;

/* Knows the flags, and does not mind them. */
static int replace(int old_directory, const char *old_path, int new_directory, const char *new_path,
                   unsigned flags) {
    (void)flags;
    if (strcmp(new_path, "other") == 0) {
        return 0;
    }
    return fk_kernel_linux.renameat(old_directory, old_path, new_directory, new_path);
}

static int rename_over(int old_directory, const char *old_path, int new_directory,
                       const char *new_path) {
    (void)old_directory;
    (void)old_path;
    (void)new_directory;
    (void)new_path;
    return 0;
}

static int create_again(int directory, const char *path, int flags, mode_t mode) {
    return fk_kernel_linux.openat(directory, path, flags & ~O_EXCL, mode);
}

static int lock_anyway(int fd, struct flock *lock) {
    (void)fd;
    (void)lock;
    return 0;
}

static int look_without_case(int directory, const char *path, struct stat *ret_status, int flags) {
    return fk_kernel_linux.fstatat(directory, strcmp(path, "CASE") == 0 ? "case" : path, ret_status,
                                   flags);
}

static int look_at_whole_seconds(int directory, const char *path, struct stat *ret_status,
                                 int flags) {
    int result = fk_kernel_linux.fstatat(directory, path, ret_status, flags);
    ret_status->st_mtim.tv_nsec = 0;
    return result;
}

static void test_what_only_seems_to_work_is_found_out(void **state) {
    (void)state;
    lying = *fk_kernel_current;
    lying.renameat2 = replace;
    lying.renameat = rename_over;
    lying.openat = create_again;
    lying.set_lock = lock_anyway;
    lying.fstatat = look_without_case;
    fk_kernel_current = &lying;
    assert_false(works(FK_PRIMITIVE_RENAME_NOREPLACE));
    assert_false(works(FK_PRIMITIVE_RENAME_EXCHANGE));
    assert_false(works(FK_PRIMITIVE_RENAME_REFUSES));
    assert_false(works(FK_PRIMITIVE_EXCLUSIVE_CREATE));
    assert_true(works(FK_PRIMITIVE_LOCKS));
    assert_false(works(FK_PRIMITIVE_LOCKS_EXCLUDE));
    assert_false(works(FK_PRIMITIVE_CASE_SENSITIVE));
    lying.fstatat = look_at_whole_seconds;
    assert_false(works(FK_PRIMITIVE_FINE_TIMES));
}

/* ---- failures ----------------------------------------------------------------------------- */

static void test_a_full_disk_says_nothing(void **state) {
    (void)state;
    static const char *const calls[] = {"renameat2", "fsync", "set_lock", "linkat", "fallocate"};
    for (fk_primitive_kind kind = 0; kind < FK_PRIMITIVE_COUNT; kind++) {
        for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
            fake_kernel_fail(calls[i], 1, ENOSPC, FAKE_EVER_AFTER);
        }
        bool does = true;
        fk_error err = {.code = FK_OK};
        fk_code code = try_it(kind, &does, &err);
        assert_true(code == FK_OK || (code == FK_E_NO_SPACE && err.hint[0] != '\0'));
        fake_kernel_relent();
        fake_kernel_fail("openat_beneath", 1, ENOSPC, FAKE_EVER_AFTER);
        code = fk_primitive_try(kind, scratch_fd, &does, &err);
        assert_true(code == FK_OK || code == FK_E_NO_SPACE);
        fake_kernel_relent();
    }
}

/* ---- what the kernel says of the file system ---------------------------------------------- */

static void test_file_systems_have_names(void **state) {
    (void)state;
    fake_kernel_set_file_system(XFS_SUPER_MAGIC);
    assert_string_equal(fk_directory_file_system(scratch_fd), "xfs");
    assert_true(fk_directory_is_local(scratch_fd) && !fk_directory_is_in_memory(scratch_fd));
    fake_kernel_set_file_system(TMPFS_MAGIC);
    assert_true(fk_directory_is_local(scratch_fd) && fk_directory_is_in_memory(scratch_fd));
    fake_kernel_set_file_system(NFS_SUPER_MAGIC);
    assert_true(!fk_directory_is_local(scratch_fd) && !fk_directory_is_in_memory(scratch_fd));
    fake_kernel_set_file_system(0x12345);
    assert_string_equal(fk_directory_file_system(scratch_fd), "");
    assert_true(fk_directory_is_local(scratch_fd) && !fk_directory_is_in_memory(scratch_fd));
    fake_kernel_fail("fstatfs", 1, EIO, FAKE_EVER_AFTER);
    assert_string_equal(fk_directory_file_system(scratch_fd), "");
    assert_true(!fk_directory_is_local(scratch_fd) && !fk_directory_is_in_memory(scratch_fd));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_all_of_them_are_tried),    TEST(test_what_is_missing_is_found_missing),
        TEST(test_names_with_colons),        TEST(test_what_only_seems_to_work_is_found_out),
        TEST(test_a_full_disk_says_nothing), TEST(test_file_systems_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
