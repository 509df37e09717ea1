#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
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

static void expect_text(const fk_value *value, const char *expected) {
    FK_SCOPED(fk_freep) char *text = NULL;
    size_t length;
    fk_error err;
    if (fk_json_write(value, &text, &length, &err) != FK_OK) {
        fail_msg("%s: %s", expected, err.message);
    }
    assert_string_equal(text, expected);
    assert_int_equal(length, strlen(expected));
}

static void test_scalars(void **state) {
    fk_values *values = *state;
    expect_text(fk_value_none(values), "null");
    expect_text(fk_value_bool(values, true), "true");
    expect_text(fk_value_bool(values, false), "false");
    expect_text(fk_value_int(values, 0), "0");
    expect_text(fk_value_int(values, INT64_MIN), "-9223372036854775808");
    expect_text(fk_value_int(values, INT64_MAX), "9223372036854775807");
    expect_text(fk_value_string(values, ""), "\"\"");
}

static void test_floats_are_short_and_look_like_floats(void **state) {
    static const struct {
        double number;
        const char *text;
    } floats[] = {
        {0.03, "0.03"},
        {1.0, "1.0"},
        {-0.0, "-0.0"},
        {0.0, "0.0"},
        {40.0, "40.0"},
        {100.0, "100.0"},
        {1e15, "1000000000000000.0"},
        {1e16, "1e+16"},
        {0.0001, "0.0001"},
        {0.00001, "1e-05"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3.0, "0.3333333333333333"},
        {5e-324, "5e-324"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {-123456.789, "-123456.789"},
        {9007199254740993.0, "9007199254740992.0"},
        {(double)0.031f, "0.03099999949336052"},
    };
    for (size_t i = 0; i < sizeof floats / sizeof floats[0]; i++) {
        expect_text(fk_value_float(*state, floats[i].number), floats[i].text);
    }
    expect_text(fk_value_float(*state, (double)NAN), "\"NaN\"");
    expect_text(fk_value_float(*state, -(double)NAN), "\"NaN\"");
    expect_text(fk_value_float(*state, HUGE_VAL), "\"Infinity\"");
    expect_text(fk_value_float(*state, -HUGE_VAL), "\"-Infinity\"");
}

/* A generator whose numbers are the same everywhere. */
static uint64_t next_random(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void test_every_finite_double_comes_back_bit_for_bit(void **state) {
    uint64_t seed = 88172645463325252u;
    for (size_t i = 0; i < 20000; i++) {
        uint64_t bits = next_random(&seed);
        if (i % 4 == 0) {
            bits &= UINT64_C(0x800FFFFFFFFFFFFF); /* denormals and zeros */
        }
        double number;
        memcpy(&number, &bits, sizeof number);
        if (!isfinite(number)) {
            continue;
        }
        fk_values *values = fk_values_create();
        FK_SCOPED(fk_freep) char *text = NULL;
        size_t length;
        fk_value *value;
        assert_int_equal(fk_json_write(fk_value_float(values, number), &text, &length, NULL),
                         FK_OK);
        assert_int_equal(fk_json_read(text, length, values, &value, NULL), FK_OK);
        double back = fk_value_as_float(value);
        assert_memory_equal(&back, &number, sizeof back);
        fk_values_destroy(values);
    }
    (void)state;
}

static void test_containers_stand_on_one_line(void **state) {
    fk_values *values = *state;
    fk_value *dict = fk_value_container(values, FK_KIND_DICT);
    fk_value_set(dict, "a", fk_value_int(values, 1));
    static const fk_kind kinds[] = {FK_KIND_LIST, FK_KIND_TUPLE, FK_KIND_SIZE, FK_KIND_SET};
    static const char *const names[] = {"list", "tuple", "size", "set"};
    for (int64_t i = 0; i < 4; i++) {
        fk_value *items = fk_value_container(values, kinds[i]);
        for (int64_t k = 0; k < i; k++) {
            fk_value_append(items, fk_value_int(values, k));
        }
        fk_value_set(dict, names[i], items);
    }
    fk_value_set(dict, "ordered", fk_value_container(values, FK_KIND_ORDERED_DICT));
    fk_value *counter = fk_value_container(values, FK_KIND_COUNTER);
    fk_value_set(counter, "x", fk_value_int(values, 2));
    fk_value_set(dict, "counter", counter);
    expect_text(dict, "{\"a\": 1, \"list\": [], \"tuple\": [0], \"size\": [0, 1], "
                      "\"set\": [0, 1, 2], \"ordered\": {}, \"counter\": {\"x\": 2}}");
}

static void test_strings_are_escaped_where_they_must(void **state) {
    fk_values *values = *state;
    expect_text(fk_value_string(values, "\"\\/\b\f\n\r\t\x1F\x7F\xC3\xA9\xF0\x9F\x98\x80"),
                "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u001f\x7F\xC3\xA9\xF0\x9F\x98\x80\"");
    expect_text(fk_value_text(values, FK_KIND_STRING, "a\0b", 3), "\"a\\u0000b\"");
    fk_value *dict = fk_value_container(values, FK_KIND_DICT);
    fk_value_set(dict, "\n\"", fk_value_none(values));
    expect_text(dict, "{\"\\n\\\"\": null}");
}

static void test_a_bare_string_replaces_what_is_no_utf8(void **state) {
    (void)state;
    FK_SCOPED(fk_buffer_finish) fk_buffer buffer = {0};
    assert_true(fk_json_append_string(&buffer, "a\xFF\xC3z", 4));
    assert_string_equal((char *)buffer.bytes, "\"a\xEF\xBF\xBD\xEF\xBF\xBDz\"");
}

/* {"a": [0, value]}, so that the path is "a.1". */
static fk_value *wrap(fk_values *values, fk_value *value) {
    fk_value *list = fk_value_container(values, FK_KIND_LIST);
    fk_value *dict = fk_value_container(values, FK_KIND_DICT);
    fk_value_append(list, fk_value_int(values, 0));
    fk_value_append(list, value);
    fk_value_set(dict, "a", list);
    return dict;
}

static void expect_refusal(const fk_value *value, fk_code expected, const char *message) {
    char *untouched = NULL;
    fk_error err;
    assert_int_equal(fk_json_write(value, &untouched, NULL, &err), expected);
    assert_null(untouched);
    if (strstr(err.message, message) == NULL) {
        fail_msg("'%s' does not tell '%s'", err.message, message);
    }
    assert_true(err.hint[0] != '\0');
    assert_int_equal(err.subject, expected == FK_E_UNSUPPORTED ? FK_SUBJECT_DATA : FK_SUBJECT_NONE);
}

static void test_what_json_has_no_form_for_is_refused_with_its_path(void **state) {
    fk_values *values = *state;
    static float number;
    fk_tensor scalar = {.dtype = FK_FLOAT32,
                        .storage = fk_storage_create(values, &number, sizeof number)};
    expect_refusal(wrap(values, fk_value_text(values, FK_KIND_BYTES, "x", 1)), FK_E_UNSUPPORTED,
                   "an object of type bytes at 'a.1'");
    expect_refusal(wrap(values, fk_value_tensor(values, &scalar)), FK_E_UNSUPPORTED,
                   "an object of type tensor at 'a.1'");
    expect_refusal(wrap(values, fk_value_complex(values, 1, 2)), FK_E_UNSUPPORTED,
                   "complex at 'a.1'");
    expect_refusal(wrap(values, fk_value_big_int(values, "123456789", 9)), FK_E_UNSUPPORTED,
                   "an integer beyond 64 bits at 'a.1'");
    expect_refusal(wrap(values, fk_value_string(values, "\xED\xA0\x80")), FK_E_UNSUPPORTED,
                   "text that is no UTF-8 at 'a.1'");
    expect_refusal(fk_value_text(values, FK_KIND_DTYPE, "float32", 7), FK_E_UNSUPPORTED,
                   "torch.dtype at 'the top'");
}

static void expect_key_refusal(fk_values *values, fk_value *key, const char *message) {
    fk_value *dict = fk_value_container(values, FK_KIND_DICT);
    fk_value_put(dict, key, fk_value_none(values));
    expect_refusal(wrap(values, dict), FK_E_UNSUPPORTED, message);
}

static void test_keys_that_cannot_be_read_back_are_refused(void **state) {
    fk_values *values = *state;
    expect_key_refusal(values, fk_value_int(values, 1), "a key that is no string but int at 'a.1'");
    expect_key_refusal(values, fk_value_text(values, FK_KIND_STRING, "a\0", 2), "a key with a NUL");
    expect_key_refusal(values, fk_value_string(values, "\xFF"), "a key that is no UTF-8");
    fk_value *dict = fk_value_container(values, FK_KIND_DICT);
    fk_value_put(dict, fk_value_string(values, "k"), fk_value_none(values));
    fk_value_put(dict, fk_value_string(values, "ka"), fk_value_none(values));
    fk_value_put(dict, fk_value_string(values, "k"), fk_value_none(values));
    expect_refusal(dict, FK_E_INVALID, "duplicate key 'k' at 'the top'");
    expect_refusal(wrap(values, dict), FK_E_INVALID, "duplicate key 'k' at 'a.1'");
}

static fk_value *nest(fk_values *values, size_t depth) {
    fk_value *value = fk_value_container(values, FK_KIND_LIST);
    for (size_t i = 1; i < depth; i++) {
        fk_value *list = fk_value_container(values, FK_KIND_LIST);
        fk_value_append(list, value);
        value = list;
    }
    return value;
}

static void test_nesting_is_written_as_deep_as_it_is_read(void **state) {
    fk_values *values = *state;
    FK_SCOPED(fk_freep) char *text = NULL;
    size_t length;
    fk_value *back;
    assert_int_equal(fk_json_write(nest(values, FK_LIMIT_JSON_DEPTH), &text, &length, NULL), FK_OK);
    assert_int_equal(fk_json_read(text, length, values, &back, NULL), FK_OK);
    expect_refusal(nest(values, FK_LIMIT_JSON_DEPTH + 1), FK_E_LIMIT, "deeper than 64 levels");
    fk_value *cycle = fk_value_container(values, FK_KIND_DICT);
    fk_value_set(cycle, "me", cycle);
    expect_refusal(cycle, FK_E_LIMIT, "at 'me.me.me");
}

static void test_a_member_is_one_level_deep(void **state) {
    fk_values *values = *state;
    FK_SCOPED(fk_buffer_finish) fk_buffer buffer = {0};
    fk_error err;
    assert_int_equal(fk_json_append_member(&buffer, "k\"", nest(values, 2), &err), FK_OK);
    assert_string_equal((char *)buffer.bytes, "\"k\\\"\": [[]]");
    assert_int_equal(
        fk_json_append_member(&buffer, "k", nest(values, FK_LIMIT_JSON_DEPTH - 1), &err), FK_OK);
    assert_int_equal(fk_json_append_member(&buffer, "k", nest(values, FK_LIMIT_JSON_DEPTH), &err),
                     FK_E_LIMIT);
    fk_value *bytes = fk_value_text(values, FK_KIND_BYTES, "", 0);
    assert_int_equal(fk_json_append_member(&buffer, "k", bytes, &err), FK_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "at 'k'"));
}

static void test_a_path_that_is_given_leads_the_message(void **state) {
    fk_values *values = *state;
    FK_SCOPED(fk_buffer_finish) fk_buffer buffer = {0};
    fk_error err;
    fk_value *value = wrap(values, fk_value_complex(values, 1, 2));
    assert_int_equal(fk_json_append(&buffer, value, "training", &err), FK_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "at 'training.a.1'"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_scalars, make_values, drop_values),
        cmocka_unit_test_setup_teardown(test_floats_are_short_and_look_like_floats, make_values,
                                        drop_values),
        cmocka_unit_test(test_every_finite_double_comes_back_bit_for_bit),
        cmocka_unit_test_setup_teardown(test_containers_stand_on_one_line, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_strings_are_escaped_where_they_must, make_values,
                                        drop_values),
        cmocka_unit_test(test_a_bare_string_replaces_what_is_no_utf8),
        cmocka_unit_test_setup_teardown(test_what_json_has_no_form_for_is_refused_with_its_path,
                                        make_values, drop_values),
        cmocka_unit_test_setup_teardown(test_keys_that_cannot_be_read_back_are_refused, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_nesting_is_written_as_deep_as_it_is_read, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_a_member_is_one_level_deep, make_values, drop_values),
        cmocka_unit_test_setup_teardown(test_a_path_that_is_given_leads_the_message, make_values,
                                        drop_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
