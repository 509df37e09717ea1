/* What stands in a store. */
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

static const char *in_store(run_bench *it, const char *name) {
    return tree_path(it->path, name);
}

static bool has_stranger(const fk_store_report *report, const char *path) {
    for (size_t i = 0; i < report->stranger_count; i++) {
        if (strcmp(report->strangers[i], path) == 0) {
            return true;
        }
    }
    return false;
}

static void test_an_empty_store_reports_nothing(void **state) {
    run_bench *it = *state;
    fk_store_report *report = NULL;
    assert_int_equal(fk_status(it->store, &report, &it->err), FK_OK);
    assert_string_equal(report->store, it->path);
    assert_null(report->store_id);
    assert_int_equal(report->fonts + report->runs + report->stages + report->stranger_count, 0);
    fk_store_report_destroy(report);
    fk_store_report_destroy(NULL);
    assert_int_equal(tree_count(it->path, "", NULL), 0);
}

static void test_fonts_runs_stages_trash_and_strangers_are_counted(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    run_bench_save(it);
    const char *three = run_bench_save(it);
    run_damage_truncate(run_bench_file(it, three, "weights"), 5);
    run_bench_make_unverified(it, it->ids[0].text, "2026-02-01T00:00:00.000000", "weights");
    assert_int_equal(fk_create_font(it->store, "2-empty", &it->err), FK_OK);
    assert_int_equal(mkdir(in_store(it, "1-fruity/runs/.stage-ab"), 0777), 0);
    tree_write(in_store(it, "1-fruity/runs/.stage-ab.lock"), "{}", 2);
    tree_write(in_store(it, "1-fruity/runs/.stage-file"), "x", 1);
    assert_int_equal(mkdir(in_store(it, "1-fruity/runs/.trash-2026-01-01T00:00:00.000000.1"), 0777),
                     0);
    tree_write(in_store(it, "1-fruity/runs/.trash-2026-01-01T00:00:00.000000.1/weights"),
               "0123456789", 10);
    assert_int_equal(mkdir(in_store(it, ".trash-3-gone.1"), 0777), 0);
    tree_write(in_store(it, ".trash-3-gone.1/x"), "0123456789", 10);
    assert_int_equal(mkdir(in_store(it, "Not A Font"), 0777), 0);
    assert_int_equal(mkdir(in_store(it, ".hidden"), 0777), 0);
    tree_write(in_store(it, "7-file"), "x", 1);
    tree_write(in_store(it, "1-fruity/README"), "x", 1);
    tree_write(in_store(it, "1-fruity/font.json"), "{}", 2);
    assert_int_equal(mkdir(in_store(it, "1-fruity/runs/notes"), 0777), 0);
    fk_store_report *report = NULL;
    assert_int_equal(fk_status(it->store, &report, &it->err), FK_OK);
    assert_int_equal(strlen(report->store_id), 36);
    assert_int_equal(report->fonts, 2);
    assert_int_equal(report->runs, 4);
    assert_int_equal(report->by_health[FK_COMPLETE], 2);
    assert_int_equal(report->by_health[FK_CORRUPT], 1);
    assert_int_equal(report->by_health[FK_UNVERIFIED], 1);
    assert_int_equal(report->stages, 1);
    assert_true(report->trash_bytes >= 20);
    const char *const strangers[] = {"Not A Font",
                                     ".hidden",
                                     "7-file",
                                     "1-fruity/README",
                                     "1-fruity/runs/notes",
                                     "1-fruity/runs/.stage-file"};
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        assert_true(has_stranger(report, strangers[i]));
    }
    assert_int_equal(report->stranger_count, 6);
    fk_store_report_destroy(report);
}

static void test_nothing_is_changed(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    assert_int_equal(mkdir(in_store(it, "2-bare"), 0777), 0); /* without runs/ */
    assert_int_equal(mkdir(in_store(it, "3-odd"), 0777), 0);
    tree_write(in_store(it, "3-odd/runs"), "x", 1);
    char *before = tree_listing(it->path, true);
    fk_store_report *report = NULL;
    assert_int_equal(fk_status(it->store, &report, &it->err), FK_OK);
    assert_int_equal(report->fonts, 3);
    assert_true(has_stranger(report, "3-odd/runs"));
    fk_store_report_destroy(report);
    char *after = tree_listing(it->path, true);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void test_what_the_kernel_refuses_is_counted_as_damage_or_told(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    for (size_t nth = 1; nth < 50; nth++) {
        fk_store_report *report = NULL;
        fake_kernel_fail("*", nth, EIO, FAKE_ONCE);
        fk_code code = fk_status(it->store, &report, &it->err);
        fake_kernel_relent();
        if (code == FK_OK) {
            assert_int_equal(report->fonts, 1);
            bool told = report->by_health[FK_COMPLETE] == 1 || report->by_health[FK_CORRUPT] == 1 ||
                        report->by_health[FK_INCOMPLETE] == 1 || report->stranger_count > 0;
            assert_true(told);
        }
        fk_store_report_destroy(report);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, run_bench_setup, run_bench_teardown)
        T(test_an_empty_store_reports_nothing),
        T(test_fonts_runs_stages_trash_and_strangers_are_counted),
        T(test_nothing_is_changed),
        T(test_what_the_kernel_refuses_is_counted_as_damage_or_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
