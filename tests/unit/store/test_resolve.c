/* From what names a run to the run. */
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

static const char *resolve(run_bench *it, const char *text) {
    static fk_run_id id;
    fk_code code = fk_resolve_run(it->store, RUN_FONT, text, &id, &it->err);
    return code == FK_OK ? id.text : fk_code_name(code);
}

static void test_ids_twins_prefixes_and_latest_name_a_run(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *two = run_bench_save(it);
    assert_string_equal(resolve(it, one), one);
    assert_string_equal(resolve(it, "2026-01-11T08-30-01.000000"), one);
    assert_string_equal(resolve(it, "2026-01-11T08:30:01"), one);
    assert_string_equal(resolve(it, "2026-01-11T08-30-02"), two);
    assert_string_equal(resolve(it, "latest"), two);
    assert_string_equal(resolve(it, NULL), two);
}

static void test_an_exact_id_goes_before_the_longer_ones_it_starts(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    it->saved--;
    fk_run_id first = it->ids[0];
    run_bench_save(it); /* the same instant again */
    assert_string_equal(it->ids[0].text, "2026-01-11T08:30:01.000000-0001");
    assert_string_equal(resolve(it, first.text), first.text);
    assert_string_equal(resolve(it, "2026-01-11T08:30:01.000000-"), one);
}

static void test_an_exact_id_is_found_without_a_look_at_the_others(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *two = run_bench_save(it);
    const char *twin = "2026-01-11T08-30-02.000000";
    assert_int_equal(rename(run_bench_file(it, two, ""), run_bench_file(it, twin, "")), 0);
    size_t before = fake_kernel_count("getdents");
    assert_string_equal(resolve(it, one), one);
    assert_string_equal(resolve(it, "2026-01-11T08-30-01.000000"), one);
    assert_string_equal(resolve(it, two), two);
    assert_string_equal(resolve(it, twin), two);
    assert_int_equal(fake_kernel_count("getdents"), before);
    assert_string_equal(resolve(it, "latest"), two);
    assert_true(fake_kernel_count("getdents") > before);
}

static void test_a_file_or_link_with_the_name_of_a_run_is_none(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    tree_write(run_bench_file(it, "2026-01-12T00:00:00.000000", ""), "x", 1);
    assert_int_equal(symlink(one, run_bench_file(it, "2026-01-13T00:00:00.000000", "")), 0);
    assert_string_equal(resolve(it, "2026-01-12T00:00:00.000000"), "run_not_found");
    assert_string_equal(resolve(it, "2026-01-13T00:00:00.000000"), "run_not_found");
}

static void test_a_run_that_cannot_be_looked_for_is_an_error(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    fake_kernel_fail("fstatat", 1, EACCES, FAKE_ONCE);
    assert_string_equal(resolve(it, one), "access");
    assert_non_null(strstr(it->err.path, "runs/2026-01-11T08:30:01.000000"));
}

static void test_a_prefix_of_several_runs_names_some_of_them(void **state) {
    run_bench *it = *state;
    for (int i = 0; i < 6; i++) {
        run_bench_save(it);
    }
    assert_string_equal(resolve(it, "2026-01"), "invalid");
    assert_non_null(strstr(it->err.message, "6 runs"));
    assert_non_null(strstr(it->err.message, it->ids[0].text));
    assert_non_null(strstr(it->err.message, "..."));
    assert_true(it->err.hint[0] != '\0');
}

static void test_an_unknown_run_is_not_found_and_the_nearest_is_named(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    assert_string_equal(resolve(it, "2026-01-11T08:30:01.000009"), "run_not_found");
    assert_non_null(strstr(it->err.hint, one));
    assert_string_equal(resolve(it, "zebra"), "run_not_found");
    assert_non_null(strstr(it->err.hint, one));
    assert_string_equal(resolve(it, ""), "run_not_found");
}

static void test_an_unknown_font_is_not_found(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    fk_run_id id = {"untouched"};
    assert_int_equal(fk_resolve_run(it->store, "1-fruit", "latest", &id, &it->err),
                     FK_E_FONT_NOT_FOUND);
    assert_non_null(strstr(it->err.hint, RUN_FONT));
    assert_string_equal(id.text, "untouched");
}

static void test_a_font_without_runs_has_no_latest(void **state) {
    run_bench *it = *state;
    assert_int_equal(fk_create_font(it->store, RUN_FONT, &it->err), FK_OK);
    assert_string_equal(resolve(it, NULL), "run_not_found");
    assert_non_null(strstr(it->err.hint, "save"));
    assert_string_equal(resolve(it, "2026"), "run_not_found");
    assert_non_null(strstr(it->err.hint, "save"));
}

static void test_latest_leaves_out_failed_and_interrupted_runs(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    it->sample.metadata.status = FK_FAILED;
    run_bench_save(it);
    it->sample.metadata.status = FK_INTERRUPTED;
    run_bench_save(it);
    assert_string_equal(resolve(it, "latest"), one);
}

static void test_only_failed_runs_give_no_latest_but_are_named(void **state) {
    run_bench *it = *state;
    it->sample.metadata.status = FK_FAILED;
    const char *one = run_bench_save(it);
    assert_string_equal(resolve(it, "latest"), "run_not_found");
    assert_non_null(strstr(it->err.hint, one));
}

static void test_latest_is_the_highest_even_when_it_is_damaged(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    it->sample.metadata.status = FK_FAILED;
    const char *two = run_bench_save(it);
    run_damage_flip(run_bench_file(it, two, "run.json"), 100);
    assert_string_equal(resolve(it, "latest"), two);
}

static void test_latest_leaves_out_directories_with_neither_manifest_nor_weights(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    assert_int_equal(mkdir(run_bench_file(it, "2026-01-12T00:00:00.000000", ""), 0777), 0);
    assert_string_equal(resolve(it, "latest"), one);
    tree_write(run_bench_file(it, "2026-01-12T00:00:00.000000", "weights.pth"), "x", 1);
    assert_string_equal(resolve(it, "latest"), "2026-01-12T00:00:00.000000");
}

static void test_a_run_that_cannot_be_looked_at_may_still_be_the_latest(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    const char *two = run_bench_save(it);
    fk_run_info *info = NULL;
    /* runs/ is opened by two such calls before: font and runs/; the next is the newest run */
    fake_kernel_fail("openat_beneath", 3, EACCES, FAKE_ONCE);
    assert_int_equal(fk_get_run_info(it->store, RUN_FONT, NULL, &info, &it->err), FK_OK);
    assert_string_equal(info->run_id, two);
    fk_run_info_destroy(info);
}

static void test_a_twin_directory_is_the_same_run(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *twin = "2026-01-11T08-30-01.000000";
    assert_int_equal(rename(run_bench_file(it, one, ""), run_bench_file(it, twin, "")), 0);
    assert_string_equal(resolve(it, one), one);
    fk_run_info *info = NULL;
    assert_int_equal(fk_get_run_info(it->store, RUN_FONT, twin, &info, &it->err), FK_OK);
    assert_string_equal(info->run_id, one);
    assert_non_null(strstr(info->path, twin));
    assert_int_equal(info->health, FK_COMPLETE);
    fk_run_info_destroy(info);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, run_bench_setup, run_bench_teardown)
        T(test_ids_twins_prefixes_and_latest_name_a_run),
        T(test_an_exact_id_goes_before_the_longer_ones_it_starts),
        T(test_an_exact_id_is_found_without_a_look_at_the_others),
        T(test_a_file_or_link_with_the_name_of_a_run_is_none),
        T(test_a_run_that_cannot_be_looked_for_is_an_error),
        T(test_a_prefix_of_several_runs_names_some_of_them),
        T(test_an_unknown_run_is_not_found_and_the_nearest_is_named),
        T(test_an_unknown_font_is_not_found),
        T(test_a_font_without_runs_has_no_latest),
        T(test_latest_leaves_out_failed_and_interrupted_runs),
        T(test_only_failed_runs_give_no_latest_but_are_named),
        T(test_latest_is_the_highest_even_when_it_is_damaged),
        T(test_latest_leaves_out_directories_with_neither_manifest_nor_weights),
        T(test_a_run_that_cannot_be_looked_at_may_still_be_the_latest),
        T(test_a_twin_directory_is_the_same_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
