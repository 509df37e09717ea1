#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "fontkeep/time.h"
#include "store/names/run_id.h"

#define INSTANT    "2026-01-11T08:30:00.000000"
#define INSTANT_US INT64_C(1768120200000000)

static void expect_next(int64_t now_us, const char *newest, const char *expected) {
    fk_run_id newest_id;
    fk_run_id next;
    fk_error err;
    if (newest != NULL) {
        assert_true(fk_run_id_parse(newest, &newest_id, NULL, NULL));
    }
    assert_int_equal(fk_run_id_next(now_us, newest == NULL ? NULL : &newest_id, &next, &err),
                     FK_OK);
    assert_string_equal(next.text, expected);
    assert_true(newest == NULL || strcmp(newest, next.text) < 0);
}

static void test_ids_are_made_of_instant_and_number(void **state) {
    (void)state;
    fk_run_id id;
    assert_true(fk_run_id_make(INSTANT_US, 0, &id));
    assert_string_equal(id.text, INSTANT);
    assert_true(fk_run_id_make(INSTANT_US, 1, &id));
    assert_string_equal(id.text, INSTANT "-0001");
    assert_true(fk_run_id_make(INSTANT_US, FK_SEQUENCE_MAX, &id));
    assert_string_equal(id.text, INSTANT "-9999");
    assert_false(fk_run_id_make(INSTANT_US, FK_SEQUENCE_MAX + 1, &id));
    assert_false(fk_run_id_make(INT64_MIN, 0, &id));
    assert_false(fk_run_id_make(INT64_MAX, 0, &id));
    assert_string_equal(id.text, INSTANT "-9999");
}

static void test_full_ids_and_twins_are_read(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *id;
        unsigned sequence;
    } ids[] = {
        {INSTANT, INSTANT, 0},
        {INSTANT "-0001", INSTANT "-0001", 1},
        {INSTANT "-9999", INSTANT "-9999", 9999},
        {"2026-01-11T08-30-00.000000", INSTANT, 0},
        {"2026-01-11T08-30-00.000000-0042", INSTANT "-0042", 42},
    };
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        fk_run_id id;
        int64_t time_us;
        unsigned sequence;
        assert_true(fk_run_id_parse(ids[i].text, &id, &time_us, &sequence));
        assert_string_equal(id.text, ids[i].id);
        assert_true(time_us == INSTANT_US);
        assert_int_equal(sequence, ids[i].sequence);
    }
}

static void test_anything_else_is_no_id(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "latest",
        "2026-01-11",
        "2026-01-11T08:30:00",
        "2026-01-11T08:30:00.00000",
        "2026-01-11T08:30:00.0000000",
        INSTANT "Z",
        INSTANT "-",
        INSTANT "-001",
        INSTANT "-0000",
        INSTANT "-00001",
        INSTANT "-00a1",
        INSTANT "_0001",
        INSTANT "-0001-0001",
        "2026-01-11T08-30:00.000000",
        "2026-01-11T08:30-00.000000",
        "2026-01-11 08:30:00.000000",
        "2026-02-30T08:30:00.000000",
        "2026-01-11T24:30:00.000000",
        "2026-01-11T08:30:60.000000",
        "0000-01-11T08:30:00.000000",
        "../../11T08:30:00.0000000000",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        fk_run_id id = {"untouched"};
        if (fk_run_id_parse(texts[i], &id, NULL, NULL)) {
            fail_msg("'%s' was taken", texts[i]);
        }
        assert_string_equal(id.text, "untouched");
    }
}

static void test_the_twin_has_no_colons_and_leads_back(void **state) {
    (void)state;
    fk_run_id id;
    fk_run_id twin;
    fk_run_id back;
    assert_true(fk_run_id_make(INSTANT_US, 7, &id));
    fk_run_id_twin(&id, &twin);
    assert_string_equal(twin.text, "2026-01-11T08-30-00.000000-0007");
    assert_true(fk_run_id_parse(twin.text, &back, NULL, NULL));
    assert_string_equal(back.text, id.text);
}

static void test_the_next_id_is_always_behind_the_newest(void **state) {
    (void)state;
    expect_next(INSTANT_US, NULL, INSTANT);
    expect_next(INSTANT_US, "2026-01-11T08:29:59.999999-9999", INSTANT);
    /* taken */
    expect_next(INSTANT_US, INSTANT, INSTANT "-0001");
    expect_next(INSTANT_US, INSTANT "-0001", INSTANT "-0002");
    expect_next(INSTANT_US, INSTANT "-9998", INSTANT "-9999");
    /* all numbers taken */
    expect_next(INSTANT_US, INSTANT "-9999", "2026-01-11T08:30:00.000001");
    expect_next(INSTANT_US, "2026-01-11T23:59:59.999999-9999", "2026-01-12T00:00:00.000000");
    /* the clock went back */
    expect_next(0, INSTANT, INSTANT "-0001");
    expect_next(INSTANT_US, "2027-01-01T00:00:00.000000-0100", "2027-01-01T00:00:00.000000-0101");
}

static void test_there_is_no_id_beyond_the_last_year(void **state) {
    (void)state;
    fk_run_id newest = {"9999-12-31T23:59:59.999999-9999"};
    fk_run_id next = {"untouched"};
    fk_error err;
    assert_int_equal(fk_run_id_next(0, &newest, &next, &err), FK_E_INVALID);
    assert_non_null(strstr(err.hint, newest.text));
    assert_int_equal(fk_run_id_next(INT64_MAX, NULL, &next, &err), FK_E_INVALID);
    assert_non_null(strstr(err.hint, "clock"));
    assert_int_equal(fk_run_id_next(INT64_MIN, NULL, &next, NULL), FK_E_INVALID);
    assert_string_equal(next.text, "untouched");
}

static void test_string_order_is_chronological(void **state) {
    (void)state;
    fk_run_id previous;
    assert_true(fk_run_id_make(INSTANT_US, 0, &previous));
    for (int64_t i = 1; i < 30000; i++) {
        fk_run_id next;
        /* a clock that stands still, jumps, and goes back */
        int64_t now_us = INSTANT_US + (i % 7 == 0 ? i * 1000 : 0);
        assert_int_equal(fk_run_id_next(now_us, &previous, &next, NULL), FK_OK);
        assert_true(strcmp(previous.text, next.text) < 0);
        previous = next;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids_are_made_of_instant_and_number),
        cmocka_unit_test(test_full_ids_and_twins_are_read),
        cmocka_unit_test(test_anything_else_is_no_id),
        cmocka_unit_test(test_the_twin_has_no_colons_and_leads_back),
        cmocka_unit_test(test_the_next_id_is_always_behind_the_newest),
        cmocka_unit_test(test_there_is_no_id_beyond_the_last_year),
        cmocka_unit_test(test_string_order_is_chronological),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
