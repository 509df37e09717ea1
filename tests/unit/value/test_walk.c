#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/buffer.h"
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

/* Notes "path:kind " of every visit. */
static fk_code note(void *user, const char *path, const fk_value *value, fk_error *err) {
    (void)err;
    fk_buffer_append_format(user, "%s:%s ", path, fk_kind_name(fk_value_kind(value)));
    return FK_OK;
}

static void expect_walk(const fk_value *root, const char *root_path, const char *expected) {
    FK_SCOPED(fk_buffer_finish) fk_buffer notes = {0};
    fk_error err;
    assert_int_equal(fk_value_walk(root, root_path, note, &notes, &err), FK_OK);
    assert_string_equal((const char *)notes.bytes, expected);
}

static void test_paths_are_dotted_and_in_order(void **state) {
    fk_values *values = *state;
    fk_value *list = fk_value_container(values, FK_KIND_LIST);
    fk_value_append(list, fk_value_int(values, 5));
    fk_value_append(list, fk_value_none(values));
    fk_value *dict = fk_value_container(values, FK_KIND_DICT);
    fk_value_set(dict, "b", list);
    fk_value_set(dict, "a", fk_value_float(values, 1.0));
    expect_walk(dict, "model",
                "model:dict model.b:list model.b.0:int model.b.1:None model.a:float ");
    expect_walk(dict, "", ":dict b:list b.0:int b.1:None a:float ");
    expect_walk(fk_value_bool(values, true), "x", "x:bool ");
}

static void test_keys_of_every_kind_have_a_spelling(void **state) {
    fk_values *values = *state;
    fk_value *dict = fk_value_container(values, FK_KIND_COUNTER);
    fk_value *one = fk_value_int(values, 1);
    fk_value_put(dict, fk_value_int(values, -3), one);
    fk_value_put(dict, fk_value_bool(values, true), one);
    fk_value_put(dict, fk_value_bool(values, false), one);
    fk_value_put(dict, fk_value_float(values, 0.5), one);
    fk_value_put(dict, fk_value_none(values), one);
    fk_value_put(dict, fk_value_text(values, FK_KIND_BYTES, "raw", 3), one);
    fk_value_put(dict, fk_value_container(values, FK_KIND_TUPLE), one);
    expect_walk(dict, "",
                ":Counter -3:int True:int False:int 0.5:int None:int raw:int <tuple>:int ");
}

static void test_attributes_are_walked_behind_the_entries(void **state) {
    fk_values *values = *state;
    fk_value *attributes = fk_value_container(values, FK_KIND_DICT);
    fk_value_set(attributes, "_metadata", fk_value_int(values, 1));
    fk_value *dict = fk_value_container(values, FK_KIND_ORDERED_DICT);
    fk_value_set_attributes(dict, attributes);
    expect_walk(dict, "m", "m:OrderedDict m._metadata:int ");
    fk_value_set(dict, "w", fk_value_none(values));
    expect_walk(dict, "m", "m:OrderedDict m.w:None m._metadata:int ");
}

static void test_a_shared_value_is_visited_where_it_occurs_and_a_cycle_once(void **state) {
    fk_values *values = *state;
    fk_value *list = fk_value_container(values, FK_KIND_LIST);
    fk_value *dict = fk_value_container(values, FK_KIND_DICT);
    fk_value_append(list, fk_value_int(values, 1));
    fk_value_append(list, dict);
    fk_value_set(dict, "one", list);
    fk_value_set(dict, "two", list);
    expect_walk(dict, "", ":dict one:list one.0:int one.1:dict two:list two.0:int two.1:dict ");
}

static fk_code stop_at_int(void *user, const char *path, const fk_value *value, fk_error *err) {
    note(user, path, value, err);
    return fk_value_kind(value) == FK_KIND_INT ? fk_error_set(err, FK_E_CANCELLED, "stop") : FK_OK;
}

static void test_a_visitor_may_stop_the_walk(void **state) {
    fk_values *values = *state;
    fk_value *attributes = fk_value_container(values, FK_KIND_DICT);
    fk_value *dict = fk_value_container(values, FK_KIND_ORDERED_DICT);
    fk_value_set(attributes, "i", fk_value_int(values, 1));
    fk_value_set(attributes, "j", fk_value_int(values, 1));
    fk_value_set(dict, "n", fk_value_none(values));
    fk_value_set_attributes(dict, attributes);
    FK_SCOPED(fk_buffer_finish) fk_buffer notes = {0};
    assert_int_equal(fk_value_walk(dict, "", stop_at_int, &notes, NULL), FK_E_CANCELLED);
    assert_string_equal((const char *)notes.bytes, ":OrderedDict n:None i:int ");
}

/* Lists in lists, `depth` of them, around an int. */
static fk_value *nest(fk_values *values, size_t depth) {
    fk_value *value = fk_value_int(values, 1);
    for (size_t i = 0; i < depth; i++) {
        fk_value *list = fk_value_container(values, FK_KIND_LIST);
        assert_int_equal(fk_value_append(list, value), FK_OK);
        value = list;
    }
    return value;
}

static fk_code count(void *user, const char *path, const fk_value *value, fk_error *err) {
    (void)path;
    (void)value;
    (void)err;
    (*(size_t *)user)++;
    return FK_OK;
}

static void test_nesting_has_a_limit_that_is_named_with_the_path(void **state) {
    fk_values *values = *state;
    fk_error err;
    size_t visits = 0;
    assert_int_equal(fk_value_walk(nest(values, FK_LIMIT_DEPTH), "x", count, &visits, &err), FK_OK);
    assert_int_equal(visits, FK_LIMIT_DEPTH + 1);
    fk_value *deep = nest(values, FK_LIMIT_DEPTH + 1);
    assert_int_equal(fk_value_walk(deep, "x", count, &visits, &err), FK_E_LIMIT);
    assert_non_null(strstr(err.message, "1000 levels at 'x.0.0.0"));
    assert_true(err.hint[0] != '\0');
}

static void test_shared_lists_that_explode_are_stopped(void **state) {
    fk_values *values = *state;
    fk_value *value = fk_value_int(values, 1);
    for (size_t i = 0; i < 60; i++) { /* 2**60 occurrences */
        fk_value *pair = fk_value_container(values, FK_KIND_TUPLE);
        fk_value_append(pair, value);
        fk_value_append(pair, value);
        value = pair;
    }
    fk_error err;
    size_t visits = 0;
    assert_int_equal(fk_value_walk(value, "x", count, &visits, &err), FK_E_LIMIT);
    assert_in_range(visits, FK_LIMIT_REPEATS, FK_LIMIT_REPEATS + 200); /* 61 of them, distinct */
    assert_non_null(strstr(err.message, "occur again, reached at 'x."));
}

static void test_the_limit_of_repeats_is_exact(void **state) {
    fk_values *values = *state;
    fk_value *shared = fk_value_container(values, FK_KIND_LIST);
    fk_value *top = fk_value_container(values, FK_KIND_LIST);
    fk_value *one = fk_value_int(values, 1);
    for (size_t i = 0; i < 1000; i++) {
        fk_value_append(shared, one);
    }
    fk_error err;
    size_t visits = 0;
    for (size_t i = 0; i <= FK_LIMIT_REPEATS / 1000; i++) { /* the first is no repeat */
        fk_value_append(top, shared);
    }
    assert_int_equal(fk_value_walk(top, "", count, &visits, &err), FK_OK);
    fk_value_append(shared, one);
    assert_int_equal(fk_value_walk(top, "", count, &visits, &err), FK_E_LIMIT);
}

static void test_a_long_key_is_cut_between_characters(void **state) {
    fk_values *values = *state;
    enum { SHOWN = FK_LIMIT_KEY_SHOWN_BYTES };
    char key[SHOWN + 2] = "";
    fk_value *dict = fk_value_container(values, FK_KIND_DICT);
    FK_SCOPED(fk_buffer_finish) fk_buffer expected = {0};
    memset(key, 'k', SHOWN);
    fk_value_set(dict, key, fk_value_none(values));
    fk_buffer_append_format(&expected, ":dict %s:None ", key);
    expect_walk(dict, "", (const char *)expected.bytes);

    dict = fk_value_container(values, FK_KIND_DICT);
    memcpy(key + SHOWN - 1, "\xC3\xA9", 2); /* beyond the limit by its second byte */
    fk_value_set(dict, key, fk_value_none(values));
    expected.length = 0;
    fk_buffer_append_format(&expected, ":dict %.*s...:None ", SHOWN - 1, key);
    expect_walk(dict, "", (const char *)expected.bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_paths_are_dotted_and_in_order, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_keys_of_every_kind_have_a_spelling, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_attributes_are_walked_behind_the_entries, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(
            test_a_shared_value_is_visited_where_it_occurs_and_a_cycle_once, make_values,
            drop_values),
        cmocka_unit_test_setup_teardown(test_a_visitor_may_stop_the_walk, make_values, drop_values),
        cmocka_unit_test_setup_teardown(test_nesting_has_a_limit_that_is_named_with_the_path,
                                        make_values, drop_values),
        cmocka_unit_test_setup_teardown(test_shared_lists_that_explode_are_stopped, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_the_limit_of_repeats_is_exact, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_a_long_key_is_cut_between_characters, make_values,
                                        drop_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
