/* Removal with a way back: what rm, trash, restore and purge do, call by call, and what is left
 * when a call fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "fake_kernel.h"
#include "fontkeep/fontkeep.h"
#include "tree.h"

#define SECOND NOW_TEXT "-0001"

static fk_trash_entry entry; /* what the last call gave */

static fk_code rm(bench *it, const char *run_id) {
    memset(&entry, 0, sizeof entry);
    return fk_rm(it->store, "1-fruity", run_id, &entry, &it->err);
}

static fk_code restore(bench *it, const char *trash_id) {
    char id[FK_TRASH_ID_BYTES * 4]; /* it may be that of `entry` */
    snprintf(id, sizeof id, "%s", trash_id);
    memset(&entry, 0, sizeof entry);
    return fk_restore(it->store, id, &entry, &it->err);
}

static size_t trash_count(bench *it) {
    fk_trash_list *trash = NULL;
    assert_int_equal(fk_trash(it->store, &trash, &it->err), FK_OK);
    size_t count = fk_trash_list_count(trash);
    fk_trash_list_destroy(trash);
    return count;
}

/* ---- calls -------------------------------------------------------------------------------- */

static void test_removing_a_run_makes_these_calls_in_this_order(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    fake_kernel_record_clear();
    assert_int_equal(rm(it, NOW_TEXT), FK_OK);
    assert_string_equal(fake_kernel_record(), "openat_beneath .stage-" NOW_TEXT ".lock\n"
                                              "set_lock .stage-" NOW_TEXT ".lock\n"
                                              "write .stage-" NOW_TEXT ".lock\n"
                                              "renameat2 " NOW_TEXT " -> .trash-" NOW_TEXT ".1\n"
                                              "fsync runs\n"
                                              "unlinkat .stage-" NOW_TEXT ".lock\n"
                                              "close .stage-" NOW_TEXT ".lock\n");
    assert_string_equal(entry.trash_id, "1-fruity/" NOW_TEXT ".1");
    assert_string_equal(entry.run_id.text, NOW_TEXT);
    fake_kernel_record_clear();
    assert_int_equal(restore(it, entry.trash_id), FK_OK);
    assert_non_null(strstr(fake_kernel_record(),
                           "renameat2 .trash-" NOW_TEXT ".1 -> " NOW_TEXT "\nfsync runs\n"));
    bench_assert_all_verify(it, 1);
}

static void test_a_purge_hides_an_entry_durably_before_it_removes_a_file(void **state) {
    bench *it = *state;
    fk_trash_list *purged = NULL;
    bench_save_well(it, NOW_TEXT);
    assert_int_equal(rm(it, NULL), FK_OK);
    assert_string_equal(entry.trash_id, "1-fruity.1");
    fake_kernel_record_clear();
    assert_int_equal(fk_purge(it->store, "1-fruity.1", &purged, &it->err), FK_OK);
    char *record = bench_record_without_chance();
    const char *hidden = strstr(record, "renameat2 .trash-1-fruity.1 -> .stage-R\nfsync");
    const char *removed = strstr(record, "unlinkat ");
    assert_non_null(hidden);
    assert_true(hidden < removed);
    assert_non_null(strstr(record, "unlinkat .stage-R\nunlinkat .stage-R.lock\n"));
    free(record);
    assert_int_equal(fk_trash_list_count(purged), 1);
    assert_string_equal(fk_trash_list_at(purged, 0)->trash_id, "1-fruity.1");
    assert_true(fk_trash_list_at(purged, 0)->bytes == entry.bytes && entry.bytes > 4000);
    assert_null(fk_trash_list_at(purged, 1));
    fk_trash_list_destroy(purged);
    assert_int_equal(tree_count(it->path, ".trash", NULL), 0);
    assert_int_equal(tree_count(it->path, ".stage", NULL), 0);
}

static void test_without_durability_nothing_is_synced(void **state) {
    bench *it = *state;
    const fk_store_options options = {.size = sizeof options, .durability = FK_DURABILITY_NONE};
    fk_trash_list *purged = NULL;
    bench_reopen(it, &options);
    bench_save_well(it, NOW_TEXT);
    assert_int_equal(rm(it, "latest"), FK_OK);
    assert_int_equal(restore(it, "1-fruity/" NOW_TEXT ".1"), FK_OK);
    assert_int_equal(rm(it, NULL), FK_OK);
    assert_int_equal(restore(it, "1-fruity.1"), FK_OK);
    assert_int_equal(rm(it, NULL), FK_OK);
    assert_int_equal(fk_purge(it->store, NULL, &purged, &it->err), FK_OK);
    fk_trash_list_destroy(purged);
    assert_int_equal(fake_kernel_count("fsync"), 0);
}

/* ---- names -------------------------------------------------------------------------------- */

static void test_each_removal_gets_the_number_above_all_in_use(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    assert_int_equal(mkdir(bench_in_runs(it, ".trash-" NOW_TEXT ".7"), 0777), 0);
    assert_int_equal(mkdir(bench_in_runs(it, ".trash-2026-01-11T08-30-00.000000.9"), 0777), 0);
    assert_int_equal(mkdir(bench_in_runs(it, ".trash-" NOW_TEXT ".010"), 0777), 0);
    assert_int_equal(mkdir(bench_in_runs(it, ".trash-" SECOND ".50"), 0777), 0);
    assert_int_equal(rm(it, NOW_TEXT), FK_OK);
    assert_string_equal(entry.trash_id, "1-fruity/" NOW_TEXT ".10");
    fk_trash_list *trash = NULL;
    assert_int_equal(fk_trash(it->store, &trash, &it->err), FK_OK);
    assert_int_equal(fk_trash_list_count(trash), 4);
    assert_string_equal(fk_trash_list_at(trash, 0)->trash_id, "1-fruity/" NOW_TEXT ".7");
    assert_string_equal(fk_trash_list_at(trash, 1)->trash_id, "1-fruity/" NOW_TEXT ".9");
    assert_string_equal(fk_trash_list_at(trash, 2)->trash_id, "1-fruity/" NOW_TEXT ".10");
    assert_string_equal(fk_trash_list_at(trash, 3)->trash_id, "1-fruity/" SECOND ".50");
    assert_true(fk_trash_list_at(trash, 2)->removed_at_us > NOW_US);
    fk_trash_list_destroy(trash);
}

static void test_the_last_number_is_the_end(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    assert_int_equal(mkdir(bench_in_runs(it, ".trash-" NOW_TEXT ".999999999"), 0777), 0);
    assert_int_equal(mkdir(bench_in_runs(it, ".trash-" NOW_TEXT ".1000000000"), 0777), 0);
    assert_int_equal(rm(it, NOW_TEXT), FK_E_LIMIT);
    bench_assert_all_verify(it, 1);
}

static void take_number_one(void *user) {
    assert_int_equal(mkdir(bench_in_runs(user, ".trash-" NOW_TEXT ".1"), 0777), 0);
}

static void test_a_number_taken_in_the_last_moment_is_passed_over(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    fake_kernel_before("renameat2", 1, take_number_one, it);
    assert_int_equal(rm(it, NOW_TEXT), FK_OK);
    assert_string_equal(entry.trash_id, "1-fruity/" NOW_TEXT ".2");
}

static void test_a_run_under_its_twin_is_removed_and_restored_under_it(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    assert_int_equal(
        rename(bench_in_runs(it, NOW_TEXT), bench_in_runs(it, "2026-01-11T08-30-00.000000")), 0);
    assert_int_equal(rm(it, NOW_TEXT), FK_OK);
    assert_string_equal(entry.trash_id, "1-fruity/" NOW_TEXT ".1");
    assert_true(tree_exists(bench_in_runs(it, ".trash-2026-01-11T08-30-00.000000.1")));
    assert_int_equal(restore(it, "1-fruity/2026-01-11T08-30-00.000000.1"), FK_OK);
    assert_true(tree_exists(bench_in_runs(it, "2026-01-11T08-30-00.000000")));
}

static void test_what_is_no_trash_id_is_refused(void **state) {
    bench *it = *state;
    static const char *const wrong[] = {"",
                                        "1-fruity",
                                        "1-fruity.",
                                        "1-fruity.0",
                                        "1-fruity.01",
                                        "1-fruity.1x",
                                        "Fruity.1",
                                        "1-fruity/.1",
                                        "1-fruity/2026.1",
                                        "1-fruity/" NOW_TEXT,
                                        "/" NOW_TEXT ".1",
                                        "../1-fruity/" NOW_TEXT ".1",
                                        "1-fruity/../" NOW_TEXT ".1",
                                        "1-fruity.99999999999999999999"};
    fk_trash_list *purged = NULL;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(restore(it, wrong[i]), FK_E_INVALID);
        assert_int_equal(fk_purge(it->store, wrong[i], &purged, &it->err), FK_E_INVALID);
        assert_string_not_equal(it->err.hint, "");
    }
    char long_id[400];
    memset(long_id, '1', sizeof long_id);
    memcpy(long_id + 396, "/.1", 4);
    assert_int_equal(restore(it, long_id), FK_E_INVALID);
}

/* ---- what is not there, or in the way ------------------------------------------------------ */

static void test_what_is_not_there_is_not_found(void **state) {
    bench *it = *state;
    fk_trash_list *purged = NULL;
    assert_int_equal(rm(it, NULL), FK_E_FONT_NOT_FOUND);
    assert_int_equal(rm(it, "latest"), FK_E_FONT_NOT_FOUND);
    bench_save_well(it, NOW_TEXT);
    assert_int_equal(rm(it, SECOND), FK_E_RUN_NOT_FOUND);
    assert_int_equal(restore(it, "1-fruity.1"), FK_E_FONT_NOT_FOUND);
    assert_int_equal(restore(it, "1-fruity/" NOW_TEXT ".1"), FK_E_RUN_NOT_FOUND);
    assert_int_equal(restore(it, "2-dumb/" NOW_TEXT ".1"), FK_E_FONT_NOT_FOUND);
    assert_int_equal(fk_purge(it->store, "1-fruity.1", &purged, &it->err), FK_E_FONT_NOT_FOUND);
    assert_int_equal(fk_purge(it->store, "1-fruity/" NOW_TEXT ".1", &purged, &it->err),
                     FK_E_RUN_NOT_FOUND);
    /* a file of that name is nothing of ours */
    tree_write(bench_in_runs(it, ".trash-" NOW_TEXT ".1"), "x", 1);
    tree_write(bench_in_store(it, ".trash-1-fruity.1"), "x", 1);
    assert_int_equal(restore(it, "1-fruity/" NOW_TEXT ".1"), FK_E_RUN_NOT_FOUND);
    assert_int_equal(restore(it, "1-fruity.1"), FK_E_FONT_NOT_FOUND);
    assert_int_equal(trash_count(it), 0);
}

static void test_a_font_made_again_is_in_the_way_of_the_removed_one(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    assert_int_equal(rm(it, NULL), FK_OK);
    assert_int_equal(fk_create_font(it->store, "1-fruity", &it->err), FK_OK);
    assert_int_equal(restore(it, "1-fruity.1"), FK_E_FONT_EXISTS);
    assert_int_equal(rm(it, NULL), FK_OK);
    assert_string_equal(entry.trash_id, "1-fruity.2");
    assert_int_equal(restore(it, "1-fruity.1"), FK_OK);
    bench_assert_all_verify(it, 1);
}

static void remove_it_first(void *user) {
    assert_int_equal(
        rename(bench_in_runs(user, NOW_TEXT), bench_in_runs(user, ".trash-" NOW_TEXT ".1")), 0);
}

static void restore_it_first(void *user) {
    assert_int_equal(
        rename(bench_in_runs(user, ".trash-" NOW_TEXT ".1"), bench_in_runs(user, NOW_TEXT)), 0);
}

static void test_who_comes_second_is_told(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    fake_kernel_before("set_lock", 1, remove_it_first, it);
    assert_int_equal(rm(it, NOW_TEXT), FK_E_RUN_NOT_FOUND);
    fake_kernel_before("set_lock", 1, restore_it_first, it);
    assert_int_equal(restore(it, "1-fruity/" NOW_TEXT ".1"), FK_E_RUN_NOT_FOUND);
    bench_assert_all_verify(it, 1);
}

static void test_the_lock_of_a_dead_process_is_taken_over(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    tree_write(bench_in_runs(it, ".stage-" NOW_TEXT ".lock"), "{}", 2);
    assert_int_equal(rm(it, NOW_TEXT), FK_OK);
    assert_false(tree_exists(bench_in_runs(it, ".stage-" NOW_TEXT ".lock")));
}

static void test_a_run_that_another_process_changes_is_busy(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    tree_write(bench_in_runs(it, ".stage-" NOW_TEXT ".lock"), "{}", 2);
    fake_kernel_fail("set_lock", 1, EAGAIN, FAKE_EVER_AFTER);
    assert_int_equal(rm(it, NOW_TEXT), FK_E_BUSY);
    assert_int_equal(fake_kernel_slept_ms(), 50 + 100 + 200);
    fake_kernel_relent();
    assert_true(tree_exists(bench_in_runs(it, ".stage-" NOW_TEXT ".lock")));
    /* where there are no locks, checks alone must do */
    fake_kernel_fail("set_lock", 1, ENOLCK, FAKE_EVER_AFTER);
    assert_int_equal(rm(it, NOW_TEXT), FK_OK);
}

static void test_trash_is_no_run_and_its_ids_are_not_given_again(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    bench_save_well(it, SECOND);
    assert_int_equal(rm(it, "latest"), FK_OK);
    bench_assert_all_verify(it, 1);
    bench_save_well(it, NOW_TEXT "-0002");
    bench_reopen(it, NULL);
    assert_int_equal(rm(it, NOW_TEXT "-0002"), FK_OK);
    bench_save_well(it, NOW_TEXT "-0003");
    fk_store_report *report = NULL;
    assert_int_equal(fk_status(it->store, &report, &it->err), FK_OK);
    assert_true(report->trash_bytes > 8000);
    assert_int_equal(report->stranger_count, 0);
    fk_store_report_destroy(report);
}

static void test_a_damaged_run_can_be_removed_and_comes_back_as_it_was(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    tree_write(bench_in_runs(it, NOW_TEXT "/run.json"), "{", 1);
    assert_int_equal(unlink(bench_in_runs(it, NOW_TEXT "/weights")), 0);
    char *before = tree_listing(it->path, true);
    assert_int_equal(rm(it, NOW_TEXT), FK_OK);
    assert_int_equal(trash_count(it), 1);
    assert_int_equal(restore(it, entry.trash_id), FK_OK);
    char *after = tree_listing(it->path, true);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

/* ---- bytes -------------------------------------------------------------------------------- */

static void test_bytes_held_elsewhere_are_freed_by_the_last_purge(void **state) {
    bench *it = *state;
    fk_trash_list *purged = NULL;
    bench_save_well(it, NOW_TEXT);
    bench_save_well(it, SECOND);
    assert_int_equal(unlink(bench_in_runs(it, SECOND "/weights")), 0);
    assert_int_equal(
        link(bench_in_runs(it, NOW_TEXT "/weights"), bench_in_runs(it, SECOND "/weights")), 0);
    struct stat weights;
    assert_int_equal(stat(bench_in_runs(it, NOW_TEXT "/weights"), &weights), 0);
    assert_int_equal(rm(it, NOW_TEXT), FK_OK);
    uint64_t first = entry.bytes;
    assert_int_equal(rm(it, SECOND), FK_OK);
    assert_true(first < (uint64_t)weights.st_size && entry.bytes < (uint64_t)weights.st_size);
    fk_store_report *report = NULL;
    assert_int_equal(fk_status(it->store, &report, &it->err), FK_OK);
    assert_int_equal(report->trash_bytes, first + entry.bytes + (uint64_t)weights.st_size);
    assert_int_equal(fk_purge(it->store, NULL, &purged, &it->err), FK_OK);
    assert_int_equal(fk_trash_list_at(purged, 0)->bytes + fk_trash_list_at(purged, 1)->bytes,
                     report->trash_bytes);
    fk_trash_list_destroy(purged);
    fk_store_report_destroy(report);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup_at_now, bench_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_removing_a_run_makes_these_calls_in_this_order),
        TEST(test_a_purge_hides_an_entry_durably_before_it_removes_a_file),
        TEST(test_without_durability_nothing_is_synced),
        TEST(test_each_removal_gets_the_number_above_all_in_use),
        TEST(test_the_last_number_is_the_end),
        TEST(test_a_number_taken_in_the_last_moment_is_passed_over),
        TEST(test_a_run_under_its_twin_is_removed_and_restored_under_it),
        TEST(test_what_is_no_trash_id_is_refused),
        TEST(test_what_is_not_there_is_not_found),
        TEST(test_a_font_made_again_is_in_the_way_of_the_removed_one),
        TEST(test_who_comes_second_is_told),
        TEST(test_the_lock_of_a_dead_process_is_taken_over),
        TEST(test_a_run_that_another_process_changes_is_busy),
        TEST(test_trash_is_no_run_and_its_ids_are_not_given_again),
        TEST(test_a_damaged_run_can_be_removed_and_comes_back_as_it_was),
        TEST(test_bytes_held_elsewhere_are_freed_by_the_last_purge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
