/* One run: opened, its metadata, its files. */
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
#include "tree.h"

static fk_run *open_run(run_bench *it, const char *run_id) {
    fk_run *run = NULL;
    if (fk_run_open(it->store, RUN_FONT, run_id, &run, &it->err) != FK_OK) {
        fail_msg("%s", it->err.message);
    }
    return run;
}

static void test_the_info_of_a_run_is_that_of_its_manifest(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    fk_run_info *info = NULL;
    assert_int_equal(fk_get_run_info(it->store, RUN_FONT, id, &info, &it->err), FK_OK);
    assert_string_equal(info->font_id, RUN_FONT);
    assert_string_equal(info->run_id, id);
    assert_string_equal(info->path, run_bench_file(it, id, ""));
    assert_int_equal(info->status, FK_COMPLETED);
    assert_int_equal(info->health, FK_COMPLETE);
    assert_int_equal(info->file_count, 5);
    assert_string_equal(info->files[0].path, "eval-glyphs/A.png");
    assert_string_equal(info->files[0].label, "A");
    assert_string_equal(info->files[4].path, "weights");
    assert_true(info->files[4].bytes == info->weights_bytes);
    assert_int_equal(info->files[4].pieces, 1);
    assert_int_equal(strlen(info->files[4].sha256[0]), 64);
    assert_true(info->has_personality);
    assert_int_equal(info->generation, 1);
    assert_non_null(info->manifest);
    fk_run_info_destroy(info);
    fk_run_info_destroy(NULL);
}

static void test_runs_and_fonts_that_are_not_there_are_not_found(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    fk_run *run = NULL;
    assert_int_equal(fk_run_open(it->store, RUN_FONT, "2026-01-11T08:30:09.000000", &run, &it->err),
                     FK_E_RUN_NOT_FOUND);
    assert_non_null(strstr(it->err.hint, id));
    assert_int_equal(fk_run_open(it->store, "2-nobody", id, &run, &it->err), FK_E_FONT_NOT_FOUND);
    assert_int_equal(fk_run_open(it->store, RUN_FONT, "2026", &run, &it->err), FK_E_RUN_NOT_FOUND);
    assert_int_equal(fk_run_open(it->store, RUN_FONT, "../" RUN_FONT, &run, &it->err),
                     FK_E_RUN_NOT_FOUND);
    assert_null(run);
    fk_run_close(NULL);
}

static void take_away(void *user) {
    const char *const *paths = user;
    rename(paths[0], paths[1]);
}

static void test_a_run_that_goes_while_it_is_opened_is_not_found(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    const char *paths[2] = {run_bench_file(it, id, ""), run_bench_file(it, ".trash-x.1", "")};
    /* font, runs/, then the run */
    fake_kernel_before("openat_beneath", 3, take_away, paths);
    fk_run *run = NULL;
    assert_int_equal(fk_run_open(it->store, RUN_FONT, id, &run, &it->err), FK_E_RUN_NOT_FOUND);
}

static void test_files_are_read_and_checked(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    fk_run *run = open_run(it, id);
    void *bytes = NULL;
    size_t length = 0;
    assert_int_equal(fk_run_read_file(run, "sample.png", &bytes, &length, &it->err), FK_OK);
    assert_memory_equal(bytes, "\x89PNG", 4);
    free(bytes);
    run_damage_flip(run_bench_file(it, id, "sample.png"), 30);
    bytes = NULL;
    assert_int_equal(fk_run_read_file(run, "sample.png", &bytes, &length, &it->err), FK_E_CORRUPT);
    assert_non_null(strstr(it->err.path, "sample.png"));
    assert_int_equal(it->err.offset, 0);
    assert_int_equal(unlink(run_bench_file(it, id, "sample.png")), 0);
    assert_int_equal(fk_run_read_file(run, "sample.png", &bytes, &length, &it->err),
                     FK_E_INCOMPLETE);
    assert_non_null(strstr(it->err.message, "sample.png"));
    assert_non_null(strstr(it->err.hint, "regenerate"));
    run_damage_append(run_bench_file(it, id, "feedback.json"), " ");
    assert_int_equal(fk_run_read_file(run, "feedback.json", &bytes, &length, &it->err),
                     FK_E_CORRUPT);
    assert_null(bytes);
    fk_run_close(run);
}

static void test_only_files_of_the_manifest_are_read(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    tree_write(run_bench_file(it, id, "stranger"), "x", 1);
    fk_run *run = open_run(it, id);
    void *bytes = NULL;
    size_t length = 0;
    const char *const names[] = {"stranger", "eval-glyphs/B.png", "../x", "/etc/passwd",
                                 "run.json"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(fk_run_read_file(run, names[i], &bytes, &length, &it->err),
                         FK_E_INCOMPLETE);
    }
    assert_int_equal(fk_run_read_file(run, "", &bytes, &length, &it->err), FK_E_USAGE);
    assert_int_equal(fk_run_read_file(run, NULL, &bytes, &length, &it->err), FK_E_USAGE);
    fk_run_close(run);
}

static void test_without_a_manifest_files_are_read_but_never_outside(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *hand = "2026-02-01T00:00:00.000000";
    run_bench_make_unverified(it, one, hand, "weights");
    fk_run *run = open_run(it, hand);
    void *bytes = NULL;
    size_t length = 0;
    assert_int_equal(fk_run_read_file(run, "feedback.json", &bytes, &length, &it->err), FK_OK);
    assert_true(length > 0 && ((char *)bytes)[0] == '{');
    free(bytes);
    assert_int_equal(fk_run_read_file(run, "/etc/passwd", &bytes, &length, &it->err), FK_E_CORRUPT);
    assert_int_equal(fk_run_read_file(run, "../../font.json", &bytes, &length, &it->err),
                     FK_E_CORRUPT);
    fk_run_close(run);
}

static void test_a_run_with_a_damaged_or_newer_manifest_opens_but_gives_no_files(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *two = run_bench_save(it);
    run_damage_flip(run_bench_file(it, one, "run.json"), 50);
    run_damage_rewrite(it, two, "\"manifest_version\": 1", "\"manifest_version\": 2");
    void *bytes = NULL;
    size_t length = 0;
    fk_run *run = open_run(it, one);
    assert_int_equal(fk_run_get_info(run)->health, FK_CORRUPT);
    assert_int_equal(fk_run_read_file(run, "sample.png", &bytes, &length, &it->err), FK_E_CORRUPT);
    assert_non_null(strstr(it->err.path, "run.json"));
    fk_run_close(run);
    run = open_run(it, two);
    assert_int_equal(fk_run_get_info(run)->health, FK_UNSUPPORTED);
    assert_int_equal(fk_run_read_file(run, "sample.png", &bytes, &length, &it->err),
                     FK_E_UNSUPPORTED);
    assert_int_equal(it->err.subject, FK_SUBJECT_VERSION);
    fk_run_close(run);
}

static void test_a_manifest_that_may_not_be_read_says_so(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    /* font, runs/, run, run.json */
    fake_kernel_fail("openat_beneath", 4, EACCES, FAKE_ONCE);
    fk_run *run = open_run(it, id);
    assert_non_null(run_find_problem(fk_run_get_info(run), "manifest", "run.json"));
    void *bytes = NULL;
    size_t length = 0;
    assert_int_equal(fk_run_read_file(run, "sample.png", &bytes, &length, &it->err), FK_E_ACCESS);
    assert_int_equal(it->err.system_errno, EACCES);
    fk_run_close(run);
}

static void test_a_held_run_stays_the_same_generation(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    fk_run *run = open_run(it, id);
    assert_int_equal(rename(run_bench_file(it, id, ""), run_bench_file(it, ".trash-2026.1", "")),
                     0);
    void *bytes = NULL;
    size_t length = 0;
    assert_int_equal(fk_run_read_file(run, "sample.png", &bytes, &length, &it->err), FK_OK);
    free(bytes);
    fk_loaded *loaded = NULL;
    assert_int_equal(fk_run_load_weights(run, NULL, &loaded, &it->err), FK_OK);
    fk_run_close(run);
    assert_non_null(fk_loaded_weights(loaded));
    fk_loaded_destroy(loaded);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, run_bench_setup, run_bench_teardown)
        T(test_the_info_of_a_run_is_that_of_its_manifest),
        T(test_runs_and_fonts_that_are_not_there_are_not_found),
        T(test_a_run_that_goes_while_it_is_opened_is_not_found),
        T(test_files_are_read_and_checked),
        T(test_only_files_of_the_manifest_are_read),
        T(test_without_a_manifest_files_are_read_but_never_outside),
        T(test_a_run_with_a_damaged_or_newer_manifest_opens_but_gives_no_files),
        T(test_a_manifest_that_may_not_be_read_says_so),
        T(test_a_held_run_stays_the_same_generation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
