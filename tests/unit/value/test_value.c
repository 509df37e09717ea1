#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "value/values.h"

static int make_values(void **state) {
    *state = fk_values_create();
    return *state == NULL;
}

static int drop_values(void **state) {
    fk_values_destroy(*state);
    return 0;
}

static void test_scalars_come_back(void **state) {
    fk_values *values = *state;
    assert_int_equal(fk_value_kind(fk_value_none(values)), FK_KIND_NONE);
    assert_true(fk_value_as_bool(fk_value_bool(values, true)));
    assert_false(fk_value_as_bool(fk_value_bool(values, false)));
    assert_true(fk_value_as_int(fk_value_int(values, INT64_MIN)) == INT64_MIN);
    assert_true(fk_value_as_float(fk_value_float(values, 0.03)) == 0.03);
    assert_true(signbit(fk_value_as_float(fk_value_float(values, -0.0))));
    assert_true(isnan(fk_value_as_float(fk_value_float(values, (double)NAN))));
    assert_true(fk_value_as_float(fk_value_int(values, -7)) == -7.0);
    double real;
    double imaginary;
    fk_value_as_complex(fk_value_complex(values, 1.5, -2.5), &real, &imaginary);
    assert_true(real == 1.5 && imaginary == -2.5);
}

static void test_texts_are_copied_with_their_nuls(void **state) {
    fk_values *values = *state;
    char bytes[] = "a\0b";
    static const fk_kind kinds[] = {FK_KIND_STRING, FK_KIND_BYTES,  FK_KIND_BYTEARRAY,
                                    FK_KIND_DTYPE,  FK_KIND_DEVICE, FK_KIND_LAYOUT,
                                    FK_KIND_QSCHEME};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        fk_value *value = fk_value_text(values, kinds[i], bytes, 3);
        size_t length;
        assert_int_equal(fk_value_kind(value), kinds[i]);
        assert_memory_equal(fk_value_as_text(value, &length), "a\0b", 4);
        assert_int_equal(length, 3);
        assert_ptr_not_equal(fk_value_as_text(value, NULL), bytes);
    }
    assert_string_equal(fk_value_as_text(fk_value_text(values, FK_KIND_BYTES, NULL, 0), NULL), "");
    assert_string_equal(fk_value_as_text(fk_value_string(values, "font"), NULL), "font");
}

static void expect_int(fk_values *values, const char *bytes, size_t length, int64_t expected) {
    fk_value *value = fk_value_big_int(values, bytes, length);
    assert_int_equal(fk_value_kind(value), FK_KIND_INT);
    assert_true(fk_value_as_int(value) == expected);
}

static void test_big_ints_that_fit_64_bits_are_ints(void **state) {
    fk_values *values = *state;
    expect_int(values, "", 0, 0);
    expect_int(values, "\x00", 1, 0);
    expect_int(values, "\xFF", 1, -1);
    expect_int(values, "\xFF\x00", 2, 255);
    expect_int(values, "\x80\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10, -128);
    expect_int(values, "\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00", 10, 5);
    expect_int(values, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F\x00", 9, INT64_MAX);
    expect_int(values, "\x00\x00\x00\x00\x00\x00\x00\x80", 8, INT64_MIN);
}

static void test_big_ints_keep_their_shortest_bytes(void **state) {
    fk_values *values = *state;
    /* 2**63 needs a ninth byte for its sign; a tenth says nothing */
    static const char bytes[] = "\x00\x00\x00\x00\x00\x00\x00\x80\x00\x00";
    fk_value *value = fk_value_big_int(values, bytes, 10);
    size_t length;
    assert_int_equal(fk_value_kind(value), FK_KIND_BIG_INT);
    assert_memory_equal(fk_value_as_text(value, &length), bytes, 9);
    assert_int_equal(length, 9);
    char largest[FK_LIMIT_BIG_INT_BYTES + 1];
    memset(largest, 0x55, sizeof largest);
    assert_non_null(fk_value_big_int(values, largest, FK_LIMIT_BIG_INT_BYTES));
    assert_null(fk_value_big_int(values, largest, FK_LIMIT_BIG_INT_BYTES + 1));
}

static void test_sequences_keep_their_items_in_order(void **state) {
    fk_values *values = *state;
    static const fk_kind kinds[] = {FK_KIND_LIST, FK_KIND_TUPLE, FK_KIND_SIZE, FK_KIND_SET};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        fk_value *sequence = fk_value_container(values, kinds[k]);
        assert_int_equal(fk_value_count(sequence), 0);
        for (int64_t i = 0; i < 100; i++) {
            assert_int_equal(fk_value_append(sequence, fk_value_int(values, i)), FK_OK);
        }
        assert_int_equal(fk_value_kind(sequence), kinds[k]);
        assert_int_equal(fk_value_count(sequence), 100);
        assert_int_equal(fk_value_as_int(fk_value_item(sequence, 99)), 99);
        assert_null(fk_value_get(sequence, "0"));
    }
    assert_int_equal(fk_value_count(fk_value_int(values, 3)), 0);
}

static void test_dicts_keep_their_entries_in_order(void **state) {
    fk_values *values = *state;
    static const fk_kind kinds[] = {FK_KIND_DICT, FK_KIND_ORDERED_DICT, FK_KIND_COUNTER};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        fk_value *dict = fk_value_container(values, kinds[k]);
        assert_int_equal(fk_value_set(dict, "b", fk_value_int(values, 1)), FK_OK);
        assert_int_equal(
            fk_value_put(dict, fk_value_int(values, 7), fk_value_string(values, "seven")), FK_OK);
        assert_int_equal(fk_value_set(dict, "a", fk_value_int(values, 2)), FK_OK);
        assert_int_equal(fk_value_set(dict, "b", fk_value_int(values, 3)), FK_OK);
        assert_int_equal(fk_value_count(dict), 3);
        assert_string_equal(fk_value_as_text(fk_value_key(dict, 0), NULL), "b");
        assert_int_equal(fk_value_as_int(fk_value_item(dict, 0)), 3);
        assert_int_equal(fk_value_as_int(fk_value_key(dict, 1)), 7);
        assert_int_equal(fk_value_as_int(fk_value_get(dict, "a")), 2);
        assert_null(fk_value_get(dict, "c"));
        assert_null(fk_value_get(dict, "seven"));
    }
    assert_null(fk_value_get(NULL, "a"));
    assert_null(fk_value_get(fk_value_none(values), "a"));
}

static void test_a_key_with_a_nul_is_another_key(void **state) {
    fk_values *values = *state;
    fk_value *dict = fk_value_container(values, FK_KIND_DICT);
    fk_value *key = fk_value_text(values, FK_KIND_STRING, "a\0b", 3);
    assert_int_equal(fk_value_put(dict, key, fk_value_int(values, 1)), FK_OK);
    assert_null(fk_value_get(dict, "a"));
    assert_int_equal(fk_value_set(dict, "a", fk_value_int(values, 2)), FK_OK);
    assert_int_equal(fk_value_count(dict), 2);
}

static void test_what_could_not_be_made_is_told_when_it_is_added(void **state) {
    fk_values *values = *state;
    fk_value *list = fk_value_container(values, FK_KIND_LIST);
    fk_value *dict = fk_value_container(values, FK_KIND_DICT);
    fk_value *one = fk_value_int(values, 1);
    assert_int_equal(fk_value_append(list, NULL), FK_E_NO_MEMORY);
    assert_int_equal(fk_value_append(NULL, one), FK_E_NO_MEMORY);
    assert_int_equal(fk_value_put(dict, NULL, one), FK_E_NO_MEMORY);
    assert_int_equal(fk_value_put(dict, one, NULL), FK_E_NO_MEMORY);
    assert_int_equal(fk_value_put(NULL, one, one), FK_E_NO_MEMORY);
    assert_int_equal(fk_value_set(dict, "a", NULL), FK_E_NO_MEMORY);
    assert_int_equal(fk_value_set(NULL, "a", one), FK_E_NO_MEMORY);
    assert_int_equal(fk_value_set_attributes(NULL, dict), FK_E_NO_MEMORY);
    assert_int_equal(fk_value_count(list) + fk_value_count(dict), 0);
}

static void test_a_hundred_thousand_items_take_linear_memory(void **state) {
    fk_values *values = *state;
    fk_value *list = fk_value_container(values, FK_KIND_LIST);
    fk_value *dict = fk_value_container(values, FK_KIND_DICT);
    fk_value *one = fk_value_int(values, 1);
    for (size_t i = 0; i < 100000; i++) {
        assert_int_equal(fk_value_append(list, one), FK_OK);
        assert_int_equal(fk_value_put(dict, one, one), FK_OK);
    }
    assert_int_equal(fk_value_count(list), 100000);
    assert_int_equal(fk_value_count(dict), 100000);
}

static void test_items_beyond_the_limit_are_refused(void **state) {
    fk_values *values = *state;
    fk_value *list = fk_value_container(values, FK_KIND_LIST);
    fk_value *one = fk_value_int(values, 1);
    for (size_t i = 0; i < FK_LIMIT_ITEMS; i++) {
        if (fk_value_append(list, one) != FK_OK) {
            fail_msg("item %zu was refused", i);
        }
    }
    assert_int_equal(fk_value_append(list, one), FK_E_LIMIT);
    assert_int_equal(fk_value_count(list), FK_LIMIT_ITEMS);
}

static void test_attributes_hang_on_ordered_dicts_and_tensors(void **state) {
    fk_values *values = *state;
    static float number;
    fk_value *attributes = fk_value_container(values, FK_KIND_DICT);
    fk_value *ordered = fk_value_container(values, FK_KIND_ORDERED_DICT);
    fk_tensor scalar = {.dtype = FK_FLOAT32,
                        .storage = fk_storage_create(values, &number, sizeof number)};
    fk_value *tensor = fk_value_tensor(values, &scalar);
    assert_null(fk_value_attributes(ordered));
    assert_null(fk_value_attributes(tensor));
    assert_null(fk_value_attributes(fk_value_none(values)));
    assert_int_equal(fk_value_set_attributes(ordered, attributes), FK_OK);
    assert_int_equal(fk_value_set_attributes(tensor, attributes), FK_OK);
    assert_ptr_equal(fk_value_attributes(ordered), attributes);
    assert_ptr_equal(fk_value_attributes(tensor), attributes);
    assert_int_equal(fk_value_count(ordered), 0);
}

static void test_kinds_are_called_as_in_python(void **state) {
    (void)state;
    assert_string_equal(fk_kind_name(FK_KIND_NONE), "None");
    assert_string_equal(fk_kind_name(FK_KIND_BIG_INT), "int");
    assert_string_equal(fk_kind_name(FK_KIND_ORDERED_DICT), "OrderedDict");
    assert_string_equal(fk_kind_name(FK_KIND_TENSOR), "tensor");
    static const int wild[] = {-1, FK_KIND_TENSOR + 1};
    assert_string_equal(fk_kind_name((fk_kind)wild[0]), "unknown");
    assert_string_equal(fk_kind_name((fk_kind)wild[1]), "unknown");
}

static void test_a_value_becomes_a_float_in_place(void **state) {
    fk_values *values = *state;
    fk_value *value = fk_value_string(values, "Infinity");
    fk_value_become_float(value, HUGE_VAL);
    assert_int_equal(fk_value_kind(value), FK_KIND_FLOAT);
    assert_true(isinf(fk_value_as_float(value)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_scalars_come_back, make_values, drop_values),
        cmocka_unit_test_setup_teardown(test_texts_are_copied_with_their_nuls, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_big_ints_that_fit_64_bits_are_ints, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_big_ints_keep_their_shortest_bytes, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_sequences_keep_their_items_in_order, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_dicts_keep_their_entries_in_order, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_a_key_with_a_nul_is_another_key, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_what_could_not_be_made_is_told_when_it_is_added,
                                        make_values, drop_values),
        cmocka_unit_test_setup_teardown(test_a_hundred_thousand_items_take_linear_memory,
                                        make_values, drop_values),
        cmocka_unit_test_setup_teardown(test_items_beyond_the_limit_are_refused, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_attributes_hang_on_ordered_dicts_and_tensors,
                                        make_values, drop_values),
        cmocka_unit_test_setup_teardown(test_kinds_are_called_as_in_python, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_a_value_becomes_a_float_in_place, make_values,
                                        drop_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
