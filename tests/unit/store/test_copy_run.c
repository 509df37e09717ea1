/* Verified copies of runs. */
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

#include "fake_kernel.h"
#include "make_run.h"
#include "progress.h"
#include "tree.h"

/* A place outside the store's fonts, removed with it. */
static const char *target(run_bench *it) {
    static char path[512];
    snprintf(path, sizeof path, "%s/.out/copy", it->path);
    return path;
}

static fk_code copy(run_bench *it, const char *run_id, fk_run_info **ret_info) {
    return fk_copy_run(it->store, RUN_FONT, run_id, target(it), NULL, NULL, ret_info, &it->err);
}

static void assert_nothing_written(run_bench *it) {
    assert_false(tree_exists(target(it)));
}

static void test_a_copy_is_the_run_byte_for_byte(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    fk_run_info *info = NULL;
    assert_int_equal(copy(it, id, &info), FK_OK);
    assert_int_equal(info->health, FK_COMPLETE);
    assert_int_equal(info->problem_count, 0);
    assert_string_equal(info->run_id, id);
    fk_run_info_destroy(info);
    char *run = tree_listing(run_bench_file(it, id, ""), true);
    char *made = tree_listing(target(it), true);
    assert_string_equal(made, run);
    free(run);
    free(made);
}

static void test_large_files_are_copied_piece_by_piece(void **state) {
    run_bench *it = *state;
    sample_model_finish(&it->sample);
    sample_model_init(&it->sample, 5 << 20);
    const char *id = run_bench_save(it);
    assert_int_equal(copy(it, NULL, NULL), FK_OK);
    char *run = tree_listing(run_bench_file(it, id, ""), true);
    char *made = tree_listing(target(it), true);
    assert_string_equal(made, run);
    free(run);
    free(made);
}

static void test_weights_that_may_not_be_read_are_not_called_damaged(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    /* font, runs/, run, run.json; then what the run holds */
    fake_kernel_fail("openat_beneath", 5, EACCES, FAKE_EVER_AFTER);
    assert_int_equal(copy(it, id, NULL), FK_E_ACCESS);
    assert_string_equal(it->err.path, run_bench_file(it, id, "weights"));
    assert_true(it->err.hint[0] != '\0');
    assert_nothing_written(it);
}

static void test_a_directory_that_cannot_be_looked_at_is_left(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    tree_write(tree_path(it->path, ".out"), "x", 1);
    for (int reports = 0; reports < 2; reports++) {
        assert_int_not_equal(fk_copy_run(it->store, RUN_FONT, id, target(it), NULL, NULL, NULL,
                                         reports ? &it->err : NULL),
                             FK_OK);
        assert_false(tree_exists(target(it)));
    }
    assert_non_null(strstr(it->err.path, ".out"));
    assert_int_equal(unlink(tree_path(it->path, ".out")), 0);
    assert_int_equal(mkdir(tree_path(it->path, ".out"), 0777), 0);
    assert_int_equal(mkdir(target(it), 0777), 0);
    size_t listings = fake_kernel_count("getdents");
    assert_int_equal(copy(it, id, NULL), FK_OK);
    listings = fake_kernel_count("getdents") - listings;
    tree_destroy(strdup(target(it)));
    assert_int_equal(mkdir(target(it), 0777), 0);
    /* the target is listed last: once for the names, or a second time for the end */
    size_t failures = 0;
    for (size_t nth = 1; nth <= listings; nth++) {
        fake_kernel_fail("getdents", nth, EIO, FAKE_ONCE);
        if (copy(it, id, NULL) == FK_OK) {
            tree_destroy(strdup(target(it)));
            assert_int_equal(mkdir(target(it), 0777), 0);
        } else {
            failures++;
        }
        fake_kernel_relent();
        char *made = tree_listing(target(it), false);
        assert_string_equal(made, "");
        free(made);
    }
    assert_true(failures > 0);
}

static void test_files_of_other_subdirectories_are_not_copied(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    assert_int_equal(mkdir(run_bench_file(it, id, "eval-a"), 0777), 0);
    assert_int_equal(
        rename(run_bench_file(it, id, "eval-glyphs/A.png"), run_bench_file(it, id, "eval-a/A.png")),
        0);
    run_damage_rewrite(it, id, "eval-glyphs/A.png", "eval-a/A.png");
    run_damage_rewrite(it, id, "\"glyphs\": 2", "\"glyphs\": 1");
    assert_int_equal(copy(it, id, NULL), FK_OK);
    char *made = tree_listing(target(it), false);
    assert_null(strstr(made, "eval-a"));
    assert_non_null(strstr(made, "weights"));
    free(made);
}

static void test_a_run_by_hand_without_weights_is_not_copied(void **state) {
    run_bench *it = *state;
    static const char hand[] = "2026-02-01T00:00:00.000000";
    run_bench_make_unverified(it, run_bench_save(it), hand, "weights");
    assert_int_equal(unlink(run_bench_file(it, hand, "weights")), 0);
    assert_int_equal(unlink(run_bench_file(it, hand, "feedback.json")), 0);
    assert_int_equal(copy(it, hand, NULL), FK_E_INCOMPLETE);
    assert_nothing_written(it);
    fk_run *run = NULL;
    void *bytes = NULL;
    size_t length = 0;
    assert_int_equal(fk_run_open(it->store, RUN_FONT, hand, &run, &it->err), FK_OK);
    assert_int_equal(fk_run_read_file(run, "feedback.json", &bytes, &length, &it->err),
                     FK_E_INCOMPLETE);
    assert_non_null(strstr(it->err.message, "feedback.json"));
    fk_run_close(run);
}

static void test_the_directory_must_be_new_or_empty(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    char parent[512];
    char file[600];
    snprintf(parent, sizeof parent, "%s/.out", it->path);
    assert_int_equal(mkdir(parent, 0777), 0);
    assert_int_equal(mkdir(target(it), 0777), 0);
    snprintf(file, sizeof file, "%s/mine", target(it));
    tree_write(file, "x", 1);
    assert_int_equal(copy(it, NULL, NULL), FK_E_INVALID);
    assert_string_equal(it->err.path, target(it));
    assert_int_equal(unlink(file), 0);
    assert_int_equal(copy(it, NULL, NULL), FK_OK);
    assert_int_equal(fk_copy_run(it->store, RUN_FONT, NULL, file, NULL, NULL, NULL, &it->err),
                     FK_OK);
    snprintf(file, sizeof file, "%s/weights", target(it));
    assert_int_not_equal(fk_copy_run(it->store, RUN_FONT, NULL, file, NULL, NULL, NULL, &it->err),
                         FK_OK);
}

static void test_nothing_is_written_without_manifest_or_weights(void **state) {
    run_bench *it = *state;
    const char *ids[6];
    for (int i = 0; i < 6; i++) {
        ids[i] = run_bench_save(it);
    }
    run_damage_flip(run_bench_file(it, ids[1], "run.json"), 30);
    run_damage_flip(run_bench_file(it, ids[2], "weights"), 1200);
    assert_int_equal(unlink(run_bench_file(it, ids[3], "weights")), 0);
    run_damage_truncate(run_bench_file(it, ids[4], "weights"), 10);
    run_damage_rewrite(it, ids[5], "\"manifest_version\": 1", "\"manifest_version\": 2");
    assert_int_equal(copy(it, ids[1], NULL), FK_E_CORRUPT);
    assert_non_null(strstr(it->err.path, "run.json"));
    assert_non_null(strstr(it->err.hint, ids[0]));
    assert_int_equal(copy(it, ids[2], NULL), FK_E_CORRUPT);
    assert_non_null(strstr(it->err.path, "weights"));
    assert_int_equal(copy(it, ids[3], NULL), FK_E_INCOMPLETE);
    assert_int_equal(copy(it, ids[4], NULL), FK_E_CORRUPT);
    assert_int_equal(copy(it, ids[5], NULL), FK_E_UNSUPPORTED);
    assert_int_equal(copy(it, "2026", NULL), FK_E_RUN_NOT_FOUND);
    it->sample.metadata.status = FK_FAILED;
    it->sample.model =
        (fk_model){.size = sizeof it->sample.model, .metadata = &it->sample.metadata};
    assert_int_equal(copy(it, run_bench_save(it), NULL), FK_E_INCOMPLETE);
    assert_nothing_written(it);
}

static void test_damaged_and_missing_assets_are_left_out_and_named(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    run_damage_flip(run_bench_file(it, id, "sample.png"), 30);
    assert_int_equal(unlink(run_bench_file(it, id, "eval-glyphs/A.png")), 0);
    tree_write(run_bench_file(it, id, "stranger"), "x", 1);
    fk_run_info *info = NULL;
    assert_int_equal(copy(it, id, &info), FK_OK);
    assert_non_null(run_find_problem(info, "digest", "sample.png"));
    assert_non_null(run_find_problem(info, "missing", "eval-glyphs/A.png"));
    fk_run_info_destroy(info);
    char *made = tree_listing(target(it), false);
    assert_string_equal(made, "eval-glyphs/\neval-glyphs/uni00E9.png\nfeedback.json\nrun.json\n"
                              "weights\n");
    free(made);
}

static void test_runs_made_by_hand_are_copied_unverified(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *hand = "2026-02-01T00:00:00.000000";
    run_bench_make_unverified(it, one, hand, "weights.pt");
    assert_int_equal(unlink(run_bench_file(it, hand, "feedback.json")), 0);
    run_damage_link(run_bench_file(it, hand, "sample.png"));
    tree_write(run_bench_file(it, hand, "eval-glyphs/notes.txt"), "x", 1);
    assert_int_equal(mkfifo(run_bench_file(it, hand, "eval-glyphs/B.png"), 0666), 0);
    fk_run_info *info = NULL;
    assert_int_equal(copy(it, hand, &info), FK_OK);
    assert_non_null(run_find_problem(info, "unverified", "run.json"));
    fk_run_info_destroy(info);
    char *made = tree_listing(target(it), false);
    assert_string_equal(made, "eval-glyphs/\neval-glyphs/A.png\nweights.pt\n");
    free(made);
}

static void test_damaged_weights_of_a_run_made_by_hand_are_not_copied(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *hand = "2026-02-01T00:00:00.000000";
    run_bench_make_unverified(it, one, hand, "weights");
    run_damage_truncate(run_bench_file(it, hand, "weights"), 400);
    assert_int_equal(copy(it, hand, NULL), FK_E_CORRUPT);
    tree_write(run_bench_file(it, hand, "weights"), "hello", 5);
    assert_int_equal(copy(it, hand, NULL), FK_E_UNSUPPORTED);
    assert_nothing_written(it);
}

typedef struct late_damage {
    const char *path;
    size_t offset;
} late_damage;

static void damage_late(void *user) {
    const late_damage *late = user;
    run_damage_flip(late->path, late->offset);
}

static void test_a_file_that_changes_behind_the_check_is_not_written(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    late_damage late = {.path = run_bench_file(it, id, "sample.png"), .offset = 30};
    /* the copy makes its directory behind the check */
    fake_kernel_before("mkdirat", 1, damage_late, &late);
    assert_int_equal(copy(it, id, NULL), FK_E_CORRUPT);
    assert_non_null(strstr(it->err.message, "changed"));
    assert_nothing_written(it);
    run_damage_flip(late.path, late.offset);
    assert_int_equal(copy(it, id, NULL), FK_OK);
}

static void test_a_copy_that_fails_leaves_nothing(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    size_t failed = 0;
    const char *const calls[] = {"write", "mkdirat", "openat_beneath", "close"};
    for (size_t c = 0; c < sizeof calls / sizeof calls[0]; c++) {
        for (size_t nth = 1; nth < 40; nth++) {
            fake_kernel_fail(calls[c], nth, ENOSPC, FAKE_ONCE);
            fk_code code = copy(it, id, NULL);
            fake_kernel_relent();
            if (code == FK_OK) {
                tree_destroy(strdup(target(it)));
                continue;
            }
            failed++;
            assert_nothing_written(it);
        }
    }
    assert_true(failed >= 15);
}

static fk_code copy_watched(run_bench *it, progress_seen *seen) {
    return fk_copy_run(it->store, RUN_FONT, NULL, target(it), progress_see, seen, NULL, &it->err);
}

static void test_progress_is_told_and_a_copy_stops_at_every_step(void **state) {
    run_bench *it = *state;
    sample_model_finish(&it->sample);
    sample_model_init(&it->sample, 5 << 20); /* two pieces of weights */
    run_bench_save(it);
    progress_seen seen = {0};
    assert_int_equal(copy_watched(it, &seen), FK_OK);
    assert_int_equal(seen.done, seen.total); /* each byte is checked, then copied */
    assert_true(seen.total > 2 * (20 << 20));
    tree_destroy(strdup(target(it)));
    const uint64_t steps = seen.calls;
    for (uint64_t at = 1; at <= steps; at++) {
        seen = (progress_seen){.stop_at = at};
        fk_code code = copy_watched(it, &seen);
        if (code == FK_OK) { /* threads share the work: the caller's own steps vary in number */
            assert_true(seen.calls < at);
            tree_destroy(strdup(target(it)));
            continue;
        }
        assert_int_equal(code, FK_E_CANCELLED);
        assert_int_equal(seen.calls, at);
        assert_nothing_written(it);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, run_bench_setup, run_bench_teardown)
        T(test_a_copy_is_the_run_byte_for_byte),
        T(test_large_files_are_copied_piece_by_piece),
        T(test_weights_that_may_not_be_read_are_not_called_damaged),
        T(test_a_directory_that_cannot_be_looked_at_is_left),
        T(test_files_of_other_subdirectories_are_not_copied),
        T(test_a_run_by_hand_without_weights_is_not_copied),
        T(test_the_directory_must_be_new_or_empty),
        T(test_nothing_is_written_without_manifest_or_weights),
        T(test_damaged_and_missing_assets_are_left_out_and_named),
        T(test_runs_made_by_hand_are_copied_unverified),
        T(test_damaged_weights_of_a_run_made_by_hand_are_not_copied),
        T(test_a_file_that_changes_behind_the_check_is_not_written),
        T(test_a_copy_that_fails_leaves_nothing),
        T(test_progress_is_told_and_a_copy_stops_at_every_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
