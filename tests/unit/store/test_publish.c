/* The commit protocol, call by call, and what is left when any of them fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "fake_kernel.h"
#include "fontkeep/fontkeep.h"
#include "tree.h"

/* ---- the order of calls ------------------------------------------------------------------- */

static void test_a_save_makes_these_calls_in_this_order(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT); /* the first: font, identity and probe are made */
    fake_kernel_record_clear();
    bench_save_well(it, NOW_TEXT "-0001");
    char *record = bench_record_without_chance();
    assert_string_equal(record, "openat_beneath .stage-R.lock\n"
                                "set_lock .stage-R.lock\n"
                                "write .stage-R.lock\n"
                                "mkdirat .stage-R\n"
                                "openat_beneath weights\n"
                                "write weights\n"
                                "openat_beneath sample.png\n"
                                "write sample.png\n"
                                "mkdirat eval-glyphs\n"
                                "openat_beneath eval-glyphs/A.png\n"
                                "write eval-glyphs/A.png\n"
                                "openat_beneath eval-glyphs/uni00E9.png\n"
                                "write eval-glyphs/uni00E9.png\n"
                                "openat_beneath feedback.json\n"
                                "write feedback.json\n"
                                "openat_beneath run.json\n"
                                "write run.json\n"
                                "sync_file_range sample.png\n"
                                "sync_file_range eval-glyphs/A.png\n"
                                "sync_file_range eval-glyphs/uni00E9.png\n"
                                "sync_file_range feedback.json\n"
                                "sync_file_range weights\n"
                                "sync_file_range run.json\n"
                                "fsync sample.png\n"
                                "close sample.png\n"
                                "fsync eval-glyphs/A.png\n"
                                "close eval-glyphs/A.png\n"
                                "fsync eval-glyphs/uni00E9.png\n"
                                "close eval-glyphs/uni00E9.png\n"
                                "fsync feedback.json\n"
                                "close feedback.json\n"
                                "fsync weights\n"
                                "close weights\n"
                                "fsync run.json\n"
                                "close run.json\n"
                                "fsync eval-glyphs\n"
                                "fsync .stage-R\n"
                                "renameat2 .stage-R -> " NOW_TEXT "-0001\n"
                                "fsync runs\n"
                                "unlinkat .stage-R.lock\n"
                                "close .stage-R.lock\n");
    free(record);
}

static void test_the_first_save_makes_font_and_runs_durable_before_the_rename(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    const char *record = fake_kernel_record();
    const char *font = strstr(record, "fsync 1-fruity\n");
    const char *made = strstr(record, "mkdirat 1-fruity\nmkdirat runs\n");
    const char *renamed = strstr(record, "renameat2");
    assert_non_null(made);
    assert_non_null(font);
    assert_true(made < font && font < renamed);
    /* and so does the first save of another process, which cannot know who made them */
    bench_reopen(it, NULL);
    fake_kernel_record_clear();
    bench_save_well(it, NOW_TEXT "-0001");
    font = strstr(fake_kernel_record(), "fsync 1-fruity\n");
    assert_non_null(font);
    assert_true(font < strstr(fake_kernel_record(), "renameat2"));
}

/* Threads sync in any order, each file and directory once, all of them before the rename. */
static void test_threads_sync_everything_once_and_before_the_rename(void **state) {
    static const char *const synced[] = {
        "weights",       "sample.png", "eval-glyphs/A.png", "eval-glyphs/uni00E9.png",
        "feedback.json", "run.json",   "eval-glyphs",       ".stage-R"};
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    fake_kernel_allow_threads();
    size_t threads = fake_kernel_count("start_thread");
    size_t syncs = fake_kernel_count("fsync");
    fake_kernel_record_clear();
    bench_save_well(it, NOW_TEXT "-0001");
    assert_true(fake_kernel_count("start_thread") > threads);
    assert_int_equal(fake_kernel_count("fsync") - syncs, sizeof synced / sizeof synced[0] + 1);
    char *record = bench_record_without_chance();
    const char *renamed = strstr(record, "renameat2");
    assert_non_null(renamed);
    for (size_t i = 0; i < sizeof synced / sizeof synced[0]; i++) {
        char line[64];
        snprintf(line, sizeof line, "fsync %s\n", synced[i]);
        const char *found = strstr(record, line);
        assert_non_null(found);
        assert_true(found < renamed);
    }
    free(record);
}

static void test_whichever_sync_of_a_thread_fails_the_store_is_as_it_was(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    fake_kernel_allow_threads();
    for (size_t nth = 1; nth <= 8; nth++) {
        fake_kernel_fail("fsync", nth, EIO, FAKE_ONCE);
        bench_assert_refused(it, FK_E_IO);
        assert_non_null(strstr(it->err.path, "1-fruity/runs/.stage-"));
        fake_kernel_relent();
    }
    bench_assert_all_verify(it, 1);
}

static void test_without_durability_nothing_is_synced(void **state) {
    bench *it = *state;
    const fk_store_options options = {.size = sizeof options, .durability = FK_DURABILITY_NONE};
    bench_reopen(it, &options);
    bench_save_well(it, NOW_TEXT);
    assert_int_equal(fake_kernel_count("fsync"), 0);
    assert_int_equal(fake_kernel_count("sync_file_range"), 0);
    bench_assert_all_verify(it, 1);
}

/* ---- failures ----------------------------------------------------------------------------- */

static const char *const changing_calls[] = {"openat_beneath", "openat",    "write",    "fsync",
                                             "mkdirat",        "renameat2", "close",    "getdents",
                                             "getrandom",      "fstatat",   "unlinkat", "linkat",
                                             "set_lock",       "fallocate", "fstatvfs"};

/* Whatever fails: either nothing was saved and the store is as it was, or a whole run was. */
static void check_one_failure(bench *it, const char *call, size_t nth, int system_errno,
                              fake_duration duration) {
    char *before = tree_listing(it->path, true);
    size_t runs = tree_count(bench_in_runs(it, ""), "2", NULL);
    fake_kernel_fail(call, nth, system_errno, duration);
    fk_code code = bench_save(it);
    fake_kernel_relent();
    if (code == FK_OK || code == FK_E_NOT_DURABLE) {
        assert_true(tree_exists(bench_in_runs(it, it->id.text)));
        assert_int_equal(tree_count(bench_in_runs(it, ""), "2", NULL), runs + 1);
    } else {
        assert_string_equal(it->id.text, "untouched");
        assert_int_equal(it->err.code, code);
        assert_string_not_equal(it->err.message, "");
        assert_int_equal(tree_count(bench_in_runs(it, ""), "2", NULL), runs);
        /* what could not be removed because that failed, too, recover removes */
        if (tree_count(bench_in_runs(it, ""), ".stage-", NULL) > 0) {
            assert_true(strcmp(call, "unlinkat") == 0 || duration == FAKE_EVER_AFTER);
            fk_recovery *recovery = NULL;
            assert_int_equal(fk_recover(it->store, &recovery, &it->err), FK_OK);
            fk_recovery_destroy(recovery);
        }
        char *after = tree_listing(it->path, true);
        assert_string_equal(after, before);
        free(after);
    }
    free(before);
}

static void check_failures_of(bench *it, const char *call, int system_errno,
                              fake_duration duration) {
    for (size_t nth = 1; nth < 200; nth++) {
        size_t calls_before = fake_kernel_count(call);
        check_one_failure(it, call, nth, system_errno, duration);
        if (fake_kernel_count(call) - calls_before < nth) {
            return; /* a save does not make so many */
        }
    }
    fail_msg("a save made 200 calls of %s", call);
}

static void test_whichever_call_fails_a_save_is_whole_or_not_there(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    for (size_t i = 0; i < sizeof changing_calls / sizeof changing_calls[0]; i++) {
        check_failures_of(it, changing_calls[i], EIO, FAKE_ONCE);
    }
    bench_assert_all_verify(it, tree_count(bench_in_runs(it, ""), "2", NULL));
}

static void test_whatever_goes_on_failing_a_save_is_whole_or_not_there(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    static const char *const calls[] = {"write",     "fsync",          "mkdirat",
                                        "renameat2", "openat_beneath", "unlinkat"};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        check_failures_of(it, calls[i], EIO, FAKE_EVER_AFTER);
    }
    bench_assert_all_verify(it, tree_count(bench_in_runs(it, ""), "2", NULL));
}

static void test_a_full_disk_or_quota_leaves_the_store_as_it_was(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    static const char *const calls[] = {"write", "fsync", "mkdirat", "openat_beneath", "close"};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        check_failures_of(it, calls[i], ENOSPC, FAKE_ONCE);
        check_failures_of(it, calls[i], EDQUOT, FAKE_ONCE);
    }
    fake_kernel_fail("write", 3, EDQUOT, FAKE_ONCE);
    assert_int_equal(bench_save(it), FK_E_NO_SPACE);
    assert_int_equal(it->err.system_errno, EDQUOT);
    assert_non_null(strstr(it->err.path, "1-fruity/runs/.stage-"));
}

static void test_a_disk_that_fills_up_under_large_weights_leaves_the_store_as_it_was(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    sample_model_finish(&it->sample);
    sample_model_init(&it->sample, 9 << 20); /* 36 MiB, three pieces */
    /* another process was quicker than we between the look and the reservation */
    fake_kernel_fail("fallocate", 1, ENOSPC, FAKE_ONCE);
    fake_kernel_record_clear();
    bench_assert_refused(it, FK_E_NO_SPACE);
    assert_null(strstr(fake_kernel_record(), "write weights"));
    fake_kernel_relent();
    /* a file system that cannot reserve */
    fake_kernel_fail("fallocate", 1, EOPNOTSUPP, FAKE_EVER_AFTER);
    fake_kernel_fail("pwrite", 20, ENOSPC, FAKE_EVER_AFTER);
    fake_kernel_record_clear();
    bench_assert_refused(it, FK_E_NO_SPACE);
    assert_non_null(strstr(fake_kernel_record(), "write weights"));
    assert_non_null(strstr(it->err.hint, "free space"));
    fake_kernel_relent();
    fake_kernel_fail("fallocate", 1, EOPNOTSUPP, FAKE_ONCE);
    assert_int_equal(bench_save(it), FK_OK);
}

static void test_a_failed_first_save_takes_the_font_away_again(void **state) {
    bench *it = *state;
    static const char *const calls[] = {"write", "fsync", "mkdirat", "renameat2"};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        for (size_t nth = 1; nth < 50; nth++) {
            size_t before = fake_kernel_count(calls[i]);
            fake_kernel_fail(calls[i], nth, EIO, FAKE_ONCE);
            fk_code code = bench_save(it);
            fake_kernel_relent();
            if (code == FK_OK || code == FK_E_NOT_DURABLE) {
                assert_true(tree_exists(bench_in_runs(it, it->id.text)));
                bench_reopen(it, NULL);
                tree_destroy(it->path);
                assert_int_equal(mkdir(it->path = strdup(fk_store_path(it->store)), 0777), 0);
            } else {
                assert_int_equal(tree_count(it->path, "", NULL), 0);
            }
            if (fake_kernel_count(calls[i]) - before < nth) {
                break;
            }
        }
    }
}

/* After a failed sync the kernel may have dropped the data and would answer "good". */
static void test_after_a_failed_sync_nothing_is_synced_again(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    for (size_t nth = 1; nth <= 8; nth++) {
        fake_kernel_record_clear();
        fake_kernel_fail("fsync", nth, EIO, FAKE_ONCE);
        assert_int_equal(bench_save(it), FK_E_IO);
        const char *failed = strstr(fake_kernel_record(), "(EIO)");
        assert_non_null(failed);
        assert_null(strstr(failed, "fsync"));
        assert_null(strstr(fake_kernel_record(), "renameat2"));
        fake_kernel_relent();
    }
}

static void test_a_failing_last_sync_is_not_durable_and_says_the_id(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    fake_kernel_fail("fsync", 9, EIO, FAKE_ONCE);
    assert_int_equal(bench_save(it), FK_E_NOT_DURABLE);
    assert_string_equal(it->id.text, NOW_TEXT "-0001");
    assert_int_equal(it->err.system_errno, EIO);
    assert_non_null(strstr(it->err.message, NOW_TEXT "-0001"));
    assert_int_equal(tree_count(bench_in_runs(it, ""), ".stage-", NULL), 0);
    bench_assert_all_verify(it, 2);
    bench_save_well(it, NOW_TEXT "-0002");
}

/* For ten thousand rounds. */
static int setup_in_memory(void **state) {
    const char *directory = getenv("TMPDIR");
    if (directory == NULL && access("/dev/shm", W_OK) == 0) {
        setenv("TMPDIR", "/dev/shm", 1);
    }
    bench_setup_at_now(state);
    if (directory == NULL) {
        unsetenv("TMPDIR");
    }
    return 0;
}

static void test_ids_that_others_take_first_are_given_up_after_a_while(void **state) {
    bench *it = *state;
    const fk_store_options fast = {.size = sizeof fast, .durability = FK_DURABILITY_NONE};
    bench_reopen(it, &fast);
    bench_save_well(it, NOW_TEXT);
    size_t renames = fake_kernel_count("renameat2");
    fake_kernel_fail("renameat2", 1, EEXIST, FAKE_EVER_AFTER);
    bench_assert_refused(it, FK_E_BUSY);
    assert_non_null(strstr(it->err.message, "others took each of 10000 run ids first"));
    assert_int_equal(fake_kernel_count("renameat2") - renames, 10000);
}

static void test_a_scan_behind_a_taken_id_that_fails_leaves_the_store_as_it_was(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    assert_int_equal(bench_save(it), FK_OK); /* from here on, scans are not needed */
    fake_kernel_fail("renameat2", 1, EEXIST, FAKE_ONCE);
    fake_kernel_fail("getdents", 1, EIO, FAKE_ONCE);
    bench_assert_refused(it, FK_E_IO);
    assert_int_equal(it->err.system_errno, EIO);
    bench_assert_all_verify(it, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup_at_now, bench_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_save_makes_these_calls_in_this_order),
        TEST(test_the_first_save_makes_font_and_runs_durable_before_the_rename),
        TEST(test_threads_sync_everything_once_and_before_the_rename),
        TEST(test_whichever_sync_of_a_thread_fails_the_store_is_as_it_was),
        TEST(test_without_durability_nothing_is_synced),
        TEST(test_whichever_call_fails_a_save_is_whole_or_not_there),
        TEST(test_whatever_goes_on_failing_a_save_is_whole_or_not_there),
        TEST(test_a_full_disk_or_quota_leaves_the_store_as_it_was),
        TEST(test_a_disk_that_fills_up_under_large_weights_leaves_the_store_as_it_was),
        TEST(test_a_failed_first_save_takes_the_font_away_again),
        TEST(test_after_a_failed_sync_nothing_is_synced_again),
        TEST(test_a_failing_last_sync_is_not_durable_and_says_the_id),
        cmocka_unit_test_setup_teardown(test_ids_that_others_take_first_are_given_up_after_a_while,
                                        setup_in_memory, bench_teardown),
        TEST(test_a_scan_behind_a_taken_id_that_fails_leaves_the_store_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
