#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/limits.h"
#include "value/values.h"

typedef struct two_arenas {
    fk_values *from;
    fk_values *into;
} two_arenas;

static int make_arenas(void **state) {
    static two_arenas arenas;
    arenas.from = fk_values_create();
    arenas.into = fk_values_create();
    *state = &arenas;
    return arenas.from == NULL || arenas.into == NULL;
}

static int drop_arenas(void **state) {
    two_arenas *arenas = *state;
    fk_values_destroy(arenas->from);
    fk_values_destroy(arenas->into);
    return 0;
}

static void test_a_copy_outlives_its_original(void **state) {
    two_arenas *arenas = *state;
    fk_values *from = arenas->from;
    fk_value *dict = fk_value_container(from, FK_KIND_DICT);
    fk_value_set(dict, "text", fk_value_text(from, FK_KIND_BYTES, "a\0b", 3));
    fk_value_set(dict, "big", fk_value_big_int(from, "123456789", 9));
    fk_value_set(dict, "float", fk_value_float(from, -0.5));
    fk_value_put(dict, fk_value_int(from, 3), fk_value_complex(from, 1, 2));
    fk_value *list = fk_value_container(from, FK_KIND_TUPLE);
    fk_value_append(list, fk_value_bool(from, true));
    fk_value_append(list, fk_value_none(from));
    fk_value_set(dict, "list", list);
    fk_value *copy = fk_value_copy(arenas->into, dict);
    fk_values_destroy(from);
    arenas->from = NULL;
    assert_int_equal(fk_value_count(copy), 5);
    size_t length;
    assert_memory_equal(fk_value_as_text(fk_value_get(copy, "text"), &length), "a\0b", 4);
    assert_int_equal(length, 3);
    assert_int_equal(fk_value_kind(fk_value_get(copy, "big")), FK_KIND_BIG_INT);
    assert_string_equal(fk_value_as_text(fk_value_get(copy, "big"), NULL), "123456789");
    assert_true(fk_value_as_float(fk_value_get(copy, "float")) == -0.5);
    assert_int_equal(fk_value_as_int(fk_value_key(copy, 3)), 3);
    assert_int_equal(fk_value_kind(fk_value_get(copy, "list")), FK_KIND_TUPLE);
    assert_true(fk_value_as_bool(fk_value_item(fk_value_get(copy, "list"), 0)));
}

static void test_tensors_still_share_their_storage(void **state) {
    two_arenas *arenas = *state;
    fk_values *from = arenas->from;
    static float numbers[6];
    int64_t shape[] = {2, 3};
    int64_t strides[] = {1, 2};
    fk_tensor tensor = {.dtype = FK_FLOAT32,
                        .flags = FK_TENSOR_PARAMETER,
                        .rank = 2,
                        .shape = shape,
                        .storage = fk_storage_create(from, numbers, sizeof numbers)};
    fk_value *list = fk_value_container(from, FK_KIND_LIST);
    fk_value *first = fk_value_tensor(from, &tensor);
    fk_value_append(list, first);
    tensor.strides = strides;
    fk_value_append(list, fk_value_tensor(from, &tensor));
    fk_value_append(list, first);
    fk_value *attributes = fk_value_container(from, FK_KIND_DICT);
    fk_value_set(attributes, "hook", fk_value_int(from, 4));
    fk_value_set_attributes(first, attributes);
    fk_value *copy = fk_value_copy(arenas->into, list);
    fk_values_destroy(from);
    arenas->from = NULL;
    const fk_tensor *one = fk_value_as_tensor(fk_value_item(copy, 0));
    const fk_tensor *other = fk_value_as_tensor(fk_value_item(copy, 1));
    assert_ptr_equal(one->storage, other->storage);
    assert_ptr_equal(one->storage->data, numbers);
    assert_int_equal(one->flags, FK_TENSOR_PARAMETER);
    assert_int_equal(one->strides[0], 3);
    assert_int_equal(other->strides[1], 2);
    assert_ptr_equal(fk_value_item(copy, 0), fk_value_item(copy, 2));
    const fk_value *hooks = fk_value_attributes(fk_value_item(copy, 0));
    assert_int_equal(fk_value_as_int(fk_value_get(hooks, "hook")), 4);
}

static void test_a_value_that_contains_itself_is_copied(void **state) {
    two_arenas *arenas = *state;
    fk_value *list = fk_value_container(arenas->from, FK_KIND_LIST);
    fk_value *ordered = fk_value_container(arenas->from, FK_KIND_ORDERED_DICT);
    fk_value *attributes = fk_value_container(arenas->from, FK_KIND_DICT);
    fk_value_append(list, list);
    fk_value_append(list, ordered);
    fk_value_set(attributes, "up", list);
    fk_value_set_attributes(ordered, attributes);
    fk_value *copy = fk_value_copy(arenas->into, list);
    assert_ptr_not_equal(copy, list);
    assert_ptr_equal(fk_value_item(copy, 0), copy);
    assert_ptr_equal(fk_value_get(fk_value_attributes(fk_value_item(copy, 1)), "up"), copy);
}

static void test_thousands_of_shared_values_stay_shared(void **state) {
    two_arenas *arenas = *state;
    fk_value *list = fk_value_container(arenas->from, FK_KIND_LIST);
    for (int64_t i = 0; i < 5000; i++) {
        fk_value *item = fk_value_container(arenas->from, FK_KIND_LIST);
        fk_value_append(item, fk_value_int(arenas->from, i));
        fk_value_append(list, item);
        fk_value_append(list, item);
    }
    fk_value *copy = fk_value_copy(arenas->into, list);
    for (size_t i = 0; i < 5000; i++) {
        assert_ptr_equal(fk_value_item(copy, 2 * i), fk_value_item(copy, 2 * i + 1));
        assert_int_equal(fk_value_as_int(fk_value_item(fk_value_item(copy, 2 * i), 0)), i);
    }
}

static void test_nesting_beyond_the_limit_is_not_copied(void **state) {
    two_arenas *arenas = *state;
    fk_value *value = fk_value_int(arenas->from, 1);
    for (size_t i = 0; i < FK_LIMIT_DEPTH; i++) {
        fk_value *dict = fk_value_container(arenas->from, FK_KIND_DICT);
        fk_value_set(dict, "k", value);
        value = dict;
    }
    assert_non_null(fk_value_copy(arenas->into, value));
    fk_value *list = fk_value_container(arenas->from, FK_KIND_LIST);
    fk_value_append(list, value);
    assert_null(fk_value_copy(arenas->into, list));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_copy_outlives_its_original, make_arenas,
                                        drop_arenas),
        cmocka_unit_test_setup_teardown(test_tensors_still_share_their_storage, make_arenas,
                                        drop_arenas),
        cmocka_unit_test_setup_teardown(test_a_value_that_contains_itself_is_copied, make_arenas,
                                        drop_arenas),
        cmocka_unit_test_setup_teardown(test_thousands_of_shared_values_stay_shared, make_arenas,
                                        drop_arenas),
        cmocka_unit_test_setup_teardown(test_nesting_beyond_the_limit_is_not_copied, make_arenas,
                                        drop_arenas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
