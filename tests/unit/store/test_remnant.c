/* Weights that were cut, and damaged before the cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "digest/digest.h"
#include "load_fixture.h"
#include "tree.h"

enum { FLOATS = 16 };

static const float vector[4] = {0.25f, -1.5f, 3.0f, 0.0f};
static const fk_load_options salvage = {.salvage = true};

static const char *save(run_bench *it, size_t floats) {
    sample_model_finish(&it->sample);
    sample_model_init(&it->sample, floats);
    return run_bench_save(it);
}

/* What a salvage gives, where it gives something, is what was saved. */
static void assert_salvages_the_truth(run_bench *it, const char *id) {
    fk_code code = load(it, id, salvage);
    if (code != FK_OK) {
        assert_int_equal(code, FK_E_CORRUPT);
        return;
    }
    const fk_tensor *own = fk_loaded_personality_vector(loaded);
    const fk_value *layer = fk_value_get(fk_loaded_weights(loaded), "layer.weight");
    assert_true(own != NULL || layer != NULL);
    if (own != NULL) {
        assert_memory_equal(fk_tensor_data(own), vector, sizeof vector);
    } else {
        assert_non_null(load_find_loss(fk_loaded_info(loaded), "personality_vector"));
    }
    if (layer != NULL) {
        load_assert_weights(it);
    } else {
        assert_non_null(load_find_loss(fk_loaded_info(loaded), "model.layer.weight"));
    }
}

static void flip_each_byte(run_bench *it, const char *id, size_t length) {
    const char *path = run_bench_file(it, id, "weights");
    size_t whole = 0;
    char *bytes = tree_read(path, &whole);
    assert_true(length <= whole);
    for (size_t i = 0; i < length; i++) {
        bytes[i] ^= 0x10;
        tree_write(path, bytes, length);
        assert_int_equal(load(it, id, PLAIN), FK_E_CORRUPT);
        assert_int_equal(it->err.offset, length);
        assert_salvages_the_truth(it, id);
        bytes[i] ^= 0x10;
    }
    tree_write(path, bytes, whole);
    free(bytes);
}

static void test_a_flipped_byte_before_the_cut_is_never_taken_for_whole(void **state) {
    run_bench *it = *state;
    const char *id = save(it, FLOATS);
    const char *path = run_bench_file(it, id, "weights");
    size_t layer = run_weights_offset(it, path);
    flip_each_byte(it, id, layer + FLOATS * sizeof(float) + 40);
    flip_each_byte(it, id, layer + 4);
    assert_int_equal(load(it, id, PLAIN), FK_OK);
}

/* All of it is there, its directory, too, but the manifest tells of more. */
static void test_a_file_that_is_cut_for_the_manifest_alone_is_none_the_less(void **state) {
    run_bench *it = *state;
    const char *id = save(it, FLOATS);
    size_t whole = 0;
    free(tree_read(run_bench_file(it, id, "weights"), &whole));
    run_damage_list_bytes(it, id, "weights", whole + 100);
    flip_each_byte(it, id, whole);
    assert_salvages_the_truth(it, id);
    assert_non_null(fk_loaded_personality_vector(loaded));
}

static void test_damage_and_cut_are_told_apart(void **state) {
    run_bench *it = *state;
    const char *id = save(it, FLOATS);
    const char *path = run_bench_file(it, id, "weights");
    run_damage_truncate(path, run_weights_offset(it, path) + 4);
    run_damage_flip_bytes(path, vector, sizeof vector);
    fk_run_list *runs = NULL;
    assert_int_equal(fk_verify(it->store, RUN_FONT, id, NULL, NULL, &runs, &it->err), FK_OK);
    const fk_run_info *info = fk_run_list_at(runs, 0);
    assert_non_null(strstr(load_find_loss(info, "personality_vector")->message, "is damaged"));
    assert_non_null(strstr(load_find_loss(info, "model.layer.weight")->message, "was cut off"));
    fk_run_list_destroy(runs);
}

static void test_a_file_that_ends_with_a_piece_has_the_pieces_before(void **state) {
    run_bench *it = *state;
    const char *id = save(it, 5 << 20);
    run_damage_truncate(run_bench_file(it, id, "weights"), FK_PIECE_BYTES);
    assert_int_equal(load(it, id, PLAIN), FK_E_CORRUPT);
    assert_non_null(strstr(it->err.message, "tensor 'model.layer.weight'"));
    assert_int_equal(load(it, id, salvage), FK_OK);
    assert_non_null(fk_loaded_personality_vector(loaded));
    assert_non_null(load_find_loss(fk_loaded_info(loaded), "model.layer.weight"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, run_bench_setup, load_teardown)
        T(test_a_flipped_byte_before_the_cut_is_never_taken_for_whole),
        T(test_a_file_that_is_cut_for_the_manifest_alone_is_none_the_less),
        T(test_damage_and_cut_are_told_apart),
        T(test_a_file_that_ends_with_a_piece_has_the_pieces_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
