/* Saving whole runs: what stands on disk afterwards, and that a failed save leaves nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
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

/* ---- what is saved ------------------------------------------------------------------------ */

static void test_a_save_puts_the_whole_run_in_its_place(void **state) {
    bench *it = *state;
    fake_kernel_set_time(NOW_US);
    assert_int_equal(bench_save(it), FK_OK);
    assert_string_equal(it->id.text, NOW_TEXT);
    char *listing = tree_listing(it->path, false);
    assert_string_equal(listing, ".fontkeep/\n"
                                 ".fontkeep/store.json\n"
                                 "1-fruity/\n"
                                 "1-fruity/runs/\n"
                                 "1-fruity/runs/" NOW_TEXT "/\n"
                                 "1-fruity/runs/" NOW_TEXT "/eval-glyphs/\n"
                                 "1-fruity/runs/" NOW_TEXT "/eval-glyphs/A.png\n"
                                 "1-fruity/runs/" NOW_TEXT "/eval-glyphs/uni00E9.png\n"
                                 "1-fruity/runs/" NOW_TEXT "/feedback.json\n"
                                 "1-fruity/runs/" NOW_TEXT "/run.json\n"
                                 "1-fruity/runs/" NOW_TEXT "/sample.png\n"
                                 "1-fruity/runs/" NOW_TEXT "/weights\n");
    free(listing);
}

static void test_the_run_loads_as_it_was_saved(void **state) {
    bench *it = *state;
    fake_kernel_set_time(NOW_US);
    it->sample.metadata.started_at_us = NOW_US - 1000000;
    it->sample.metadata.parent_run_id = "2025-01-11T08-30-00.000000"; /* a twin */
    assert_int_equal(bench_save(it), FK_OK);
    fk_loaded *loaded = NULL;
    assert_int_equal(fk_load_model(it->store, "1-fruity", NULL, NULL, &loaded, &it->err), FK_OK);
    const fk_run_info *info = fk_loaded_info(loaded);
    assert_int_equal(info->health, FK_COMPLETE);
    assert_string_equal(info->run_id, NOW_TEXT);
    assert_int_equal(info->started_at_us, NOW_US - 1000000);
    assert_int_equal(info->ended_at_us, NOW_US);
    assert_string_equal(info->parent_run_id, "2025-01-11T08:30:00.000000");
    assert_string_equal(info->weights_version, "v1");
    assert_string_equal(info->feedback_schema, "1.0");
    assert_int_equal(info->glyphs, 2);
    assert_int_equal(info->personality_dtype, FK_FLOAT32);
    assert_int_equal(info->personality_rank, 1);
    assert_int_equal(info->personality_shape[0], 4);
    assert_true(fk_value_as_float(fk_value_get(info->metrics, "loss")) == 0.5);
    assert_int_equal(fk_value_as_int(fk_value_get(info->training, "epochs")), 3);
    const fk_tensor *tensor =
        fk_value_as_tensor(fk_value_get(fk_loaded_weights(loaded), "layer.weight"));
    assert_memory_equal(fk_tensor_data(tensor), it->sample.floats, 1000 * sizeof(float));
    fk_loaded_destroy(loaded);
}

static void test_a_diverged_run_saves_too(void **state) {
    bench *it = *state;
    it->sample.floats[0] = NAN;
    it->sample.floats[1] = -INFINITY;
    it->sample.model.feedback = sample_json(
        it->sample.values, "{\"metrics\": {\"loss\": NaN}, \"loss_history\": [1.5, Infinity]}");
    it->sample.metadata.training = sample_json(it->sample.values, "{\"rate\": -Infinity}");
    assert_int_equal(bench_save(it), FK_OK);
    fk_run_info *info = NULL;
    assert_int_equal(fk_get_run_info(it->store, "1-fruity", NULL, &info, &it->err), FK_OK);
    assert_true(isnan(fk_value_as_float(fk_value_get(info->metrics, "loss"))));
    assert_true(isinf(fk_value_as_float(fk_value_get(info->training, "rate"))));
    fk_run_info_destroy(info);
}

static void test_an_interrupted_run_may_lack_everything(void **state) {
    bench *it = *state;
    it->sample.metadata.status = FK_INTERRUPTED;
    it->sample.model =
        (fk_model){.size = sizeof it->sample.model, .metadata = &it->sample.metadata};
    fake_kernel_set_time(NOW_US);
    assert_int_equal(bench_save(it), FK_OK);
    assert_int_equal(tree_count(bench_in_store(it, "1-fruity/runs/" NOW_TEXT), "", NULL), 1);
}

static void test_a_completed_run_without_glyphs_has_an_empty_directory(void **state) {
    bench *it = *state;
    it->sample.model.eval_glyph_count = 0;
    fake_kernel_set_time(NOW_US);
    assert_int_equal(bench_save(it), FK_OK);
    assert_int_equal(
        tree_count(bench_in_store(it, "1-fruity/runs/" NOW_TEXT "/eval-glyphs"), "", NULL), 0);
}

static void test_modes_follow_the_umask(void **state) {
    bench *it = *state;
    static const mode_t masks[] = {002, 022, 077};
    for (size_t i = 0; i < 3; i++) {
        struct stat status;
        char name[128];
        mode_t before = umask(masks[i]);
        assert_int_equal(bench_save(it), FK_OK);
        umask(before);
        snprintf(name, sizeof name, "1-fruity/runs/%s", it->id.text);
        assert_int_equal(stat(bench_in_store(it, name), &status), 0);
        assert_int_equal(status.st_mode & 07777, 0777 & ~masks[i]);
        snprintf(name, sizeof name, "1-fruity/runs/%s/weights", it->id.text);
        assert_int_equal(stat(bench_in_store(it, name), &status), 0);
        assert_int_equal(status.st_mode & 07777, 0666 & ~masks[i]);
    }
}

/* ---- limits and space --------------------------------------------------------------------- */

static uint64_t saved_weights_bytes(bench *it) {
    fk_run_info *info = NULL;
    assert_int_equal(fk_get_run_info(it->store, "1-fruity", NULL, &info, NULL), FK_OK);
    uint64_t bytes = info->weights_bytes;
    fk_run_info_destroy(info);
    return bytes;
}

static void test_weights_at_the_limit_are_saved_and_one_byte_more_is_not(void **state) {
    bench *it = *state;
    assert_int_equal(bench_save(it), FK_OK);
    uint64_t bytes = saved_weights_bytes(it);
    fk_store_options options = {.size = sizeof options, .max_weights_bytes = bytes};
    bench_reopen(it, &options);
    assert_int_equal(bench_save(it), FK_OK);
    options.max_weights_bytes = bytes - 1;
    bench_reopen(it, &options);
    size_t writes = fake_kernel_count("write");
    bench_assert_refused(it, FK_E_LIMIT);
    assert_int_equal(fake_kernel_count("write"), writes);
    assert_non_null(strstr(it->err.hint, "max_weights_bytes"));
}

static void test_the_default_limit_is_500_million_bytes(void **state) {
    bench *it = *state;
    assert_int_equal(it->store->max_weights_bytes, 500000000);
    /* nobody looks at the bytes behind this tensor before the limit is checked */
    int64_t shape[1] = {125000000};
    const fk_tensor tensor = {
        .dtype = FK_FLOAT32,
        .rank = 1,
        .shape = shape,
        .storage = fk_storage_create(it->sample.values, it->sample.floats, 500000000)};
    it->sample.model.weights = fk_value_tensor(it->sample.values, &tensor);
    bench_assert_refused(it, FK_E_LIMIT);
    assert_non_null(strstr(it->err.message, "500000000"));
}

static void test_a_disk_known_to_be_too_full_is_refused_before_the_weights(void **state) {
    bench *it = *state;
    assert_int_equal(bench_save(it), FK_OK);
    uint64_t bytes = saved_weights_bytes(it);
    fake_kernel_set_free_bytes(bytes - 1);
    bench_assert_refused(it, FK_E_NO_SPACE);
    assert_non_null(strstr(it->err.message, "are free"));
    fake_kernel_set_free_bytes(bytes);
    assert_int_equal(bench_save(it), FK_OK);
}

/* ---- cancelling --------------------------------------------------------------------------- */

typedef struct watcher {
    unsigned patience; /* steps it waits */
    uint64_t done;
    uint64_t total;
} watcher;

static int lose_patience(uint64_t done, uint64_t total, void *user) {
    watcher *it = user;
    it->done = done;
    it->total = total;
    return it->patience-- == 0;
}

static void test_a_save_can_be_cancelled_until_the_run_appears(void **state) {
    bench *it = *state;
    watcher watched = {.patience = UINT_MAX};
    it->sample.metadata.progress = lose_patience;
    it->sample.metadata.progress_user = &watched;
    assert_int_equal(bench_save(it), FK_OK);
    watched.patience = UINT_MAX - watched.patience - 1; /* at the last question */
    size_t renames = fake_kernel_count("renameat2");
    bench_assert_refused(it, FK_E_CANCELLED);
    assert_int_equal(fake_kernel_count("renameat2"), renames);
    assert_int_equal(watched.done, watched.total);
}

static void cancel_halfway(bench *it, unsigned chunks) {
    sample_model_finish(&it->sample);
    sample_model_init(&it->sample, chunks << 18);
    watcher watched = {.patience = chunks / 2};
    it->sample.metadata.progress = lose_patience;
    it->sample.metadata.progress_user = &watched;
    bench_assert_refused(it, FK_E_CANCELLED);
    assert_true(watched.done > 0 && watched.done < watched.total);
    watched.patience = 1000;
    assert_int_equal(bench_save(it), FK_OK);
    assert_int_equal(watched.done, watched.total);
    assert_int_equal(watched.total, saved_weights_bytes(it));
}

static void test_a_cancelled_save_leaves_nothing(void **state) {
    bench *it = *state;
    cancel_halfway(it, 3);
}

/* More than the private memory: hashers and writer are at work. */
static void test_a_cancelled_large_save_leaves_nothing(void **state) {
    bench *it = *state;
    cancel_halfway(it, 40);
}

/* ---- the store itself --------------------------------------------------------------------- */

static void test_a_read_only_store_says_what_it_needs(void **state) {
    bench *it = *state;
    assert_int_equal(fk_create_font(it->store, "1-fruity", NULL), FK_OK);
    fake_kernel_fail("mkdirat", 1, EACCES, FAKE_EVER_AFTER);
    bench_assert_refused(it, FK_E_ACCESS);
    assert_non_null(strstr(it->err.hint, "permission"));
    assert_non_null(strstr(it->err.path, "1-fruity/runs"));
}

static void test_a_vanished_store_is_not_made_again(void **state) {
    bench *it = *state;
    assert_int_equal(rmdir(it->path), 0);
    assert_int_equal(bench_save(it), FK_E_STORE_NOT_FOUND);
    assert_false(tree_exists(it->path));
    assert_int_equal(mkdir(it->path, 0777), 0);
}

static void test_a_font_without_runs_gets_one_unless_that_is_off(void **state) {
    bench *it = *state;
    assert_int_equal(mkdir(bench_in_store(it, "1-fruity"), 0777), 0);
    const fk_store_options options = {.size = sizeof options, .no_create_runs = true};
    bench_reopen(it, &options);
    bench_assert_refused(it, FK_E_INCOMPLETE);
    assert_string_equal(it->err.path, bench_in_store(it, "1-fruity/runs"));
    bench_reopen(it, NULL);
    assert_int_equal(bench_save(it), FK_OK);
}

static void test_a_run_is_saved_even_if_the_identity_cannot_be_written(void **state) {
    bench *it = *state;
    tree_write(bench_in_store(it, ".fontkeep"), "in the way", 10);
    assert_int_equal(bench_save(it), FK_OK);
    assert_int_equal(unlink(bench_in_store(it, ".fontkeep")), 0);
    assert_int_equal(bench_save(it), FK_OK);
    assert_true(tree_exists(bench_in_store(it, ".fontkeep/store.json")));
}

/* ---- many at once ------------------------------------------------------------------------- */

enum { THREADS = 8, SAVES = 20 };

typedef struct worker {
    bench *bench;
    pthread_t thread;
    fk_run_id ids[SAVES];
    fk_code code;
} worker;

static void *save_many(void *user) {
    worker *it = user;
    sample_model sample;
    sample_model_init(&sample, 100);
    for (size_t i = 0; it->code == FK_OK && i < SAVES; i++) {
        it->code = fk_save_model(it->bench->store, "1-fruity", &sample.model, &it->ids[i], NULL);
    }
    sample_model_finish(&sample);
    return NULL;
}

static int compare_ids(const void *one, const void *other) {
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static void assert_many_distinct_runs(bench *it) {
    static worker workers[THREADS];
    const char *ids[THREADS * SAVES];
    size_t count = 0;
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (worker){.bench = it};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, save_many, &workers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        assert_int_equal(workers[i].code, FK_OK);
        for (size_t n = 0; n < SAVES; n++) {
            /* each thread's own ids go up */
            assert_true(n == 0 || strcmp(workers[i].ids[n - 1].text, workers[i].ids[n].text) < 0);
            ids[count++] = workers[i].ids[n].text;
        }
    }
    qsort(ids, count, sizeof *ids, compare_ids);
    for (size_t i = 1; i < count; i++) {
        assert_string_not_equal(ids[i - 1], ids[i]);
    }
    assert_int_equal(tree_count(bench_in_store(it, "1-fruity/runs"), "2", NULL), THREADS * SAVES);
    assert_int_equal(tree_count(bench_in_store(it, "1-fruity/runs"), ".", NULL), 0);
}

static void test_8_threads_saving_20_runs_each_into_one_font_give_160_runs(void **state) {
    bench *it = *state;
    const fk_store_options options = {.size = sizeof options, .durability = FK_DURABILITY_NONE};
    bench_reopen(it, &options);
    assert_many_distinct_runs(it);
    fk_run_list *runs = NULL;
    assert_int_equal(fk_verify(it->store, NULL, NULL, NULL, NULL, &runs, &it->err), FK_OK);
    assert_int_equal(fk_run_list_count(runs), THREADS * SAVES);
    for (size_t i = 0; i < THREADS * SAVES; i++) {
        assert_int_equal(fk_run_list_at(runs, i)->health, FK_COMPLETE);
    }
    fk_run_list_destroy(runs);
}

static void test_they_do_so_when_the_clock_stands_still(void **state) {
    bench *it = *state;
    const fk_store_options options = {.size = sizeof options, .durability = FK_DURABILITY_NONE};
    bench_reopen(it, &options);
    fake_kernel_set_time(NOW_US);
    assert_many_distinct_runs(it);
    /* dense: the instant itself, then -0001 to -0159 */
    assert_true(tree_exists(bench_in_store(it, "1-fruity/runs/" NOW_TEXT)));
    assert_true(tree_exists(bench_in_store(it, "1-fruity/runs/" NOW_TEXT "-0001")));
    assert_true(tree_exists(bench_in_store(it, "1-fruity/runs/" NOW_TEXT "-0159")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_save_puts_the_whole_run_in_its_place),
        TEST(test_the_run_loads_as_it_was_saved),
        TEST(test_a_diverged_run_saves_too),
        TEST(test_an_interrupted_run_may_lack_everything),
        TEST(test_a_completed_run_without_glyphs_has_an_empty_directory),
        TEST(test_modes_follow_the_umask),
        TEST(test_weights_at_the_limit_are_saved_and_one_byte_more_is_not),
        TEST(test_the_default_limit_is_500_million_bytes),
        TEST(test_a_disk_known_to_be_too_full_is_refused_before_the_weights),
        TEST(test_a_save_can_be_cancelled_until_the_run_appears),
        TEST(test_a_cancelled_save_leaves_nothing),
        TEST(test_a_cancelled_large_save_leaves_nothing),
        TEST(test_a_read_only_store_says_what_it_needs),
        TEST(test_a_vanished_store_is_not_made_again),
        TEST(test_a_font_without_runs_gets_one_unless_that_is_off),
        TEST(test_a_run_is_saved_even_if_the_identity_cannot_be_written),
        TEST(test_8_threads_saving_20_runs_each_into_one_font_give_160_runs),
        TEST(test_they_do_so_when_the_clock_stands_still),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
