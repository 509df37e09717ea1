/* Two values are the same when every bit of them is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "value/compare.h"
#include "value/values.h"

static int make(void **state) {
    *state = fk_values_create();
    return *state == NULL;
}

static int drop(void **state) {
    fk_values_destroy(*state);
    return 0;
}

/* The path of the first difference; "=" when there is none. */
static const char *difference(const fk_value *one, const fk_value *other) {
    static char text[256];
    FK_SCOPED(fk_buffer_finish) fk_buffer path = {0};
    bool equal = false;
    assert_int_equal(fk_value_compare(one, other, &equal, &path, NULL), FK_OK);
    fk_text_copy(text, sizeof text, equal ? "=" : (const char *)path.bytes);
    return text;
}

static fk_value *tensor_of(fk_values *values, float *data, uint64_t bytes, int64_t rows,
                           int64_t columns, const int64_t *strides) {
    const int64_t shape[] = {rows, columns};
    const fk_tensor tensor = {.dtype = FK_FLOAT32,
                              .rank = 2,
                              .shape = shape,
                              .strides = strides,
                              .storage = fk_storage_create(values, data, bytes)};
    return fk_value_tensor(values, &tensor);
}

static void test_numbers_and_texts_count_by_kind_and_bits(void **state) {
    fk_values *v = *state;
    fk_value *all[] = {fk_value_none(v),
                       fk_value_bool(v, false),
                       fk_value_bool(v, true),
                       fk_value_int(v, 0),
                       fk_value_int(v, 1),
                       fk_value_float(v, 0.0),
                       fk_value_float(v, -0.0),
                       fk_value_float(v, NAN),
                       fk_value_complex(v, 0, 1),
                       fk_value_complex(v, 1, 0),
                       fk_value_big_int(v, "123456789", 9),
                       fk_value_big_int(v, "123456788", 9),
                       fk_value_string(v, "a"),
                       fk_value_text(v, FK_KIND_STRING, "a\0b", 3),
                       fk_value_text(v, FK_KIND_BYTES, "a", 1),
                       fk_value_text(v, FK_KIND_DTYPE, "float32", 7),
                       fk_value_container(v, FK_KIND_LIST),
                       fk_value_container(v, FK_KIND_TUPLE),
                       fk_value_container(v, FK_KIND_DICT)};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) {
            assert_string_equal(difference(all[i], all[k]), i == k ? "=" : "");
        }
    }
}

static fk_value *nested(fk_values *v, int64_t leaf, const char *key) {
    fk_value *list = fk_value_container(v, FK_KIND_LIST);
    fk_value *dict = fk_value_container(v, FK_KIND_DICT);
    fk_value_append(list, fk_value_int(v, 1));
    fk_value_append(list, fk_value_int(v, leaf));
    fk_value_set(dict, "first", fk_value_none(v));
    fk_value_set(dict, key, list);
    return dict;
}

static void test_the_first_difference_is_named(void **state) {
    fk_values *v = *state;
    assert_string_equal(difference(nested(v, 2, "k"), nested(v, 2, "k")), "=");
    assert_string_equal(difference(nested(v, 2, "k"), nested(v, 3, "k")), "k.1");
    assert_string_equal(difference(nested(v, 2, "k"), nested(v, 2, "other")), "k");
    fk_value *attributes = fk_value_container(v, FK_KIND_DICT);
    fk_value *with = fk_value_container(v, FK_KIND_ORDERED_DICT);
    fk_value *without = fk_value_container(v, FK_KIND_ORDERED_DICT);
    fk_value_set_attributes(with, attributes);
    assert_string_equal(difference(with, without), "");
    assert_string_equal(difference(without, with), "");
    assert_string_equal(difference(with, with), "=");
}

static void test_tensors_count_by_elements_not_by_strides(void **state) {
    fk_values *v = *state;
    float rows[] = {1, 2, 3, 4, 5, 6};
    float columns[] = {1, 4, 2, 5, 3, 6};
    const int64_t transposed[] = {1, 2};
    fk_value *plain = tensor_of(v, rows, sizeof rows, 2, 3, NULL);
    fk_value *strided = tensor_of(v, columns, sizeof columns, 2, 3, transposed);
    assert_string_equal(difference(plain, strided), "=");
    columns[5] = 7;
    assert_string_equal(difference(plain, strided), "");
    assert_string_equal(difference(plain, tensor_of(v, rows, sizeof rows, 3, 2, NULL)), "");
    float other[] = {1, 2, 3, 4, 5, 7};
    assert_string_equal(difference(plain, tensor_of(v, other, sizeof other, 2, 3, NULL)), "");
    assert_string_equal(
        difference(tensor_of(v, rows, 0, 0, 3, NULL), tensor_of(v, other, 0, 0, 3, NULL)), "=");
}

static void test_values_that_contain_themselves_are_compared(void **state) {
    fk_values *v = *state;
    fk_value *one = fk_value_container(v, FK_KIND_LIST);
    fk_value *other = fk_value_container(v, FK_KIND_LIST);
    fk_value_append(one, one);
    fk_value_append(other, other);
    assert_string_equal(difference(one, other), "=");
    fk_value *deeper = fk_value_container(v, FK_KIND_LIST);
    fk_value_append(deeper, one);
    assert_string_equal(difference(one, deeper), "0");
}

static void test_values_too_deep_are_a_limit(void **state) {
    fk_values *v = *state;
    FK_SCOPED(fk_buffer_finish) fk_buffer path = {0};
    bool equal = false;
    fk_error err;
    fk_value *at = fk_value_container(v, FK_KIND_LIST);
    fk_value_append(at, fk_value_none(v));
    for (unsigned depth = 0; depth < FK_LIMIT_DEPTH; depth++) {
        fk_value *above = fk_value_container(v, FK_KIND_LIST);
        fk_value_append(above, at);
        at = above;
    }
    assert_int_equal(fk_value_compare(at, at, &equal, &path, &err), FK_E_LIMIT);
    assert_int_equal(
        fk_value_compare(fk_value_item(at, 0), fk_value_item(at, 0), &equal, &path, &err), FK_OK);
}

/* A list that holds the one below twice, and so on: 2^depth values. */
static fk_value *doubled(fk_values *v, unsigned depth) {
    fk_value *at = fk_value_container(v, FK_KIND_LIST);
    for (unsigned i = 0; i < depth; i++) {
        fk_value *above = fk_value_container(v, FK_KIND_LIST);
        fk_value_append(above, at);
        fk_value_append(above, at);
        at = above;
    }
    return at;
}

static void test_too_many_values_are_a_limit(void **state) {
    FK_SCOPED(fk_buffer_finish) fk_buffer path = {0};
    bool equal = false;
    fk_error err;
    unsigned depth = 0;
    while ((UINT64_C(4) << depth) - 1 <= FK_LIMIT_COMPARED_VALUES) {
        depth++;
    }
    const fk_value *most = doubled(*state, depth);
    const fk_value *more = doubled(*state, depth + 1);
    assert_int_equal(fk_value_compare(most, most, &equal, &path, &err), FK_OK);
    assert_int_equal(fk_value_compare(more, more, &equal, &path, &err), FK_E_LIMIT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, make, drop)
        T(test_numbers_and_texts_count_by_kind_and_bits),
        T(test_the_first_difference_is_named),
        T(test_tensors_count_by_elements_not_by_strides),
        T(test_values_that_contain_themselves_are_compared),
        T(test_values_too_deep_are_a_limit),
        T(test_too_many_values_are_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
