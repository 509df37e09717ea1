#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "store/manifest/feedback.h"
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

static fk_value *json(fk_values *values, const char *text) {
    fk_value *value = NULL;
    fk_error err;
    if (fk_json_read(text, strlen(text), values, &value, &err) != FK_OK) {
        fail_msg("%s: %s", text, err.message);
    }
    return value;
}

static void test_good_feedback_passes(void **state) {
    static const char *const texts[] = {
        "{}",
        "{\"feedback_schema\": \"1.0\"}",
        "{\"feedback_schema\": \"1.7\", \"metrics\": {}}",
        "{\"feedback_schema\": \"0.9\"}",
        "{\"metrics\": {\"loss\": 0.03, \"epoch\": 3, \"a\": \"NaN\", \"b\": \"-Infinity\"}}",
        "{\"epochs\": 0, \"loss_history\": [1, 0.5, \"Infinity\", NaN], \"ratings\": {\"A\": [1]}}",
        "{\"notes\": \"\", \"anything\": null, \"else\": [true]}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        bool newer = true;
        fk_error err;
        if (fk_feedback_check(json(*state, texts[i]), &newer, &err) != FK_OK) {
            fail_msg("%s: %s", texts[i], err.message);
        }
        assert_false(newer);
    }
}

static void test_wrong_types_are_refused_by_name(void **state) {
    static const struct {
        const char *text;
        const char *message;
    } refusals[] = {
        {"[]", "feedback must be an object, not list"},
        {"3", "feedback must be an object, not int"},
        {"null", "feedback must be an object, not None"},
        {"{\"metrics\": 3}", "'metrics' must be a dict of numbers, not int"},
        {"{\"metrics\": null}", "'metrics' must be a dict of numbers, not None"},
        {"{\"metrics\": {\"a\": 1, \"b\": \"high\"}}", "'metrics.b' must be a number, not str"},
        {"{\"metrics\": {\"b\": true}}", "'metrics.b' must be a number, not bool"},
        {"{\"metrics\": {\"b\": {}}}", "'metrics.b' must be a number, not dict"},
        {"{\"epochs\": -1}", "'epochs' must be an integer that is not negative"},
        {"{\"epochs\": 1.0}", "'epochs' must be an integer that is not negative, not float"},
        {"{\"epochs\": \"3\"}", "'epochs'"},
        {"{\"epochs\": true}", "'epochs'"},
        {"{\"loss_history\": {}}", "'loss_history' must be a list of numbers, not dict"},
        {"{\"loss_history\": [1, null]}", "'loss_history.1' must be a number, not None"},
        {"{\"ratings\": []}", "'ratings' must be a dict, not list"},
        {"{\"notes\": 1}", "'notes' must be a string, not int"},
        {"{\"feedback_schema\": 1}", "'feedback_schema' must be a string"},
        {"{\"feedback_schema\": \"\"}", "no version"},
        {"{\"feedback_schema\": \"new\"}", "'new', which is no version"},
        {"{\"feedback_schema\": \"1x\"}", "no version"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        fk_error err;
        assert_int_equal(fk_feedback_check(json(*state, refusals[i].text), NULL, &err),
                         FK_E_INVALID);
        if (strstr(err.message, refusals[i].message) == NULL) {
            fail_msg("%s: %s", refusals[i].text, err.message);
        }
        assert_true(err.hint[0] != '\0');
    }
}

static void test_an_entry_whose_key_is_no_string_is_refused(void **state) {
    fk_values *values = *state;
    fk_value *metrics = fk_value_container(values, FK_KIND_DICT);
    fk_value *feedback = fk_value_container(values, FK_KIND_ORDERED_DICT);
    fk_value_put(metrics, fk_value_int(values, 1), fk_value_none(values));
    fk_value_set(feedback, "metrics", metrics);
    fk_error err;
    assert_int_equal(fk_feedback_check(feedback, NULL, &err), FK_E_INVALID);
    assert_non_null(strstr(err.message, "'metrics.?'"));
}

static void test_a_newer_schema_is_told_and_not_checked(void **state) {
    bool newer = false;
    fk_value *feedback = json(*state, "{\"feedback_schema\": \"2.0\", \"epochs\": \"many\"}");
    assert_int_equal(fk_feedback_check(feedback, &newer, NULL), FK_OK);
    assert_true(newer);
    assert_int_equal(fk_feedback_check(feedback, NULL, NULL), FK_OK);
}

static void expect_written(fk_values *values, const char *text, const char *expected) {
    FK_SCOPED(fk_buffer_finish) fk_buffer buffer = {0};
    fk_error err;
    assert_int_equal(fk_feedback_write(json(values, text), &buffer, &err), FK_OK);
    assert_string_equal((char *)buffer.bytes, expected);
}

static void test_the_file_has_a_member_a_line(void **state) {
    expect_written(*state, "{}", "{\n  \"feedback_schema\": \"1.0\"\n}\n");
    expect_written(*state, "{\"z\": [1, {\"a\": NaN}], \"metrics\": {\"loss\": 0.03}}",
                   "{\n  \"feedback_schema\": \"1.0\",\n  \"z\": [1, {\"a\": \"NaN\"}],\n"
                   "  \"metrics\": {\"loss\": 0.03}\n}\n");
    expect_written(*state, "{\"a\": 1, \"feedback_schema\": \"1.3\"}",
                   "{\n  \"a\": 1,\n  \"feedback_schema\": \"1.3\"\n}\n");
}

static void test_what_cannot_be_written_is_refused_with_its_path(void **state) {
    fk_values *values = *state;
    FK_SCOPED(fk_buffer_finish) fk_buffer buffer = {0};
    fk_error err;
    fk_value *feedback = json(values, "{\"a\": {\"b\": 1}}");
    fk_value_set(fk_value_get(feedback, "a"), "b", fk_value_text(values, FK_KIND_BYTES, "", 0));
    assert_int_equal(fk_feedback_write(feedback, &buffer, &err), FK_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "bytes at 'a.b'"));
    feedback = json(values, "{\"a\": 1}");
    fk_value_put(feedback, fk_value_string(values, "a"), fk_value_none(values));
    assert_int_equal(fk_feedback_write(feedback, &buffer, &err), FK_E_INVALID);
    assert_non_null(strstr(err.message, "duplicate key 'a'"));
    feedback = fk_value_container(values, FK_KIND_DICT);
    fk_value_put(feedback, fk_value_int(values, 1), fk_value_none(values));
    assert_int_equal(fk_feedback_write(feedback, &buffer, &err), FK_E_UNSUPPORTED);
}

static void test_non_finite_numbers_survive_the_file(void **state) {
    fk_values *values = *state;
    FK_SCOPED(fk_buffer_finish) fk_buffer buffer = {0};
    fk_value *feedback = json(values, "{\"metrics\": {\"a\": NaN, \"b\": -Infinity, \"c\": -0.0},"
                                      " \"loss_history\": [Infinity, 5e-324], \"notes\": \"NaN\"}");
    fk_value *back = NULL;
    fk_error err;
    assert_int_equal(fk_feedback_write(feedback, &buffer, &err), FK_OK);
    assert_int_equal(fk_feedback_read((char *)buffer.bytes, buffer.length, values, &back, &err),
                     FK_OK);
    const fk_value *metrics = fk_value_get(back, "metrics");
    const fk_value *history = fk_value_get(back, "loss_history");
    assert_true(isnan(fk_value_as_float(fk_value_get(metrics, "a"))));
    assert_true(fk_value_as_float(fk_value_get(metrics, "b")) == -HUGE_VAL);
    assert_true(signbit(fk_value_as_float(fk_value_get(metrics, "c"))));
    assert_true(fk_value_as_float(fk_value_item(history, 0)) == HUGE_VAL);
    assert_true(fk_value_as_float(fk_value_item(history, 1)) == 5e-324);
    assert_string_equal(fk_value_as_text(fk_value_get(back, "notes"), NULL), "NaN");
    assert_string_equal(fk_value_as_text(fk_value_get(back, "feedback_schema"), NULL), "1.0");
}

static void test_a_file_that_is_no_feedback_is_refused(void **state) {
    fk_value *untouched = NULL;
    fk_error err;
    assert_int_equal(fk_feedback_read("[1]", 3, *state, &untouched, &err), FK_E_INVALID);
    assert_non_null(strstr(err.message, "must be an object"));
    assert_int_equal(fk_feedback_read("{\"a\"", 4, *state, &untouched, &err), FK_E_INVALID);
    assert_int_equal(err.offset, 4);
    assert_null(untouched);
}

static void test_metrics_are_the_numbers_among_them(void **state) {
    fk_value *feedback = json(*state, "{\"metrics\": {\"a\": 1, \"b\": \"NaN\", \"c\": \"x\", "
                                      "\"d\": null, \"e\": 0.5, \"f\": true}}");
    fk_value_put(fk_value_get(feedback, "metrics"), fk_value_int(*state, 3),
                 fk_value_int(*state, 4));
    FK_SCOPED(fk_values_destroyp) fk_values *own = fk_values_create();
    fk_value *metrics = fk_feedback_metrics(feedback, own);
    assert_int_equal(fk_value_count(metrics), 3);
    assert_int_equal(fk_value_as_int(fk_value_get(metrics, "a")), 1);
    assert_true(isnan(fk_value_as_float(fk_value_get(metrics, "b"))));
    assert_true(fk_value_as_float(fk_value_get(metrics, "e")) == 0.5);
    /* the feedback is as it was */
    assert_int_equal(fk_value_kind(fk_value_get(fk_value_get(feedback, "metrics"), "b")),
                     FK_KIND_STRING);
    assert_int_equal(fk_value_count(fk_feedback_metrics(json(*state, "{}"), own)), 0);
    assert_int_equal(fk_value_count(fk_feedback_metrics(json(*state, "{\"metrics\": 1}"), own)), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_good_feedback_passes, make_values, drop_values),
        cmocka_unit_test_setup_teardown(test_wrong_types_are_refused_by_name, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_an_entry_whose_key_is_no_string_is_refused,
                                        make_values, drop_values),
        cmocka_unit_test_setup_teardown(test_a_newer_schema_is_told_and_not_checked, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_the_file_has_a_member_a_line, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_written_is_refused_with_its_path,
                                        make_values, drop_values),
        cmocka_unit_test_setup_teardown(test_non_finite_numbers_survive_the_file, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_a_file_that_is_no_feedback_is_refused, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_metrics_are_the_numbers_among_them, make_values,
                                        drop_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
