/* Scanning runs/: what counts as a run, in which order, and which ids were given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "os/directory.h"
#include "os/file.h"
#include "scratch.h"
#include "store/names/scan.h"

#define A "2026-01-11T08:30:00.000000"

static fk_scan scan(void) {
    fk_scan found = {0};
    fk_error err;
    int fd = -1;
    assert_int_equal(fk_directory_open(scratch_fd, ".", &fd, &err), FK_OK);
    assert_int_equal(fk_scan_runs(fd, "runs", &found, &err), FK_OK);
    fk_file_closep(&fd);
    return found;
}

static void test_runs_come_in_chronological_order(void **state) {
    (void)state;
    scratch_mkdir("2026-01-11T08:30:00.000001");
    scratch_mkdir(A "-0002");
    scratch_mkdir(A);
    scratch_mkdir(A "-0001");
    scratch_mkdir("2025-12-31T23:59:59.999999");
    fk_scan found = scan();
    assert_int_equal(found.count, 5);
    assert_string_equal(found.runs[0].id.text, "2025-12-31T23:59:59.999999");
    assert_string_equal(found.runs[1].id.text, A);
    assert_string_equal(found.runs[2].id.text, A "-0001");
    assert_string_equal(found.runs[3].id.text, A "-0002");
    assert_string_equal(found.runs[4].id.text, "2026-01-11T08:30:00.000001");
    assert_true(found.has_newest);
    assert_string_equal(found.newest.text, "2026-01-11T08:30:00.000001");
    fk_scan_finish(&found);
}

static void test_a_twin_sorts_with_the_others_and_keeps_its_directory(void **state) {
    (void)state;
    scratch_mkdir("2026-01-11T08-30-00.000000");
    scratch_mkdir("2026-01-11T08:29:00.000000");
    fk_scan found = scan();
    assert_int_equal(found.count, 2);
    assert_string_equal(found.runs[1].id.text, A);
    assert_string_equal(found.runs[1].directory.text, "2026-01-11T08-30-00.000000");
    assert_ptr_equal(fk_scan_find(&found, A), &found.runs[1]);
    assert_null(fk_scan_find(&found, "2026-01-11T08:31:00.000000"));
    fk_scan_finish(&found);
}

static void test_of_a_run_under_both_names_the_plain_one_counts(void **state) {
    (void)state;
    scratch_mkdir("2026-01-11T08-30-00.000000");
    scratch_mkdir(A);
    fk_scan found = scan();
    assert_int_equal(found.count, 1);
    assert_string_equal(found.runs[0].directory.text, A);
    fk_scan_finish(&found);
}

static void test_files_links_stages_and_other_names_are_no_runs(void **state) {
    (void)state;
    scratch_write_text(A, "a file");
    assert_int_equal(symlinkat(".", scratch_fd, "2026-01-11T08:30:01.000000"), 0);
    scratch_mkdir(".stage-00");
    scratch_mkdir("notes");
    scratch_mkdir("2026-01-11");
    scratch_mkdir("2026-01-11T08:30:00.000000-0001-and-something-much-longer-than-an-id");
    fk_scan found = scan();
    assert_int_equal(found.count, 0);
    assert_false(found.has_newest);
    assert_null(fk_scan_find(&found, A));
    fk_scan_finish(&found);
}

static void test_the_ids_of_trashed_runs_count_as_given(void **state) {
    (void)state;
    scratch_mkdir(A);
    scratch_mkdir(".trash-2026-02-01T00:00:00.000000-0007.1");
    scratch_mkdir(".trash-2026-01-31T00-00-00.000000.12");
    scratch_mkdir(".trash-nonsense");
    scratch_mkdir(".trash-2027-01-01T00:00:00.000000");
    scratch_mkdir(".trash-an-id-that-is-much-longer-than-any-run-id-can-be.1");
    fk_scan found = scan();
    assert_int_equal(found.count, 1);
    assert_string_equal(found.newest.text, "2026-02-01T00:00:00.000000-0007");
    fk_scan_finish(&found);
}

static void test_a_directory_that_cannot_be_listed_is_an_error(void **state) {
    (void)state;
    fk_scan found = {0};
    fk_error err;
    assert_int_not_equal(fk_scan_runs(-1, "runs", &found, &err), FK_OK);
    assert_null(found.runs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
        T(test_runs_come_in_chronological_order),
        T(test_a_twin_sorts_with_the_others_and_keeps_its_directory),
        T(test_of_a_run_under_both_names_the_plain_one_counts),
        T(test_files_links_stages_and_other_names_are_no_runs),
        T(test_the_ids_of_trashed_runs_count_as_given),
        T(test_a_directory_that_cannot_be_listed_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
