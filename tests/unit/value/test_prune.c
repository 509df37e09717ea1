#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "value/prune.h"
#include "value/values.h"

/* What is lost here: the string "lost". */
static bool is_lost(const fk_value *value) {
    return fk_value_kind(value) == FK_KIND_STRING &&
           strcmp(fk_value_as_text(value, NULL), "lost") == 0;
}

static fk_value *lost(fk_values *values) {
    return fk_value_string(values, "lost");
}

static fk_value *number(fk_values *values, int64_t is) {
    return fk_value_int(values, is);
}

/* [lost, 1, lost], of any kind. */
static fk_value *sequence(fk_values *values, fk_kind kind) {
    fk_value *made = fk_value_container(values, kind);
    fk_value_append(made, lost(values));
    fk_value_append(made, number(values, 1));
    fk_value_append(made, lost(values));
    return made;
}

static void test_an_entry_of_a_dict_goes_with_its_key(void **state) {
    fk_values *values = *state;
    fk_value *dict = fk_value_container(values, FK_KIND_ORDERED_DICT);
    fk_value_set(dict, "a", lost(values));
    fk_value_set(dict, "b", number(values, 2));
    fk_value_set(dict, "c", lost(values));
    assert_int_equal(fk_value_prune(values, dict, is_lost, NULL), FK_OK);
    assert_int_equal(fk_value_count(dict), 1);
    assert_int_equal(fk_value_as_int(fk_value_get(dict, "b")), 2);
}

static void test_items_of_lists_and_tuples_keep_their_index(void **state) {
    fk_values *values = *state;
    for (fk_kind kind = FK_KIND_LIST; kind <= FK_KIND_TUPLE; kind++) {
        fk_value *items = sequence(values, kind);
        assert_int_equal(fk_value_prune(values, items, is_lost, NULL), FK_OK);
        assert_int_equal(fk_value_count(items), 3);
        assert_int_equal(fk_value_kind(fk_value_item(items, 0)), FK_KIND_NONE);
        assert_int_equal(fk_value_as_int(fk_value_item(items, 1)), 1);
        assert_int_equal(fk_value_kind(fk_value_item(items, 2)), FK_KIND_NONE);
    }
}

static void test_an_item_of_a_set_goes(void **state) {
    fk_values *values = *state;
    fk_value *set = sequence(values, FK_KIND_SET);
    assert_int_equal(fk_value_prune(values, set, is_lost, NULL), FK_OK);
    assert_int_equal(fk_value_count(set), 1);
}

static void test_every_level_is_looked_into_and_cycles_end(void **state) {
    fk_values *values = *state;
    fk_value *top = fk_value_container(values, FK_KIND_LIST);
    fk_value *inner = fk_value_container(values, FK_KIND_DICT);
    fk_value *attributes = fk_value_container(values, FK_KIND_DICT);
    fk_value *ordered = fk_value_container(values, FK_KIND_ORDERED_DICT);
    fk_value_append(top, top);
    fk_value_append(top, inner);
    fk_value_append(top, inner);
    fk_value_set(inner, "tuple", sequence(values, FK_KIND_TUPLE));
    fk_value_set(inner, "ordered", ordered);
    fk_value_set(attributes, "gone", lost(values));
    fk_value_set(attributes, "kept", number(values, 3));
    fk_value_set_attributes(ordered, attributes);
    assert_int_equal(fk_value_prune(values, top, is_lost, NULL), FK_OK);
    assert_ptr_equal(fk_value_item(top, 0), top);
    assert_int_equal(fk_value_kind(fk_value_item(fk_value_get(inner, "tuple"), 0)), FK_KIND_NONE);
    assert_int_equal(fk_value_count(attributes), 1);
}

/* More levels than any recursion should take, and more containers than the first room. */
static void test_depth_does_not_matter(void **state) {
    fk_values *values = *state;
    fk_value *top = fk_value_container(values, FK_KIND_LIST);
    fk_value *level = top;
    for (unsigned i = 0; i < 200000; i++) {
        fk_value *below = fk_value_container(values, FK_KIND_LIST);
        fk_value_append(level, below);
        level = below;
    }
    fk_value_append(level, lost(values));
    fk_value *wide = fk_value_container(values, FK_KIND_LIST);
    for (unsigned i = 0; i < 1000; i++) {
        fk_value_append(wide, sequence(values, FK_KIND_LIST));
    }
    fk_value_append(top, wide);
    assert_int_equal(fk_value_prune(values, top, is_lost, NULL), FK_OK);
    assert_int_equal(fk_value_kind(fk_value_item(level, 0)), FK_KIND_NONE);
    assert_int_equal(fk_value_kind(fk_value_item(fk_value_item(wide, 999), 2)), FK_KIND_NONE);
}

static void test_the_root_stays(void **state) {
    fk_values *values = *state;
    fk_value *root = lost(values);
    assert_int_equal(fk_value_prune(values, root, is_lost, NULL), FK_OK);
    assert_true(is_lost(root));
}

static int setup(void **state) {
    *state = fk_values_create();
    return *state == NULL;
}

static int teardown(void **state) {
    fk_values_destroy(*state);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(test_an_entry_of_a_dict_goes_with_its_key),
        T(test_items_of_lists_and_tuples_keep_their_index),
        T(test_an_item_of_a_set_goes),
        T(test_every_level_is_looked_into_and_cycles_end),
        T(test_depth_does_not_matter),
        T(test_the_root_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
