#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/limits.h"
#include "store/manifest/weights.h"
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

static fk_value *make_tensor(fk_values *values, fk_dtype dtype, uint32_t rank,
                             const int64_t *shape) {
    static double memory[64];
    fk_tensor tensor = {.dtype = dtype,
                        .rank = rank,
                        .shape = shape,
                        .storage = fk_storage_create(values, memory, sizeof memory)};
    fk_value *value = fk_value_tensor(values, &tensor);
    assert_non_null(value);
    return value;
}

static void expect_json(const fk_value *value, const char *expected) {
    FK_SCOPED(fk_freep) char *text = NULL;
    fk_error err;
    assert_int_equal(fk_json_write(value, &text, NULL, &err), FK_OK);
    assert_string_equal(text, expected);
}

static void test_what_is_wrapped_is_unwrapped(void **state) {
    fk_values *values = *state;
    fk_value *vector = make_tensor(values, FK_FLOAT32, 1, (int64_t[]){4});
    fk_value *model = fk_value_int(values, 7);
    fk_value *architecture = fk_value_container(values, FK_KIND_ORDERED_DICT);
    fk_value *top = NULL;
    fk_weights weights;
    fk_error err;
    assert_int_equal(fk_weights_wrap(values, model, vector, architecture, &top, &err), FK_OK);
    static const char *const names[] = {"weights_version", "architecture", "personality_vector",
                                        "model"};
    assert_int_equal(fk_value_kind(top), FK_KIND_DICT);
    assert_int_equal(fk_value_count(top), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(fk_value_as_text(fk_value_key(top, i), NULL), names[i]);
    }
    assert_int_equal(fk_weights_unwrap(top, &weights, &err), FK_OK);
    assert_string_equal(weights.version, "v1");
    assert_ptr_equal(weights.model, model);
    assert_ptr_equal(weights.architecture, architecture);
    assert_ptr_equal(weights.personality_vector, vector);
}

static void test_an_architecture_that_is_left_out_is_described(void **state) {
    fk_values *values = *state;
    fk_value *model = fk_value_container(values, FK_KIND_ORDERED_DICT);
    fk_value *layers = fk_value_container(values, FK_KIND_LIST);
    fk_value_append(layers, make_tensor(values, FK_BFLOAT16, 0, NULL));
    fk_value_set(model, "fc.weight", make_tensor(values, FK_FLOAT32, 2, (int64_t[]){2, 3}));
    fk_value_set(model, "step", fk_value_int(values, 3));
    fk_value_set(model, "layers", layers);
    fk_value *top = NULL;
    fk_weights weights;
    assert_int_equal(fk_weights_wrap(values, model, NULL, NULL, &top, NULL), FK_OK);
    assert_int_equal(fk_weights_unwrap(top, &weights, NULL), FK_OK);
    assert_null(weights.personality_vector);
    expect_json(weights.architecture,
                "{\"tensors\": {\"fc.weight\": {\"dtype\": \"float32\", \"shape\": [2, 3]}, "
                "\"layers.0\": {\"dtype\": \"bfloat16\", \"shape\": []}}}");
}

static void test_two_tensors_of_one_name_are_described_once(void **state) {
    fk_values *values = *state;
    fk_value *inner = fk_value_container(values, FK_KIND_DICT);
    fk_value *model = fk_value_container(values, FK_KIND_DICT);
    fk_value_set(inner, "b", make_tensor(values, FK_INT8, 1, (int64_t[]){2}));
    fk_value_set(model, "a.b", make_tensor(values, FK_INT8, 1, (int64_t[]){1}));
    fk_value_set(model, "c", make_tensor(values, FK_INT8, 1, (int64_t[]){3}));
    fk_value_set(model, "a", inner);
    fk_value *top = NULL;
    assert_int_equal(fk_weights_wrap(values, model, NULL, NULL, &top, NULL), FK_OK);
    expect_json(fk_value_get(top, "architecture"),
                "{\"tensors\": {\"a.b\": {\"dtype\": \"int8\", \"shape\": [2]}, "
                "\"c\": {\"dtype\": \"int8\", \"shape\": [3]}}}");
}

static void test_what_v1_cannot_hold_is_not_wrapped(void **state) {
    fk_values *values = *state;
    fk_value *untouched = NULL;
    fk_error err;
    fk_value *number = fk_value_int(values, 1);
    assert_int_equal(fk_weights_wrap(values, number, NULL, number, &untouched, &err), FK_E_INVALID);
    assert_non_null(strstr(err.message, "`architecture` must be a dict, not int"));
    assert_int_equal(fk_weights_wrap(values, number, number, NULL, &untouched, &err), FK_E_INVALID);
    assert_non_null(strstr(err.message, "`personality_vector` must be a tensor, not int"));
    for (size_t i = 0; i < FK_LIMIT_DEPTH + 1; i++) {
        fk_value *list = fk_value_container(values, FK_KIND_LIST);
        fk_value_append(list, number);
        number = list;
    }
    assert_int_equal(fk_weights_wrap(values, number, NULL, NULL, &untouched, &err), FK_E_LIMIT);
    assert_null(untouched);
}

static void test_anything_else_is_v0(void **state) {
    fk_values *values = *state;
    fk_value *list = fk_value_container(values, FK_KIND_LIST);
    fk_value *empty = fk_value_container(values, FK_KIND_DICT);
    fk_value *number = fk_value_container(values, FK_KIND_DICT);
    fk_value_set(number, "weights_version", fk_value_int(values, 3));
    fk_value *text = fk_value_container(values, FK_KIND_DICT);
    fk_value_set(text, "weights_version", fk_value_string(values, "imagenet"));
    fk_value *half = fk_value_container(values, FK_KIND_DICT);
    fk_value_set(half, "weights_version", fk_value_string(values, "v2beta"));
    fk_value *tops[] = {list, empty, number, text, half, fk_value_none(values)};
    for (size_t i = 0; i < sizeof tops / sizeof tops[0]; i++) {
        fk_weights weights;
        assert_int_equal(fk_weights_unwrap(tops[i], &weights, NULL), FK_OK);
        assert_string_equal(weights.version, "v0");
        assert_ptr_equal(weights.model, tops[i]);
        assert_null(weights.architecture);
        assert_null(weights.personality_vector);
    }
}

static void test_a_newer_version_is_refused_with_both(void **state) {
    fk_values *values = *state;
    fk_value *top = fk_value_container(values, FK_KIND_DICT);
    fk_weights weights;
    fk_error err;
    static const char *const versions[] = {"v2", "v10", "v2.5", "v99999999999999999999"};
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        fk_value_set(top, "weights_version", fk_value_string(values, versions[i]));
        assert_int_equal(fk_weights_unwrap(top, &weights, &err), FK_E_UNSUPPORTED);
        assert_int_equal(err.subject, FK_SUBJECT_VERSION);
        assert_non_null(strstr(err.message, versions[i]));
        assert_non_null(strstr(err.message, "'v1'"));
        assert_true(err.hint[0] != '\0');
    }
}

static void test_a_v1_file_that_lacks_a_member_is_corrupt(void **state) {
    fk_values *values = *state;
    static const char *const names[] = {"architecture", "personality_vector", "model"};
    for (size_t missing = 0; missing < 3; missing++) {
        fk_value *top = fk_value_container(values, FK_KIND_DICT);
        fk_value_set(top, "weights_version", fk_value_string(values, "v1.1"));
        for (size_t i = 0; i < 3; i++) {
            if (i != missing) {
                fk_value_set(top, names[i], fk_value_container(values, FK_KIND_DICT));
            }
        }
        fk_weights weights;
        fk_error err;
        assert_int_equal(fk_weights_unwrap(top, &weights, &err), FK_E_CORRUPT);
        assert_non_null(strstr(err.message, names[missing]));
        assert_non_null(strstr(err.message, "missing"));
    }
}

static void test_a_v1_file_with_a_member_of_the_wrong_kind_is_corrupt(void **state) {
    fk_values *values = *state;
    fk_value *top = fk_value_container(values, FK_KIND_DICT);
    fk_weights weights;
    fk_error err;
    fk_value_set(top, "weights_version", fk_value_string(values, "v1"));
    fk_value_set(top, "model", fk_value_none(values));
    fk_value_set(top, "architecture", fk_value_none(values));
    fk_value_set(top, "personality_vector", fk_value_none(values));
    assert_int_equal(fk_weights_unwrap(top, &weights, &err), FK_E_CORRUPT);
    assert_non_null(strstr(err.message, "'architecture' is no dict"));
    fk_value_set(top, "architecture", fk_value_container(values, FK_KIND_DICT));
    assert_int_equal(fk_weights_unwrap(top, &weights, &err), FK_OK);
    fk_value_set(top, "personality_vector", fk_value_container(values, FK_KIND_LIST));
    assert_int_equal(fk_weights_unwrap(top, &weights, &err), FK_E_CORRUPT);
    assert_non_null(strstr(err.message, "'personality_vector' is no tensor"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_wrapped_is_unwrapped, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_an_architecture_that_is_left_out_is_described,
                                        make_values, drop_values),
        cmocka_unit_test_setup_teardown(test_two_tensors_of_one_name_are_described_once,
                                        make_values, drop_values),
        cmocka_unit_test_setup_teardown(test_what_v1_cannot_hold_is_not_wrapped, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_anything_else_is_v0, make_values, drop_values),
        cmocka_unit_test_setup_teardown(test_a_newer_version_is_refused_with_both, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_a_v1_file_that_lacks_a_member_is_corrupt, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_a_v1_file_with_a_member_of_the_wrong_kind_is_corrupt,
                                        make_values, drop_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
