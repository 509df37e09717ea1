/* Salvage of damaged runs: what is intact is given, what is not is named, nothing is made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "fake_kernel.h"
#include "load_fixture.h"
#include "tree.h"

#define SALVAGE                                                                                    \
    (fk_load_options) {                                                                            \
        .salvage = true                                                                            \
    }

static const float vector[4] = {0.25f, -1.5f, 3.0f, 0.0f};

static void flip_vector(run_bench *it, const char *id) {
    run_damage_flip_bytes(run_bench_file(it, id, "weights"), vector, sizeof vector);
}

static void flip_layer(run_bench *it, const char *id) {
    const char *path = run_bench_file(it, id, "weights");
    run_damage_flip(path, run_weights_offset(it, path) + 17);
}

static void assert_vector(void) {
    const fk_tensor *found = fk_loaded_personality_vector(loaded);
    assert_non_null(found);
    assert_memory_equal(fk_tensor_data(found), vector, sizeof vector);
}

/* ---- loading */

static void test_a_sound_run_is_loaded_as_ever(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    for (int mmap = 0; mmap < 2; mmap++) {
        assert_int_equal(load(it, id, (fk_load_options){.salvage = true, .mmap = mmap}), FK_OK);
        assert_int_equal(fk_loaded_info(loaded)->problem_count, 0);
        load_assert_weights(it);
    }
}

static void test_a_lost_tensor_is_a_problem_with_its_bytes(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    size_t offset = run_weights_offset(it, run_bench_file(it, id, "weights"));
    flip_layer(it, id);
    for (int mmap = 0; mmap < 2; mmap++) {
        assert_int_equal(load(it, id, (fk_load_options){.salvage = true, .mmap = mmap}), FK_OK);
        assert_null(fk_value_get(fk_loaded_weights(loaded), "layer.weight"));
        assert_vector();
        assert_non_null(fk_loaded_architecture(loaded));
        const fk_run_info *info = fk_loaded_info(loaded);
        const fk_problem *problem = load_find_loss(info, "model.layer.weight");
        assert_non_null(problem);
        assert_int_equal(info->health, FK_CORRUPT);
        assert_string_equal(problem->code, "digest");
        assert_string_equal(problem->path, "weights");
        assert_int_equal(problem->offset, offset);
        assert_int_equal(problem->length, 4000);
    }
}

static void test_a_lost_vector_is_none(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    flip_vector(it, id);
    assert_int_equal(load(it, id, SALVAGE), FK_OK);
    load_assert_weights(it);
    assert_null(fk_loaded_personality_vector(loaded));
    assert_non_null(load_find_loss(fk_loaded_info(loaded), "personality_vector"));
}

static void test_without_salvage_the_error_tells_of_it(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    flip_layer(it, id);
    assert_int_equal(load(it, id, PLAIN), FK_E_CORRUPT);
    assert_non_null(strstr(it->err.hint, "salvage what is intact"));
    flip_vector(it, id);
    assert_int_equal(load(it, id, PLAIN), FK_E_CORRUPT);
    assert_null(strstr(it->err.hint, "salvage"));
}

static void test_damage_between_the_tensors_loses_none(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    const char *path = run_bench_file(it, id, "weights");
    run_damage_flip(path, run_weights_offset(it, path) - 1);
    assert_int_equal(load(it, id, SALVAGE), FK_OK);
    load_assert_weights(it);
    assert_vector();
    const fk_problem *problem = run_find_problem(fk_loaded_info(loaded), "digest", "weights");
    assert_null(problem->tensor);
    assert_int_equal(problem->offset, 0);
    assert_true(problem->length > 4000);
}

static void test_bytes_behind_the_end_are_left_out(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    run_damage_append(run_bench_file(it, id, "weights"), "something else");
    assert_int_equal(load(it, id, PLAIN), FK_E_CORRUPT);
    assert_non_null(strstr(it->err.hint, "salvage what is intact"));
    assert_int_equal(load(it, id, SALVAGE), FK_OK);
    load_assert_weights(it);
    const fk_run_info *info = fk_loaded_info(loaded);
    const fk_problem *problem = run_find_problem(info, "size", "weights");
    assert_int_equal(problem->offset, info->weights_bytes);
    assert_int_equal(problem->length, strlen("something else"));
    assert_int_equal(info->health, FK_CORRUPT);
}

static void assert_nothing_left(run_bench *it, const char *id, const char *reason) {
    assert_int_equal(load(it, id, SALVAGE), FK_E_CORRUPT);
    assert_non_null(strstr(it->err.message, "nothing can be salvaged"));
    assert_non_null(strstr(it->err.message, reason));
}

static void test_when_nothing_is_left_the_error_says_why(void **state) {
    run_bench *it = *state;
    const char *older = run_bench_save(it);
    const char *id = run_bench_save(it);
    const char *path = run_bench_file(it, id, "weights");
    flip_layer(it, id);
    flip_vector(it, id);
    assert_nothing_left(it, id, "none of its tensors is intact");
    assert_non_null(strstr(it->err.hint, older));
    run_damage_truncate(path, 4000);
    assert_nothing_left(it, id, "none of its tensors is intact");
    run_damage_truncate(path, 100);
    assert_nothing_left(it, id, "no end record");
    assert_string_equal(it->err.path, path);
    run_damage_truncate(path, 0);
    assert_nothing_left(it, id, "empty");
    run_damage_fifo(path);
    assert_int_equal(load(it, id, SALVAGE), FK_E_CORRUPT);
    assert_int_equal(unlink(run_bench_file(it, id, "weights")), 0);
    assert_int_equal(load(it, id, SALVAGE), FK_E_INCOMPLETE);
}

static void test_fallback_takes_another_run_only_when_nothing_is_left(void **state) {
    run_bench *it = *state;
    const fk_load_options both = {.salvage = true, .fallback = true};
    const char *older = run_bench_save(it);
    const char *id = run_bench_save(it);
    flip_layer(it, id);
    assert_int_equal(load(it, NULL, both), FK_OK);
    assert_string_equal(fk_loaded_info(loaded)->run_id, id);
    flip_vector(it, id);
    assert_int_equal(load(it, NULL, both), FK_OK);
    assert_string_equal(fk_loaded_info(loaded)->run_id, older);
}

static void test_a_damaged_manifest_leaves_the_crcs_to_tell(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    run_damage_flip(run_bench_file(it, id, "run.json"), 40);
    assert_int_equal(load(it, id, SALVAGE), FK_OK);
    load_assert_weights(it);
    assert_int_equal(fk_loaded_info(loaded)->health, FK_CORRUPT);
    assert_non_null(run_find_problem(fk_loaded_info(loaded), "manifest", "run.json"));
    flip_layer(it, id);
    assert_int_equal(load(it, id, SALVAGE), FK_OK);
    assert_null(fk_value_get(fk_loaded_weights(loaded), "layer.weight"));
    assert_non_null(load_find_loss(fk_loaded_info(loaded), "model.layer.weight"));
    assert_int_equal(unlink(run_bench_file(it, id, "weights")), 0);
    assert_nothing_left(it, id, "there are no weights");
}

static void test_without_a_manifest_the_crcs_tell(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    run_bench_make_unverified(it, id, "2026-02-01T00:00:00.000000", "weights.pt");
    const char *path = run_bench_file(it, "2026-02-01T00:00:00.000000", "weights.pt");
    run_damage_flip_bytes(path, vector, sizeof vector);
    assert_int_equal(load(it, NULL, PLAIN), FK_E_CORRUPT);
    assert_non_null(strstr(it->err.hint, "salvage"));
    assert_int_equal(load(it, NULL, SALVAGE), FK_OK);
    load_assert_weights(it);
    assert_string_equal(load_find_loss(fk_loaded_info(loaded), "personality_vector")->path,
                        "weights.pt");
}

static void test_strict_is_about_the_assets(void **state) {
    run_bench *it = *state;
    const fk_load_options strict = {.salvage = true, .strict = true};
    const char *id = run_bench_save(it);
    flip_layer(it, id);
    assert_int_equal(load(it, id, strict), FK_OK);
    run_damage_flip(run_bench_file(it, id, "sample.png"), 30);
    assert_int_equal(load(it, id, strict), FK_E_CORRUPT);
    assert_non_null(strstr(it->err.message, "sample.png"));
    assert_int_equal(load(it, id, SALVAGE), FK_OK);
    assert_non_null(run_find_problem(fk_loaded_info(loaded), "digest", "sample.png"));
}

static void test_no_check_and_salvage_exclude_each_other(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    assert_int_equal(load(it, id, (fk_load_options){.salvage = true, .no_verify = true}),
                     FK_E_USAGE);
}

/* ---- disks that fail */

static void make_larger(run_bench *it) {
    sample_model_finish(&it->sample);
    sample_model_init(&it->sample, 100000);
}

/* Reads, in this order: the manifest, the weights, in vain; then the weights again, in vain, and
 * their sectors of 4096 bytes. */
static fk_code load_with_bad_sector(run_bench *it, const char *id, size_t sector) {
    fake_kernel_fail("pread", 2, EIO, FAKE_ONCE);
    fake_kernel_fail("pread", 3, EIO, FAKE_ONCE);
    fake_kernel_fail("pread", 4 + sector, EIO, FAKE_ONCE);
    fk_code code = load(it, id, SALVAGE);
    fake_kernel_relent();
    return code;
}

static void test_a_bad_sector_loses_what_lies_in_it(void **state) {
    run_bench *it = *state;
    make_larger(it);
    const char *id = run_bench_save(it);
    assert_int_equal(load_with_bad_sector(it, id, 50), FK_OK);
    assert_null(fk_value_get(fk_loaded_weights(loaded), "layer.weight"));
    assert_non_null(load_find_loss(fk_loaded_info(loaded), "model.layer.weight"));
    assert_vector();
    assert_int_equal(load_with_bad_sector(it, id, 0), FK_E_IO);
    assert_non_null(strstr(it->err.message, "nothing can be salvaged"));
}

static void test_a_read_that_fails_once_loses_nothing(void **state) {
    run_bench *it = *state;
    make_larger(it);
    const char *id = run_bench_save(it);
    fake_kernel_fail("pread", 2, EIO, FAKE_ONCE);
    assert_int_equal(load(it, id, SALVAGE), FK_OK);
    assert_int_equal(fk_loaded_info(loaded)->problem_count, 0);
    load_assert_weights(it);
}

static void test_a_disk_that_lost_its_rights_is_no_damage(void **state) {
    run_bench *it = *state;
    make_larger(it);
    const char *id = run_bench_save(it);
    fake_kernel_fail("pread", 2, EIO, FAKE_ONCE);
    fake_kernel_fail("pread", 3, EIO, FAKE_ONCE);
    fake_kernel_fail("pread", 7, EACCES, FAKE_ONCE);
    fk_code code = load(it, id, SALVAGE);
    fake_kernel_relent();
    assert_int_equal(code, FK_E_IO);
    assert_non_null(strstr(it->err.message, "nothing can be salvaged"));
}

static int stop(uint64_t done, uint64_t total, void *user) {
    (void)done, (void)total;
    return --*(int *)user <= 0;
}

static void test_a_salvage_can_be_cancelled(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    flip_layer(it, id);
    for (int patience = 1; patience < 3; patience++) {
        int calls = patience;
        assert_int_equal(
            load(it, id,
                 (fk_load_options){.salvage = true, .progress = stop, .progress_user = &calls}),
            FK_E_CANCELLED);
    }
}

/* ---- copying */

typedef struct copied {
    char out[600];
    fk_run_info *info;
} copied;

static void copied_finish(copied *it) {
    fk_run_info_destroy(it->info);
}

static fk_code copy(run_bench *it, const char *id, copied *ret_copied) {
    static unsigned number;
    snprintf(ret_copied->out, sizeof ret_copied->out, "%s/out%u", it->path, ++number);
    return fk_salvage_run(it->store, RUN_FONT, id, ret_copied->out, NULL, NULL, &ret_copied->info,
                          &it->err);
}

static bool is_copied(const copied *it, const char *name) {
    return tree_exists(tree_path(it->out, name));
}

static void test_a_sound_run_is_copied_byte_for_byte(void **state) {
    run_bench *it = *state;
    __attribute__((cleanup(copied_finish))) copied found = {0};
    const char *id = run_bench_save(it);
    assert_int_equal(copy(it, id, &found), FK_OK);
    assert_int_equal(found.info->problem_count, 0);
    assert_true(is_copied(&found, "run.json"));
    assert_true(is_copied(&found, "eval-glyphs/A.png"));
}

/* What is written is a run by hand, as it were: it loads, unverified. */
static void assert_loads_as_run(run_bench *it, const copied *found, const char *name) {
    const char *id = "2026-03-01T00:00:00.000000";
    assert_int_equal(rename(found->out, run_bench_file(it, id, "")), 0);
    assert_int_equal(load(it, id, PLAIN), FK_OK);
    fk_health health = fk_loaded_info(loaded)->health;
    assert_true(health == FK_UNVERIFIED || health == FK_INCOMPLETE);
    assert_true(tree_exists(run_bench_file(it, id, name)));
}

static void test_what_is_left_is_written_as_a_new_checkpoint(void **state) {
    run_bench *it = *state;
    __attribute__((cleanup(copied_finish))) copied found = {0};
    const char *id = run_bench_save(it);
    flip_vector(it, id);
    run_damage_flip(run_bench_file(it, id, "sample.png"), 30);
    assert_int_equal(copy(it, id, &found), FK_OK);
    assert_non_null(load_find_loss(found.info, "personality_vector"));
    assert_non_null(run_find_problem(found.info, "digest", "sample.png"));
    assert_false(is_copied(&found, "run.json"));
    assert_false(is_copied(&found, "sample.png"));
    assert_true(is_copied(&found, "feedback.json"));
    assert_true(is_copied(&found, "eval-glyphs/A.png"));
    assert_loads_as_run(it, &found, "weights");
    load_assert_weights(it);
    assert_null(fk_loaded_personality_vector(loaded));
    assert_non_null(fk_loaded_architecture(loaded));
}

static void test_past_a_damaged_manifest_files_are_copied_by_their_names(void **state) {
    run_bench *it = *state;
    __attribute__((cleanup(copied_finish))) copied found = {0};
    __attribute__((cleanup(copied_finish))) copied less = {0};
    const char *id = run_bench_save(it);
    run_damage_flip(run_bench_file(it, id, "run.json"), 40);
    assert_int_equal(copy(it, id, &found), FK_OK);
    assert_int_equal(found.info->health, FK_CORRUPT);
    assert_false(is_copied(&found, "run.json"));
    assert_true(is_copied(&found, "sample.png"));
    flip_layer(it, id);
    assert_int_equal(copy(it, id, &less), FK_OK);
    assert_true(is_copied(&less, "sample.png"));
    assert_loads_as_run(it, &less, "weights");
    assert_vector();
}

static void test_nothing_is_written_when_nothing_is_left(void **state) {
    run_bench *it = *state;
    __attribute__((cleanup(copied_finish))) copied found = {0};
    const char *id = run_bench_save(it);
    flip_layer(it, id);
    flip_vector(it, id);
    assert_int_equal(copy(it, id, &found), FK_E_CORRUPT);
    assert_false(tree_exists(found.out));
    assert_int_equal(unlink(run_bench_file(it, id, "weights")), 0);
    assert_int_equal(copy(it, id, &found), FK_E_INCOMPLETE);
    assert_false(tree_exists(found.out));
    assert_null(found.info);
}

/* Each call of the kernel fails in turn: an error leaves nothing behind. */
static void test_a_failed_salvage_leaves_nothing_behind(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    flip_vector(it, id);
    static const char *const calls[] = {"openat_beneath", "write", "mkdirat", "close"};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        for (size_t nth = 1; nth < 20; nth++) {
            __attribute__((cleanup(copied_finish))) copied found = {0};
            fake_kernel_fail(calls[i], nth, EIO, FAKE_ONCE);
            fk_code code = copy(it, id, &found);
            fake_kernel_relent();
            assert_int_equal(code == FK_OK, tree_exists(found.out));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, run_bench_setup, load_teardown)
        T(test_a_sound_run_is_loaded_as_ever),
        T(test_a_lost_tensor_is_a_problem_with_its_bytes),
        T(test_a_lost_vector_is_none),
        T(test_without_salvage_the_error_tells_of_it),
        T(test_damage_between_the_tensors_loses_none),
        T(test_bytes_behind_the_end_are_left_out),
        T(test_when_nothing_is_left_the_error_says_why),
        T(test_fallback_takes_another_run_only_when_nothing_is_left),
        T(test_a_damaged_manifest_leaves_the_crcs_to_tell),
        T(test_without_a_manifest_the_crcs_tell),
        T(test_strict_is_about_the_assets),
        T(test_no_check_and_salvage_exclude_each_other),
        T(test_a_bad_sector_loses_what_lies_in_it),
        T(test_a_read_that_fails_once_loses_nothing),
        T(test_a_disk_that_lost_its_rights_is_no_damage),
        T(test_a_salvage_can_be_cancelled),
        T(test_a_sound_run_is_copied_byte_for_byte),
        T(test_what_is_left_is_written_as_a_new_checkpoint),
        T(test_past_a_damaged_manifest_files_are_copied_by_their_names),
        T(test_nothing_is_written_when_nothing_is_left),
        T(test_a_failed_salvage_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
