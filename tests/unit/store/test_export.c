/* Personality vectors out of a store, and tensors from files; elements of every dtype as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_kernel.h"
#include "make_run.h"
#include "store/load/element.h"
#include "tree.h"

static char *export(run_bench *it, const char *format) {
    void *bytes = NULL;
    size_t length = 0;
    if (fk_read_personality(it->store, RUN_FONT, NULL, format, &bytes, &length, &it->err) !=
        FK_OK) {
        fail_msg("%s", it->err.message);
    }
    return bytes;
}

/* Saves a run whose vector is this. */
static void save_vector(run_bench *it, fk_dtype dtype, uint32_t rank, const int64_t *shape,
                        const int64_t *strides, uint32_t flags, void *data, size_t bytes) {
    fk_tensor tensor = {.dtype = dtype,
                        .flags = flags,
                        .rank = rank,
                        .shape = shape,
                        .strides = strides,
                        .storage = fk_storage_create(it->sample.values, data, bytes)};
    it->sample.model.personality_vector = fk_value_tensor(it->sample.values, &tensor);
    assert_non_null(it->sample.model.personality_vector);
    run_bench_save(it);
}

static const char *file(run_bench *it, const char *name) {
    return tree_path(it->path, name);
}

/* What is exported and read back is the same tensor, bit for bit. */
static void assert_round_trip(run_bench *it, const char *name) {
    fk_loaded *loaded = NULL;
    fk_values *values = fk_values_create();
    fk_value *value = NULL;
    if (fk_export_personality(it->store, RUN_FONT, NULL, file(it, name), NULL, &it->err) != FK_OK ||
        fk_read_tensor_file(file(it, name), values, &value, &it->err) != FK_OK ||
        fk_load_model(it->store, RUN_FONT, NULL, NULL, &loaded, &it->err) != FK_OK) {
        fail_msg("%s: %s", name, it->err.message);
    }
    const fk_tensor *back = fk_value_as_tensor(value);
    const fk_tensor *vector = fk_loaded_personality_vector(loaded);
    assert_int_equal(back->dtype, vector->dtype);
    assert_int_equal(back->rank, vector->rank);
    if (vector->rank > 0) {
        assert_memory_equal(back->shape, vector->shape, vector->rank * sizeof(int64_t));
    }
    size_t bytes = fk_tensor_elements(vector) * fk_dtype_bytes(vector->dtype);
    if (bytes > 0) {
        assert_memory_equal(fk_tensor_data(back), fk_tensor_data(vector), bytes);
    }
    fk_loaded_destroy(loaded);
    fk_values_destroy(values);
}

static void test_json_says_dtype_shape_and_values(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    char *text = export(it, "json");
    assert_string_equal(text, "{\"dtype\": \"float32\", \"shape\": [4], \"values\": [0.25, -1.5, "
                              "3.0, 0.0]}\n");
    free(text);
    text = export(it, "csv");
    assert_string_equal(text, "0.25,-1.5,3.0,0.0\n");
    free(text);
}

static void test_every_format_reads_back_bit_for_bit(void **state) {
    run_bench *it = *state;
    float data[] = {0.1f, -0.0f, 1e-45f, 3.4028235e38f, 1.0f / 3.0f, -7.25f, 16777216.0f, 2e-10f};
    const int64_t shape[] = {2, 4};
    save_vector(it, FK_FLOAT32, 2, shape, NULL, 0, data, sizeof data);
    assert_round_trip(it, "vector.json");
    assert_round_trip(it, "vector.npy");
    assert_round_trip(it, "vector.pt");
    assert_round_trip(it, "vector.pth");
}

static void test_numbers_that_are_not_finite_are_strings_in_json(void **state) {
    run_bench *it = *state;
    float data[] = {NAN, INFINITY, -INFINITY};
    const int64_t shape[] = {3};
    save_vector(it, FK_FLOAT32, 1, shape, NULL, 0, data, sizeof data);
    char *text = export(it, "json");
    assert_non_null(strstr(text, "[\"NaN\", \"Infinity\", \"-Infinity\"]"));
    free(text);
    text = export(it, "csv");
    assert_string_equal(text, "NaN,Infinity,-Infinity\n");
    free(text);
    assert_round_trip(it, "vector.json");
}

static void test_matrices_nest_and_give_a_row_each(void **state) {
    run_bench *it = *state;
    int16_t data[] = {1, 2, 3, 4, 5, -6};
    const int64_t shape[] = {3, 2};
    const int64_t strides[] = {1, 3}; /* transposed */
    save_vector(it, FK_INT16, 2, shape, strides, 0, data, sizeof data);
    char *text = export(it, "json");
    assert_string_equal(
        text, "{\"dtype\": \"int16\", \"shape\": [3, 2], \"values\": [[1, 4], [2, 5], [3, -6]]}\n");
    free(text);
    text = export(it, "csv");
    assert_string_equal(text, "1,4\n2,5\n3,-6\n");
    free(text);
    assert_round_trip(it, "vector.npy");
}

static void test_scalars_and_empty_vectors_export(void **state) {
    run_bench *it = *state;
    double number = 0.1;
    save_vector(it, FK_FLOAT64, 0, NULL, NULL, 0, &number, sizeof number);
    char *text = export(it, "json");
    assert_string_equal(text, "{\"dtype\": \"float64\", \"shape\": [], \"values\": 0.1}\n");
    free(text);
    text = export(it, "csv");
    assert_string_equal(text, "0.1\n");
    free(text);
    assert_round_trip(it, "scalar.json");
    const int64_t shape[] = {2, 0};
    save_vector(it, FK_FLOAT64, 2, shape, NULL, 0, &number, sizeof number);
    text = export(it, "json");
    assert_string_equal(text,
                        "{\"dtype\": \"float64\", \"shape\": [2, 0], \"values\": [[], []]}\n");
    free(text);
    text = export(it, "csv");
    assert_string_equal(text, "");
    free(text);
    assert_round_trip(it, "empty.json");
}

static void test_complex_numbers_are_pairs_and_lazy_bits_are_resolved(void **state) {
    run_bench *it = *state;
    float data[] = {1.5f, -2.0f, 0.0f, 3.0f};
    const int64_t shape[] = {2};
    save_vector(it, FK_COMPLEX64, 1, shape, NULL, 0, data, sizeof data);
    char *text = export(it, "json");
    assert_non_null(strstr(text, "[[1.5, -2.0], [0.0, 3.0]]"));
    free(text);
    text = export(it, "csv");
    assert_string_equal(text, "1.5-2.0j,0.0+3.0j\n");
    free(text);
    assert_round_trip(it, "complex.json");
    save_vector(it, FK_COMPLEX64, 1, shape, NULL, FK_TENSOR_CONJ, data, sizeof data);
    text = export(it, "csv");
    assert_string_equal(text, "1.5+2.0j,0.0-3.0j\n");
    free(text);
}

static void test_a_lazily_negated_vector_is_exported_negated(void **state) {
    run_bench *it = *state;
    float data[] = {1.5f, -2.0f};
    const int64_t shape[] = {2};
    save_vector(it, FK_FLOAT32, 1, shape, NULL, FK_TENSOR_NEG, data, sizeof data);
    char *text = export(it, "csv");
    assert_string_equal(text, "-1.5,2.0\n");
    free(text);
}

static void test_wrong_formats_and_runs_without_a_vector_are_refused(void **state) {
    run_bench *it = *state;
    void *bytes = NULL;
    size_t length = 0;
    it->sample.metadata.status = FK_FAILED;
    it->sample.model.personality_vector = NULL;
    const char *id = run_bench_save(it);
    assert_int_equal(
        fk_read_personality(it->store, RUN_FONT, id, "json", &bytes, &length, &it->err),
        FK_E_INCOMPLETE);
    assert_int_equal(
        fk_read_personality(it->store, RUN_FONT, id, "yaml", &bytes, &length, &it->err),
        FK_E_USAGE);
    assert_int_equal(fk_read_personality(it->store, RUN_FONT, id, NULL, &bytes, &length, &it->err),
                     FK_E_USAGE);
    assert_int_equal(
        fk_export_personality(it->store, RUN_FONT, id, file(it, "a.txt"), NULL, &it->err),
        FK_E_USAGE);
    assert_int_equal(
        fk_export_personality(it->store, RUN_FONT, id, file(it, "a.b/c"), NULL, &it->err),
        FK_E_USAGE);
    assert_int_equal(
        fk_read_personality(it->store, RUN_FONT, "2026", "json", &bytes, &length, &it->err),
        FK_E_RUN_NOT_FOUND);
    assert_null(bytes);
}

static void test_damaged_weights_export_nothing(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    run_damage_flip(run_bench_file(it, id, "weights"), 1000);
    assert_int_equal(
        fk_export_personality(it->store, RUN_FONT, id, file(it, "v.json"), NULL, &it->err),
        FK_E_CORRUPT);
    assert_false(tree_exists(file(it, "v.json")));
}

static void test_an_export_replaces_a_file_whole_or_not_at_all(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    tree_write(file(it, "v.json"), "old", 3);
    const char *const calls[] = {"write", "fsync", "renameat", "getrandom", "close"};
    for (size_t i = 0; i < 4; i++) {
        fake_kernel_fail(calls[i], 1, EIO, FAKE_ONCE);
        assert_int_equal(
            fk_export_personality(it->store, RUN_FONT, NULL, file(it, "v.json"), NULL, &it->err),
            FK_E_IO);
        fake_kernel_relent();
        assert_int_equal(tree_count(it->path, ".fontkeep-", NULL), 0);
        char *text = tree_read(file(it, "v.json"), NULL);
        assert_string_equal(text, "old");
        free(text);
    }
    assert_int_equal(
        fk_export_personality(it->store, RUN_FONT, NULL, file(it, "v.json"), NULL, &it->err),
        FK_OK);
    char *text = tree_read(file(it, "v.json"), NULL);
    assert_int_equal(text[0], '{');
    free(text);
    assert_int_equal(
        fk_export_personality(it->store, RUN_FONT, NULL, file(it, "none/v.json"), NULL, &it->err),
        FK_E_IO);
    assert_int_equal(
        fk_export_personality(it->store, RUN_FONT, NULL, file(it, "none/"), "json", &it->err),
        FK_E_USAGE);
}

/* ---- elements */

static const char *text_of(fk_dtype dtype, const void *bytes, bool json) {
    static char text[128];
    fk_buffer buffer = {0};
    assert_true(fk_element_append(&buffer, dtype, bytes, json));
    snprintf(text, sizeof text, "%s", (const char *)buffer.bytes);
    fk_buffer_finish(&buffer);
    return text;
}

static void test_small_floats_have_their_known_values(void **state) {
    (void)state;
    const struct {
        fk_dtype dtype;
        uint16_t code;
        const char *text;
    } known[] = {
        {FK_FLOAT16, 0x3C00, "1.0"},           {FK_FLOAT16, 0x7BFF, "65504.0"},
        {FK_FLOAT16, 0xFC00, "-Infinity"},     {FK_FLOAT16, 0x7E00, "NaN"},
        {FK_FLOAT16, 0x8000, "-0.0"},          {FK_BFLOAT16, 0x3F80, "1.0"},
        {FK_BFLOAT16, 0xC020, "-2.5"},         {FK_FLOAT8_E4M3FN, 0x7E, "448.0"},
        {FK_FLOAT8_E4M3FN, 0x7F, "NaN"},       {FK_FLOAT8_E4M3FN, 0x01, "0.001953125"},
        {FK_FLOAT8_E5M2, 0x7B, "57344.0"},     {FK_FLOAT8_E5M2, 0x7C, "Infinity"},
        {FK_FLOAT8_E4M3FNUZ, 0x80, "NaN"},     {FK_FLOAT8_E4M3FNUZ, 0x7F, "240.0"},
        {FK_FLOAT8_E5M2FNUZ, 0x7F, "57344.0"}, {FK_FLOAT8_E8M0FNU, 127, "1.0"},
        {FK_FLOAT8_E8M0FNU, 255, "NaN"},       {FK_FLOAT8_E8M0FNU, 130, "8.0"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        assert_string_equal(text_of(known[i].dtype, &known[i].code, false), known[i].text);
    }
}

/* Every code of every small type comes back from its text; NaNs as some NaN. */
static void test_every_code_of_small_types_survives_json(void **state) {
    (void)state;
    const fk_dtype dtypes[] = {
        FK_FLOAT16,         FK_BFLOAT16,        FK_FLOAT8_E4M3FN,  FK_FLOAT8_E5M2,
        FK_FLOAT8_E4M3FNUZ, FK_FLOAT8_E5M2FNUZ, FK_FLOAT8_E8M0FNU, FK_INT8,
        FK_UINT8,           FK_INT16,           FK_UINT16};
    for (size_t d = 0; d < sizeof dtypes / sizeof dtypes[0]; d++) {
        uint32_t codes = fk_dtype_bytes(dtypes[d]) == 1 ? 256 : 65536;
        uint32_t step = codes == 256 ? 1 : 37;
        for (uint32_t code = 0; code < codes; code += step) {
            uint16_t back = 0;
            const char *text = text_of(dtypes[d], &code, true);
            fk_values *values = fk_values_create();
            fk_value *value = NULL;
            assert_int_equal(fk_json_read(text, strlen(text), values, &value, NULL), FK_OK);
            assert_true(fk_element_store(dtypes[d], value, &back));
            fk_values_destroy(values);
            if (strstr(text, "NaN") == NULL) {
                assert_int_equal(back, code);
            } else {
                assert_string_equal(text_of(dtypes[d], &back, false), "NaN");
            }
        }
    }
}

static bool store_text(fk_dtype dtype, const char *text, void *into) {
    fk_values *values = fk_values_create();
    fk_value *value = NULL;
    assert_int_equal(fk_json_read(text, strlen(text), values, &value, NULL), FK_OK);
    bool stored = fk_element_store(dtype, value, into);
    fk_values_destroy(values);
    return stored;
}

static void test_numbers_are_rounded_to_the_nearest_even_or_refused(void **state) {
    (void)state;
    uint64_t into = 0;
    assert_true(store_text(FK_FLOAT16, "2049", &into)); /* between 2048 and 2050 */
    assert_string_equal(text_of(FK_FLOAT16, &into, true), "2048.0");
    assert_true(store_text(FK_FLOAT16, "2051", &into)); /* between 2050 and 2052 */
    assert_string_equal(text_of(FK_FLOAT16, &into, true), "2052.0");
    assert_true(store_text(FK_FLOAT16, "-2049.5", &into));
    assert_string_equal(text_of(FK_FLOAT16, &into, true), "-2050.0");
    assert_false(store_text(FK_FLOAT16, "70000", &into));
    assert_false(store_text(FK_FLOAT32, "1e300", &into));
    assert_false(store_text(FK_FLOAT8_E4M3FN, "\"Infinity\"", &into));
    assert_false(store_text(FK_FLOAT8_E8M0FNU, "3.0", &into));
    assert_false(store_text(FK_FLOAT8_E8M0FNU, "\"Infinity\"", &into));
    assert_false(store_text(FK_FLOAT32, "\"text\"", &into));
    assert_false(store_text(FK_FLOAT32, "true", &into));
    assert_false(store_text(FK_INT8, "128", &into));
    assert_true(store_text(FK_INT8, "-128", &into));
    assert_false(store_text(FK_UINT8, "-1", &into));
    assert_false(store_text(FK_INT32, "1.5", &into));
    assert_true(store_text(FK_UINT64, "9223372036854775807", &into));
    assert_string_equal(text_of(FK_UINT64, &into, true), "9223372036854775807");
    assert_false(store_text(FK_BOOL, "1", &into));
    assert_true(store_text(FK_BOOL, "true", &into));
    assert_string_equal(text_of(FK_BOOL, &into, true), "true");
    assert_false(store_text(FK_COMPLEX64, "[1]", &into));
    assert_false(store_text(FK_COMPLEX64, "[1, \"x\"]", &into));
    assert_true(store_text(FK_COMPLEX32, "[1.5, -2]", &into));
    assert_string_equal(text_of(FK_COMPLEX32, &into, true), "[1.5, -2.0]");
    double wide[2] = {0.5, -0.0};
    assert_string_equal(text_of(FK_COMPLEX128, wide, false), "0.5-0.0j");
    assert_true(store_text(FK_COMPLEX128, "[0.25, 1]", wide));
    assert_true(wide[0] == 0.25 && wide[1] == 1.0);
    int32_t i32 = -5;
    assert_string_equal(text_of(FK_INT32, &i32, true), "-5");
    int64_t i64 = INT64_MIN;
    assert_string_equal(text_of(FK_INT64, &i64, true), "-9223372036854775808");
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, run_bench_setup, run_bench_teardown)
        T(test_json_says_dtype_shape_and_values),
        T(test_every_format_reads_back_bit_for_bit),
        T(test_numbers_that_are_not_finite_are_strings_in_json),
        T(test_matrices_nest_and_give_a_row_each),
        T(test_scalars_and_empty_vectors_export),
        T(test_complex_numbers_are_pairs_and_lazy_bits_are_resolved),
        T(test_a_lazily_negated_vector_is_exported_negated),
        T(test_wrong_formats_and_runs_without_a_vector_are_refused),
        T(test_damaged_weights_export_nothing),
        T(test_an_export_replaces_a_file_whole_or_not_at_all),
        T(test_small_floats_have_their_known_values),
        T(test_every_code_of_small_types_survives_json),
        T(test_numbers_are_rounded_to_the_nearest_even_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
