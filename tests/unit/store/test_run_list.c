/* Listing runs: order, pages, one marked row per damaged run. And fonts. */
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

/* The last digit of the second of each id, in the order listed: "123". */
static const char *list(run_bench *it, size_t limit, const char *after, bool reverse) {
    static char digits[32];
    fk_run_query query = {.size = sizeof query, .limit = limit, .after = after, .reverse = reverse};
    fk_run_list *runs = NULL;
    fk_code code = fk_list_runs(it->store, RUN_FONT, &query, &runs, &it->err);
    if (code != FK_OK) {
        return fk_code_name(code);
    }
    size_t count = fk_run_list_count(runs);
    for (size_t i = 0; i < count; i++) {
        digits[i] = fk_run_list_at(runs, i)->run_id[18];
    }
    digits[count] = '\0';
    assert_null(fk_run_list_at(runs, count));
    assert_null(fk_run_list_warning(runs));
    fk_run_list_destroy(runs);
    return digits;
}

static void test_runs_are_listed_in_order_and_in_pages(void **state) {
    run_bench *it = *state;
    for (int i = 0; i < 5; i++) {
        run_bench_save(it);
    }
    const char *two = it->ids[1].text;
    assert_string_equal(list(it, 0, NULL, false), "12345");
    assert_string_equal(list(it, 0, NULL, true), "54321");
    assert_string_equal(list(it, 2, NULL, false), "12");
    assert_string_equal(list(it, 2, NULL, true), "54");
    assert_string_equal(list(it, 2, two, false), "34");
    assert_string_equal(list(it, 0, two, true), "1");
    assert_string_equal(list(it, 0, "2026-01-11T08-30-04.000000", false), "5");
    assert_string_equal(list(it, 0, "latest", true), "4321");
    assert_string_equal(list(it, 0, it->ids[4].text, false), "");
}

static void test_pages_go_on_behind_a_run_that_is_gone(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    run_bench_save(it);
    assert_string_equal(list(it, 0, "2026-01-11T08:30:01.500000", false), "2");
    assert_string_equal(list(it, 0, "2026-01-11T08:30:01.500000", true), "1");
    assert_string_equal(list(it, 0, "nonsense", false), "run_not_found");
}

static void test_a_page_looks_at_its_own_runs_only(void **state) {
    run_bench *it = *state;
    for (int i = 0; i < 10; i++) {
        run_bench_save(it);
    }
    size_t before = fake_kernel_count("pread");
    list(it, 1, NULL, true);
    size_t one = fake_kernel_count("pread") - before;
    list(it, 0, NULL, false);
    assert_true(fake_kernel_count("pread") - before - one >= 10 * one);
}

static void test_a_listing_never_reads_weights(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    assert_int_equal(chmod(run_bench_file(it, id, "weights"), 0), 0);
    run_damage_flip(run_bench_file(it, id, "sample.png"), 20);
    assert_string_equal(list(it, 0, NULL, false), "1");
}

static void test_damaged_runs_are_marked_rows(void **state) {
    run_bench *it = *state;
    for (int i = 0; i < 4; i++) {
        run_bench_save(it);
    }
    run_damage_truncate(run_bench_file(it, it->ids[0].text, "run.json"), 10);
    run_damage_truncate(run_bench_file(it, it->ids[1].text, "weights"), 10);
    assert_int_equal(unlink(run_bench_file(it, it->ids[2].text, "sample.png")), 0);
    fk_run_list *runs = NULL;
    assert_int_equal(fk_list_runs(it->store, RUN_FONT, NULL, &runs, &it->err), FK_OK);
    assert_int_equal(fk_run_list_count(runs), 4);
    assert_int_equal(fk_run_list_at(runs, 0)->health, FK_CORRUPT);
    assert_int_equal(fk_run_list_at(runs, 1)->health, FK_CORRUPT);
    assert_int_equal(fk_run_list_at(runs, 2)->health, FK_INCOMPLETE);
    assert_int_equal(fk_run_list_at(runs, 3)->health, FK_COMPLETE);
    fk_run_list_destroy(runs);
}

/* Whatever the kernel refuses while one run is looked at marks that row, or is an error of the
 * whole call when it hits the directories above; never a crash, never a row too few. */
static void test_every_refusal_of_the_kernel_marks_a_row_or_is_told(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    run_bench_save(it);
    size_t marked = 0;
    for (size_t nth = 1; nth < 60; nth++) {
        fk_run_list *runs = NULL;
        fake_kernel_fail("*", nth, EIO, FAKE_ONCE);
        fk_code code = fk_list_runs(it->store, RUN_FONT, NULL, &runs, &it->err);
        fake_kernel_relent();
        if (code != FK_OK) {
            assert_int_equal(code, FK_E_IO);
            assert_true(it->err.message[0] != '\0');
            continue;
        }
        assert_int_equal(fk_run_list_count(runs), 2);
        for (size_t i = 0; i < 2; i++) {
            marked += fk_run_list_at(runs, i)->health != FK_COMPLETE;
        }
        fk_run_list_destroy(runs);
    }
    assert_true(marked >= 8);
}

static void test_a_directory_that_may_not_be_opened_is_a_marked_row(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    fk_run_list *runs = NULL;
    fake_kernel_fail("openat_beneath", 3, EACCES, FAKE_ONCE);
    assert_int_equal(fk_list_runs(it->store, RUN_FONT, NULL, &runs, &it->err), FK_OK);
    const fk_run_info *row = fk_run_list_at(runs, 0);
    assert_string_equal(row->run_id, id);
    assert_int_equal(row->health, FK_CORRUPT);
    assert_int_equal(row->status, FK_STATUS_UNKNOWN);
    assert_non_null(run_find_problem(row, "manifest", NULL));
    fk_run_list_destroy(runs);
}

static void take_away(void *user) {
    const char *const *paths = user;
    rename(paths[0], paths[1]);
}

static void test_a_run_that_goes_meanwhile_is_no_row(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    const char *two = run_bench_save(it);
    const char *paths[2] = {run_bench_file(it, two, ""), run_bench_file(it, ".trash-x.1", "")};
    fake_kernel_before("openat_beneath", 3, take_away, paths);
    assert_string_equal(list(it, 0, NULL, false), "1");
}

/* 60 runs, copies of one by hand; some damaged, each in its own way. */
static void make_many(run_bench *it) {
    const char *id = run_bench_save(it);
    char other[64];
    for (int i = 0; i < 60; i++) {
        snprintf(other, sizeof other, "2026-03-01T00:00:%02d.000000", i);
        run_bench_make_unverified(it, id, other, i % 9 == 1 ? "weights.pt" : "weights");
        if (i % 4 == 1) {
            run_damage_fifo(run_bench_file(it, other, "sample.png"));
        } else if (i % 4 == 2) {
            tree_write(run_bench_file(it, other, "run.json"), "{}", 2);
        } else if (i % 4 == 3) {
            assert_int_equal(unlink(run_bench_file(it, other, "feedback.json")), 0);
        }
    }
}

static void assert_same_rows(const fk_run_list *one, const fk_run_list *other) {
    assert_int_equal(fk_run_list_count(one), fk_run_list_count(other));
    for (size_t i = 0; i < fk_run_list_count(one); i++) {
        const fk_run_info *a = fk_run_list_at(one, i);
        const fk_run_info *b = fk_run_list_at(other, i);
        assert_string_equal(a->run_id, b->run_id);
        assert_string_equal(a->path, b->path);
        assert_int_equal(a->health, b->health);
        assert_int_equal(a->size_bytes, b->size_bytes);
        assert_int_equal(a->problem_count, b->problem_count);
        for (size_t p = 0; p < a->problem_count; p++) {
            assert_string_equal(a->problems[p].message, b->problems[p].message);
        }
    }
}

static void test_several_threads_list_what_one_does(void **state) {
    run_bench *it = *state;
    make_many(it);
    const fk_run_query queries[] = {{.size = sizeof queries[0]},
                                    {.size = sizeof queries[0], .reverse = true},
                                    {.size = sizeof queries[0], .limit = 30, .reverse = true}};
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        fk_run_list *alone = NULL;
        fk_run_list *together = NULL;
        fake_kernel_install();
        assert_int_equal(fk_list_runs(it->store, RUN_FONT, &queries[i], &alone, &it->err), FK_OK);
        fake_kernel_allow_threads();
        assert_int_equal(fk_list_runs(it->store, RUN_FONT, &queries[i], &together, &it->err),
                         FK_OK);
        assert_int_equal(fk_run_list_count(alone), queries[i].limit == 0 ? 61 : 30);
        assert_same_rows(alone, together);
        fk_run_list_destroy(alone);
        fk_run_list_destroy(together);
    }
}

static void test_a_refusal_on_any_thread_marks_one_row(void **state) {
    run_bench *it = *state;
    make_many(it);
    fake_kernel_allow_threads();
    fk_run_list *runs = NULL;
    fake_kernel_fail("fstatat", 40, EIO, FAKE_ONCE);
    assert_int_equal(fk_list_runs(it->store, RUN_FONT, NULL, &runs, &it->err), FK_OK);
    assert_int_equal(fk_run_list_count(runs), 61);
    size_t refused = 0;
    for (size_t i = 0; i < 61; i++) {
        for (size_t p = 0; p < fk_run_list_at(runs, i)->problem_count; p++) {
            const char *message = fk_run_list_at(runs, i)->problems[p].message;
            refused += strstr(message, "Input/output error") != NULL;
        }
    }
    assert_int_equal(refused, 1);
    fk_run_list_destroy(runs);
}

static void test_a_page_is_full_though_runs_go_meanwhile(void **state) {
    run_bench *it = *state;
    for (int i = 0; i < 3; i++) {
        run_bench_save(it);
    }
    const char *paths[2] = {run_bench_file(it, it->ids[1].text, ""),
                            run_bench_file(it, ".trash-x.1", "")};
    fake_kernel_before("openat_beneath", 3, take_away, paths);
    assert_string_equal(list(it, 2, NULL, false), "13");
}

static void test_a_history_that_cannot_be_made_is_empty_with_a_warning(void **state) {
    run_bench *it = *state;
    char font[512];
    snprintf(font, sizeof font, "%s/" RUN_FONT, it->path);
    assert_int_equal(mkdir(font, 0777), 0);
    fake_kernel_fail("mkdirat", 1, EROFS, FAKE_EVER_AFTER);
    fk_run_list *runs = NULL;
    assert_int_equal(fk_list_runs(it->store, RUN_FONT, NULL, &runs, &it->err), FK_OK);
    assert_int_equal(fk_run_list_count(runs), 0);
    assert_non_null(fk_run_list_warning(runs));
    fk_run_list_destroy(runs);
    assert_int_equal(fk_load_model(it->store, RUN_FONT, NULL, NULL, NULL, &it->err),
                     FK_E_RUN_NOT_FOUND);
    assert_true(it->err.hint[0] != '\0');
}

static void test_a_query_of_unknown_size_is_refused(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    fk_run_query query = {.limit = 1};
    fk_run_list *runs = NULL;
    assert_int_equal(fk_list_runs(it->store, RUN_FONT, &query, &runs, &it->err), FK_E_USAGE);
    assert_int_equal(fk_list_runs(it->store, "9-none", NULL, &runs, &it->err), FK_E_FONT_NOT_FOUND);
    assert_null(runs);
    fk_run_list_destroy(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, run_bench_setup, run_bench_teardown)
        T(test_runs_are_listed_in_order_and_in_pages),
        T(test_pages_go_on_behind_a_run_that_is_gone),
        T(test_a_page_looks_at_its_own_runs_only),
        T(test_a_listing_never_reads_weights),
        T(test_damaged_runs_are_marked_rows),
        T(test_every_refusal_of_the_kernel_marks_a_row_or_is_told),
        T(test_a_directory_that_may_not_be_opened_is_a_marked_row),
        T(test_a_run_that_goes_meanwhile_is_no_row),
        T(test_several_threads_list_what_one_does),
        T(test_a_refusal_on_any_thread_marks_one_row),
        T(test_a_page_is_full_though_runs_go_meanwhile),
        T(test_a_history_that_cannot_be_made_is_empty_with_a_warning),
        T(test_a_query_of_unknown_size_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
