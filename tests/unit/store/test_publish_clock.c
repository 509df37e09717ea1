/* Run ids under every clock there may be: rising, dense, never given twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "fake_kernel.h"
#include "fontkeep/time.h"
#include "tree.h"

#define SECOND_US INT64_C(1000000)
#define HOUR_US   (3600 * SECOND_US)
#define DAY_US    (24 * HOUR_US)
#define YEAR_US   (365 * DAY_US)

static void set_clock(const char *text) {
    int64_t time_us = 0;
    assert_true(fk_time_parse(text, true, &time_us));
    fake_kernel_set_time(time_us);
}

static void make_run_by_hand(bench *it, const char *name) {
    fk_create_font(it->store, "1-fruity", NULL);
    assert_int_equal(mkdir(bench_in_runs(it, name), 0777), 0);
}

static void assert_times(bench *it, const char *started, const char *ended) {
    fk_run_info *info = NULL;
    char text[FK_TIME_BYTES];
    assert_int_equal(fk_get_run_info(it->store, "1-fruity", it->id.text, &info, &it->err), FK_OK);
    assert_int_equal(info->health, FK_COMPLETE);
    assert_true(fk_time_format(info->started_at_us, text));
    assert_string_equal(text, started);
    assert_true(fk_time_format(info->ended_at_us, text));
    assert_string_equal(text, ended);
    fk_run_info_destroy(info);
}

/* ---- a clock that stands or goes back ----------------------------------------------------- */

static void test_the_same_microsecond_gets_the_next_number(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    bench_save_well(it, NOW_TEXT "-0001");
    bench_save_well(it, NOW_TEXT "-0002");
}

static void test_a_clock_back_by_an_hour_goes_on_behind_the_newest(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    fake_kernel_set_time(NOW_US - HOUR_US);
    bench_save_well(it, NOW_TEXT "-0001");
    assert_times(it, "2026-01-11T07:30:00.000000", "2026-01-11T07:30:00.000000");
    fake_kernel_set_time(NOW_US - 1);
    bench_save_well(it, NOW_TEXT "-0002");
    fake_kernel_set_time(NOW_US + 1);
    bench_save_well(it, "2026-01-11T08:30:00.000001");
}

static void test_a_clock_that_goes_back_during_a_save_is_kept_as_it_was(void **state) {
    bench *it = *state;
    assert_int_equal(
        fk_draft_create(it->store, "1-fruity", &it->sample.metadata, &it->draft, &it->err), FK_OK);
    bench_set_all(it);
    fake_kernel_set_time(NOW_US - HOUR_US);
    bench_assert_whole_run(it);
    assert_string_equal(it->id.text, "2026-01-11T07:30:00.000000");
    assert_times(it, NOW_TEXT, "2026-01-11T07:30:00.000000");
}

static void test_ten_years_ahead_and_back_still_gives_rising_ids(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    fake_kernel_set_time(NOW_US + 10 * YEAR_US);
    bench_save_well(it, "2036-01-09T08:30:00.000000");
    fake_kernel_set_time(NOW_US + HOUR_US);
    bench_save_well(it, "2036-01-09T08:30:00.000000-0001");
    assert_times(it, "2026-01-11T09:30:00.000000", "2026-01-11T09:30:00.000000");
    bench_assert_all_verify(it, 3);
}

static void test_a_new_process_after_the_clock_went_back_learns_the_newest(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    bench_reopen(it, NULL);
    fake_kernel_set_time(NOW_US - DAY_US);
    bench_save_well(it, NOW_TEXT "-0001");
}

static void test_two_processes_in_the_same_microsecond_get_two_ids(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    pid_t child = fork();
    if (child == 0) {
        _exit(bench_save(it) == FK_OK && strcmp(it->id.text, NOW_TEXT "-0001") == 0 ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    bench_save_well(it, NOW_TEXT "-0002");
    bench_assert_all_verify(it, 3);
}

/* A clock without leap seconds shows the last second of the day twice. */
static void test_a_leap_second_is_a_clock_that_goes_back(void **state) {
    bench *it = *state;
    set_clock("2016-12-31T23:59:59.900000Z");
    bench_save_well(it, "2016-12-31T23:59:59.900000");
    set_clock("2016-12-31T23:59:59.400000Z");
    bench_save_well(it, "2016-12-31T23:59:59.900000-0001");
    set_clock("2017-01-01T00:00:00.100000Z");
    bench_save_well(it, "2017-01-01T00:00:00.100000");
}

static void test_a_newest_id_in_the_future_is_followed(void **state) {
    bench *it = *state;
    make_run_by_hand(it, "2099-12-31T23:59:59.999999-0041");
    bench_save_well(it, "2099-12-31T23:59:59.999999-0042");
    bench_save_well(it, "2099-12-31T23:59:59.999999-0043");
}

static void test_trashed_runs_count_however_they_are_named(void **state) {
    bench *it = *state;
    static const char *const trashed[] = {".trash-2031-01-01T00:00:00.000000.1",
                                          ".trash-2032-01-01T00-00-00.000000-0007.12",
                                          ".trash-2033-01-01T00:00:00.000000-0001.3"};
    static const char *const next[] = {"2031-01-01T00:00:00.000000-0001",
                                       "2032-01-01T00:00:00.000000-0008",
                                       "2033-01-01T00:00:00.000000-0002"};
    for (size_t i = 0; i < 3; i++) {
        make_run_by_hand(it, trashed[i]);
        bench_save_well(it, next[i]);
    }
}

static void test_an_id_is_not_given_again_when_its_run_is_removed(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    bench_save_well(it, NOW_TEXT "-0001");
    assert_int_equal(rename(bench_in_runs(it, NOW_TEXT "-0001"),
                            bench_in_runs(it, ".trash-" NOW_TEXT "-0001.1")),
                     0);
    bench_save_well(it, NOW_TEXT "-0002"); /* the same process */
    bench_reopen(it, NULL);
    assert_int_equal(rename(bench_in_runs(it, NOW_TEXT "-0002"),
                            bench_in_runs(it, ".trash-" NOW_TEXT "-0002.1")),
                     0);
    bench_save_well(it, NOW_TEXT "-0003"); /* one that knows nothing */
}

/* ---- the ends of time --------------------------------------------------------------------- */

static void test_before_1970_is_a_time_like_any_other(void **state) {
    bench *it = *state;
    set_clock("1969-12-31T23:59:59.999999Z");
    bench_save_well(it, "1969-12-31T23:59:59.999999");
    bench_save_well(it, "1969-12-31T23:59:59.999999-0001");
    assert_times(it, "1969-12-31T23:59:59.999999", "1969-12-31T23:59:59.999999");
    set_clock("1970-01-01T00:00:00.000000Z");
    bench_save_well(it, "1970-01-01T00:00:00.000000");
    set_clock("0001-01-01T00:00:00.000000Z");
    bench_reopen(it, NULL);
    bench_save_well(it, "1970-01-01T00:00:00.000000-0001");
    assert_times(it, "0001-01-01T00:00:00.000000", "0001-01-01T00:00:00.000000");
}

static void test_2038_and_2106_are_years_like_any_other(void **state) {
    bench *it = *state;
    static const int64_t ends_s[] = {INT64_C(1) << 31, INT64_C(1) << 32};
    static const char *const ids[] = {"2038-01-19T03:14:07.999999", "2038-01-19T03:14:08.000000",
                                      "2106-02-07T06:28:15.999999", "2106-02-07T06:28:16.000000"};
    for (size_t i = 0; i < 4; i++) {
        fake_kernel_set_time(ends_s[i / 2] * SECOND_US - (i % 2 == 0));
        bench_save_well(it, ids[i]);
        assert_times(it, ids[i], ids[i]);
    }
}

static void test_the_last_microsecond_of_9999_is_still_an_id(void **state) {
    bench *it = *state;
    set_clock("9999-12-31T23:59:59.999999Z");
    bench_save_well(it, "9999-12-31T23:59:59.999999");
    bench_save_well(it, "9999-12-31T23:59:59.999999-0001");
}

/* At once, before anything large is written. */
static void test_a_clock_beyond_9999_or_before_1_is_refused(void **state) {
    bench *it = *state;
    int64_t last_us = 0;
    int64_t first_us = 0;
    assert_true(fk_time_parse("9999-12-31T23:59:59.999999", false, &last_us));
    assert_true(fk_time_parse("0001-01-01T00:00:00.000000", false, &first_us));
    const int64_t beyond[] = {last_us + 1, last_us + 10000 * YEAR_US, first_us - 1};
    for (size_t i = 0; i < 3; i++) {
        fake_kernel_set_time(beyond[i]);
        bench_assert_refused(it, FK_E_INVALID);
        assert_non_null(strstr(it->err.hint, "clock"));
        assert_int_equal(fake_kernel_count("mkdirat"), 0);
    }
}

static void test_behind_9999_of_an_instant_the_next_microsecond_follows(void **state) {
    bench *it = *state;
    make_run_by_hand(it, NOW_TEXT "-9998");
    bench_save_well(it, NOW_TEXT "-9999");
    bench_save_well(it, "2026-01-11T08:30:00.000001");
    bench_save_well(it, "2026-01-11T08:30:00.000001-0001");
    make_run_by_hand(it, "2027-12-31T23:59:59.999999-9999");
    bench_save_well(it, "2028-01-01T00:00:00.000000");
}

static void test_behind_the_very_last_id_a_save_is_refused(void **state) {
    bench *it = *state;
    make_run_by_hand(it, "9999-12-31T23:59:59.999999-9999");
    bench_assert_refused(it, FK_E_INVALID);
    assert_non_null(strstr(it->err.hint, "9999-12-31T23:59:59.999999-9999"));
}

/* ---- many --------------------------------------------------------------------------------- */

enum { MANY = 800, PROCESSES = 8, EACH = MANY / PROCESSES };

static void assert_dense(bench *it) {
    for (unsigned i = 0; i < MANY; i++) {
        char id[64];
        snprintf(id, sizeof id, i == 0 ? "%s" : "%s-%04u", NOW_TEXT, i);
        assert_true(tree_exists(bench_in_runs(it, id)));
    }
    assert_int_equal(tree_count(bench_in_runs(it, ""), "", NULL), MANY);
}

/* From now on a save is cheap: no sync, weights only. */
static void save_little(bench *it) {
    const fk_store_options options = {.size = sizeof options, .durability = FK_DURABILITY_NONE};
    it->sample.metadata.status = FK_INTERRUPTED;
    it->sample.model.sample_image = NULL;
    it->sample.model.eval_glyph_count = 0;
    it->sample.model.feedback = NULL;
    bench_reopen(it, &options);
}

static void test_800_saves_of_one_instant_need_800_renames_and_a_constant_of_scans(void **state) {
    bench *it = *state;
    save_little(it);
    bench_save_well(it, NOW_TEXT);
    bench_save_well(it, NOW_TEXT "-0001");
    size_t scans = fake_kernel_count("getdents");
    for (unsigned i = 2; i < MANY; i++) {
        char id[64];
        snprintf(id, sizeof id, "%s-%04u", NOW_TEXT, i);
        bench_save_well(it, id);
    }
    assert_int_equal(fake_kernel_count("getdents"), scans);
    assert_int_equal(fake_kernel_count("renameat2"), MANY);
    assert_dense(it);
}

static void test_a_new_process_in_front_of_799_runs_needs_one_rename(void **state) {
    bench *it = *state;
    char id[64];
    save_little(it);
    for (unsigned i = 0; i < MANY - 1; i++) {
        snprintf(id, sizeof id, i == 0 ? "%s" : "%s-%04u", NOW_TEXT, i);
        make_run_by_hand(it, id);
    }
    snprintf(id, sizeof id, "%s-%04u", NOW_TEXT, MANY - 1);
    bench_save_well(it, id);
    assert_true(fake_kernel_count("renameat2") <= 2);
    assert_dense(it);
}

/* Saves its share; reports how many renames that took. */
static void save_share(bench *it, int from, int to) {
    size_t renames = fake_kernel_count("renameat2");
    char go;
    fk_run_id before = {""};
    int failed = read(from, &go, 1) != 1;
    for (int i = 0; i < EACH && failed == 0; i++) {
        failed = bench_save(it) != FK_OK || strcmp(before.text, it->id.text) >= 0;
        before = it->id;
    }
    renames = fake_kernel_count("renameat2") - renames;
    failed |= write(to, &renames, sizeof renames) != sizeof renames;
    _exit(failed);
}

/* Each id that is given makes at most each other process try once in vain: so at most 8 renames an
 * id, whatever the order. Trying ids one after the other would need hundreds. */
static void test_8_processes_in_one_instant_get_800_dense_ids(void **state) {
    bench *it = *state;
    save_little(it);
    assert_int_equal(fk_create_font(it->store, "1-fruity", &it->err), FK_OK);
    int start[2];
    int done[2];
    pid_t children[PROCESSES];
    assert_int_equal(pipe(start) | pipe(done), 0);
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            save_share(it, start[0], done[1]);
        }
    }
    assert_int_equal(write(start[1], "gogogogo", PROCESSES), PROCESSES);
    size_t renames = 0;
    for (int i = 0; i < PROCESSES; i++) {
        size_t share = 0;
        int status = -1;
        assert_int_equal(read(done[0], &share, sizeof share), sizeof share);
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
        renames += share;
    }
    for (int i = 0; i < 2; i++) {
        close(start[i]);
        close(done[i]);
    }
    assert_true(renames >= MANY && renames <= MANY * PROCESSES + PROCESSES);
    assert_dense(it);
    bench_assert_all_verify(it, MANY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup_at_now, bench_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_the_same_microsecond_gets_the_next_number),
        TEST(test_a_clock_back_by_an_hour_goes_on_behind_the_newest),
        TEST(test_a_clock_that_goes_back_during_a_save_is_kept_as_it_was),
        TEST(test_ten_years_ahead_and_back_still_gives_rising_ids),
        TEST(test_a_new_process_after_the_clock_went_back_learns_the_newest),
        TEST(test_two_processes_in_the_same_microsecond_get_two_ids),
        TEST(test_a_leap_second_is_a_clock_that_goes_back),
        TEST(test_a_newest_id_in_the_future_is_followed),
        TEST(test_trashed_runs_count_however_they_are_named),
        TEST(test_an_id_is_not_given_again_when_its_run_is_removed),
        TEST(test_before_1970_is_a_time_like_any_other),
        TEST(test_2038_and_2106_are_years_like_any_other),
        TEST(test_the_last_microsecond_of_9999_is_still_an_id),
        TEST(test_a_clock_beyond_9999_or_before_1_is_refused),
        TEST(test_behind_9999_of_an_instant_the_next_microsecond_follows),
        TEST(test_behind_the_very_last_id_a_save_is_refused),
        TEST(test_800_saves_of_one_instant_need_800_renames_and_a_constant_of_scans),
        TEST(test_a_new_process_in_front_of_799_runs_needs_one_rename),
        TEST(test_8_processes_in_one_instant_get_800_dense_ids),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    printf("promise 9: %d processes save %d times in one instant: distinct, dense ids: %s\n",
           PROCESSES, MANY, failed == 0 ? "yes" : "NO");
    printf("promise 10: %zu scenes of clocks, %d failed: ids rise, and none is given twice\n",
           sizeof tests / sizeof tests[0], failed);
    return failed;
}
