/* The self-test: what it says of disks that are fit, of those that are not, and what it leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/magic.h>

#include "fake_kernel.h"
#include "fontkeep/fontkeep.h"
#include "os/directory.h"
#include "os/kernel.h"
#include "scratch.h"

typedef struct bench {
    fk_selftest_report *report;
    fk_error err;
    unsigned asked;
    unsigned cancel_at; /* the so manieth question; 0: never */
} bench;

static bench it;

static int ask(uint64_t done, uint64_t total, void *user) {
    (void)user;
    assert_true(done <= total);
    return ++it.asked == it.cancel_at;
}

static fk_code test_disk(void) {
    const fk_selftest_options options = {.size = sizeof options, .progress = ask};
    fk_selftest_report_destroy(it.report);
    it.report = NULL;
    return fk_selftest(scratch_path, &options, &it.report, &it.err);
}

/* Only some of the kills: three operations are enough of them. */
static fk_code test_disk_briefly(unsigned kills) {
    it.cancel_at = kills;
    return test_disk();
}

static int setup(void **state) {
    memset(&it, 0, sizeof it);
    return scratch_setup(state);
}

static int teardown(void **state) {
    fk_selftest_report_destroy(it.report);
    return scratch_teardown(state);
}

static bool primitive_works(const char *name) {
    for (size_t i = 0; i < it.report->primitive_count; i++) {
        const fk_primitive *primitive = &it.report->primitives[i];
        if (strcmp(primitive->name, name) == 0) {
            assert_true(primitive->works == (primitive->instead == NULL));
            return primitive->works;
        }
    }
    fail_msg("no primitive '%s'", name);
    return false;
}

static void assert_nothing_is_left(void) {
    fk_names found = {0};
    assert_int_equal(fk_directory_list(scratch_fd, ".", &found, NULL), FK_OK);
    assert_int_equal(found.count, 0);
    fk_names_finish(&found);
}

/* ---- fit ---------------------------------------------------------------------------------- */

static void test_a_good_disk_is_fit(void **state) {
    (void)state;
    fake_kernel_set_file_system(EXT4_SUPER_MAGIC);
    assert_int_equal(test_disk(), FK_OK);
    assert_int_equal(it.report->fitness, FK_FIT);
    assert_string_equal(it.report->verdict, "This disk is fit for fontkeep");
    assert_string_equal(it.report->dir, scratch_path);
    assert_string_equal(it.report->file_system, "ext2/ext3/ext4");
    assert_int_equal(it.report->violations, 0);
    assert_null(it.report->first_violation);
    assert_true(it.report->kills > 300);
    assert_int_equal(it.report->kills + 1, it.asked);
    assert_int_equal(it.report->flips, 5);
    assert_true(primitive_works("rename_exchange") && primitive_works("locks"));
    assert_nothing_is_left();
}

static void test_a_disk_without_rename_flags_is_fit_and_says_what_that_means(void **state) {
    (void)state;
    fake_kernel_set_file_system(FUSE_SUPER_MAGIC);
    fake_kernel_fail("renameat2", 1, EINVAL, FAKE_EVER_AFTER);
    fake_kernel_fail("fallocate", 1, EOPNOTSUPP, FAKE_EVER_AFTER);
    fake_kernel_refuse_colons(EINVAL);
    assert_int_equal(test_disk(), FK_OK);
    assert_int_equal(it.report->fitness, FK_FIT_WITH_LIMITS);
    assert_int_equal(it.report->violations, 0);
    assert_true(!primitive_works("rename_noreplace") && !primitive_works("rename_exchange"));
    assert_true(!primitive_works("reserve") && !primitive_works("local"));
    assert_true(!primitive_works("colon_names") && primitive_works("rename_refuses"));
    assert_non_null(strstr(it.report->verdict, "with these limits: a run is out of sight"));
    assert_int_equal(it.report->limit_count, 2);
    assert_nothing_is_left();
}

static void test_memory_a_small_disk_and_no_locks_are_limits(void **state) {
    (void)state;
    fake_kernel_set_file_system(TMPFS_MAGIC);
    fake_kernel_set_free_bytes(30000000);
    fake_kernel_fail("set_lock", 1, ENOLCK, FAKE_EVER_AFTER);
    assert_int_equal(test_disk(), FK_OK);
    assert_int_equal(it.report->fitness, FK_FIT_WITH_LIMITS);
    assert_int_equal(it.report->limit_count, 3);
    assert_non_null(strstr(it.report->verdict, "it is memory"));
    assert_non_null(strstr(it.report->verdict, "only 30.0 MB are free"));
    assert_non_null(strstr(it.report->verdict, "what a killed save left stays for 24 hours"));
    assert_true(!primitive_works("durable") && !primitive_works("free_space"));
    assert_true(!primitive_works("locks") && primitive_works("locks_exclude"));
}

/* ---- not fit ------------------------------------------------------------------------------ */

static fk_kernel odd;

static void assert_not_fit(const char *because) {
    assert_int_equal(test_disk(), FK_OK);
    assert_int_equal(it.report->fitness, FK_NOT_FIT);
    assert_non_null(strstr(it.report->verdict, "not fit for fontkeep: "));
    if (strstr(it.report->verdict, because) == NULL) {
        fail_msg("%s: %s", because, it.report->verdict);
    }
    assert_nothing_is_left();
}

static int lock_anyway(int fd, struct flock *lock) {
    (void)fd;
    (void)lock;
    return 0;
}

static void test_a_disk_whose_locks_keep_nobody_out_is_not_fit(void **state) {
    (void)state;
    odd = *fk_kernel_current;
    odd.set_lock = lock_anyway;
    fk_kernel_current = &odd;
    assert_not_fit("two processes can hold one lock");
    assert_int_equal(it.report->kills, 0);
}

static int rename_over(int old_directory, const char *old_path, int new_directory,
                       const char *new_path) {
    return strcmp(new_path, "other") == 0
               ? 0
               : fk_kernel_linux.renameat(old_directory, old_path, new_directory, new_path);
}

static void test_a_disk_whose_renames_replace_is_not_fit(void **state) {
    (void)state;
    odd = *fk_kernel_current;
    odd.renameat = rename_over;
    fk_kernel_current = &odd;
    fake_kernel_fail("renameat2", 1, EINVAL, FAKE_EVER_AFTER);
    assert_not_fit("a rename could replace a run");
}

static void test_a_disk_that_cannot_rename_is_not_fit(void **state) {
    (void)state;
    fake_kernel_fail("renameat2", 6, EIO, FAKE_EVER_AFTER); /* behind those of the primitives */
    assert_not_fit("runs cannot be kept: cannot rename");
}

/* Publishes in two steps: whoever is killed between them leaves an empty run. */
static int rename_in_two_steps(int old_directory, const char *old_path, int new_directory,
                               const char *new_path, unsigned flags) {
    bool publishes = strncmp(old_path, ".stage-", 7) == 0 && new_path[0] != '.' && flags == 1;
    if (!publishes) {
        return fk_kernel_linux.renameat2(old_directory, old_path, new_directory, new_path, flags);
    }
    if (fk_kernel_current->mkdirat(new_directory, new_path, 0777) != 0) {
        return -1;
    }
    return fk_kernel_current->renameat(old_directory, old_path, new_directory, new_path);
}

static void test_a_rename_that_is_not_atomic_is_found_out(void **state) {
    (void)state;
    odd = *fk_kernel_current;
    odd.renameat2 = rename_in_two_steps;
    fk_kernel_current = &odd;
    assert_not_fit("save, killed at its call ");
    assert_int_equal(it.report->violations, 1); /* of the save alone */
    assert_non_null(strstr(it.report->first_violation, "(renameat): run "));
    assert_true(it.report->kills > 300);
}

/* Says that a single byte is written, and does not write it: so a flip cannot be seen. */
static ssize_t write_nothing_small(int fd, const void *from, size_t bytes) {
    return bytes == 1 ? 1 : fk_kernel_linux.write(fd, from, bytes);
}

static void test_damage_that_is_not_noticed_is_a_violation(void **state) {
    (void)state;
    odd = *fk_kernel_current;
    odd.write = write_nothing_small;
    fk_kernel_current = &odd;
    assert_not_fit("a flipped bit in eval-glyphs/A.png went unnoticed");
    assert_int_equal(it.report->violations, it.report->flips);
}

/* ---- failures ----------------------------------------------------------------------------- */

static void test_a_test_that_is_cancelled_leaves_nothing(void **state) {
    (void)state;
    assert_int_equal(test_disk_briefly(3), FK_E_CANCELLED);
    assert_null(it.report);
    assert_nothing_is_left();
}

static void test_what_cannot_be_tested_is_an_error(void **state) {
    (void)state;
    assert_int_equal(fk_selftest("/nonexistent/directory", NULL, &it.report, &it.err), FK_E_IO);
    assert_string_equal(it.err.path, "/nonexistent/directory");
    fake_kernel_fail("openat_beneath", 1, EROFS, FAKE_EVER_AFTER);
    assert_int_equal(test_disk(), FK_E_ACCESS);
    assert_non_null(strstr(it.err.path, scratch_path));
    fake_kernel_relent();
    fake_kernel_set_free_bytes(1000);
    assert_int_equal(test_disk(), FK_E_NO_SPACE);
    assert_nothing_is_left();
    fk_selftest_report_destroy(NULL);
}

static void test_a_disk_that_fills_up_meanwhile_is_an_error(void **state) {
    (void)state;
    for (size_t nth = 1; nth < 60; nth += 7) {
        fake_kernel_fail("openat_beneath", nth, ENOSPC, FAKE_ONCE);
        fk_code code = test_disk_briefly(1);
        assert_true(code == FK_E_NO_SPACE || code == FK_E_CANCELLED);
        fake_kernel_relent();
        it.asked = 0;
    }
    assert_nothing_is_left();
}

static void test_without_a_directory_it_is_the_default_store_s(void **state) {
    (void)state;
    assert_int_equal(setenv("FONTKEEP_STORE", scratch_path, 1), 0);
    const fk_selftest_options options = {.size = sizeof options, .progress = ask};
    it.cancel_at = 1;
    assert_int_equal(fk_selftest(NULL, &options, &it.report, &it.err), FK_E_CANCELLED);
    assert_true(fake_kernel_count("fork") > 0);
    assert_int_equal(unsetenv("FONTKEEP_STORE"), 0);
    assert_nothing_is_left();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_good_disk_is_fit),
        TEST(test_a_disk_without_rename_flags_is_fit_and_says_what_that_means),
        TEST(test_memory_a_small_disk_and_no_locks_are_limits),
        TEST(test_a_disk_whose_locks_keep_nobody_out_is_not_fit),
        TEST(test_a_disk_whose_renames_replace_is_not_fit),
        TEST(test_a_disk_that_cannot_rename_is_not_fit),
        TEST(test_a_rename_that_is_not_atomic_is_found_out),
        TEST(test_damage_that_is_not_noticed_is_a_violation),
        TEST(test_a_test_that_is_cancelled_leaves_nothing),
        TEST(test_what_cannot_be_tested_is_an_error),
        TEST(test_a_disk_that_fills_up_meanwhile_is_an_error),
        TEST(test_without_a_directory_it_is_the_default_store_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
