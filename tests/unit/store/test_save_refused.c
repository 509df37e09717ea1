/* Input that a save refuses before anything is made on disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "fake_kernel.h"
#include "fontkeep/fontkeep.h"
#include "store/handle/handle.h"
#include "tree.h"

/* ---- bad input: refused before anything is made ------------------------------------------- */

static void test_a_completed_run_needs_all_its_parts(void **state) {
    bench *it = *state;
    const fk_model whole = it->sample.model;
    it->sample.model.weights = NULL;
    bench_assert_refused(it, FK_E_USAGE);
    assert_non_null(strstr(it->err.message, "weights"));
    it->sample.model = whole;
    it->sample.model.sample_image = NULL;
    bench_assert_refused(it, FK_E_USAGE);
    assert_non_null(strstr(it->err.message, "sample_image"));
    it->sample.model = whole;
    it->sample.model.feedback = NULL;
    bench_assert_refused(it, FK_E_USAGE);
    assert_non_null(strstr(it->err.message, "feedback"));
    it->sample.model = whole;
    it->sample.model.eval_glyphs = NULL;
    bench_assert_refused(it, FK_E_USAGE);
    it->sample.model = whole;
    it->sample.model.size = 0;
    bench_assert_refused(it, FK_E_USAGE);
    it->sample.model = whole;
    it->sample.metadata.status = FK_FAILED;
    it->sample.model.weights = NULL;
    bench_assert_refused(it, FK_E_USAGE);
    assert_non_null(strstr(it->err.message, "personality"));
}

static void test_wrong_metadata_is_refused(void **state) {
    bench *it = *state;
    const fk_run_metadata good = it->sample.metadata;
    it->sample.metadata.parent_run_id = "latest";
    bench_assert_refused(it, FK_E_INVALID);
    assert_non_null(strstr(it->err.message, "'latest'"));
    it->sample.metadata = good;
    it->sample.metadata.status = FK_STATUS_UNKNOWN;
    bench_assert_refused(it, FK_E_INVALID);
    it->sample.metadata = good;
    it->sample.metadata.started_at_us = INT64_MAX;
    bench_assert_refused(it, FK_E_INVALID);
    it->sample.metadata = good;
    it->sample.metadata.ended_at_us = INT64_MIN;
    bench_assert_refused(it, FK_E_INVALID);
    it->sample.metadata = good;
    it->sample.metadata.training = sample_json(it->sample.values, "[1]");
    bench_assert_refused(it, FK_E_INVALID);
    it->sample.metadata = good;
    it->sample.metadata.training = it->sample.model.weights; /* holds a tensor */
    bench_assert_refused(it, FK_E_UNSUPPORTED);
    assert_non_null(strstr(it->err.message, "training"));
    it->sample.metadata = good;
    it->sample.metadata.size = 1;
    bench_assert_refused(it, FK_E_USAGE);
}

static void test_wrong_images_are_refused_by_name(void **state) {
    bench *it = *state;
    it->sample.image = (fk_image){.bytes = "GIF89a", .length = 6};
    bench_assert_refused(it, FK_E_INVALID);
    assert_string_equal(it->err.path, "sample.png");
    it->sample.image =
        (fk_image){.bytes = "123", .length = 3, .width = 2, .height = 2, .channels = 1};
    bench_assert_refused(it, FK_E_INVALID);
    it->sample.image = (fk_image){.bytes = NULL, .length = 3};
    bench_assert_refused(it, FK_E_USAGE);
    it->sample.image = it->sample.glyphs[0].image;
    it->sample.glyphs[1].image.width = 0; /* pixels said to be a PNG file, or no size at all */
    bench_assert_refused(it, FK_E_INVALID);
    assert_string_equal(it->err.path, "eval-glyphs/uni00E9.png");
    it->sample.glyphs[1] = it->sample.glyphs[0];
    it->sample.glyphs[1].label = NULL;
    bench_assert_refused(it, FK_E_USAGE);
    it->sample.glyphs[1].label = "";
    bench_assert_refused(it, FK_E_INVALID);
}

static void test_pixels_of_strange_shapes_are_refused(void **state) {
    bench *it = *state;
    static const unsigned char pixels[20000] = {0};
    const fk_image strange[] = {
        {.bytes = pixels, .length = 8, .width = 2, .height = 2, .channels = 2},
        {.bytes = pixels, .length = 0, .width = 2, .height = 0, .channels = 1},
        {.bytes = pixels, .length = 0, .width = 0, .height = 2, .channels = 1},
        {.bytes = pixels, .length = 17000, .width = 17000, .height = 1, .channels = 1},
    };
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        it->sample.image = strange[i];
        fk_code code = bench_save(it);
        assert_true(code == FK_E_INVALID || code == FK_E_LIMIT);
        assert_string_equal(it->err.path, "sample.png");
        assert_int_equal(tree_count(it->path, "", NULL), 0);
    }
}

static void test_wrong_feedback_is_refused_by_member(void **state) {
    bench *it = *state;
    it->sample.model.feedback = sample_json(it->sample.values, "[]");
    bench_assert_refused(it, FK_E_INVALID);
    assert_string_equal(it->err.path, "feedback.json");
    it->sample.model.feedback = sample_json(it->sample.values, "{\"metrics\": 5}");
    bench_assert_refused(it, FK_E_INVALID);
    assert_non_null(strstr(it->err.message, "metrics"));
}

static void test_wrong_weights_are_refused(void **state) {
    bench *it = *state;
    const fk_model whole = it->sample.model;
    it->sample.model.personality_vector = sample_json(it->sample.values, "[1.0]");
    bench_assert_refused(it, FK_E_INVALID);
    assert_non_null(strstr(it->err.message, "list"));
    it->sample.model = whole;
    it->sample.model.architecture = sample_json(it->sample.values, "[1.0]");
    bench_assert_refused(it, FK_E_INVALID);
    assert_non_null(strstr(it->err.message, "architecture"));
}

static void test_wrong_font_ids_are_refused(void **state) {
    bench *it = *state;
    assert_int_equal(fk_save_model(it->store, "Fruity", &it->sample.model, &it->id, &it->err),
                     FK_E_INVALID);
    assert_int_equal(it->err.subject, FK_SUBJECT_FONT_ID);
    assert_int_equal(fk_draft_create(it->store, "Fruity", NULL, &it->draft, &it->err),
                     FK_E_INVALID);
    assert_null(it->draft);
    assert_int_equal(tree_count(it->path, "", NULL), 0);
}

static void test_with_create_font_off_an_unknown_font_is_not_found(void **state) {
    bench *it = *state;
    it->sample.metadata.no_create_font = true;
    bench_assert_refused(it, FK_E_FONT_NOT_FOUND);
    assert_int_equal(fk_create_font(it->store, "1-fruity", NULL), FK_OK);
    assert_int_equal(bench_save(it), FK_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_completed_run_needs_all_its_parts),
        TEST(test_wrong_metadata_is_refused),
        TEST(test_wrong_images_are_refused_by_name),
        TEST(test_pixels_of_strange_shapes_are_refused),
        TEST(test_wrong_feedback_is_refused_by_member),
        TEST(test_wrong_weights_are_refused),
        TEST(test_wrong_font_ids_are_refused),
        TEST(test_with_create_font_off_an_unknown_font_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
