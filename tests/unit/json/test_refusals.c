#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "value/values.h"
#include "json/json.h"

/* Texts that are refused; the offset is that of the byte the mark stands under. */
typedef struct refused_text {
    const char *text;
    uint64_t offset;
    const char *message; /* part of it */
} refused_text;

static const refused_text refusals[] = {
    /* the document */
    {"", 0, "the text ends where a value should stand"},
    {"  \n", 3, "the text ends where a value should stand"},
    {"1 2", 2, "expected the end of the text, found '2'"},
    {"{}x", 2, "expected the end of the text, found 'x'"},
    {"\xEF\xBB\xBF{}", 0, "a byte order mark"},
    {"nul", 0, "expected a value, found 'n'"},
    {"nan", 0, "expected a value"},
    {"inf", 0, "expected a value"},
    {"True", 0, "expected a value, found 'T'"},
    {"'a'", 0, "expected a value, found '''"},
    {"// c\n1", 0, "expected a value, found '/'"},
    {"/* c */ 1", 0, "expected a value, found '/'"},
    {"\v1", 0, "expected a value, found byte 0x0B"},
    {"\xC3\xA9", 0, "expected a value, found byte 0xC3"},
    {"+1", 0, "expected a value, found '+'"},
    {"nullx", 4, "expected the end of the text"},
    /* numbers */
    {"[01]", 1, "leading zero"},
    {"[-01]", 1, "leading zero"},
    {"-", 1, "the text ends where a digit should stand"},
    {"-x", 1, "expected a digit, found 'x'"},
    {".5", 0, "expected a value, found '.'"},
    {"5.", 2, "a digit behind the point"},
    {"5.e1", 2, "expected a digit behind the point, found 'e'"},
    {"1e", 2, "a digit of the exponent"},
    {"1e+", 3, "a digit of the exponent"},
    {"1E-x", 3, "expected a digit of the exponent, found 'x'"},
    {"0x10", 1, "expected the end of the text, found 'x'"},
    {"[9223372036854775808]", 1, "an integer beyond 64 bits"},
    {"[ -9223372036854775809]", 2, "an integer beyond 64 bits"},
    {"{\"a\": 100000000000000000000000}", 6, "an integer beyond 64 bits"},
    {"1e309", 0, "beyond the range of a double"},
    {"[-1.8e308]", 1, "beyond the range of a double"},
    {"-Inf", 1, "expected a digit, found 'I'"},
    /* strings */
    {"\"abc", 0, "a string without end"},
    {"[\"a\\\"]", 1, "a string without end"},
    {"\"a\nb\"", 2, "a control character in a string"},
    {"\"a\tb\"", 2, "a control character in a string"},
    {"\"\\x41\"", 1, "an escape that JSON does not have"},
    {"\"\\", 1, "an escape that JSON does not have"},
    {"\"\\u12G4\"", 1, "four hex digits"},
    {"\"\\u12", 1, "four hex digits"},
    {"\"\\ud83d\"", 1, "half a surrogate pair"},
    {"\"a\\ude00\"", 2, "half a surrogate pair"},
    {"\"\\ud83d\\u0041\"", 1, "half a surrogate pair"},
    {"\"\\ud83d\\ud83d\"", 1, "half a surrogate pair"},
    {"\"\\ud83d\\n\"", 1, "half a surrogate pair"},
    {"\"\xFF\"", 1, "bytes that are no UTF-8"},
    {"\"a\xC3\"", 2, "bytes that are no UTF-8"},
    {"\"\xC0\x80\"", 1, "bytes that are no UTF-8"},
    {"\"\xED\xA0\x80\"", 1, "bytes that are no UTF-8"},
    {"\"\xF4\x90\x80\x80\"", 1, "bytes that are no UTF-8"},
    /* containers */
    {"[", 1, "the text ends where a value should stand"},
    {"[1", 2, "the text ends where ',' or ']' should stand"},
    {"[1,]", 3, "expected a value, found ']'"},
    {"[1 2]", 3, "expected ',' or ']', found '2'"},
    {"[1}", 2, "expected ',' or ']', found '}'"},
    {"[,1]", 1, "expected a value, found ','"},
    {"]", 0, "expected a value, found ']'"},
    {"{", 1, "the text ends where a key in quotes should stand"},
    {"{\"a\":1,}", 7, "expected a key in quotes, found '}'"},
    {"{\"a\" 1}", 5, "expected ':', found '1'"},
    {"{\"a\":}", 5, "expected a value, found '}'"},
    {"{a:1}", 1, "expected a key in quotes, found 'a'"},
    {"{1:1}", 1, "expected a key in quotes, found '1'"},
    {"{\"a\":1 \"b\":2}", 7, "expected ',' or '}'"},
    {"{\"a\\q\":1}", 3, "an escape that JSON does not have"},
    /* keys */
    {"{\"a\":1,\"a\":2}", 7, "a duplicate key"},
    {"{\"a\":1,\"b\":1,\"\\u0061\":2}", 13, "a duplicate key"},
    {"{\"\\ud83d\\ude00\":1,\"\xF0\x9F\x98\x80\":2}", 18, "a duplicate key"},
    {"{\"\\n\":1,\"\\u000A\":2}", 8, "a duplicate key"},
    {"{\"\\/\":1,\"/\":2}", 8, "a duplicate key"},
    {"{\"\":1,\"\":2}", 6, "a duplicate key"},
    {"{\"z\":1,\"z\":2,\"a\":1,\"a\":2}", 7, "a duplicate key"},
    {"{\"b\":1,\"a\":1,\"a\":2,\"b\":1}", 13, "a duplicate key"},
    {"[{\"k\":{\"a\":1,\"a\":2}}]", 13, "a duplicate key"},
    {"{\"a\":{\"a\":1},\"b\":2,\"a\":3}", 19, "a duplicate key"},
    {"{\"a\\u0000b\":1}", 3, "a NUL in a key"},
};

static void test_each_refusal_tells_its_reason_and_offset(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
        fk_value *untouched = NULL;
        fk_error err;
        fk_code code =
            fk_json_read(refusals[i].text, strlen(refusals[i].text), values, &untouched, &err);
        if (code != FK_E_INVALID || err.offset != refusals[i].offset ||
            strstr(err.message, refusals[i].message) == NULL) {
            fail_msg("%s: code %d, offset %d, %s", refusals[i].text, code, (int)err.offset,
                     err.message);
        }
        assert_null(untouched);
        assert_true(err.hint[0] != '\0');
    }
}

static void test_a_nul_in_the_text_is_refused(void **state) {
    (void)state;
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    fk_value *value;
    fk_error err;
    assert_int_equal(fk_json_read("1\0", 2, values, &value, &err), FK_E_INVALID);
    assert_int_equal(err.offset, 1);
    assert_int_equal(fk_json_read("\"a\0b\"", 5, values, &value, &err), FK_E_INVALID);
    assert_int_equal(err.offset, 2);
    assert_int_equal(fk_json_read("[\0]", 3, values, &value, &err), FK_E_INVALID);
    assert_int_equal(err.offset, 1);
    assert_int_equal(fk_json_read("\"\\\0\"", 4, values, &value, NULL), FK_E_INVALID);
}

static void test_line_and_column_are_told(void **state) {
    (void)state;
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    static const char text[] = "{\n  \"a\": 1,\n  \"b\": x\n}";
    fk_value *value;
    fk_error err;
    assert_int_equal(fk_json_read(text, strlen(text), values, &value, &err), FK_E_INVALID);
    assert_string_equal(err.message, "JSON: expected a value, found 'x' at line 3, column 8");
    assert_int_equal(err.offset, 19);
}

/* `depth` arrays or objects in each other. */
static char *nest(size_t depth, bool objects) {
    FK_SCOPED(fk_buffer_finish) fk_buffer text = {0};
    for (size_t i = 0; i < depth; i++) {
        fk_buffer_append_text(&text, objects ? "{\"k\":" : "[");
    }
    fk_buffer_append_text(&text, objects ? "1" : "");
    for (size_t i = 0; i < depth; i++) {
        fk_buffer_append_text(&text, objects ? "}" : "]");
    }
    return fk_buffer_take(&text, NULL);
}

static void test_nesting_has_a_limit(void **state) {
    (void)state;
    for (int objects = 0; objects <= 1; objects++) {
        FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
        FK_SCOPED(fk_freep) char *good = nest(FK_LIMIT_JSON_DEPTH, objects);
        FK_SCOPED(fk_freep) char *deep = nest(FK_LIMIT_JSON_DEPTH + 1, objects);
        fk_value *value = NULL;
        fk_error err;
        assert_int_equal(fk_json_read(good, strlen(good), values, &value, &err), FK_OK);
        assert_int_equal(fk_json_read(deep, strlen(deep), values, &value, &err), FK_E_LIMIT);
        assert_int_equal(err.offset, FK_LIMIT_JSON_DEPTH * (objects ? 5 : 1));
        FK_SCOPED(fk_freep) char *hostile = nest(1000000, objects);
        assert_int_equal(fk_json_read(hostile, strlen(hostile), values, &value, NULL), FK_E_LIMIT);
    }
}

static void test_the_length_has_a_limit(void **state) {
    (void)state;
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    FK_SCOPED(fk_freep) char *text = malloc(FK_LIMIT_JSON_BYTES + 1);
    memset(text, ' ', FK_LIMIT_JSON_BYTES + 1);
    text[0] = '7';
    fk_value *value = NULL;
    fk_error err;
    assert_int_equal(fk_json_read(text, FK_LIMIT_JSON_BYTES, values, &value, &err), FK_OK);
    assert_int_equal(fk_value_as_int(value), 7);
    assert_int_equal(fk_json_read(text, FK_LIMIT_JSON_BYTES + 1, values, &value, &err), FK_E_LIMIT);
    assert_int_equal(err.offset, FK_LIMIT_JSON_BYTES);
}

static void test_duplicates_are_found_among_many_keys(void **state) {
    (void)state;
    FK_SCOPED(fk_buffer_finish) fk_buffer text = {0};
    fk_buffer_append_byte(&text, '{');
    for (unsigned i = 0; i < 200000; i++) {
        fk_buffer_append_format(&text, "\"%u\":0,", i);
    }
    size_t offset = text.length;
    fk_buffer_append_text(&text, "\"77777\":0}");
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    fk_value *value = NULL;
    fk_error err;
    assert_int_equal(fk_json_read((char *)text.bytes, text.length, values, &value, &err),
                     FK_E_INVALID);
    assert_int_equal(err.offset, offset);
    text.bytes[offset + 1] = 'x';
    assert_int_equal(fk_json_read((char *)text.bytes, text.length, values, &value, &err), FK_OK);
    assert_int_equal(fk_value_count(value), 200001);
}

static void test_every_start_of_a_text_is_refused_and_never_read_beyond(void **state) {
    (void)state;
    static const char text[] =
        "{\"a\": [1.5e3, -Infinity, NaN, true, \"\\ud83d\\ude00\xC3\xA9\"], \"b\": {\"c\": null}}";
    for (size_t length = 0; length < strlen(text); length++) {
        /* of exactly that length, so that a sanitizer sees a read beyond */
        FK_SCOPED(fk_freep) char *start = malloc(length > 0 ? length : 1);
        memcpy(start, text, length);
        FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
        fk_value *value;
        assert_int_equal(fk_json_read(start, length, values, &value, NULL), FK_E_INVALID);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_refusal_tells_its_reason_and_offset),
        cmocka_unit_test(test_a_nul_in_the_text_is_refused),
        cmocka_unit_test(test_line_and_column_are_told),
        cmocka_unit_test(test_nesting_has_a_limit),
        cmocka_unit_test(test_the_length_has_a_limit),
        cmocka_unit_test(test_duplicates_are_found_among_many_keys),
        cmocka_unit_test(test_every_start_of_a_text_is_refused_and_never_read_beyond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
