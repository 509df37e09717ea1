/* lib/base/text.c: copies, UTF-8, spelling, numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "base/text.h"
#include "fontkeep/font.h"

static void test_copies_are_cut_between_characters(void **state) {
    (void)state;
    char into[6];
    assert_int_equal(fk_text_copy(into, sizeof into, "abc"), 3);
    assert_string_equal(into, "abc");
    assert_int_equal(fk_text_copy(into, sizeof into, "abcdefgh"), 5);
    assert_string_equal(into, "abcde");
    assert_int_equal(fk_text_copy(into, sizeof into, "abcd\xC3\xA9"), 4);
    assert_string_equal(into, "abcd");
    assert_int_equal(fk_text_copy(into, sizeof into, "abc\xC3\xA9"), 5);
    assert_int_equal(fk_text_copy(into, sizeof into, "ab\xF0\x9F\x98\x80"), 2);
    assert_int_equal(fk_text_copy(into, 1, "abc"), 0);
    assert_string_equal(into, "");
    /* what was no UTF-8 before is cut like bytes */
    assert_int_equal(fk_text_copy(into, sizeof into, "\x80\x80\x80\x80\x80\x80\x80"), 5);
}

static void test_what_is_not_there_is_like_nothing(void **state) {
    (void)state;
    assert_true(fk_text_is("weights", "weights"));
    assert_false(fk_text_is("weights", "weights.pt"));
    assert_false(fk_text_is(NULL, "weights"));
    assert_false(fk_text_is("weights", NULL));
    assert_false(fk_text_is(NULL, NULL));
}

static void test_starts_and_ends(void **state) {
    (void)state;
    assert_true(fk_text_starts_with(".stage-1", ".stage-"));
    assert_false(fk_text_starts_with(".sta", ".stage-"));
    assert_true(fk_text_ends_with("A.png", ".png"));
    assert_false(fk_text_ends_with("png", ".png"));
    assert_true(fk_text_ends_with("x", ""));
}

static void test_characters_come_back_from_utf8(void **state) {
    (void)state;
    static const uint32_t characters[] = {0,      0x7F,   0x80,   0x7FF,   0x800,
                                          0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF};
    for (size_t i = 0; i < sizeof characters / sizeof characters[0]; i++) {
        char text[4];
        uint32_t character = 99;
        size_t length = fk_text_encode_utf8(characters[i], text);
        assert_int_equal(fk_text_decode_utf8(text, length, &character), length);
        assert_int_equal(character, characters[i]);
        if (length > 1) {
            assert_int_equal(fk_text_decode_utf8(text, length - 1, &character), 0);
        }
    }
}

static void test_what_is_no_utf8_is_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "\x80",         "\xC0\x80",         "\xC1\xBF",         "\xE0\x9F\xBF",     "\xED\xA0\x80",
        "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF",
        "\xC3(",        "\xE2\x82("};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint32_t character;
        assert_int_equal(fk_text_decode_utf8(wrong[i], strlen(wrong[i]), &character), 0);
    }
}

static void test_distance_counts_edits(void **state) {
    (void)state;
    static const struct {
        const char *one;
        const char *other;
        size_t distance;
    } cases[] = {
        {"", "", 0},
        {"", "abc", 3},
        {"abc", "", 3},
        {"verify", "verify", 0},
        {"verfy", "verify", 1},
        {"evrify", "verify", 1},
        {"kitten", "sitting", 3},
        {"ab", "ba", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(fk_text_distance(cases[i].one, cases[i].other), cases[i].distance);
    }
    char long_one[301];
    char long_other[301];
    memset(long_one, 'a', 300);
    memset(long_other, 'b', 300);
    long_one[300] = long_other[300] = '\0';
    assert_int_equal(fk_text_distance(long_one, long_other), 127);
}

static void test_the_nearest_name_is_offered_or_none(void **state) {
    (void)state;
    static const char *const names[] = {"save", "show", "status", "verify"};
    assert_string_equal(fk_nearest_name("statsu", names, 4), "status");
    assert_string_equal(fk_nearest_name("shwo", names, 4), "show");
    assert_string_equal(fk_nearest_name("save", names, 4), "save");
    assert_null(fk_nearest_name("frobnicate", names, 4));
    assert_null(fk_nearest_name("save", names, 0));
}

static void test_doubles_are_written_short_and_read_back(void **state) {
    (void)state;
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        {0.03, "0.03"},
        {1, "1.0"},
        {-0.0, "-0.0"},
        {30, "30.0"},
        {100000, "100000.0"},
        {1234567.125, "1234567.125"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1e15, "1000000000000000.0"},
        {1e16, "1e+16"},
        {1e22, "1e+22"},
        {0.0001, "0.0001"},
        {0.00001, "1e-05"},
        {5e-324, "5e-324"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {123456789012345678.0, "1.2345678901234568e+17"},
        {9007199254740992.0, "9007199254740992.0"},
        {-123.456, "-123.456"},
        {9999999999999998, "9999999999999998.0"},
        {0.00012345678901234567, "0.00012345678901234567"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {1e-310, "1e-310"},
        {1e23, "1e+23"},
        {-7e-300, "-7e-300"},
        {123456789012345e-5, "1234567890.12345"},
        {0.001, "0.001"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[FK_TEXT_DOUBLE_BYTES];
        double number = 99;
        fk_text_from_double(cases[i].number, text);
        assert_string_equal(text, cases[i].text);
        assert_true(fk_text_to_double(text, strlen(text), &number));
        assert_memory_equal(&number, &cases[i].number, sizeof number);
    }
}

static void test_any_double_survives_its_text(void **state) {
    (void)state;
    uint64_t bits = 88172645463325252;
    for (size_t i = 0; i < 20000; i++) {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        double number;
        double again;
        memcpy(&number, &bits, sizeof number);
        if (isfinite(number)) {
            char text[FK_TEXT_DOUBLE_BYTES];
            fk_text_from_double(number, text);
            assert_true(fk_text_to_double(text, strlen(text), &again));
            assert_memory_equal(&again, &number, sizeof number);
        }
    }
}

static void test_what_is_no_number_is_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {"",    "abc", "1x",    "0x10", "nan", "inf",
                                        "1 2", "1e",  "1e999", "--1",  " 1",  "."};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        double number = 99;
        assert_false(fk_text_to_double(wrong[i], strlen(wrong[i]), &number));
        assert_true(number == 99);
    }
    char long_text[600];
    memset(long_text, '1', sizeof long_text);
    double number;
    assert_false(fk_text_to_double(long_text, sizeof long_text, &number));
    assert_true(fk_text_to_double("12345", 3, &number));
    assert_true(number == 123);
}

static void test_numbers_do_not_follow_the_locale(void **state) {
    (void)state;
    locale_t comma = newlocale(LC_ALL_MASK, "de_DE.UTF-8", (locale_t)0);
    if (comma == (locale_t)0) {
        comma = newlocale(LC_ALL_MASK, "C.UTF-8", (locale_t)0);
    }
    locale_t before = uselocale(comma);
    char text[FK_TEXT_DOUBLE_BYTES];
    double number = 0;
    fk_text_from_double(0.5, text);
    bool read = fk_text_to_double("2.5", 3, &number);
    locale_t still = uselocale(before);
    assert_true(still == comma);
    freelocale(comma);
    assert_string_equal(text, "0.5");
    assert_true(read);
    assert_true(number == 2.5);
}

static void test_bytes_become_hex(void **state) {
    (void)state;
    char text[9];
    fk_text_from_bytes("\x00\x9F\xA0\xFF", 4, text);
    assert_string_equal(text, "009fa0ff");
    fk_text_from_bytes("", 0, text);
    assert_string_equal(text, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copies_are_cut_between_characters),
        cmocka_unit_test(test_what_is_not_there_is_like_nothing),
        cmocka_unit_test(test_starts_and_ends),
        cmocka_unit_test(test_characters_come_back_from_utf8),
        cmocka_unit_test(test_what_is_no_utf8_is_refused),
        cmocka_unit_test(test_distance_counts_edits),
        cmocka_unit_test(test_the_nearest_name_is_offered_or_none),
        cmocka_unit_test(test_doubles_are_written_short_and_read_back),
        cmocka_unit_test(test_any_double_survives_its_text),
        cmocka_unit_test(test_what_is_no_number_is_refused),
        cmocka_unit_test(test_numbers_do_not_follow_the_locale),
        cmocka_unit_test(test_bytes_become_hex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
