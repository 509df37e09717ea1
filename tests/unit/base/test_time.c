/* lib/base/time.c: instants as text and back, against the C library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "fontkeep/time.h"

#define FIRST_US INT64_C(-62135596800000000) /* 0001-01-01T00:00:00.000000 */
#define LAST_US  INT64_C(253402300799999999) /* 9999-12-31T23:59:59.999999 */

static void test_instants_are_written_as_the_c_library_does(void **state) {
    (void)state;
    int64_t step_us = 86399123457 * 37;
    for (int64_t time_us = FIRST_US; time_us <= LAST_US; time_us += step_us * 40) {
        int64_t micro = (time_us % 1000000 + 1000000) % 1000000;
        time_t seconds = (time_t)((time_us - micro) / 1000000);
        struct tm date;
        gmtime_r(&seconds, &date);
        char expected[64];
        snprintf(expected, sizeof expected, "%04d-%02d-%02dT%02d:%02d:%02d.%06d",
                 date.tm_year + 1900, date.tm_mon + 1, date.tm_mday, date.tm_hour, date.tm_min,
                 date.tm_sec, (int)micro);
        char text[FK_TIME_BYTES];
        int64_t again_us = 0;
        assert_true(fk_time_format(time_us, text));
        assert_string_equal(text, expected);
        assert_true(fk_time_parse(text, false, &again_us));
        assert_true(again_us == time_us);
    }
}

static void test_years_end_at_1_and_9999(void **state) {
    (void)state;
    char text[FK_TIME_BYTES] = "untouched";
    assert_false(fk_time_format(FIRST_US - 1, text));
    assert_false(fk_time_format(LAST_US + 1, text));
    assert_false(fk_time_format(INT64_MIN, text));
    assert_false(fk_time_format(INT64_MAX, text));
    assert_string_equal(text, "untouched");
    assert_true(fk_time_format(FIRST_US, text));
    assert_string_equal(text, "0001-01-01T00:00:00.000000");
    assert_true(fk_time_format(LAST_US, text));
    assert_string_equal(text, "9999-12-31T23:59:59.999999");
    int64_t time_us = 5;
    assert_false(fk_time_parse("0001-01-01T00:00:00.0+00:01", true, &time_us));
    assert_false(fk_time_parse("9999-12-31T23:59:60", true, &time_us));
    assert_false(fk_time_parse("0000-01-01T00:00:00.000000", false, &time_us));
    assert_true(time_us == 5);
}

static void test_exact_texts_are_read(void **state) {
    (void)state;
    int64_t time_us = 0;
    assert_true(fk_time_parse("2026-01-11T08:30:00.000000", false, &time_us));
    assert_true(time_us == INT64_C(1768120200000000));
    assert_true(fk_time_parse("2026-01-11T08:30:00.000000Z", false, &time_us));
    assert_true(time_us == INT64_C(1768120200000000));
    assert_true(fk_time_parse("2024-02-29T00:00:00.000001", false, &time_us));
}

static void test_anything_else_is_refused_where_exactness_is_asked_for(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "",
        "2026",
        "2026-01-11",
        "2026-01-11T08:30:00",
        "2026-01-11T08:30:00.5",
        "2026-01-11T08:30:00.0000000",
        "2026-01-11 08:30:00.000000",
        "2026-01-11T08:30:00.000000+00:00",
        "2026-01-11T08:30:00.000000Zx",
        "2026-01-11T08:30:60.000000",
        "2026-1-11T08:30:00.000000",
        "2026/01/11T08:30:00.000000",
        "2026-01-11T08-30-00.000000",
        "-026-01-11T08:30:00.000000",
        "2026-13-11T08:30:00.000000",
        "2026-00-11T08:30:00.000000",
        "2026-01-00T08:30:00.000000",
        "2026-01-32T08:30:00.000000",
        "2026-04-31T08:30:00.000000",
        "2026-02-29T08:30:00.000000",
        "1900-02-29T08:30:00.000000",
        "2026-01-11T24:30:00.000000",
        "2026-01-11T08:60:00.000000",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int64_t time_us = 5;
        assert_false(fk_time_parse(wrong[i], false, &time_us));
        assert_true(time_us == 5);
    }
}

static void test_lenient_texts_are_read(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
        int64_t micro;
    } cases[] = {
        {"2026-01-11 08:30:00", 1768120200, 0},
        {"2026-01-11T08:30:00.5", 1768120200, 500000},
        {"2026-01-11T08:30:00.123", 1768120200, 123000},
        {"2026-01-11T08:30:00+01:00", 1768120200 - 3600, 0},
        {"2026-01-11T08:30:00.000000-0530", 1768120200 + 19800, 0},
        {"2026-01-11T08:30:00Z", 1768120200, 0},
        {"2016-12-31T23:59:60", 1483228800, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t time_us = 0;
        assert_true(fk_time_parse(cases[i].text, true, &time_us));
        assert_true(time_us == cases[i].seconds * 1000000 + cases[i].micro);
    }
    static const char *const wrong[] = {
        "2026-01-11T08:30:00.",       "2026-01-11T08:30:00.1234567", "2026-01-11T08:30:00+1:00",
        "2026-01-11T08:30:00+24:00",  "2026-01-11T08:30:00+01:60",   "2026-01-11T08:30:00+01",
        "2026-01-11T08:30:00+01:00x", "2026-01-11T08:30:61",         "yesterday",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int64_t time_us;
        assert_false(fk_time_parse(wrong[i], true, &time_us));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_instants_are_written_as_the_c_library_does),
        cmocka_unit_test(test_years_end_at_1_and_9999),
        cmocka_unit_test(test_exact_texts_are_read),
        cmocka_unit_test(test_anything_else_is_refused_where_exactness_is_asked_for),
        cmocka_unit_test(test_lenient_texts_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
