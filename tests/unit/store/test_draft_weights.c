/* The weights of a draft, taken from checkpoint files. */
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
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "fake_kernel.h"
#include "fontkeep/fontkeep.h"
#include "tree.h"

#define RUN "1-fruity/runs/" NOW_TEXT

/* ---- checking before writing -------------------------------------------------------------- */

static fk_code plan(bench *it, const fk_value *weights, const fk_value *personality_vector) {
    fk_weights_plan *made = NULL;
    fk_code code =
        fk_weights_plan_create(it->store, weights, personality_vector, NULL, &made, &it->err);
    fk_weights_plan_destroy(made);
    return code;
}

static void test_weights_can_be_planned_before_anything_is_written(void **state) {
    bench *it = *state;
    const fk_model *model = &it->sample.model;
    size_t writes = fake_kernel_count("write");
    fk_weights_plan *made = NULL;
    assert_int_equal(plan(it, model->weights, model->weights), FK_E_INVALID);
    assert_int_equal(plan(it, NULL, NULL), FK_E_USAGE);
    assert_int_equal(fk_weights_plan_create(it->store, model->weights, model->personality_vector,
                                            model->architecture, &made, &it->err),
                     FK_OK);
    assert_int_equal(fake_kernel_count("write"), writes);
    assert_int_equal(fk_draft_set_planned_weights(it->draft, made, &it->err), FK_OK);
    assert_int_equal(fk_draft_set_planned_weights(it->draft, made, &it->err), FK_E_USAGE);
    fk_weights_plan_destroy(made);
}

static void test_planned_weights_have_a_limit(void **state) {
    bench *it = *state;
    fk_store_options options = {.size = sizeof options, .max_weights_bytes = 100};
    fk_draft_destroy(it->draft);
    it->draft = NULL;
    bench_reopen(it, &options);
    assert_int_equal(plan(it, it->sample.model.weights, NULL), FK_E_LIMIT);
    assert_string_equal(it->err.path, "weights");
}

/* ---- weights from a file ------------------------------------------------------------------ */

static void test_a_v1_file_is_kept_byte_for_byte(void **state) {
    bench *it = *state;
    bench_set_all(it);
    bench_assert_whole_run(it);
    size_t length = 0;
    size_t kept_length = 0;
    char *weights = tree_read(bench_in_store(it, RUN "/weights"), &length);
    const char *path = tree_path(it->beside, "v1.pt");
    tree_write(path, weights, length);
    fk_draft_destroy(it->draft);
    assert_int_equal(fk_draft_create(it->store, "1-fruity", &it->sample.metadata, &it->draft, NULL),
                     FK_OK);
    assert_int_equal(fk_draft_set_weights_file(it->draft, path, it->sample.model.personality_vector,
                                               NULL, &it->err),
                     FK_E_USAGE);
    assert_int_equal(fk_draft_set_weights_file(it->draft, path, NULL, NULL, &it->err), FK_OK);
    assert_int_equal(fk_draft_set_sample(it->draft, &it->sample.image, NULL), FK_OK);
    assert_int_equal(fk_draft_set_feedback(it->draft, it->sample.model.feedback, NULL), FK_OK);
    bench_assert_whole_run(it);
    char *kept = tree_read(bench_in_store(it, RUN "-0001/weights"), &kept_length);
    assert_int_equal(kept_length, length);
    assert_memory_equal(kept, weights, length);
    fk_run_info *info = NULL;
    assert_int_equal(fk_get_run_info(it->store, "1-fruity", NULL, &info, NULL), FK_OK);
    assert_true(info->has_personality);
    assert_int_equal(info->personality_shape[0], 4);
    fk_run_info_destroy(info);
    free(kept);
    free(weights);
}

static int stop(uint64_t done, uint64_t total, void *user) {
    (void)done;
    (void)total;
    return *(int *)user;
}

static void test_keeping_a_file_can_be_cancelled(void **state) {
    bench *it = *state;
    static int answer;
    bench_set_all(it);
    bench_assert_whole_run(it);
    size_t length = 0;
    char *weights = tree_read(bench_in_store(it, RUN "/weights"), &length);
    tree_write(tree_path(it->beside, "v1.pt"), weights, length);
    free(weights);
    it->sample.metadata.progress = stop;
    it->sample.metadata.progress_user = &answer;
    for (answer = 0; answer < 2; answer++) {
        fk_draft_destroy(it->draft);
        assert_int_equal(
            fk_draft_create(it->store, "1-fruity", &it->sample.metadata, &it->draft, NULL), FK_OK);
        assert_int_equal(fk_draft_set_weights_file(it->draft, tree_path(it->beside, "v1.pt"), NULL,
                                                   NULL, &it->err),
                         answer == 0 ? FK_OK : FK_E_CANCELLED);
    }
}

static void test_damaged_or_foreign_files_are_refused_by_path(void **state) {
    bench *it = *state;
    bench_set_all(it);
    bench_assert_whole_run(it);
    size_t length = 0;
    char *weights = tree_read(bench_in_store(it, RUN "/weights"), &length);
    const char *path = tree_path(it->beside, "bad.pt");
    fk_draft_destroy(it->draft);
    assert_int_equal(fk_draft_create(it->store, "1-fruity", &it->sample.metadata, &it->draft, NULL),
                     FK_OK);
    for (size_t cut = 0; cut < length; cut += length / 5) {
        tree_write(path, weights, cut);
        assert_int_not_equal(fk_draft_set_weights_file(it->draft, path, NULL, NULL, &it->err),
                             FK_OK);
        assert_string_equal(it->err.path, path);
    }
    weights[length / 2] ^= 1; /* in a tensor: its CRC-32 tells */
    tree_write(path, weights, length);
    assert_int_equal(fk_draft_set_weights_file(it->draft, path, NULL, NULL, &it->err),
                     FK_E_CORRUPT);
    assert_int_equal(fk_draft_set_weights_file(it->draft, "/none", NULL, NULL, &it->err), FK_E_IO);
    assert_int_equal(it->err.system_errno, ENOENT);
    assert_int_equal(bench_set_weights(it), FK_OK);
    free(weights);
}

static void test_a_file_over_the_limit_is_refused_before_it_is_read(void **state) {
    bench *it = *state;
    const char *path = tree_path(it->beside, "large.pt");
    tree_write(path, "", 0);
    assert_int_equal(truncate(path, 500000001), 0);
    size_t reads = fake_kernel_count("pread");
    assert_int_equal(fk_draft_set_weights_file(it->draft, path, NULL, NULL, &it->err), FK_E_LIMIT);
    assert_int_equal(fake_kernel_count("pread"), reads);
}

static void test_a_bare_checkpoint_is_wrapped_and_needs_a_vector(void **state) {
    bench *it = *state;
    const char *path = tree_path(it->beside, "bare.pt");
    sample_write_checkpoint(it->sample.model.weights, path);
    assert_int_equal(fk_draft_set_weights_file(it->draft, path, NULL, NULL, &it->err), FK_E_USAGE);
    assert_non_null(strstr(it->err.hint, "--personality"));
    assert_int_equal(fk_draft_set_weights_file(it->draft, path, it->sample.model.personality_vector,
                                               NULL, &it->err),
                     FK_OK);
    assert_int_equal(fk_draft_set_sample(it->draft, &it->sample.image, NULL), FK_OK);
    assert_int_equal(fk_draft_set_feedback(it->draft, it->sample.model.feedback, NULL), FK_OK);
    bench_assert_whole_run(it);
    fk_loaded *loaded = NULL;
    assert_int_equal(fk_load_model(it->store, "1-fruity", NULL, NULL, &loaded, &it->err), FK_OK);
    const fk_tensor *tensor =
        fk_value_as_tensor(fk_value_get(fk_loaded_weights(loaded), "layer.weight"));
    assert_memory_equal(fk_tensor_data(tensor), it->sample.floats, 1000 * sizeof(float));
    fk_loaded_destroy(loaded);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup_draft, bench_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_weights_can_be_planned_before_anything_is_written),
        TEST(test_planned_weights_have_a_limit),
        TEST(test_a_v1_file_is_kept_byte_for_byte),
        TEST(test_keeping_a_file_can_be_cancelled),
        TEST(test_damaged_or_foreign_files_are_refused_by_path),
        TEST(test_a_file_over_the_limit_is_refused_before_it_is_read),
        TEST(test_a_bare_checkpoint_is_wrapped_and_needs_a_vector),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
