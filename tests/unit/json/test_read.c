#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "value/values.h"
#include "json/json.h"

static int make_values(void **state) {
    *state = fk_values_create();
    return *state == NULL;
}

static int drop_values(void **state) {
    fk_values_destroy(*state);
    return 0;
}

static fk_value *read_text(fk_values *values, const char *text) {
    fk_value *value = NULL;
    fk_error err;
    if (fk_json_read(text, strlen(text), values, &value, &err) != FK_OK) {
        fail_msg("%s: %s", text, err.message);
    }
    return value;
}

static void test_integers_stay_integers(void **state) {
    static const struct {
        const char *text;
        int64_t number;
    } integers[] = {
        {"0", 0},
        {"-0", 0},
        {" 42 ", 42},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
    };
    for (size_t i = 0; i < sizeof integers / sizeof integers[0]; i++) {
        fk_value *value = read_text(*state, integers[i].text);
        assert_int_equal(fk_value_kind(value), FK_KIND_INT);
        assert_true(fk_value_as_int(value) == integers[i].number);
    }
}

static void test_floats_stay_floats(void **state) {
    static const struct {
        const char *text;
        double number;
    } floats[] = {
        {"1.0", 1.0},
        {"0.03", 0.03},
        {"1e2", 100.0},
        {"1E+2\n", 100.0},
        {"-2.5e-3", -0.0025},
        {"5e-324", 5e-324},
        {"4.9406564584124654e-324", 5e-324},
        {"2.2250738585072011e-308", 2.2250738585072011e-308},
        {"1.7976931348623157e308", 1.7976931348623157e308},
        {"1e-400", 0.0},
        {"0.1000000000000000055511151231257827", 0.1},
        {"18446744073709551616.0", 18446744073709551616.0},
    };
    for (size_t i = 0; i < sizeof floats / sizeof floats[0]; i++) {
        fk_value *value = read_text(*state, floats[i].text);
        assert_int_equal(fk_value_kind(value), FK_KIND_FLOAT);
        assert_true(fk_value_as_float(value) == floats[i].number);
    }
    fk_value *zero = read_text(*state, "-0.0");
    assert_true(fk_value_as_float(zero) == 0.0 && signbit(fk_value_as_float(zero)));
}

static void test_what_pythons_json_writes_for_non_finite_numbers_is_read(void **state) {
    fk_value *list = read_text(*state, "[NaN, Infinity, -Infinity]");
    assert_int_equal(fk_value_count(list), 3);
    assert_true(isnan(fk_value_as_float(fk_value_item(list, 0))));
    assert_true(fk_value_as_float(fk_value_item(list, 1)) == HUGE_VAL);
    assert_true(fk_value_as_float(fk_value_item(list, 2)) == -HUGE_VAL);
    assert_true(isnan(fk_value_as_float(read_text(*state, "NaN"))));
    assert_true(fk_value_as_float(read_text(*state, " -Infinity")) == -HUGE_VAL);
    fk_value *dict = read_text(*state, "{\"loss\":NaN,\"best\":Infinity}");
    assert_true(isnan(fk_value_as_float(fk_value_get(dict, "loss"))));
}

static void test_words_and_empty_containers(void **state) {
    assert_int_equal(fk_value_kind(read_text(*state, "null")), FK_KIND_NONE);
    assert_true(fk_value_as_bool(read_text(*state, "true")));
    assert_false(fk_value_as_bool(read_text(*state, "\r\n\tfalse")));
    assert_int_equal(fk_value_count(read_text(*state, "[]")), 0);
    fk_value *dict = read_text(*state, "{ }");
    assert_int_equal(fk_value_kind(dict), FK_KIND_DICT);
    assert_int_equal(fk_value_count(dict), 0);
}

static void test_strings_are_unescaped(void **state) {
    fk_value *value =
        read_text(*state, "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\xC3\xA9\"");
    assert_string_equal(fk_value_as_text(value, NULL),
                        "\"\\/\b\f\n\r\t\xC3\xA9\xF0\x9F\x98\x80\xC3\xA9");
    size_t length;
    value = read_text(*state, "\"a\\u0000b\"");
    assert_memory_equal(fk_value_as_text(value, &length), "a\0b", 4);
    assert_int_equal(length, 3);
}

static void test_members_keep_their_order_and_keys_their_escapes(void **state) {
    fk_value *dict =
        read_text(*state, "{\"z\": 1, \"a\": {\"z\": [2, {\"z\": 3}]}, \"\\u00e9\": 4, \"\": 5}");
    assert_int_equal(fk_value_count(dict), 4);
    assert_string_equal(fk_value_as_text(fk_value_key(dict, 0), NULL), "z");
    assert_string_equal(fk_value_as_text(fk_value_key(dict, 1), NULL), "a");
    assert_int_equal(fk_value_as_int(fk_value_get(dict, "\xC3\xA9")), 4);
    assert_int_equal(fk_value_as_int(fk_value_get(dict, "")), 5);
    fk_value *inner = fk_value_item(fk_value_get(fk_value_get(dict, "a"), "z"), 1);
    assert_int_equal(fk_value_as_int(fk_value_get(inner, "z")), 3);
}

static void test_strings_of_non_finite_numbers_are_revived_where_asked(void **state) {
    fk_value *dict = read_text(
        *state, "{\"a\": [\"NaN\", \"Infinity\", {\"b\": \"-Infinity\"}], \"NaN\": \"nan\"}");
    fk_json_revive_numbers(dict);
    fk_value *list = fk_value_get(dict, "a");
    assert_true(isnan(fk_value_as_float(fk_value_item(list, 0))));
    assert_true(fk_value_as_float(fk_value_item(list, 1)) == HUGE_VAL);
    assert_true(fk_value_as_float(fk_value_get(fk_value_item(list, 2), "b")) == -HUGE_VAL);
    assert_string_equal(fk_value_as_text(fk_value_get(dict, "NaN"), NULL), "nan");
    fk_json_revive_numbers(NULL);
}

static void test_reviving_a_value_that_contains_itself_ends(void **state) {
    fk_value *list = fk_value_container(*state, FK_KIND_LIST);
    fk_value_append(list, list);
    fk_value_append(list, fk_value_string(*state, "NaN"));
    fk_json_revive_numbers(list);
    assert_true(isnan(fk_value_as_float(fk_value_item(list, 1))));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_integers_stay_integers, make_values, drop_values),
        cmocka_unit_test_setup_teardown(test_floats_stay_floats, make_values, drop_values),
        cmocka_unit_test_setup_teardown(
            test_what_pythons_json_writes_for_non_finite_numbers_is_read, make_values, drop_values),
        cmocka_unit_test_setup_teardown(test_words_and_empty_containers, make_values, drop_values),
        cmocka_unit_test_setup_teardown(test_strings_are_unescaped, make_values, drop_values),
        cmocka_unit_test_setup_teardown(test_members_keep_their_order_and_keys_their_escapes,
                                        make_values, drop_values),
        cmocka_unit_test_setup_teardown(test_strings_of_non_finite_numbers_are_revived_where_asked,
                                        make_values, drop_values),
        cmocka_unit_test_setup_teardown(test_reviving_a_value_that_contains_itself_ends,
                                        make_values, drop_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
