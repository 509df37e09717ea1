/* Files looked into, and tensors read from files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_kernel.h"
#include "make_run.h"
#include "tree.h"

static const char *file(run_bench *it, const char *name) {
    return tree_path(it->path, name);
}

/* ---- inspecting */

static void test_the_tensors_of_a_run_are_listed(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    fk_inspection *inspection = NULL;
    assert_int_equal(fk_inspect_run(it->store, RUN_FONT, NULL, &inspection, &it->err), FK_OK);
    assert_string_equal(inspection->format, "pytorch-zip");
    assert_int_equal(inspection->tensor_count, 2);
    assert_int_equal(inspection->finding_count, 0);
    fk_inspection_destroy(inspection);
    assert_int_equal(fk_inspect_file(run_bench_file(it, id, "weights"), &inspection, &it->err),
                     FK_OK);
    bool found = false;
    for (size_t i = 0; i < inspection->tensor_count; i++) {
        const fk_tensor_info *tensor = &inspection->tensors[i];
        if (strcmp(tensor->name, "model.layer.weight") == 0) {
            found = true;
            assert_string_equal(tensor->dtype, "float32");
            assert_int_equal(tensor->rank, 1);
            assert_int_equal(tensor->shape[0], 1000);
            assert_int_equal(tensor->bytes, 4000);
        }
    }
    assert_true(found);
    fk_inspection_destroy(inspection);
}

static void test_a_damaged_run_is_inspected_with_findings(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    const char *path = run_bench_file(it, id, "weights");
    run_damage_flip(path, run_weights_offset(it, path));
    fk_inspection *inspection = NULL;
    assert_int_equal(fk_inspect_run(it->store, RUN_FONT, id, &inspection, &it->err), FK_OK);
    assert_int_equal(inspection->finding_count, 1);
    assert_string_equal(inspection->findings[0].code, "crc");
    fk_inspection_destroy(inspection);
}

static void test_what_cannot_be_inspected_says_why(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    fk_inspection *inspection = NULL;
    run_damage_truncate(run_bench_file(it, id, "weights"), 1500);
    assert_int_equal(fk_inspect_run(it->store, RUN_FONT, id, &inspection, &it->err), FK_E_CORRUPT);
    assert_string_equal(it->err.path, run_bench_file(it, id, "weights"));
    assert_int_equal(unlink(run_bench_file(it, id, "weights")), 0);
    assert_int_equal(fk_inspect_run(it->store, RUN_FONT, id, &inspection, &it->err),
                     FK_E_INCOMPLETE);
    assert_int_equal(fk_inspect_run(it->store, RUN_FONT, "2026", &inspection, &it->err),
                     FK_E_RUN_NOT_FOUND);
    assert_int_equal(fk_inspect_file(file(it, "none"), &inspection, &it->err), FK_E_IO);
    assert_int_equal(it->err.system_errno, ENOENT);
    tree_write(file(it, "text"), "no checkpoint at all", 20);
    assert_int_equal(fk_inspect_file(file(it, "text"), &inspection, &it->err), FK_E_UNSUPPORTED);
    assert_string_equal(it->err.path, file(it, "text"));
    tree_write(file(it, "empty"), "", 0);
    assert_int_not_equal(fk_inspect_file(file(it, "empty"), &inspection, &it->err), FK_OK);
    assert_int_not_equal(fk_inspect_file(it->path, &inspection, &it->err), FK_OK);
    assert_null(inspection);
}

static void test_an_npy_file_has_one_tensor(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    fk_inspection *inspection = NULL;
    assert_int_equal(
        fk_export_personality(it->store, RUN_FONT, NULL, file(it, "v.npy"), NULL, &it->err), FK_OK);
    assert_int_equal(fk_inspect_file(file(it, "v.npy"), &inspection, &it->err), FK_OK);
    assert_string_equal(inspection->format, "npy");
    assert_int_equal(inspection->tensor_count, 1);
    assert_int_equal(inspection->tensors[0].bytes, 16);
    fk_inspection_destroy(inspection);
    inspection = NULL;
    run_damage_truncate(file(it, "v.npy"), 100);
    assert_int_equal(fk_inspect_file(file(it, "v.npy"), &inspection, &it->err), FK_E_CORRUPT);
    assert_null(inspection);
}

/* ---- tensor files */

static fk_code read_text(run_bench *it, const char *text, fk_values *values, fk_value **ret) {
    tree_write(file(it, "t.json"), text, strlen(text));
    *ret = NULL;
    fk_code code = fk_read_tensor_file(file(it, "t.json"), values, ret, &it->err);
    assert_true((code == FK_OK) == (*ret != NULL));
    if (code != FK_OK) {
        assert_string_equal(it->err.path, file(it, "t.json"));
        assert_true(it->err.message[0] != '\0');
    }
    return code;
}

static void test_lists_of_numbers_are_float32_tensors(void **state) {
    run_bench *it = *state;
    fk_values *values = fk_values_create();
    fk_value *value = NULL;
    assert_int_equal(read_text(it, " [0.5, -0.25, 1e-8]", values, &value), FK_OK);
    const fk_tensor *tensor = fk_value_as_tensor(value);
    assert_int_equal(tensor->dtype, FK_FLOAT32);
    assert_int_equal(tensor->rank, 1);
    assert_true(((float *)fk_tensor_data(tensor))[2] == 1e-8f);
    assert_int_equal(read_text(it, "[[1, 2, 3], [4, 5, NaN]]", values, &value), FK_OK);
    assert_int_equal(fk_value_as_tensor(value)->rank, 2);
    assert_int_equal(fk_value_as_tensor(value)->shape[1], 3);
    assert_int_equal(read_text(it, "[]", values, &value), FK_OK);
    assert_int_equal(fk_value_as_tensor(value)->shape[0], 0);
    fk_values_destroy(values);
}

static void test_json_that_is_no_tensor_is_refused(void **state) {
    run_bench *it = *state;
    fk_values *values = fk_values_create();
    fk_value *value = NULL;
    const char *const wrong[] = {
        "[[1, 2], [3]]",
        "[1, [2]]",
        "[[1], 2]",
        "[\"a\"]",
        "[true]",
        "[1, null]",
        "{}",
        "{\"dtype\": \"float32\", \"shape\": [2]}",
        "{\"dtype\": \"float31\", \"shape\": [1], \"values\": [1]}",
        "{\"dtype\": \"float32\", \"shape\": [2], \"values\": [1]}",
        "{\"dtype\": \"float32\", \"shape\": [-1], \"values\": [1]}",
        "{\"dtype\": \"float32\", \"shape\": [1.5], \"values\": [1]}",
        "{\"dtype\": \"float32\", \"shape\": 1, \"values\": [1]}",
        "{\"dtype\": 1, \"shape\": [1], \"values\": [1]}",
        "[1, 2",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(read_text(it, wrong[i], values, &value), FK_E_INVALID);
    }
    assert_int_equal(
        read_text(it,
                  "{\"dtype\": \"float32\", \"shape\": [4294967296, 4294967296, 4294967296], "
                  "\"values\": [1]}",
                  values, &value),
        FK_E_LIMIT);
    const char *const foreign[] = {"", "   ", "7", "\"text\"", "hello"};
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        assert_int_equal(read_text(it, foreign[i], values, &value), FK_E_UNSUPPORTED);
    }
    fk_values_destroy(values);
}

static void test_checkpoints_must_hold_a_tensor(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    fk_values *values = fk_values_create();
    fk_value *value = NULL;
    assert_int_equal(
        fk_read_tensor_file(run_bench_file(it, id, "weights"), values, &value, &it->err),
        FK_E_INVALID);
    assert_non_null(strstr(it->err.message, "dict"));
    assert_int_equal(
        fk_export_personality(it->store, RUN_FONT, NULL, file(it, "v.pt"), NULL, &it->err), FK_OK);
    assert_int_equal(fk_read_tensor_file(file(it, "v.pt"), values, &value, &it->err), FK_OK);
    assert_true(((float *)fk_tensor_data(fk_value_as_tensor(value)))[2] == 3.0f);
    value = NULL;
    run_damage_truncate(file(it, "v.pt"), 300);
    assert_int_equal(fk_read_tensor_file(file(it, "v.pt"), values, &value, &it->err), FK_E_CORRUPT);
    assert_int_equal(fk_read_tensor_file(file(it, "none"), values, &value, &it->err), FK_E_IO);
    assert_null(value);
    fk_values_destroy(values);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, run_bench_setup, run_bench_teardown)
        T(test_the_tensors_of_a_run_are_listed),
        T(test_a_damaged_run_is_inspected_with_findings),
        T(test_what_cannot_be_inspected_says_why),
        T(test_an_npy_file_has_one_tensor),
        T(test_lists_of_numbers_are_float32_tensors),
        T(test_json_that_is_no_tensor_is_refused),
        T(test_checkpoints_must_hold_a_tensor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
