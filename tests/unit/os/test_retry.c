/* lib/os/retry.c: what is busy is tried again, with growing pauses; what must not be, is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "base/limits.h"
#include "fake_kernel.h"
#include "os/directory.h"
#include "os/file.h"
#include "os/retry.h"
#include "scratch.h"

static fk_error err;

/* ---- one of each call --------------------------------------------------------------------- */

static fk_code open_directory(void) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    return fk_directory_open_path(scratch_path, &fd, &err);
}

static fk_code create_file(void) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    return fk_file_create(scratch_fd, "new", &fd, &err);
}

static fk_code list(void) {
    FK_SCOPED(fk_names_finish) fk_names names = {0};
    return fk_directory_list(scratch_fd, ".", &names, &err);
}

static fk_code look(void) {
    struct stat status;
    bool missing;
    return fk_file_look(scratch_fd, "file", &status, &missing, &err);
}

static fk_code read_file(void) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    char text[4];
    fk_code code = fk_file_open(scratch_fd, "file", &fd, NULL, &err);
    return code == FK_OK ? fk_file_read_at(fd, text, sizeof text, 0, "file", &err) : code;
}

static fk_code write_file(void) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    fk_code code = fk_file_create(scratch_fd, "new", &fd, &err);
    return code == FK_OK ? fk_file_write(fd, "text", 4, "new", &err) : code;
}

static fk_code write_file_at(void) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    fk_code code = fk_file_create(scratch_fd, "new", &fd, &err);
    return code == FK_OK ? fk_file_write_at(fd, "text", 4, 3, "new", &err) : code;
}

static fk_code reserve(void) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    fk_code code = fk_file_create(scratch_fd, "new", &fd, &err);
    return code == FK_OK ? fk_file_reserve(fd, 4096, "new", &err) : code;
}

static fk_code make(void) {
    return fk_directory_make(scratch_fd, "made", NULL, &err);
}

static fk_code remove_file(void) {
    return fk_file_remove(scratch_fd, "file", &err);
}

static fk_code remove_tree(void) {
    return fk_directory_remove(scratch_fd, "tree2", &err);
}

static fk_code link_file(void) {
    return fk_file_link(scratch_fd, "file", scratch_fd, "link", &err);
}

static fk_code rename_file(void) {
    return fk_file_rename(scratch_fd, "file", "renamed", &err);
}

static fk_code publish(void) {
    bool taken;
    return fk_directory_publish(scratch_fd, "tree", "run", &taken, &err);
}

static fk_code exchange(void) {
    bool unknown;
    return fk_directory_exchange(scratch_fd, "tree", "tree2", &unknown, &err);
}

static const struct {
    const char *call;
    fk_code (*function)(void);
} patient[] = {
    {"openat", open_directory}, {"openat_beneath", create_file},
    {"getdents", list},         {"fstatat", look},
    {"pread", read_file},       {"write", write_file},
    {"pwrite", write_file_at},  {"fallocate", reserve},
    {"mkdirat", make},          {"unlinkat", remove_file},
    {"unlinkat", remove_tree},  {"linkat", link_file},
    {"renameat", rename_file},  {"renameat2", publish},
    {"renameat2", exchange},
};

enum { PATIENT = sizeof patient / sizeof patient[0] };

/* ---- patience ----------------------------------------------------------------------------- */

static int setup(void **state) {
    int failed = scratch_setup(state);
    scratch_write_text("file", "text");
    scratch_mkdir("tree");
    scratch_mkdir("tree2");
    scratch_write_text("tree/f", "");
    return failed;
}

static void test_what_is_busy_is_tried_again_after_growing_pauses(void **state) {
    static const uint64_t pauses_ms[] = {0, 50, 50 + 100, 50 + 100 + 200};
    static const int busy[] = {EBUSY, EAGAIN, ETXTBSY};
    for (size_t i = 0; i < PATIENT; i++) {
        for (size_t failures = 0; failures <= FK_LIMIT_RETRIES; failures++) {
            setup(state);
            for (size_t n = 1; n <= failures; n++) {
                fake_kernel_fail(patient[i].call, n, busy[i % 3], FAKE_ONCE);
            }
            assert_int_equal(patient[i].function(), FK_OK);
            assert_int_equal(fake_kernel_slept_ms(), pauses_ms[failures]);
            scratch_teardown(state);
        }
    }
}

static void test_after_three_retries_it_is_busy(void **state) {
    static const int busy[] = {EBUSY, EAGAIN, ETXTBSY};
    for (size_t i = 0; i < PATIENT; i++) {
        setup(state);
        size_t calls = fake_kernel_count(patient[i].call);
        fake_kernel_fail(patient[i].call, 1, busy[i % 3], FAKE_EVER_AFTER);
        assert_int_equal(patient[i].function(), FK_E_BUSY);
        assert_int_equal(err.system_errno, busy[i % 3]);
        assert_string_equal(err.hint, "try again when the other process is done");
        assert_int_equal(fake_kernel_slept_ms(), 50 + 100 + 200);
        assert_true(fake_kernel_count(patient[i].call) - calls >= 4);
        scratch_teardown(state);
    }
}

static void test_what_is_interrupted_is_tried_again_at_once(void **state) {
    for (size_t i = 0; i < PATIENT; i++) {
        setup(state);
        for (size_t n = 1; n <= 5; n++) {
            fake_kernel_fail(patient[i].call, n, EINTR, FAKE_ONCE);
        }
        assert_int_equal(patient[i].function(), FK_OK);
        assert_int_equal(fake_kernel_slept_ms(), 0);
        scratch_teardown(state);
    }
}

static void test_what_fails_otherwise_is_not_tried_again(void **state) {
    static const int failures[] = {EIO, EACCES, ENOSPC, EMFILE};
    for (size_t i = 0; i < PATIENT; i++) {
        setup(state);
        fake_kernel_fail(patient[i].call, 1, failures[i % 4], FAKE_ONCE);
        assert_int_not_equal(patient[i].function(), FK_OK);
        assert_int_equal(fake_kernel_slept_ms(), 0);
        scratch_teardown(state);
    }
}

/* The kernel may have dropped the data and would answer "good". */
static void test_syncing_and_closing_are_never_done_again(void **state) {
    setup(state);
    int fd = -1;
    assert_int_equal(fk_file_create(scratch_fd, "new", &fd, &err), FK_OK);
    fake_kernel_fail("fsync", 1, EBUSY, FAKE_ONCE);
    assert_int_equal(fk_file_sync(fd, "new", &err), FK_E_BUSY);
    assert_int_equal(fake_kernel_count("fsync"), 1);
    size_t closes = fake_kernel_count("close");
    fake_kernel_fail("close", 1, EBUSY, FAKE_ONCE);
    assert_int_equal(fk_file_close(&fd, "new", &err), FK_E_BUSY);
    assert_int_equal(fake_kernel_count("close"), closes + 1);
    assert_int_equal(fake_kernel_slept_ms(), 0);
    scratch_teardown(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_busy_is_tried_again_after_growing_pauses),
        cmocka_unit_test(test_after_three_retries_it_is_busy),
        cmocka_unit_test(test_what_is_interrupted_is_tried_again_at_once),
        cmocka_unit_test(test_what_fails_otherwise_is_not_tried_again),
        cmocka_unit_test(test_syncing_and_closing_are_never_done_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
