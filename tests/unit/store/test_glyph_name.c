#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "store/names/glyph_name.h"

static const struct {
    const char *label;
    const char *file;
} pairs[] = {
    {"A", "A.png"},
    {"a", "a.png"},
    {"0", "0.png"},
    {"ampersand", "ampersand.png"},
    {"fi", "fi.png"},
    {"A_alt-2", "A_alt-2.png"},
    {"-", "-.png"},
    {"u", "u.png"},
    {"uni", "uni.png"},
    {"union", "union.png"},
    {"uni00e9", "uni00e9.png"}, /* escapes are upper case */
    {"u1234", "u1234.png"},
    {"abcdefghijklmnopqrstuvwxyz012345", "abcdefghijklmnopqrstuvwxyz012345.png"},
    {"\xC3\xA9", "uni00E9.png"},
    {"&", "uni0026.png"},
    {" ", "uni0020.png"},
    {".", "uni002E.png"},
    {"..", "uni002E_uni002E.png"},
    {"/", "uni002F.png"},
    {"a/b", "uni0061_uni002F_uni0062.png"},
    {"A.png", "uni0041_uni002E_uni0070_uni006E_uni0067.png"},
    {"\n", "uni000A.png"},
    {"\xE4\xB8\x96", "uni4E16.png"},
    {"\xF0\x9F\x99\x82", "u1F642.png"},
    {"\xF4\x80\x80\x80", "u100000.png"},
    {"e\xCC\x81", "uni0065_uni0301.png"},
    {"uni00E9", "uni0075_uni006E_uni0069_uni0030_uni0030_uni0045_uni0039.png"},
    {"u1F642", "uni0075_uni0031_uni0046_uni0036_uni0034_uni0032.png"},
    {"u01F642", "uni0075_uni0030_uni0031_uni0046_uni0036_uni0034_uni0032.png"},
};

static void test_labels_become_file_names_and_come_back(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char file[FK_GLYPH_FILE_BYTES];
        char label[FK_LABEL_BYTES];
        fk_error err;
        assert_int_equal(fk_glyph_name_from_label(pairs[i].label, file, &err), FK_OK);
        assert_string_equal(file, pairs[i].file);
        fk_glyph_name_to_label(file, label);
        assert_string_equal(label, pairs[i].label);
    }
}

static void test_every_character_comes_back(void **state) {
    (void)state;
    for (uint32_t character = 1; character <= 0x10FFFF; character += character < 0x500 ? 1 : 97) {
        if (character >= 0xD800 && character <= 0xDFFF) {
            continue;
        }
        char label[8] = {0};
        char file[FK_GLYPH_FILE_BYTES];
        char back[FK_LABEL_BYTES];
        size_t length = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
        static const unsigned char marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
        for (size_t i = length; i-- > 0;) {
            unsigned shifted = character >> (6 * (length - 1 - i));
            label[i] = (char)(i == 0 ? marks[length] | shifted : 0x80 | (shifted & 0x3F));
        }
        if (length == 1) {
            label[0] = (char)character;
        }
        assert_int_equal(fk_glyph_name_from_label(label, file, NULL), FK_OK);
        assert_null(strchr(file, '/'));
        fk_glyph_name_to_label(file, back);
        assert_string_equal(back, label);
    }
}

static void test_file_names_that_are_no_escapes_are_their_own_label(void **state) {
    (void)state;
    static const struct {
        const char *file;
        const char *label;
    } names[] = {
        {"A", "A"},
        {"uni0041", "A"}, /* not what we would write, but clear */
        {"uni0041_uni0042.png", "AB"},
        {"uni0000.png", "uni0000"},     /* no label holds a NUL */
        {"uniD83D.png", "uniD83D"},     /* half a pair */
        {"uni00E9x.png", "uni00E9x"},   /* something behind it */
        {"uni00E9_x.png", "uni00E9_x"}, /* not all of it */
        {"uni00E9_.png", "uni00E9_"},   /* nothing behind the joint */
        {"u00041.png", "u00041"},       /* not the shortest form */
        {"u01F642.png", "u01F642"},     /* not the shortest form */
        {"u110000.png", "u110000"},     /* beyond Unicode */
        {"uni004.png", "uni004"},
        {".png", ".png"},
        {"A.PNG", "A.PNG"},
        {"A.png.png", "A.png"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char label[FK_LABEL_BYTES];
        fk_glyph_name_to_label(names[i].file, label);
        assert_string_equal(label, names[i].label);
    }
}

static void expect_refusal(const char *label, fk_code expected, const char *message) {
    char file[FK_GLYPH_FILE_BYTES] = "untouched";
    fk_error err;
    assert_int_equal(fk_glyph_name_from_label(label, file, &err), expected);
    assert_non_null(strstr(err.message, message));
    assert_true(err.hint[0] != '\0');
    assert_string_equal(file, "untouched");
}

static void test_labels_that_make_no_file_name_are_refused(void **state) {
    (void)state;
    expect_refusal("", FK_E_INVALID, "is empty");
    expect_refusal("\xFF", FK_E_INVALID, "is no UTF-8");
    expect_refusal("a\xED\xA0\x80", FK_E_INVALID, "is no UTF-8");
    char text[300];
    memset(text, ' ', sizeof text);
    text[31] = '\0'; /* 31 escapes of 7 bytes and their 30 joints fill 247 of 251 bytes */
    char file[FK_GLYPH_FILE_BYTES];
    assert_int_equal(fk_glyph_name_from_label(text, file, NULL), FK_OK);
    assert_int_equal(strlen(file), 251);
    text[31] = ' ';
    text[32] = '\0';
    expect_refusal(text, FK_E_LIMIT, "is too long for a file name");
    memset(text, 'a', sizeof text);
    text[201] = '\0';
    expect_refusal(text, FK_E_LIMIT, "is too long");
}

static void test_a_file_name_of_any_length_fits_its_label(void **state) {
    (void)state;
    char file[4000];
    char label[FK_LABEL_BYTES];
    memset(file, 'x', sizeof file);
    file[sizeof file - 1] = '\0';
    fk_glyph_name_to_label(file, label);
    assert_int_equal(strlen(label), FK_LABEL_BYTES - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels_become_file_names_and_come_back),
        cmocka_unit_test(test_every_character_comes_back),
        cmocka_unit_test(test_file_names_that_are_no_escapes_are_their_own_label),
        cmocka_unit_test(test_labels_that_make_no_file_name_are_refused),
        cmocka_unit_test(test_a_file_name_of_any_length_fits_its_label),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
