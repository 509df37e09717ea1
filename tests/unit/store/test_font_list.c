/* Listing fonts. */
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

static fk_font_list *list(run_bench *it) {
    fk_font_list *fonts = NULL;
    if (fk_list_fonts(it->store, &fonts, &it->err) != FK_OK) {
        fail_msg("%s", it->err.message);
    }
    return fonts;
}

static void test_an_empty_store_has_no_fonts(void **state) {
    run_bench *it = *state;
    fk_font_list *fonts = list(it);
    assert_int_equal(fk_font_list_count(fonts), 0);
    assert_null(fk_font_list_at(fonts, 0));
    fk_font_list_destroy(fonts);
    fk_font_list_destroy(NULL);
}

static void test_fonts_come_by_number_then_name_with_runs_and_latest(void **state) {
    run_bench *it = *state;
    const char *const ids[] = {"10-ten", "2-two", "2-deux"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(fk_create_font(it->store, ids[i], &it->err), FK_OK);
    }
    run_bench_save(it);
    const char *two = run_bench_save(it);
    it->sample.metadata.status = FK_FAILED;
    run_bench_save(it);
    fk_font_list *fonts = list(it);
    assert_int_equal(fk_font_list_count(fonts), 4);
    assert_string_equal(fk_font_list_at(fonts, 0)->font_id, RUN_FONT);
    assert_int_equal(fk_font_list_at(fonts, 0)->runs, 3);
    assert_string_equal(fk_font_list_at(fonts, 0)->latest_run_id, two);
    assert_string_equal(fk_font_list_at(fonts, 1)->font_id, "2-deux");
    assert_string_equal(fk_font_list_at(fonts, 2)->font_id, "2-two");
    assert_string_equal(fk_font_list_at(fonts, 3)->font_id, "10-ten");
    assert_int_equal(fk_font_list_at(fonts, 3)->runs, 0);
    assert_null(fk_font_list_at(fonts, 3)->latest_run_id);
    fk_font_list_destroy(fonts);
}

static void test_hidden_names_files_links_and_other_names_are_no_fonts(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    char path[512];
    const char *const names[] = {"Not A Font", ".hidden", "3-Upper", "x-1", ".trash-1-a.1"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", it->path, names[i]);
        assert_int_equal(mkdir(path, 0777), 0);
    }
    snprintf(path, sizeof path, "%s/4-file", it->path);
    tree_write(path, "x", 1);
    snprintf(path, sizeof path, "%s/5-link", it->path);
    assert_int_equal(symlink(RUN_FONT, path), 0);
    fk_font_list *fonts = list(it);
    assert_int_equal(fk_font_list_count(fonts), 1);
    fk_font_list_destroy(fonts);
}

static void test_a_font_whose_runs_cannot_be_read_is_listed_all_the_same(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    fake_kernel_fail("getdents", 3, EIO, FAKE_EVER_AFTER);
    fk_font_list *fonts = list(it);
    assert_int_equal(fk_font_list_count(fonts), 1);
    assert_null(fk_font_list_at(fonts, 0)->latest_run_id);
    fk_font_list_destroy(fonts);
}

static void test_a_vanished_store_says_so(void **state) {
    run_bench *it = *state;
    char moved[512];
    snprintf(moved, sizeof moved, "%s.moved", it->path);
    assert_int_equal(rename(it->path, moved), 0);
    fk_font_list *fonts = NULL;
    fk_code code = fk_list_fonts(it->store, &fonts, &it->err);
    assert_int_equal(rename(moved, it->path), 0);
    assert_int_equal(code, FK_E_STORE_NOT_FOUND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, run_bench_setup, run_bench_teardown)
        T(test_an_empty_store_has_no_fonts),
        T(test_fonts_come_by_number_then_name_with_runs_and_latest),
        T(test_hidden_names_files_links_and_other_names_are_no_fonts),
        T(test_a_font_whose_runs_cannot_be_read_is_listed_all_the_same),
        T(test_a_vanished_store_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
