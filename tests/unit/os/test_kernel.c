/* lib/os/kernel.c: openat_beneath with openat2, and without it (a seccomp filter takes it away). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "old_kernel.h"
#include "os/kernel.h"
#include "scratch.h"

static const struct {
    const char *path;
    int flags;
    int failures[2]; /* 0: it opens; a second one where the fallback has another name for it */
} cases[] = {
    {"f", O_RDONLY, {0}},
    {"d/f", O_RDONLY, {0}},
    {"d//e/./g", O_RDONLY, {0}},
    {"d/", O_RDONLY | O_DIRECTORY, {0}},
    {".", O_RDONLY | O_DIRECTORY, {0}},
    {"none", O_RDONLY, {ENOENT}},
    {"", O_RDONLY, {ENOENT}},
    {"d/none/x", O_RDONLY, {ENOENT}},
    {"f/x", O_RDONLY, {ENOTDIR}},
    {"link", O_RDONLY, {ELOOP}},
    {"links/f", O_RDONLY, {ELOOP, ENOTDIR}},
    {"../x", O_RDONLY, {EXDEV}},
    {"..", O_RDONLY | O_DIRECTORY, {EXDEV}},
    {"/etc/passwd", O_RDONLY, {EXDEV}},
    {"d/../../x", O_RDONLY, {EXDEV}},
};

static char long_path[600];

/* 0, or the number of the first case that goes wrong. */
static int failing_case(void) {
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int fd = fk_kernel_linux.openat_beneath(scratch_fd, cases[i].path, cases[i].flags, 0);
        int got = fd < 0 ? errno : 0;
        if (fd >= 0) {
            close(fd);
        }
        if (got != cases[i].failures[0] && (got == 0 || got != cases[i].failures[1])) {
            return (int)i + 1;
        }
    }
    if (fk_kernel_linux.openat_beneath(scratch_fd, long_path, O_RDONLY, 0) >= 0 ||
        errno != ENAMETOOLONG) {
        return 101;
    }
    mode_t before = umask(0);
    int fd = fk_kernel_linux.openat_beneath(scratch_fd, "d/new", O_RDWR | O_CREAT | O_EXCL, 0640);
    umask(before);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0 || (status.st_mode & 07777) != 0640) {
        return 102;
    }
    close(fd);
    fd = fk_kernel_linux.openat_beneath(scratch_fd, "d/new", O_RDWR | O_CREAT | O_EXCL, 0640);
    return fd >= 0 || errno != EEXIST ? 103 : 0;
}

static int run_cases(void *user) {
    const int *answer = user;
    bool gone = syscall(SYS_openat2, -1, NULL, NULL, 0) == -1 && errno == *answer;
    return *answer == 0 || gone ? failing_case() : 120;
}

static int failing_case_where_openat2_fails_with(int answer) {
    const old_kernel lacking = {SYS_openat2, -1, answer};
    return old_kernel_run(&lacking, answer != 0, run_cases, &answer);
}

static int setup(void **state) {
    int failed = scratch_setup(state);
    scratch_write_text("f", "");
    scratch_mkdir("d");
    scratch_mkdir("d/e");
    scratch_write_text("d/f", "");
    scratch_write_text("d/e/g", "");
    memset(long_path, 'x', sizeof long_path - 1);
    long_path[300] = '/';
    return failed != 0 || symlinkat("f", scratch_fd, "link") != 0 ||
           symlinkat("d", scratch_fd, "links") != 0;
}

static void test_beneath_with_openat2(void **state) {
    (void)state;
    assert_int_equal(failing_case_where_openat2_fails_with(0), 0);
}

static void test_beneath_on_a_kernel_without_openat2(void **state) {
    (void)state;
    assert_int_equal(failing_case_where_openat2_fails_with(ENOSYS), 0);
}

static void test_beneath_in_a_container_that_forbids_openat2(void **state) {
    (void)state;
    assert_int_equal(failing_case_where_openat2_fails_with(EPERM), 0);
}

static void test_the_table_is_complete(void **state) {
    (void)state;
    void (*members[sizeof(fk_kernel) / sizeof(void (*)(void))])(void);
    memcpy(members, &fk_kernel_linux, sizeof members);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        assert_true(members[i] != NULL);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_beneath_with_openat2, setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_beneath_on_a_kernel_without_openat2, setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(test_beneath_in_a_container_that_forbids_openat2, setup,
                                        scratch_teardown),
        cmocka_unit_test(test_the_table_is_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
