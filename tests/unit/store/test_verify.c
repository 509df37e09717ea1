/* Verifying: every byte of every run, SHA-256 included. */
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
#include "store/run/run.h"
#include "tree.h"

static fk_run_list *verify(run_bench *it, const char *font_id, const char *run_id) {
    fk_run_list *runs = NULL;
    if (fk_verify(it->store, font_id, run_id, NULL, NULL, &runs, &it->err) != FK_OK) {
        fail_msg("%s", it->err.message);
    }
    return runs;
}

static void test_one_run_one_font_or_all_are_checked(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    run_bench_save(it);
    assert_int_equal(fk_save_model(it->store, "2-dumb", &it->sample.model, &it->ids[9], &it->err),
                     FK_OK);
    fk_run_list *runs = verify(it, NULL, NULL);
    assert_int_equal(fk_run_list_count(runs), 3);
    assert_string_equal(fk_run_list_at(runs, 2)->font_id, "2-dumb");
    fk_run_list_destroy(runs);
    runs = verify(it, RUN_FONT, NULL);
    assert_int_equal(fk_run_list_count(runs), 2);
    assert_string_equal(fk_run_list_at(runs, 0)->run_id, one);
    fk_run_list_destroy(runs);
    runs = verify(it, RUN_FONT, "latest");
    assert_int_equal(fk_run_list_count(runs), 1);
    assert_string_equal(fk_run_list_at(runs, 0)->run_id, it->ids[1].text);
    fk_run_list_destroy(runs);
}

static void test_what_is_not_there_is_an_error(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    fk_run_list *runs = NULL;
    assert_int_equal(fk_verify(it->store, "9-x", NULL, NULL, NULL, &runs, &it->err),
                     FK_E_FONT_NOT_FOUND);
    assert_int_equal(fk_verify(it->store, RUN_FONT, "2026", NULL, NULL, &runs, &it->err),
                     FK_E_RUN_NOT_FOUND);
    assert_int_equal(fk_verify(it->store, NULL, "2026", NULL, NULL, &runs, &it->err), FK_E_USAGE);
    assert_null(runs);
}

static void test_sha256_is_checked_even_where_the_faster_digest_holds(void **state) {
    run_bench *it = *state;
    sample_model_finish(&it->sample);
    sample_model_init(&it->sample, 30000);
    const char *id = run_bench_save(it);
    fk_run_info *info = NULL;
    assert_int_equal(fk_get_run_info(it->store, RUN_FONT, id, &info, &it->err), FK_OK);
    assert_non_null(info->files[4].xxh3);
    char wrong[65];
    memcpy(wrong, info->files[4].sha256[0], sizeof wrong);
    wrong[7] = wrong[7] == '0' ? '1' : '0';
    run_damage_rewrite(it, id, info->files[4].sha256[0], wrong);
    fk_run_info_destroy(info);
    fk_loaded *loaded = NULL;
    assert_int_equal(fk_load_model(it->store, RUN_FONT, id, NULL, &loaded, &it->err), FK_OK);
    fk_loaded_destroy(loaded);
    fk_run_list *runs = verify(it, RUN_FONT, id);
    assert_int_equal(fk_run_list_at(runs, 0)->health, FK_CORRUPT);
    assert_non_null(run_find_problem(fk_run_list_at(runs, 0), "digest", "weights"));
    fk_run_list_destroy(runs);
}

/* The manifest lists a file as empty, with this digest; and so it is. */
static void make_empty(run_bench *it, const char *id, const char *name, const char *sha256) {
    fk_run_info *info = NULL;
    assert_int_equal(fk_get_run_info(it->store, RUN_FONT, id, &info, &it->err), FK_OK);
    run_damage_rewrite(it, id, fk_run_find_file(info, name)->sha256[0], sha256);
    run_damage_list_bytes(it, id, name, 0);
    fk_run_info_destroy(info);
    run_damage_truncate(run_bench_file(it, id, name), 0);
}

static void test_an_empty_file_has_one_piece_which_is_checked(void **state) {
    run_bench *it = *state;
    static const char of_nothing[] =
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const char *one = run_bench_save(it);
    const char *two = run_bench_save(it);
    char wrong[sizeof of_nothing];
    memcpy(wrong, of_nothing, sizeof wrong);
    wrong[0] = 'f';
    make_empty(it, one, "feedback.json", of_nothing);
    make_empty(it, two, "feedback.json", wrong);
    make_empty(it, two, "weights", wrong);
    fk_run_list *runs = verify(it, RUN_FONT, NULL);
    const fk_run_info *good = fk_run_list_at(runs, 0);
    const fk_run_info *bad = fk_run_list_at(runs, 1);
    assert_null(run_find_problem(good, "digest", "feedback.json"));
    assert_non_null(run_find_problem(bad, "digest", "feedback.json"));
    assert_non_null(run_find_problem(bad, "digest", "weights"));
    assert_int_equal(bad->health, FK_CORRUPT);
    fk_run_list_destroy(runs);
}

static void test_damaged_pieces_of_a_large_file_are_located(void **state) {
    run_bench *it = *state;
    sample_model_finish(&it->sample);
    sample_model_init(&it->sample, 13 << 20); /* 52 MiB: four pieces */
    const char *id = run_bench_save(it);
    const char *path = run_bench_file(it, id, "weights");
    FILE *file = fopen(path, "r+");
    /* the pickle, so that no tensor can be named, and the fourth piece */
    assert_int_equal(fseek(file, 100, SEEK_SET), 0);
    assert_true(fputs("damage", file) >= 0);
    assert_int_equal(fseek(file, 49 << 20, SEEK_SET), 0);
    assert_true(fputs("damage", file) >= 0);
    assert_int_equal(fclose(file), 0);
    fk_run_list *runs = verify(it, RUN_FONT, id);
    const fk_run_info *info = fk_run_list_at(runs, 0);
    assert_int_equal(info->health, FK_CORRUPT);
    assert_true(info->problem_count >= 2);
    fk_run_list_destroy(runs);
}

static void test_progress_counts_the_bytes_of_all_runs(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    const char *two = run_bench_save(it);
    run_bench_make_unverified(it, two, "2026-02-01T00:00:00.000000", "weights");
    progress_seen seen = {0};
    fk_run_list *runs = NULL;
    assert_int_equal(fk_verify(it->store, NULL, NULL, progress_see, &seen, &runs, &it->err), FK_OK);
    assert_true(seen.calls > 10);
    assert_true(seen.total > 12000 && seen.done <= seen.total);
    fk_run_list_destroy(runs);
    for (uint64_t at = 1; at <= seen.calls; at++) {
        progress_seen stop = {.stop_at = at};
        runs = NULL;
        assert_int_equal(fk_verify(it->store, NULL, NULL, progress_see, &stop, &runs, &it->err),
                         FK_E_CANCELLED);
        assert_null(runs);
    }
}

static void test_damage_of_one_run_is_no_error_and_leaves_the_others(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    run_bench_save(it);
    run_damage_flip(run_bench_file(it, it->ids[0].text, "run.json"), 40);
    fk_run_list *runs = verify(it, NULL, NULL);
    assert_int_equal(fk_run_list_at(runs, 0)->health, FK_CORRUPT);
    assert_int_equal(fk_run_list_at(runs, 1)->health, FK_COMPLETE);
    fk_run_list_destroy(runs);
}

/* ---- a font that cannot be looked at ------------------------------------------------------ */

static void save_into(run_bench *it, const char *font_id) {
    fk_run_id id;
    assert_int_equal(fk_save_model(it->store, font_id, &it->sample.model, &id, &it->err), FK_OK);
}

static void assert_second_is_unread(const fk_run_list *runs, fk_health health, const char *code,
                                    const char *message) {
    assert_int_equal(fk_run_list_count(runs), 3);
    const fk_run_info *row = fk_run_list_at(runs, 1);
    assert_string_equal(row->font_id, "2-dumb");
    assert_string_equal(row->run_id, "");
    assert_int_equal(row->health, health);
    assert_int_equal(row->problem_count, 1);
    assert_string_equal(row->problems[0].code, code);
    assert_non_null(strstr(row->problems[0].message, message));
    assert_int_equal(fk_run_list_at(runs, 0)->health, FK_COMPLETE);
    assert_int_equal(fk_run_list_at(runs, 2)->health, FK_COMPLETE);
    assert_string_equal(fk_run_list_at(runs, 2)->font_id, "3-fine");
}

static void save_into_three(run_bench *it) {
    save_into(it, "1-fruity");
    save_into(it, "2-dumb");
    save_into(it, "3-fine");
}

static void test_a_font_that_may_not_be_read_is_one_row_among_the_others(void **state) {
    run_bench *it = *state;
    save_into_three(it);
    static const int answers[] = {EACCES, EIO};
    for (size_t i = 0; i < 2; i++) {
        fk_run_list *runs = NULL;
        size_t before = fake_kernel_count("openat_beneath");
        fk_font_list *fonts = NULL;
        assert_int_equal(fk_list_fonts(it->store, &fonts, &it->err), FK_OK);
        fk_font_list_destroy(fonts);
        /* behind the listing: two opens of the first font, then the second */
        size_t listing = fake_kernel_count("openat_beneath") - before;
        fake_kernel_fail("openat_beneath", listing + 3, answers[i], FAKE_ONCE);
        assert_int_equal(fk_verify(it->store, NULL, NULL, NULL, NULL, &runs, &it->err), FK_OK);
        fake_kernel_relent();
        assert_second_is_unread(runs, FK_CORRUPT, "manifest", "2-dumb");
        fk_run_list_destroy(runs);
    }
}

static void test_a_runs_that_is_a_file_is_one_row_among_the_others(void **state) {
    run_bench *it = *state;
    save_into_three(it);
    char *runs_path = strdup(tree_path(it->path, "2-dumb/runs"));
    assert_int_equal(rename(runs_path, tree_path(it->path, "2-dumb/kept")), 0);
    tree_write(runs_path, "x", 1);
    free(runs_path);
    fk_run_list *runs = verify(it, NULL, NULL);
    assert_second_is_unread(runs, FK_CORRUPT, "manifest", "no directory");
    fk_run_list_destroy(runs);
    /* named, it is an error as ever */
    assert_int_equal(fk_verify(it->store, "2-dumb", NULL, NULL, NULL, &runs, &it->err),
                     FK_E_INVALID);
}

static void test_with_create_runs_off_a_missing_runs_is_one_incomplete_row(void **state) {
    run_bench *it = *state;
    save_into_three(it);
    const fk_store_options options = {.size = sizeof options, .no_create_runs = true};
    fk_store_close(it->store);
    assert_int_equal(fk_store_open(it->path, &options, &it->store, &it->err), FK_OK);
    assert_int_equal(rename(tree_path(it->path, "2-dumb/runs"), tree_path(it->path, "2-dumb/kept")),
                     0);
    fk_run_list *runs = verify(it, NULL, NULL);
    assert_second_is_unread(runs, FK_INCOMPLETE, "missing", "has no runs/");
    fk_run_list_destroy(runs);
    assert_int_equal(fk_verify(it->store, "2-dumb", NULL, NULL, NULL, &runs, &it->err),
                     FK_E_INCOMPLETE);
}

static void test_refusals_of_the_kernel_are_problems_of_a_run_or_errors(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    size_t damaged = 0;
    for (size_t nth = 1; nth < 60; nth++) {
        fk_run_list *runs = NULL;
        fake_kernel_fail("*", nth, EIO, FAKE_ONCE);
        fk_code code = fk_verify(it->store, RUN_FONT, NULL, NULL, NULL, &runs, &it->err);
        fake_kernel_relent();
        if (code == FK_OK) {
            assert_int_equal(fk_run_list_count(runs), 1);
            damaged += fk_run_list_at(runs, 0)->health != FK_COMPLETE;
        }
        fk_run_list_destroy(runs);
    }
    assert_true(damaged >= 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, run_bench_setup, run_bench_teardown)
        T(test_one_run_one_font_or_all_are_checked),
        T(test_what_is_not_there_is_an_error),
        T(test_sha256_is_checked_even_where_the_faster_digest_holds),
        T(test_an_empty_file_has_one_piece_which_is_checked),
        T(test_damaged_pieces_of_a_large_file_are_located),
        T(test_progress_counts_the_bytes_of_all_runs),
        T(test_damage_of_one_run_is_no_error_and_leaves_the_others),
        T(test_a_font_that_may_not_be_read_is_one_row_among_the_others),
        T(test_a_runs_that_is_a_file_is_one_row_among_the_others),
        T(test_with_create_runs_off_a_missing_runs_is_one_incomplete_row),
        T(test_refusals_of_the_kernel_are_problems_of_a_run_or_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
