#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "value/dtype.h"

static void test_every_dtype_has_a_name_that_leads_back_to_it(void **state) {
    (void)state;
    for (int i = FK_DTYPE_NONE + 1; i < FK_DTYPE_COUNT; i++) {
        assert_int_equal(fk_dtype_from_name(fk_dtype_name((fk_dtype)i)), i);
    }
}

static void test_sizes_are_those_of_pytorch(void **state) {
    (void)state;
    static const struct {
        const char *name;
        size_t bytes;
    } expected[] = {
        {"float32", 4},        {"float64", 8},     {"float16", 2},         {"bfloat16", 2},
        {"uint8", 1},          {"int8", 1},        {"int16", 2},           {"int32", 4},
        {"int64", 8},          {"bool", 1},        {"complex64", 8},       {"complex128", 16},
        {"complex32", 4},      {"uint16", 2},      {"uint32", 4},          {"uint64", 8},
        {"float8_e4m3fn", 1},  {"float8_e5m2", 1}, {"float8_e4m3fnuz", 1}, {"float8_e5m2fnuz", 1},
        {"float8_e8m0fnu", 1},
    };
    assert_int_equal(sizeof expected / sizeof expected[0], FK_DTYPE_COUNT - 1);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        fk_dtype dtype = fk_dtype_from_name(expected[i].name);
        assert_int_not_equal(dtype, FK_DTYPE_NONE);
        assert_int_equal(fk_dtype_bytes(dtype), expected[i].bytes);
    }
}

static void test_gradients_are_of_floating_point_and_complex_numbers(void **state) {
    (void)state;
    for (int i = FK_DTYPE_NONE; i <= FK_DTYPE_COUNT; i++) {
        const char *name = fk_dtype_name((fk_dtype)i);
        bool is_complex = strncmp(name, "complex", 7) == 0;
        assert_int_equal(fk_dtype_is_complex((fk_dtype)i), is_complex);
        assert_int_equal(fk_dtype_has_gradient((fk_dtype)i),
                         is_complex || strstr(name, "float") != NULL);
    }
}

static void test_unknown_dtypes_are_none(void **state) {
    (void)state;
    assert_int_equal(fk_dtype_from_name("float31"), FK_DTYPE_NONE);
    assert_int_equal(fk_dtype_from_name("none"), FK_DTYPE_NONE);
    assert_int_equal(fk_dtype_from_name(""), FK_DTYPE_NONE);
    static const int wild[] = {-1, FK_DTYPE_NONE, FK_DTYPE_COUNT, 1000};
    for (size_t i = 0; i < sizeof wild / sizeof wild[0]; i++) {
        assert_string_equal(fk_dtype_name((fk_dtype)wild[i]), "none");
        assert_int_equal(fk_dtype_bytes((fk_dtype)wild[i]), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_dtype_has_a_name_that_leads_back_to_it),
        cmocka_unit_test(test_sizes_are_those_of_pytorch),
        cmocka_unit_test(test_gradients_are_of_floating_point_and_complex_numbers),
        cmocka_unit_test(test_unknown_dtypes_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
