/* Run ids: rising, never given twice, taken by others, refused by the file system. */
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

/* ---- ids ---------------------------------------------------------------------------------- */

static void test_a_clock_that_stands_or_goes_back_still_gives_rising_ids(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    bench_save_well(it, NOW_TEXT "-0001");
    fake_kernel_set_time(NOW_US - INT64_C(3600000000));
    bench_save_well(it, NOW_TEXT "-0002");
    fake_kernel_set_time(NOW_US + 1);
    bench_save_well(it, "2026-01-11T08:30:00.000001");
    bench_reopen(it, NULL);
    fake_kernel_set_time(NOW_US);
    bench_save_well(it, "2026-01-11T08:30:00.000001-0001");
    bench_assert_all_verify(it, 5);
}

static void test_behind_9999_the_instant_moves_on(void **state) {
    bench *it = *state;
    assert_int_equal(fk_create_font(it->store, "1-fruity", NULL), FK_OK);
    assert_int_equal(mkdir(bench_in_runs(it, NOW_TEXT "-9999"), 0777), 0);
    bench_save_well(it, "2026-01-11T08:30:00.000001");
}

static void test_trashed_runs_keep_their_ids(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    assert_int_equal(
        rename(bench_in_runs(it, NOW_TEXT), bench_in_runs(it, ".trash-" NOW_TEXT ".1")), 0);
    bench_reopen(it, NULL);
    bench_save_well(it, NOW_TEXT "-0001");
}

static bench *taker;

static void take_the_id(void *user) {
    const char *name = user;
    assert_int_equal(mkdir(bench_in_runs(taker, name), 0777), 0);
    char path[512];
    snprintf(path, sizeof path, "%s/weights", name);
    tree_write(bench_in_runs(taker, path), "x", 1);
}

static void test_a_taken_id_takes_the_next_from_a_fresh_scan(void **state) {
    bench *it = *state;
    taker = it;
    bench_save_well(it, NOW_TEXT);
    fake_kernel_record_clear();
    char taken[] = NOW_TEXT "-0001";
    fake_kernel_before("renameat2", 1, take_the_id, taken);
    bench_save_well(it, NOW_TEXT "-0002");
    char *record = bench_record_without_chance();
    assert_non_null(strstr(record, "renameat2 .stage-R -> " NOW_TEXT "-0001 (EEXIST)\n"
                                   "unlinkat run.json\n"
                                   "openat_beneath run.json\n"
                                   "write run.json\n"
                                   "sync_file_range run.json\n"
                                   "fsync run.json\n"
                                   "close run.json\n"
                                   "fsync .stage-R\n"
                                   "renameat2 .stage-R -> " NOW_TEXT "-0002\n"
                                   "fsync runs\n"));
    free(record);
    /* the manifest names the id that it got */
    fk_run_info *info = NULL;
    assert_int_equal(fk_get_run_info(it->store, "1-fruity", it->id.text, &info, &it->err), FK_OK);
    assert_string_equal(info->run_id, NOW_TEXT "-0002");
    assert_int_equal(info->health, FK_COMPLETE);
    fk_run_info_destroy(info);
}

static void take_by_a_file(void *user) {
    (void)user;
    tree_write(bench_in_runs(taker, NOW_TEXT), "x", 1);
}

static void test_a_file_of_that_name_takes_the_id_too(void **state) {
    bench *it = *state;
    taker = it;
    assert_int_equal(fk_create_font(it->store, "1-fruity", NULL), FK_OK);
    fake_kernel_before("renameat2", 1, take_by_a_file, NULL);
    bench_save_well(it, NOW_TEXT "-0001");
}

static void test_the_second_manifest_may_fail_as_well(void **state) {
    bench *it = *state;
    taker = it;
    bench_save_well(it, NOW_TEXT);
    char taken[] = NOW_TEXT "-0001";
    fake_kernel_before("renameat2", 1, take_the_id, taken);
    fake_kernel_fail("unlinkat", 1, EIO, FAKE_ONCE);
    assert_int_equal(bench_save(it), FK_E_IO);
    assert_int_equal(tree_count(bench_in_runs(it, ""), ".stage-", NULL), 0);
}

static void test_a_rename_whose_answer_got_lost_is_a_success(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    fake_kernel_fail_after("renameat2", 1, EIO);
    bench_save_well(it, NOW_TEXT "-0001");
    bench_assert_all_verify(it, 2);
}

static void test_without_renameat2_a_run_is_published_by_plain_rename(void **state) {
    bench *it = *state;
    fake_kernel_fail("renameat2", 1, EINVAL, FAKE_EVER_AFTER);
    bench_save_well(it, NOW_TEXT);
    taker = it;
    char taken[] = NOW_TEXT "-0001";
    fake_kernel_before("renameat", 1, take_the_id, taken);
    bench_save_well(it, NOW_TEXT "-0002");
}

static void test_runs_is_scanned_again_only_when_somebody_else_changed_it(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    bench_save_well(it, NOW_TEXT "-0001");
    size_t scans = fake_kernel_count("getdents");
    bench_save_well(it, NOW_TEXT "-0002");
    bench_save_well(it, NOW_TEXT "-0003");
    assert_int_equal(fake_kernel_count("getdents"), scans);
    assert_int_equal(mkdir(bench_in_runs(it, NOW_TEXT "-0007"), 0777), 0);
    bench_save_well(it, NOW_TEXT "-0008");
    assert_true(fake_kernel_count("getdents") > scans);
}

static void test_a_run_that_comes_in_while_a_draft_is_open_counts(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    fk_draft *draft = NULL;
    it->sample.metadata.status = FK_FAILED;
    assert_int_equal(fk_draft_create(it->store, "1-fruity", &it->sample.metadata, &draft, &it->err),
                     FK_OK);
    assert_int_equal(mkdir(bench_in_runs(it, NOW_TEXT "-0005"), 0777), 0);
    assert_int_equal(fk_draft_commit(draft, &it->id, &it->err), FK_OK);
    assert_string_equal(it->id.text, NOW_TEXT "-0006");
    fk_draft_destroy(draft);
}

/* ---- names -------------------------------------------------------------------------------- */

static void test_where_colons_are_refused_the_directory_is_the_twin(void **state) {
    bench *it = *state;
    assert_int_equal(fk_create_font(it->store, "1-fruity", NULL), FK_OK);
    fake_kernel_record_clear();
    /* root, font, runs/, then the probe */
    fake_kernel_fail("openat_beneath", 3, EINVAL, FAKE_ONCE);
    bench_save_well(it, NOW_TEXT);
    char *record = bench_record_without_chance();
    assert_int_equal(strncmp(record, "openat_beneath .stage-R:.lock (EINVAL)\n", 39), 0);
    free(record);
    assert_true(tree_exists(bench_in_runs(it, "2026-01-11T08-30-00.000000")));
    assert_false(tree_exists(bench_in_runs(it, NOW_TEXT)));
    bench_save_well(it, NOW_TEXT "-0001");
    assert_true(tree_exists(bench_in_runs(it, "2026-01-11T08-30-00.000000-0001")));
    bench_assert_all_verify(it, 2);
}

static void test_a_probe_that_fails_otherwise_fails_the_save(void **state) {
    bench *it = *state;
    assert_int_equal(fk_create_font(it->store, "1-fruity", NULL), FK_OK);
    fake_kernel_fail("openat_beneath", 3, ENOSPC, FAKE_ONCE);
    assert_int_equal(bench_save(it), FK_E_NO_SPACE);
    assert_int_equal(tree_count(bench_in_runs(it, ""), "", NULL), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup_at_now, bench_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_clock_that_stands_or_goes_back_still_gives_rising_ids),
        TEST(test_behind_9999_the_instant_moves_on),
        TEST(test_trashed_runs_keep_their_ids),
        TEST(test_a_taken_id_takes_the_next_from_a_fresh_scan),
        TEST(test_a_file_of_that_name_takes_the_id_too),
        TEST(test_the_second_manifest_may_fail_as_well),
        TEST(test_a_rename_whose_answer_got_lost_is_a_success),
        TEST(test_without_renameat2_a_run_is_published_by_plain_rename),
        TEST(test_runs_is_scanned_again_only_when_somebody_else_changed_it),
        TEST(test_a_run_that_comes_in_while_a_draft_is_open_counts),
        TEST(test_where_colons_are_refused_the_directory_is_the_twin),
        TEST(test_a_probe_that_fails_otherwise_fails_the_save),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
