/* Salvage of weights in which something is called as the personality vector is, and is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "load_fixture.h"
#include "tree.h"

#define BY_HAND "2026-02-01T00:00:00.000000"

static const fk_load_options salvage = {.salvage = true};

static fk_value *dict_with(run_bench *it, const char *key, fk_value *item) {
    fk_value *dict = fk_value_container(it->sample.values, FK_KIND_DICT);
    assert_int_equal(fk_value_set(dict, key, item), FK_OK);
    return dict;
}

static float other_floats[3] = {17.25f, -8.5f, 33.0f};

static fk_value *other_tensor(run_bench *it) {
    return sample_tensor(it->sample.values, other_floats, 3);
}

/* A run by hand whose weights are `top`; the other tensor in it is damaged. */
static void make_by_hand(run_bench *it, const fk_value *top) {
    run_bench_make_unverified(it, run_bench_save(it), BY_HAND, "weights");
    const char *path = run_bench_file(it, BY_HAND, "weights");
    sample_write_checkpoint(top, path);
    run_damage_flip_bytes(path, other_floats, sizeof other_floats);
}

static void test_an_attribute_of_the_only_tensor_is_no_vector(void **state) {
    run_bench *it = *state;
    fk_value *tensor = sample_tensor(it->sample.values, it->sample.floats, it->sample.count);
    fk_value *attributes = dict_with(it, "personality_vector", other_tensor(it));
    assert_int_equal(fk_value_set_attributes(tensor, attributes), FK_OK);
    make_by_hand(it, tensor);
    assert_int_equal(load(it, NULL, salvage), FK_OK);
    assert_int_equal(fk_value_kind(fk_loaded_weights(loaded)), FK_KIND_TENSOR);
    assert_non_null(load_find_loss(fk_loaded_info(loaded), "personality_vector"));
}

static void test_of_a_state_dict_a_tensor_of_that_name_is_left_out(void **state) {
    run_bench *it = *state;
    fk_value *top = dict_with(
        it, "layer.weight", sample_tensor(it->sample.values, it->sample.floats, it->sample.count));
    assert_int_equal(fk_value_set(top, "personality_vector", other_tensor(it)), FK_OK);
    make_by_hand(it, top);
    assert_int_equal(load(it, NULL, salvage), FK_OK);
    load_assert_weights(it);
    assert_null(fk_value_get(fk_loaded_weights(loaded), "personality_vector"));
}

/* A record of 40 digits that belongs to no tensor. */
static void flip_serialization_id(const char *path) {
    size_t length = 0;
    char *file = tree_read(path, &length);
    char *at = memmem(file, length, "serialization_id", strlen("serialization_id"));
    assert_non_null(at);
    while (strspn(at, "0123456789") < 40) {
        at++;
        assert_true(at < file + length);
    }
    run_damage_flip(path, (size_t)(at - file));
    free(file);
}

/* Damaged, too, is what belongs to no tensor. */
static void test_a_file_of_ours_that_never_had_a_vector_gets_none(void **state) {
    run_bench *it = *state;
    fk_values *values = it->sample.values;
    fk_value *top = dict_with(it, "weights_version", fk_value_string(values, "v1"));
    fk_value *model = fk_value_copy(values, it->sample.model.weights);
    fk_value_set(top, "architecture", fk_value_container(values, FK_KIND_DICT));
    fk_value_set(model, "layer.bias", other_tensor(it));
    fk_value_set(top, "model", model);
    make_by_hand(it, top);
    flip_serialization_id(run_bench_file(it, BY_HAND, "weights"));
    assert_int_equal(load(it, BY_HAND, salvage), FK_E_CORRUPT);
    assert_non_null(strstr(it->err.message, "nothing can be salvaged"));
    assert_non_null(strstr(it->err.message, "'personality_vector' is missing"));
}

static void test_an_attribute_of_that_name_takes_no_vector_away(void **state) {
    run_bench *it = *state;
    fk_values *values = it->sample.values;
    fk_value *top = fk_value_container(values, FK_KIND_ORDERED_DICT);
    fk_value_set(top, "weights_version", fk_value_string(values, "v1"));
    fk_value_set(top, "architecture", fk_value_container(values, FK_KIND_DICT));
    fk_value_set(top, "model", fk_value_copy(values, it->sample.model.weights));
    fk_value_set(top, "personality_vector",
                 fk_value_copy(values, it->sample.model.personality_vector));
    fk_value_set_attributes(top, dict_with(it, "personality_vector", other_tensor(it)));
    make_by_hand(it, top);
    assert_int_equal(load(it, NULL, salvage), FK_OK);
    load_assert_weights(it);
    const fk_tensor *vector = fk_loaded_personality_vector(loaded);
    assert_non_null(vector);
    assert_int_equal(fk_tensor_elements(vector), 4);
    assert_non_null(load_find_loss(fk_loaded_info(loaded), "personality_vector"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, run_bench_setup, load_teardown)
        T(test_an_attribute_of_the_only_tensor_is_no_vector),
        T(test_of_a_state_dict_a_tensor_of_that_name_is_left_out),
        T(test_a_file_of_ours_that_never_had_a_vector_gets_none),
        T(test_an_attribute_of_that_name_takes_no_vector_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
