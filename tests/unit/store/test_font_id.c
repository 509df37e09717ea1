#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "store/names/font_id.h"

/* `start` and as many 'a' as make `length` bytes. */
static char *filled(const char *start, size_t length) {
    static char text[1024];
    memset(text, 'a', length);
    memcpy(text, start, strlen(start));
    text[length] = '\0';
    return text;
}

static void test_ids_of_the_rule_are_valid(void **state) {
    (void)state;
    static const char *const ids[] = {"1-fruity", "2-dumb", "3-aggressive-sans",         "0-a",
                                      "007-b2",   "1-2",    "12345678901234567890-x-y-z"};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        assert_true(fk_font_id_is_valid(ids[i]));
        assert_int_equal(fk_font_id_check(ids[i], NULL), FK_OK);
        fk_font_id corrected;
        fk_font_id_correct(ids[i], &corrected);
        assert_string_equal(corrected.text, ids[i]);
    }
    assert_true(fk_font_id_is_valid(filled("1-", 100)));
}

static void test_a_valid_id_with_a_long_number_needs_no_correction(void **state) {
    (void)state;
    fk_font_id id = {""};
    fk_font_id corrected;
    memset(id.text, '9', 98);
    memcpy(id.text + 98, "-5", 2);
    assert_true(fk_font_id_is_valid(id.text));
    fk_font_id_correct(id.text, &corrected);
    assert_string_equal(corrected.text, id.text);
}

static void test_wrong_ids_are_refused_with_rule_and_correction(void **state) {
    (void)state;
    static const struct {
        const char *wrong;
        const char *corrected;
    } ids[] = {
        {"Fruity", "1-fruity"},
        {"1_fruity", "1-fruity"},
        {"1-Fruity", "1-fruity"},
        {"1_Fruity", "1-fruity"},
        {"fruity-1", "1-fruity"},
        {"1-", "1-font"},
        {"../1-a", "1-a"},
        {"", "1-font"},
        {"12", "12-font"},
        {"-", "1-font"},
        {"1--a", "1-a"},
        {"1-a-", "1-a"},
        {"-1-a", "1-a"},
        {"1-a b", "1-a-b"},
        {"1fruity", "1-fruity"},
        {"aggressive sans", "1-aggressive-sans"},
        {"aggressive sans 3", "3-aggressive-sans"},
        {"font3", "1-font3"},
        {"1-fruit\xC3\xA9", "1-fruit"},
        {"1/fruity", "1-fruity"},
        {".", "1-font"},
        {"1-fruity\n", "1-fruity"},
        {"1-fruity/runs", "1-fruity-runs"},
    };
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        fk_error err;
        assert_false(fk_font_id_is_valid(ids[i].wrong));
        assert_int_equal(fk_font_id_check(ids[i].wrong, &err), FK_E_INVALID);
        assert_int_equal(err.subject, FK_SUBJECT_FONT_ID);
        assert_non_null(strstr(err.message, "{number}-{personality-name}"));
        fk_font_id corrected;
        fk_font_id_correct(ids[i].wrong, &corrected);
        assert_string_equal(corrected.text, ids[i].corrected);
        assert_non_null(strstr(err.hint, ids[i].corrected));
        assert_non_null(strstr(err.message, ids[i].corrected));
    }
}

static void test_ids_that_are_too_long_are_cut(void **state) {
    (void)state;
    fk_font_id corrected;
    fk_error err;
    const char *long_id = filled("7-", 101);
    assert_false(fk_font_id_is_valid(long_id));
    assert_int_equal(fk_font_id_check(long_id, &err), FK_E_INVALID);
    assert_non_null(strstr(err.message, "at most 100 bytes"));
    fk_font_id_correct(long_id, &corrected);
    assert_string_equal(corrected.text, filled("7-", 100));
    /* cut where a word ends */
    char text[200];
    memset(text, 'b', sizeof text);
    memcpy(text, "7-", 2);
    memcpy(text + 99, "-cc", 4);
    fk_font_id_correct(text, &corrected);
    assert_int_equal(strlen(corrected.text), 99);
    /* a number that fills the id alone */
    memset(text, '9', sizeof text);
    text[sizeof text - 1] = '\0';
    fk_font_id_correct(text, &corrected);
    assert_true(fk_font_id_is_valid(corrected.text));
    fk_font_id_correct(filled("", 1000), &corrected);
    assert_true(fk_font_id_is_valid(corrected.text));
}

static void test_every_correction_is_valid_and_its_own_correction(void **state) {
    (void)state;
    uint64_t seed = 88172645463325252u;
    static const char alphabet[] = "aZ19-_. /\xC3\n\x7F-";
    for (size_t i = 0; i < 20000; i++) {
        char text[160];
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        size_t length = seed % sizeof text;
        for (size_t k = 0; k < length; k++) {
            uint64_t mixed = (seed + k) * UINT64_C(0x9E3779B97F4A7C15);
            text[k] = alphabet[(mixed >> 33) % (sizeof alphabet - 1)];
        }
        text[length < sizeof text ? length : sizeof text - 1] = '\0';
        fk_font_id once;
        fk_font_id twice;
        fk_font_id_correct(text, &once);
        assert_true(fk_font_id_is_valid(once.text));
        fk_font_id_correct(once.text, &twice);
        assert_string_equal(once.text, twice.text);
    }
}

static int compare(const void *one, const void *other) {
    return fk_font_id_compare(*(const char *const *)one, *(const char *const *)other);
}

static void test_fonts_sort_by_number_then_name(void **state) {
    (void)state;
    static const char *const sorted[] = {"0-z",   "00-z",  "1-a",   "01-a",
                                         "1-a-b", "1-b",   "2-a",   "9-z",
                                         "10-a",  "010-a", "100-a", "99999999999999999999999-a"};
    enum { COUNT = sizeof sorted / sizeof sorted[0] };
    const char *ids[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        ids[i] = sorted[(i * 5 + 3) % COUNT];
    }
    qsort(ids, COUNT, sizeof *ids, compare);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(fk_font_id_compare(sorted[i], sorted[i]), 0);
        for (size_t k = i + 1; k < COUNT; k++) {
            assert_int_equal(fk_font_id_compare(ids[i], ids[k]), -1);
            assert_int_equal(fk_font_id_compare(ids[k], ids[i]), 1);
        }
    }
    assert_string_equal(ids[2], "01-a"); /* same number and name: by bytes */
    assert_string_equal(ids[3], "1-a");
    assert_string_equal(ids[4], "1-a-b");
    assert_string_equal(ids[7], "9-z");
    assert_string_equal(ids[11], "99999999999999999999999-a");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids_of_the_rule_are_valid),
        cmocka_unit_test(test_a_valid_id_with_a_long_number_needs_no_correction),
        cmocka_unit_test(test_wrong_ids_are_refused_with_rule_and_correction),
        cmocka_unit_test(test_ids_that_are_too_long_are_cut),
        cmocka_unit_test(test_every_correction_is_valid_and_its_own_correction),
        cmocka_unit_test(test_fonts_sort_by_number_then_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
