/* Loading: what is handed out, its warnings, strict and fallback, progress. */
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
#include "load_fixture.h"
#include "progress.h"
#include "tree.h"

/* ---- good runs */

static void test_what_was_saved_is_loaded(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    assert_int_equal(load(it, id, PLAIN), FK_OK);
    load_assert_weights(it);
    const fk_tensor *vector = fk_loaded_personality_vector(loaded);
    assert_int_equal(vector->rank, 1);
    assert_true(fk_tensor_is_contiguous(vector));
    assert_true(((const float *)fk_tensor_data(vector))[1] == -1.5f);
    assert_true(vector->storage->bytes == 16);
    assert_non_null(fk_value_get(fk_loaded_architecture(loaded), "tensors"));
    assert_int_equal(fk_loaded_info(loaded)->health, FK_COMPLETE);
    assert_int_equal(fk_loaded_info(loaded)->problem_count, 0);
    assert_int_equal(fk_loaded_info(loaded)->file_count, 5);
}

static void test_no_run_id_means_latest_and_twins_are_taken(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    const char *two = run_bench_save(it);
    assert_int_equal(fk_load_model(it->store, RUN_FONT, NULL, NULL, &loaded, &it->err), FK_OK);
    assert_string_equal(fk_loaded_info(loaded)->run_id, two);
    assert_int_equal(load(it, "2026-01-11T08-30-01.000000", PLAIN), FK_OK);
    assert_string_equal(fk_loaded_info(loaded)->run_id, it->ids[0].text);
    assert_int_equal(load(it, "latest", PLAIN), FK_OK);
    assert_int_equal(load(it, "2026-01-11T08:30:09.000000", PLAIN), FK_E_RUN_NOT_FOUND);
}

static void test_loaded_memory_may_be_written_and_never_reaches_the_store(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    for (int mmap = 0; mmap < 2; mmap++) {
        assert_int_equal(load(it, id, (fk_load_options){.mmap = mmap}), FK_OK);
        memset(fk_tensor_data(load_layer()), 0x55, 4000);
        assert_int_equal(load(it, id, (fk_load_options){.mmap = mmap}), FK_OK);
        load_assert_weights(it);
    }
}

static void test_large_weights_of_several_pieces_load_in_both_modes(void **state) {
    run_bench *it = *state;
    sample_model_finish(&it->sample);
    sample_model_init(&it->sample, 9 << 20); /* 36 MiB: three pieces */
    const char *id = run_bench_save(it);
    assert_int_equal(load(it, id, PLAIN), FK_OK);
    assert_int_equal(fk_loaded_info(loaded)->files[4].pieces, 3);
    load_assert_weights(it);
    assert_int_equal(load(it, id, (fk_load_options){.mmap = true}), FK_OK);
    load_assert_weights(it);
    const char *path = run_bench_file(it, id, "weights");
    size_t offset = run_weights_offset(it, path);
    int fd_offset = (int)(offset + (20 << 20));
    FILE *file = fopen(path, "r+");
    assert_int_equal(fseek(file, fd_offset, SEEK_SET), 0);
    assert_int_equal(fputs("damage", file) >= 0, 1);
    fclose(file);
    for (int mmap = 0; mmap < 2; mmap++) {
        assert_int_equal(load(it, id, (fk_load_options){.mmap = mmap}), FK_E_CORRUPT);
        assert_non_null(strstr(it->err.message, "model.layer.weight"));
        assert_int_equal(it->err.offset, offset);
    }
}

/* ---- assets */

static void test_missing_and_damaged_assets_are_problems_or_with_strict_errors(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *two = run_bench_save(it);
    assert_int_equal(unlink(run_bench_file(it, one, "eval-glyphs/A.png")), 0);
    run_damage_flip(run_bench_file(it, two, "feedback.json"), 5);
    assert_int_equal(load(it, one, PLAIN), FK_OK);
    assert_int_equal(fk_loaded_info(loaded)->health, FK_INCOMPLETE);
    assert_non_null(run_find_problem(fk_loaded_info(loaded), "missing", "eval-glyphs/A.png"));
    load_assert_weights(it);
    assert_int_equal(load(it, two, PLAIN), FK_OK);
    assert_int_equal(fk_loaded_info(loaded)->health, FK_CORRUPT);
    assert_int_equal(load(it, one, (fk_load_options){.strict = true}), FK_E_INCOMPLETE);
    assert_non_null(strstr(it->err.path, "eval-glyphs/A.png"));
    assert_int_equal(load(it, two, (fk_load_options){.strict = true}), FK_E_CORRUPT);
    assert_non_null(strstr(it->err.path, "feedback.json"));
    assert_non_null(strstr(it->err.hint, "strict"));
}

static void test_a_file_that_grew_is_a_strict_error_and_want_of_a_manifest_is_none(void **state) {
    run_bench *it = *state;
    static const char hand[] = "2026-02-01T00:00:00.000000";
    const char *id = run_bench_save(it);
    run_bench_make_unverified(it, id, hand, "weights");
    run_damage_append(run_bench_file(it, id, "sample.png"), "x");
    assert_int_equal(load(it, id, (fk_load_options){.strict = true}), FK_E_CORRUPT);
    assert_non_null(strstr(it->err.path, "sample.png"));
    assert_int_equal(load(it, hand, (fk_load_options){.strict = true}), FK_OK);
    assert_int_equal(fk_loaded_info(loaded)->health, FK_UNVERIFIED);
    assert_int_equal(unlink(run_bench_file(it, hand, "feedback.json")), 0);
    assert_int_equal(load(it, hand, (fk_load_options){.strict = true}), FK_E_INCOMPLETE);
    assert_non_null(strstr(it->err.path, "feedback.json"));
}

/* ---- fallback */

static void test_a_fallback_tells_what_was_wrong_with_the_latest(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *two = run_bench_save(it);
    const char *three = run_bench_save(it);
    const fk_load_options fallback = {.fallback = true};
    run_damage_rewrite(it, three, "\"weights_version\": \"v1\"", "\"weights_version\": \"v2\"");
    assert_int_equal(load(it, NULL, fallback), FK_OK);
    assert_string_equal(fk_loaded_info(loaded)->run_id, two);
    assert_non_null(run_find_problem(fk_loaded_info(loaded), "version", NULL));
    assert_int_equal(unlink(run_bench_file(it, three, "weights")), 0);
    run_damage_rewrite(it, three, "\"weights_version\": \"v2\"", "\"weights_version\": \"v1\"");
    run_damage_flip(run_bench_file(it, two, "weights"), 90);
    assert_int_equal(load(it, NULL, fallback), FK_OK);
    assert_string_equal(fk_loaded_info(loaded)->run_id, one);
    assert_non_null(run_find_problem(fk_loaded_info(loaded), "missing", NULL));
}

static void test_fallback_takes_the_newest_that_verifies_and_tells(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *two = run_bench_save(it);
    fk_load_options fallback = {.fallback = true};
    assert_int_equal(load(it, NULL, fallback), FK_OK);
    assert_string_equal(fk_loaded_info(loaded)->run_id, two);
    run_damage_truncate(run_bench_file(it, two, "weights"), 90);
    assert_int_equal(load(it, "latest", fallback), FK_OK);
    const fk_run_info *info = fk_loaded_info(loaded);
    assert_string_equal(info->run_id, one);
    assert_int_equal(info->health, FK_COMPLETE);
    assert_int_equal(info->problem_count, 1);
    assert_non_null(strstr(info->problems[0].message, two));
    /* a run that was named is never stepped back from */
    assert_int_equal(load(it, two, fallback), FK_E_CORRUPT);
    run_damage_truncate(run_bench_file(it, one, "weights"), 90);
    assert_int_equal(load(it, NULL, fallback), FK_E_CORRUPT);
    assert_non_null(strstr(it->err.hint, "no other run"));
}

/* ---- no manifest, old weights */

static void test_runs_made_by_hand_load_unverified(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *hand = "2026-02-01T00:00:00.000000";
    run_bench_make_unverified(it, one, hand, "weights.pth");
    for (int mmap = 0; mmap < 2; mmap++) {
        assert_int_equal(load(it, NULL, (fk_load_options){.mmap = mmap}), FK_OK);
        assert_string_equal(fk_loaded_info(loaded)->run_id, hand);
        assert_int_equal(fk_loaded_info(loaded)->health, FK_UNVERIFIED);
        assert_non_null(run_find_problem(fk_loaded_info(loaded), "unverified", "run.json"));
        load_assert_weights(it);
    }
    const char *path = run_bench_file(it, hand, "weights.pth");
    run_damage_flip(path, run_weights_offset(it, path));
    for (int mmap = 0; mmap < 2; mmap++) {
        assert_int_equal(load(it, NULL, (fk_load_options){.mmap = mmap}), FK_E_CORRUPT);
        assert_non_null(strstr(it->err.message, "model.layer.weight"));
        assert_string_equal(it->err.path, path);
        assert_non_null(strstr(it->err.hint, one));
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(load(it, hand, PLAIN), FK_E_INCOMPLETE);
}

static void test_a_file_that_is_no_checkpoint_is_refused_by_name(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *hand = "2026-02-01T00:00:00.000000";
    run_bench_make_unverified(it, one, hand, "weights");
    tree_write(run_bench_file(it, hand, "weights"), "hello, world", 12);
    assert_int_equal(load(it, hand, PLAIN), FK_E_UNSUPPORTED);
    assert_int_equal(it->err.subject, FK_SUBJECT_DATA);
}

static void test_a_mapping_that_is_not_verified_is_not_read(void **state) {
    run_bench *it = *state;
    size_t reads[2];
    run_bench_save(it);
    for (int mmap = 0; mmap < 2; mmap++) {
        size_t before = fake_kernel_count("pread");
        assert_int_equal(load(it, NULL, (fk_load_options){.mmap = mmap, .no_verify = true}), FK_OK);
        assert_non_null(fk_value_get(fk_loaded_weights(loaded), "layer.weight"));
        reads[mmap] = fake_kernel_count("pread") - before;
    }
    assert_int_equal(reads[1], reads[0] - 1); /* the manifest is read in both */
}

static void test_weights_of_version_v0_are_the_whole_object_with_a_warning(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *hand = "2026-02-01T00:00:00.000000";
    run_bench_make_unverified(it, one, hand, "weights");
    const char *path = run_bench_file(it, hand, "weights");
    size_t length = 0;
    char *bytes = tree_read(path, &length);
    char *key = memmem(bytes, length, "weights_version", 15);
    key[0] = 'W'; /* a bare dict of something else */
    tree_write(path, bytes, length);
    free(bytes);
    assert_int_equal(load(it, hand, (fk_load_options){.no_verify = true}), FK_OK);
    assert_null(fk_loaded_personality_vector(loaded));
    assert_null(fk_loaded_architecture(loaded));
    assert_non_null(fk_value_get(fk_loaded_weights(loaded), "Weights_version"));
    const fk_problem *problem = run_find_problem(fk_loaded_info(loaded), "version", "weights");
    assert_non_null(problem);
    assert_non_null(strstr(problem->message, "v0"));
    assert_string_equal(fk_loaded_info(loaded)->weights_version, "v0");
}

/* ---- progress, opened runs */

static void test_progress_is_told_and_may_stop_the_load(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    progress_seen seen = {0};
    fk_load_options options = {.progress = progress_see, .progress_user = &seen};
    assert_int_equal(load(it, id, options), FK_OK);
    assert_true(seen.calls >= 5);
    assert_true(seen.done == seen.total);
    assert_true(seen.total == fk_loaded_info(loaded)->size_bytes);
    seen = (progress_seen){.stop_at = 1};
    assert_int_equal(load(it, id, options), FK_E_CANCELLED);
    assert_int_equal(seen.calls, 1);
}

static void test_an_open_run_loads_its_weights_alone(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *two = run_bench_save(it);
    run_damage_flip(run_bench_file(it, two, "sample.png"), 30);
    fk_run *run = NULL;
    assert_int_equal(fk_run_open(it->store, RUN_FONT, two, &run, &it->err), FK_OK);
    assert_int_equal(fk_run_load_weights(run, NULL, &loaded, &it->err), FK_OK);
    assert_int_equal(fk_loaded_info(loaded)->health, FK_COMPLETE);
    fk_load_options wrong = {.strict = true};
    fk_loaded *none = NULL;
    assert_int_equal(fk_run_load_weights(run, &wrong, &none, &it->err), FK_E_USAGE);
    run_damage_flip(run_bench_file(it, two, "weights"), 900);
    assert_int_equal(fk_run_load_weights(run, NULL, &none, &it->err), FK_E_CORRUPT);
    assert_non_null(strstr(it->err.hint, one));
    fk_run_close(run);
    load_assert_weights(it);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, run_bench_setup, load_teardown)
        T(test_what_was_saved_is_loaded),
        T(test_no_run_id_means_latest_and_twins_are_taken),
        T(test_loaded_memory_may_be_written_and_never_reaches_the_store),
        T(test_large_weights_of_several_pieces_load_in_both_modes),
        T(test_missing_and_damaged_assets_are_problems_or_with_strict_errors),
        T(test_a_file_that_grew_is_a_strict_error_and_want_of_a_manifest_is_none),
        T(test_a_fallback_tells_what_was_wrong_with_the_latest),
        T(test_fallback_takes_the_newest_that_verifies_and_tells),
        T(test_runs_made_by_hand_load_unverified),
        T(test_a_file_that_is_no_checkpoint_is_refused_by_name),
        T(test_a_mapping_that_is_not_verified_is_not_read),
        T(test_weights_of_version_v0_are_the_whole_object_with_a_warning),
        T(test_progress_is_told_and_may_stop_the_load),
        T(test_an_open_run_loads_its_weights_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
