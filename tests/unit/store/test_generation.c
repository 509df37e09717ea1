/* New generations: the order of calls, what is carried over, who comes in between, and the way
 * back. */
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
#include "regenerate.h"
#include "store/change/generation.h"
#include "tree.h"

static bool share_weights(bench *it, const char *one, const char *other) {
    struct stat a;
    struct stat b;
    char path[256];
    snprintf(path, sizeof path, "%s/weights", one);
    assert_int_equal(stat(bench_in_runs(it, path), &a), 0);
    snprintf(path, sizeof path, "%s/weights", other);
    assert_int_equal(stat(bench_in_runs(it, path), &b), 0);
    return a.st_ino == b.st_ino;
}

/* ---- the order of calls ------------------------------------------------------------------- */

static void test_a_generation_makes_these_calls_in_this_order(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    fake_kernel_record_clear();
    assert_int_equal(bench_regenerate(it), FK_OK);
    char *record = bench_record_without_chance();
    const char *steps[] = {"openat_beneath .stage-R-01-11T08:30:00.000000.lock\n",
                           "mkdirat .stage-R\n",
                           "write sample.png\n",
                           "linkat A.png -> ",
                           "linkat feedback.json -> ",
                           "linkat weights -> ",
                           "write run.json\n",
                           "fsync sample.png\n",
                           "fsync eval-glyphs/A.png\n",
                           "fsync weights\n",
                           "fsync run.json\n",
                           "fsync eval-glyphs\nfsync .stage-R\n"
                           "renameat2 .stage-R -> " ENTRY "\nfsync runs\n"
                           "renameat2 " ENTRY " -> " RUN "\nfsync runs\n",
                           "unlinkat .stage-"};
    const char *at = record;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        const char *found = strstr(at, steps[i]);
        if (found == NULL) {
            fail_msg("no '%s' behind the step before in\n%s", steps[i], record);
        }
        at = found;
    }
    free(record);
    assert_int_equal(bench_generation(it, RUN), 2);
    assert_true(share_weights(it, RUN, ENTRY));
    bench_assert_trash(it, "2");
    bench_assert_all_verify(it, 1);
    bench_recover(it, 0, 0);
}

static void test_numbers_rise_and_each_generation_before_stays_in_the_trash(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    for (uint64_t generation = 2; generation < 5; generation++) {
        assert_int_equal(bench_regenerate(it), FK_OK);
        assert_int_equal(bench_generation(it, "latest"), generation);
    }
    bench_assert_trash(it, "2, 3, 4");
    bench_recover(it, 0, 0);
    bench_assert_trash(it, "2, 3, 4");
}

static void test_without_durability_nothing_is_synced(void **state) {
    bench *it = *state;
    const fk_store_options options = {.size = sizeof options, .durability = FK_DURABILITY_NONE};
    bench_reopen(it, &options);
    bench_save_well(it, RUN);
    assert_int_equal(bench_regenerate(it), FK_OK);
    assert_int_equal(fake_kernel_count("fsync"), 0);
    bench_assert_all_verify(it, 1);
}

/* ---- what is carried over ----------------------------------------------------------------- */

static void test_files_that_cannot_be_linked_are_copied(void **state) {
    bench *it = *state;
    static const int reasons[] = {EXDEV, EPERM, EMLINK, EOPNOTSUPP};
    bench_save_well(it, RUN);
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        fake_kernel_fail("linkat", 1, reasons[i], FAKE_EVER_AFTER);
        assert_int_equal(bench_regenerate(it), FK_OK);
        fake_kernel_relent();
    }
    assert_false(share_weights(it, RUN, ENTRY));
    bench_assert_all_verify(it, 1);
    fake_kernel_fail("linkat", 1, EIO, FAKE_ONCE);
    assert_int_equal(bench_regenerate(it), FK_E_IO);
}

static void test_damage_is_not_vouched_for_anew(void **state) {
    bench *it = *state;
    fk_run_list *runs = NULL;
    bench_save_well(it, RUN);
    tree_write(bench_in_runs(it, RUN "/feedback.json"), "{}", 2);
    assert_int_equal(unlink(bench_in_runs(it, RUN "/eval-glyphs/A.png")), 0);
    assert_int_equal(bench_regenerate(it), FK_OK);
    assert_int_equal(fk_verify(it->store, NULL, NULL, NULL, NULL, &runs, &it->err), FK_OK);
    const fk_run_info *info = fk_run_list_at(runs, 0);
    assert_int_equal(info->health, FK_CORRUPT);
    assert_int_equal(info->problem_count, 2);
    assert_string_equal(info->problems[0].path, "eval-glyphs/A.png");
    assert_string_equal(info->problems[1].path, "feedback.json");
    fk_run_list_destroy(runs);
}

static void test_strangers_come_along_and_what_the_manifest_says_stays(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    tree_write(bench_in_runs(it, RUN "/notes.txt"), "mine", 4);
    assert_int_equal(symlink("/etc/passwd", bench_in_runs(it, RUN "/link")), 0);
    assert_int_equal(bench_regenerate(it), FK_OK);
    assert_true(tree_exists(bench_in_runs(it, RUN "/notes.txt")));
    assert_false(tree_exists(bench_in_runs(it, RUN "/link")));
    size_t length = 0;
    char *old = tree_read(bench_in_runs(it, ENTRY "/run.json"), &length);
    char *fresh = tree_read(bench_in_runs(it, RUN "/run.json"), &length);
    const char *same[] = {"\"status\"",  "\"started_at\"",  "\"ended_at\"",       "\"training\"",
                          "\"metrics\"", "\"personality\"", "\"weights_version\""};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        const char *a = strstr(old, same[i]);
        const char *b = strstr(fresh, same[i]);
        assert_non_null(a);
        assert_non_null(b);
        assert_memory_equal(a, b, strcspn(a, "\n"));
    }
    free(old);
    free(fresh);
}

static void test_a_run_whose_manifest_cannot_be_used_is_refused(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    tree_write(bench_in_runs(it, RUN "/run.json"), "{", 1);
    char *before = tree_listing(it->path, true);
    assert_int_equal(bench_regenerate(it), FK_E_CORRUPT);
    char *after = tree_listing(it->path, true);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

/* ---- others ------------------------------------------------------------------------------- */

static void put_another_in_place(void *user) {
    bench *it = user;
    assert_int_equal(rename(bench_in_runs(it, RUN), bench_in_runs(it, "mine")), 0);
    assert_int_equal(mkdir(bench_in_runs(it, RUN), 0777), 0);
    tree_write(bench_in_runs(it, RUN "/weights"), "other", 5);
}

static void test_a_run_that_somebody_replaced_meanwhile_is_left_alone(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    fake_kernel_before("renameat2", 2, put_another_in_place, it);
    assert_int_equal(bench_regenerate(it), FK_E_BUSY);
    size_t length = 0;
    char *text = tree_read(bench_in_runs(it, RUN "/weights"), &length);
    assert_string_equal(text, "other");
    free(text);
    assert_int_equal(tree_count(bench_in_runs(it, ""), ".trash-", NULL), 0);
    assert_int_equal(tree_count(bench_in_runs(it, ""), ".stage-", NULL), 0);
}

/* The new generation stands where the other one stood, and nothing says that all is well. */
static void test_one_that_cannot_be_put_back_is_told(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    fake_kernel_before("renameat2", 2, put_another_in_place, it);
    fake_kernel_fail("renameat2", 3, EIO, FAKE_ONCE);
    assert_int_equal(bench_regenerate(it), FK_E_NOT_DURABLE);
    assert_non_null(strstr(it->err.message, "another process"));
    assert_non_null(strstr(it->err.message, "cannot be put back: it is '" ENTRY "' now"));
    assert_null(strstr(it->err.message, "sync"));
    size_t length = 0;
    char *text = tree_read(bench_in_runs(it, ENTRY "/weights"), &length);
    assert_string_equal(text, "other");
    free(text);
    assert_int_equal(bench_generation(it, RUN), 2);
}

static void test_one_that_can_neither_be_looked_at_nor_put_back_is_told(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    fk_code code = FK_OK;
    for (size_t nth = 1; code != FK_E_NOT_DURABLE; nth++) {
        assert_true(nth < 100);
        fake_kernel_fail("fstatat", nth, EIO, FAKE_ONCE);
        fake_kernel_fail("renameat2", 3, EIO, FAKE_ONCE);
        code = bench_regenerate(it);
        fake_kernel_relent();
    }
    assert_non_null(strstr(it->err.message, "can neither be looked at"));
    assert_non_null(strstr(it->err.message, "Input/output error"));
    bench_assert_all_verify(it, 1);
}

static void remove_the_run(void *user) {
    bench *it = user;
    assert_int_equal(rename(bench_in_runs(it, RUN), bench_in_runs(it, ".trash-" RUN ".1")), 0);
}

static void test_a_run_that_was_removed_meanwhile_stays_removed(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    fake_kernel_before("renameat2", 2, remove_the_run, it);
    assert_int_equal(bench_regenerate(it), FK_E_RUN_NOT_FOUND);
    assert_false(tree_exists(bench_in_runs(it, RUN)));
    bench_assert_trash(it, "1");
}

static void delete_the_run(void *user) {
    bench *it = user;
    tree_destroy(strdup(bench_in_runs(it, RUN)));
}

/* Before its files are carried over. */
static void test_a_run_that_was_deleted_meanwhile_is_told_by_its_path(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    fake_kernel_before("linkat", 1, delete_the_run, it);
    assert_int_equal(bench_regenerate(it), FK_E_RUN_NOT_FOUND);
    assert_non_null(strstr(it->err.message, "removed meanwhile"));
    assert_string_equal(it->err.path, bench_in_runs(it, RUN));
    assert_int_equal(tree_count(bench_in_runs(it, ""), ".stage-", NULL), 0);
    assert_int_equal(tree_count(bench_in_runs(it, ""), ".trash-", NULL), 0);
}

/* ---- restoring ---------------------------------------------------------------------------- */

static void test_a_replaced_generation_comes_back_as_the_newest(void **state) {
    bench *it = *state;
    fk_trash_entry entry;
    bench_save_well(it, RUN);
    size_t old_sample = bench_sample_bytes(it);
    assert_int_equal(bench_regenerate(it), FK_OK);
    assert_int_not_equal(bench_sample_bytes(it), old_sample);
    assert_int_equal(fk_restore(it->store, "1-fruity/" RUN ".2", &entry, &it->err), FK_OK);
    assert_int_equal(bench_sample_bytes(it), old_sample);
    assert_int_equal(bench_generation(it, RUN), 3);
    bench_assert_trash(it, "3"); /* the one that was there */
    bench_assert_all_verify(it, 1);
    bench_recover(it, 0, 0);
    assert_int_equal(fk_restore(it->store, "1-fruity/" RUN ".3", &entry, &it->err), FK_OK);
    assert_int_not_equal(bench_sample_bytes(it), old_sample);
    assert_int_equal(bench_generation(it, RUN), 4);
    bench_assert_trash(it, "4");
    bench_assert_all_verify(it, 1);
}

static void test_a_generation_without_a_manifest_changes_places_with_the_run(void **state) {
    bench *it = *state;
    fk_trash_entry entry;
    bench_save_well(it, RUN);
    assert_int_equal(bench_regenerate(it), FK_OK);
    assert_int_equal(unlink(bench_in_runs(it, ENTRY "/run.json")), 0);
    assert_int_equal(fk_restore(it->store, "1-fruity/" RUN ".2", &entry, &it->err), FK_OK);
    assert_false(tree_exists(bench_in_runs(it, RUN "/run.json")));
    bench_assert_trash(it, "3"); /* not 2: that is the generation of what is there now */
    bench_recover(it, 0, 0);
    bench_assert_trash(it, "3");
    assert_int_equal(fk_restore(it->store, "1-fruity/" RUN ".3", &entry, &it->err), FK_OK);
    bench_assert_all_verify(it, 1);
}

static void test_a_damaged_run_is_replaced_by_the_generation_before(void **state) {
    bench *it = *state;
    fk_trash_entry entry;
    bench_save_well(it, RUN);
    assert_int_equal(bench_regenerate(it), FK_OK);
    tree_write(bench_in_runs(it, RUN "/run.json"), "{", 1);
    bench_assert_trash(it, "2");
    assert_int_equal(fk_restore(it->store, "1-fruity/" RUN ".2", &entry, &it->err), FK_OK);
    bench_assert_all_verify(it, 1);
    bench_assert_trash(it, "3");
    bench_recover(it, 0, 0);
}

/* Numbers would fall, and the newer one look as if it had never been published. */
static void test_removed_generations_come_back_newest_first(void **state) {
    bench *it = *state;
    fk_trash_entry entry;
    bench_save_well(it, RUN);
    assert_int_equal(bench_regenerate(it), FK_OK);
    assert_int_equal(fk_rm(it->store, "1-fruity", RUN, &entry, &it->err), FK_OK);
    assert_int_equal(fk_restore(it->store, "1-fruity/" RUN ".2", &entry, &it->err), FK_E_INVALID);
    assert_non_null(strstr(it->err.hint, "'1-fruity/" RUN ".3' first"));
    bench_recover(it, 0, 0);
    bench_assert_trash(it, "2, 3");
    assert_int_equal(fk_restore(it->store, "1-fruity/" RUN ".3", &entry, &it->err), FK_OK);
    assert_int_equal(fk_restore(it->store, "1-fruity/" RUN ".2", &entry, &it->err), FK_OK);
    assert_int_equal(bench_generation(it, RUN), 3);
    bench_recover(it, 0, 0);
    bench_assert_trash(it, "3");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup_at_now, bench_teardown)

static void test_a_new_generation_keeps_the_parent(void **state) {
    bench *it = *state;
    it->sample.metadata.parent_run_id = "2025-12-31T23:59:59.000000";
    bench_save_well(it, RUN);
    assert_int_equal(bench_regenerate(it), FK_OK);
    fk_run_info *info = NULL;
    assert_int_equal(fk_get_run_info(it->store, "1-fruity", RUN, &info, &it->err), FK_OK);
    assert_string_equal(info->parent_run_id, "2025-12-31T23:59:59.000000");
    assert_int_equal(info->generation, 2);
    fk_run_info_destroy(info);
}

static void test_without_durability_a_new_generation_is_not_synced(void **state) {
    bench *it = *state;
    const fk_store_options fast = {.size = sizeof fast, .durability = FK_DURABILITY_NONE};
    bench_reopen(it, &fast);
    bench_save_well(it, RUN);
    size_t syncs = fake_kernel_count("fsync");
    assert_int_equal(bench_regenerate(it), FK_OK);
    assert_int_equal(fake_kernel_count("fsync"), syncs);
    assert_int_equal(bench_generation(it, RUN), 2);
    bench_assert_trash(it, "2");
}

static void test_a_generation_beyond_the_numbers_of_the_trash_takes_the_next_number(void **state) {
    bench *it = *state;
    const uint64_t far = UINT64_C(1) << 40;
    fk_generation *generation = NULL;
    bench_save_well(it, RUN);
    assert_int_equal(fk_generation_create(it->store, "1-fruity", RUN, &generation, &it->err),
                     FK_OK);
    generation->draft->generation = far;
    assert_int_equal(fk_generation_publish(generation, &it->err), FK_OK);
    fk_generation_destroy(generation);
    assert_int_equal(bench_generation(it, RUN), far);
    bench_assert_trash(it, "1");
    bench_assert_all_verify(it, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_generation_makes_these_calls_in_this_order),
        TEST(test_numbers_rise_and_each_generation_before_stays_in_the_trash),
        TEST(test_without_durability_nothing_is_synced),
        TEST(test_files_that_cannot_be_linked_are_copied),
        TEST(test_damage_is_not_vouched_for_anew),
        TEST(test_strangers_come_along_and_what_the_manifest_says_stays),
        TEST(test_a_run_whose_manifest_cannot_be_used_is_refused),
        TEST(test_a_run_that_somebody_replaced_meanwhile_is_left_alone),
        TEST(test_one_that_cannot_be_put_back_is_told),
        TEST(test_one_that_can_neither_be_looked_at_nor_put_back_is_told),
        TEST(test_a_run_that_was_removed_meanwhile_stays_removed),
        TEST(test_a_run_that_was_deleted_meanwhile_is_told_by_its_path),
        TEST(test_a_replaced_generation_comes_back_as_the_newest),
        TEST(test_a_generation_without_a_manifest_changes_places_with_the_run),
        TEST(test_a_damaged_run_is_replaced_by_the_generation_before),
        TEST(test_removed_generations_come_back_newest_first),
        TEST(test_a_new_generation_keeps_the_parent),
        TEST(test_a_generation_beyond_the_numbers_of_the_trash_takes_the_next_number),
        TEST(test_without_durability_a_new_generation_is_not_synced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
