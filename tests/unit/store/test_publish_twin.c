/* Where names may not hold ':' a run's directory is the twin of its id, and everything else stays
 * as it is. */
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
#include "tree.h"

#define TWIN_TEXT "2026-01-11T08-30-00.000000"

static void assert_loads(bench *it, const char *run_id, const char *expected) {
    fk_loaded *loaded = NULL;
    assert_int_equal(fk_load_model(it->store, "1-fruity", run_id, NULL, &loaded, &it->err), FK_OK);
    assert_string_equal(fk_loaded_info(loaded)->run_id, expected);
    assert_int_equal(fk_loaded_info(loaded)->health, FK_COMPLETE);
    assert_int_equal(fk_loaded_info(loaded)->problem_count, 0);
    fk_loaded_destroy(loaded);
}

static void assert_listed(bench *it, const char *const *ids, size_t count) {
    fk_run_list *runs = NULL;
    assert_int_equal(fk_list_runs(it->store, "1-fruity", NULL, &runs, &it->err), FK_OK);
    assert_int_equal(fk_run_list_count(runs), count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(fk_run_list_at(runs, i)->run_id, ids[i]);
        assert_int_equal(fk_run_list_at(runs, i)->health, FK_COMPLETE);
    }
    fk_run_list_destroy(runs);
}

static void assert_resolves(bench *it, const char *text, const char *expected) {
    fk_run_id id;
    assert_int_equal(fk_resolve_run(it->store, "1-fruity", text, &id, &it->err), FK_OK);
    assert_string_equal(id.text, expected);
}

/* Everything one does with a run, by either name. */
static void check_whole_flow(bench *it) {
    static const char *const ids[] = {NOW_TEXT, NOW_TEXT "-0001"};
    bench_save_well(it, ids[0]);
    bench_save_well(it, ids[1]);
    assert_true(tree_exists(bench_in_runs(it, TWIN_TEXT "/run.json")));
    assert_true(tree_exists(bench_in_runs(it, TWIN_TEXT "-0001/run.json")));
    assert_int_equal(tree_count(bench_in_runs(it, ""), "", NULL), 2);
    assert_listed(it, ids, 2);
    assert_loads(it, NOW_TEXT, NOW_TEXT);
    assert_loads(it, TWIN_TEXT, NOW_TEXT);
    assert_loads(it, NULL, NOW_TEXT "-0001");
    assert_loads(it, "latest", NOW_TEXT "-0001");
    assert_resolves(it, TWIN_TEXT "-0001", NOW_TEXT "-0001");
    assert_resolves(it, NOW_TEXT "-0001", NOW_TEXT "-0001");
    assert_resolves(it, "latest", NOW_TEXT "-0001");
    bench_assert_all_verify(it, 2);
    char *out = tree_create();
    fk_run_info *info = NULL;
    assert_int_equal(
        fk_copy_run(it->store, "1-fruity", TWIN_TEXT, out, NULL, NULL, &info, &it->err), FK_OK);
    assert_string_equal(info->run_id, NOW_TEXT);
    fk_run_info_destroy(info);
    tree_destroy(out);
    fk_store_report *report = NULL;
    assert_int_equal(fk_status(it->store, &report, &it->err), FK_OK);
    assert_int_equal(report->runs, 2);
    assert_int_equal(report->stranger_count, 0);
    fk_store_report_destroy(report);
    bench_reopen(it, NULL); /* finds the newest from twins */
    bench_save_well(it, NOW_TEXT "-0002");
}

static void test_all_goes_by_the_twin_where_colons_are_refused_with_einval(void **state) {
    fake_kernel_refuse_colons(EINVAL);
    check_whole_flow(*state);
}

static void test_all_goes_by_the_twin_where_colons_are_refused_with_eilseq(void **state) {
    fake_kernel_refuse_colons(EILSEQ);
    check_whole_flow(*state);
}

static void test_without_renameat2_the_twin_is_published_too(void **state) {
    fake_kernel_refuse_colons(EINVAL);
    fake_kernel_fail("renameat2", 1, EINVAL, FAKE_EVER_AFTER);
    check_whole_flow(*state);
}

/* A store that moved from one file system to another holds both kinds of names. */
static void test_twins_and_plain_names_live_in_one_history(void **state) {
    bench *it = *state;
    static const char *const ids[] = {NOW_TEXT, NOW_TEXT "-0001", NOW_TEXT "-0002",
                                      NOW_TEXT "-0003"};
    bench_save_well(it, ids[0]);
    fake_kernel_refuse_colons(EINVAL);
    bench_reopen(it, NULL);
    assert_int_equal(rename(bench_in_runs(it, NOW_TEXT), bench_in_runs(it, TWIN_TEXT)), 0);
    bench_save_well(it, ids[1]);
    fake_kernel_refuse_colons(0);
    bench_reopen(it, NULL);
    bench_save_well(it, ids[2]);
    bench_save_well(it, ids[3]);
    assert_true(tree_exists(bench_in_runs(it, TWIN_TEXT "-0001")));
    assert_true(tree_exists(bench_in_runs(it, NOW_TEXT "-0002")));
    assert_listed(it, ids, 4);
    assert_loads(it, TWIN_TEXT "-0002", NOW_TEXT "-0002");
    assert_loads(it, NOW_TEXT "-0001", NOW_TEXT "-0001");
    assert_loads(it, NULL, NOW_TEXT "-0003");
    bench_assert_all_verify(it, 4);
}

/* A trashed twin is an id that was given, too. */
static void test_the_twin_of_a_trashed_run_is_not_given_again(void **state) {
    bench *it = *state;
    fake_kernel_refuse_colons(EINVAL);
    bench_save_well(it, NOW_TEXT);
    assert_int_equal(
        rename(bench_in_runs(it, TWIN_TEXT), bench_in_runs(it, ".trash-" TWIN_TEXT ".1")), 0);
    bench_reopen(it, NULL);
    bench_save_well(it, NOW_TEXT "-0001");
}

static void test_a_twin_goes_to_the_trash_and_comes_back(void **state) {
    bench *it = *state;
    fk_trash_entry entry;
    fk_trash_list *trash = NULL;
    fk_recovery *recovery = NULL;
    fake_kernel_refuse_colons(EINVAL);
    bench_save_well(it, NOW_TEXT);
    assert_int_equal(fk_rm(it->store, "1-fruity", NOW_TEXT, &entry, &it->err), FK_OK);
    assert_int_equal(fk_trash(it->store, &trash, &it->err), FK_OK);
    assert_int_equal(fk_trash_list_count(trash), 1);
    fk_trash_list_destroy(trash);
    assert_int_equal(fk_recover(it->store, &recovery, &it->err), FK_OK);
    assert_int_equal(recovery->removed_count, 0);
    fk_recovery_destroy(recovery);
    assert_int_equal(fk_restore(it->store, entry.trash_id, &entry, &it->err), FK_OK);
    assert_loads(it, NULL, NOW_TEXT);
    assert_int_equal(fk_rm(it->store, "1-fruity", NOW_TEXT, &entry, &it->err), FK_OK);
    assert_int_equal(fk_purge(it->store, entry.trash_id, &trash, &it->err), FK_OK);
    assert_int_equal(fk_trash_list_count(trash), 1);
    fk_trash_list_destroy(trash);
}

static bench *taker;

static void take_the_twin(void *user) {
    (void)user;
    assert_int_equal(mkdir(bench_in_runs(taker, TWIN_TEXT), 0777), 0);
    tree_write(bench_in_runs(taker, TWIN_TEXT "/weights"), "x", 1);
}

static void test_a_taken_twin_takes_the_next_id(void **state) {
    bench *it = *state;
    taker = it;
    fake_kernel_refuse_colons(EINVAL);
    assert_int_equal(fk_create_font(it->store, "1-fruity", &it->err), FK_OK);
    fake_kernel_before("renameat2", 1, take_the_twin, NULL);
    bench_save_well(it, NOW_TEXT "-0001");
    assert_true(tree_exists(bench_in_runs(it, TWIN_TEXT "-0001/run.json")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup_at_now, bench_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_all_goes_by_the_twin_where_colons_are_refused_with_einval),
        TEST(test_all_goes_by_the_twin_where_colons_are_refused_with_eilseq),
        TEST(test_without_renameat2_the_twin_is_published_too),
        TEST(test_twins_and_plain_names_live_in_one_history),
        TEST(test_the_twin_of_a_trashed_run_is_not_given_again),
        TEST(test_a_twin_goes_to_the_trash_and_comes_back),
        TEST(test_a_taken_twin_takes_the_next_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
