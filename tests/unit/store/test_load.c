/* Loading: what is handed out was checked, and every failure says what, where, what next. */
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

static fk_loaded *loaded;

static fk_code load(run_bench *it, const char *run_id, fk_load_options options) {
    fk_loaded_destroy(loaded);
    loaded = NULL;
    options.size = sizeof options;
    fk_code code = fk_load_model(it->store, RUN_FONT, run_id, &options, &loaded, &it->err);
    assert_true((code == FK_OK) == (loaded != NULL));
    return code;
}

static int teardown(void **state) {
    fk_loaded_destroy(loaded);
    loaded = NULL;
    return run_bench_teardown(state);
}

#define PLAIN                                                                                      \
    (fk_load_options) {                                                                            \
        0                                                                                          \
    }

static const fk_tensor *layer(void) {
    return fk_value_as_tensor(fk_value_get(fk_loaded_weights(loaded), "layer.weight"));
}

static void assert_weights(run_bench *it) {
    const fk_tensor *tensor = layer();
    assert_int_equal(fk_tensor_elements(tensor), it->sample.count);
    assert_memory_equal(fk_tensor_data(tensor), it->sample.floats,
                        it->sample.count * sizeof(float));
}

/* ---- good runs */

static void test_what_was_saved_is_loaded(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    assert_int_equal(load(it, id, PLAIN), FK_OK);
    assert_weights(it);
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
        memset(fk_tensor_data(layer()), 0x55, 4000);
        assert_int_equal(load(it, id, (fk_load_options){.mmap = mmap}), FK_OK);
        assert_weights(it);
    }
}

static void test_large_weights_of_several_pieces_load_in_both_modes(void **state) {
    run_bench *it = *state;
    sample_model_finish(&it->sample);
    sample_model_init(&it->sample, 9 << 20); /* 36 MiB: three pieces */
    const char *id = run_bench_save(it);
    assert_int_equal(load(it, id, PLAIN), FK_OK);
    assert_int_equal(fk_loaded_info(loaded)->files[4].pieces, 3);
    assert_weights(it);
    assert_int_equal(load(it, id, (fk_load_options){.mmap = true}), FK_OK);
    assert_weights(it);
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

/* ---- damaged weights */

static void test_damaged_weights_name_tensor_range_and_the_run_to_take(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *two = run_bench_save(it);
    const char *path = run_bench_file(it, two, "weights");
    size_t offset = run_weights_offset(it, path);
    run_damage_flip(path, offset + 17);
    for (int mmap = 0; mmap < 2; mmap++) {
        assert_int_equal(load(it, two, (fk_load_options){.mmap = mmap}), FK_E_CORRUPT);
        assert_string_equal(it->err.path, path);
        assert_int_equal(it->err.offset, offset);
        assert_non_null(strstr(it->err.message, "tensor 'model.layer.weight'"));
        assert_non_null(strstr(it->err.message, "the other 1 of 2 tensors are intact"));
        assert_non_null(strstr(it->err.hint, one));
    }
    assert_int_equal(load(it, one, PLAIN), FK_OK);
}

static void test_the_run_to_take_is_the_newest_that_verifies(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *two = run_bench_save(it);
    it->sample.metadata.status = FK_FAILED;
    const char *three = run_bench_save(it);
    it->sample.metadata.status = FK_COMPLETED;
    const char *four = run_bench_save(it);
    run_damage_flip(run_bench_file(it, two, "sample.png"), 30);
    run_damage_truncate(run_bench_file(it, four, "weights"), 70);
    assert_int_equal(load(it, four, PLAIN), FK_E_CORRUPT);
    assert_int_equal(it->err.offset, 70);
    assert_non_null(strstr(it->err.hint, one));
    assert_null(strstr(it->err.hint, three));
    run_damage_flip(run_bench_file(it, one, "sample.png"), 30);
    assert_int_equal(load(it, four, PLAIN), FK_E_CORRUPT);
    assert_non_null(strstr(it->err.hint, "no other run"));
}

static void test_emptied_weights_are_corrupt(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    run_damage_truncate(run_bench_file(it, id, "weights"), 0);
    assert_int_equal(load(it, id, PLAIN), FK_E_CORRUPT);
    assert_int_equal(load(it, id, (fk_load_options){.no_verify = true}), FK_E_CORRUPT);
    assert_non_null(strstr(it->err.message, "empty"));
}

static void test_missing_weights_are_incomplete(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *two = run_bench_save(it);
    assert_int_equal(unlink(run_bench_file(it, two, "weights")), 0);
    assert_int_equal(load(it, NULL, PLAIN), FK_E_INCOMPLETE);
    assert_non_null(strstr(it->err.message, "weights"));
    assert_non_null(strstr(it->err.hint, one));
    assert_string_equal(it->err.path, run_bench_file(it, two, "weights"));
}

static void test_a_failed_run_without_weights_is_incomplete(void **state) {
    run_bench *it = *state;
    it->sample.metadata.status = FK_FAILED;
    it->sample.model =
        (fk_model){.size = sizeof it->sample.model, .metadata = &it->sample.metadata};
    const char *id = run_bench_save(it);
    assert_int_equal(load(it, id, PLAIN), FK_E_INCOMPLETE);
    assert_non_null(strstr(it->err.message, "failed"));
}

static void test_links_and_fifos_are_never_followed(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *two = run_bench_save(it);
    run_damage_link(run_bench_file(it, one, "weights"));
    run_damage_fifo(run_bench_file(it, two, "weights"));
    assert_int_equal(load(it, one, PLAIN), FK_E_CORRUPT);
    assert_int_equal(load(it, two, PLAIN), FK_E_CORRUPT);
}

static void test_a_bad_sector_is_an_error_with_its_offset(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    size_t seen = 0;
    for (size_t nth = 1; nth < 8; nth++) {
        fake_kernel_fail("pread", nth, EIO, FAKE_ONCE);
        fk_code code = load(it, id, PLAIN);
        fake_kernel_relent();
        if (code == FK_E_IO) {
            seen++;
            assert_int_equal(it->err.offset == 0 || strstr(it->err.path, "run.json") != NULL, 1);
            assert_int_equal(it->err.system_errno, EIO);
        }
    }
    assert_true(seen >= 1);
}

/* ---- manifests */

static void test_a_damaged_manifest_is_named(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *two = run_bench_save(it);
    run_damage_flip(run_bench_file(it, two, "run.json"), 200);
    assert_int_equal(load(it, NULL, PLAIN), FK_E_CORRUPT);
    assert_string_equal(it->err.path, run_bench_file(it, two, "run.json"));
    assert_non_null(strstr(it->err.message, "run.json"));
    assert_non_null(strstr(it->err.hint, one));
}

static void test_no_verify_loads_past_a_damaged_manifest_with_a_warning(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    run_damage_flip(run_bench_file(it, id, "run.json"), 200);
    assert_int_equal(load(it, id, (fk_load_options){.no_verify = true}), FK_OK);
    assert_weights(it);
    assert_int_equal(fk_loaded_info(loaded)->health, FK_CORRUPT);
    assert_non_null(run_find_problem(fk_loaded_info(loaded), "manifest", "run.json"));
}

static void test_no_verify_skips_the_digests(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    const char *path = run_bench_file(it, id, "weights");
    run_damage_flip(path, run_weights_offset(it, path));
    assert_int_equal(load(it, id, (fk_load_options){.no_verify = true}), FK_OK);
    assert_true(memcmp(fk_tensor_data(layer()), it->sample.floats, 4000) != 0);
    run_damage_flip(run_bench_file(it, id, "sample.png"), 30);
    assert_int_equal(load(it, id, (fk_load_options){.no_verify = true}), FK_OK);
    assert_int_equal(fk_loaded_info(loaded)->problem_count, 0);
}

static void test_newer_versions_are_refused_with_both_versions(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *two = run_bench_save(it);
    const char *three = run_bench_save(it);
    run_damage_rewrite(it, three, "\"manifest_version\": 1", "\"manifest_version\": 2");
    run_damage_rewrite(it, two, "\"weights_version\": \"v1\"", "\"weights_version\": \"v2\"");
    for (int no_verify = 0; no_verify < 2; no_verify++) {
        assert_int_equal(load(it, three, (fk_load_options){.no_verify = no_verify}),
                         FK_E_UNSUPPORTED);
        assert_int_equal(it->err.subject, FK_SUBJECT_VERSION);
        assert_non_null(strstr(it->err.message, "version 2"));
        assert_non_null(strstr(it->err.hint, one));
        assert_int_equal(load(it, two, (fk_load_options){.no_verify = no_verify}),
                         FK_E_UNSUPPORTED);
        assert_int_equal(it->err.subject, FK_SUBJECT_VERSION);
        assert_non_null(strstr(it->err.message, "'v2'"));
        assert_non_null(strstr(it->err.message, "'v1'"));
    }
}

static void test_weights_that_say_a_newer_version_are_refused(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *hand = "2026-02-01T00:00:00.000000";
    run_bench_make_unverified(it, one, hand, "weights");
    const char *path = run_bench_file(it, hand, "weights");
    size_t length = 0;
    char *bytes = tree_read(path, &length);
    char *key = memmem(bytes, length, "weights_version", 15);
    char *version = memmem(key, 64, "v1", 2);
    version[1] = '3';
    tree_write(path, bytes, length);
    free(bytes);
    assert_int_equal(load(it, hand, (fk_load_options){.no_verify = true}), FK_E_UNSUPPORTED);
    assert_int_equal(it->err.subject, FK_SUBJECT_VERSION);
    assert_string_equal(it->err.path, path);
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
    assert_weights(it);
    assert_int_equal(load(it, two, PLAIN), FK_OK);
    assert_int_equal(fk_loaded_info(loaded)->health, FK_CORRUPT);
    assert_int_equal(load(it, one, (fk_load_options){.strict = true}), FK_E_INCOMPLETE);
    assert_non_null(strstr(it->err.path, "eval-glyphs/A.png"));
    assert_int_equal(load(it, two, (fk_load_options){.strict = true}), FK_E_CORRUPT);
    assert_non_null(strstr(it->err.path, "feedback.json"));
    assert_non_null(strstr(it->err.hint, "strict"));
}

/* ---- fallback */

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
        assert_weights(it);
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

typedef struct progress_seen {
    uint64_t calls;
    uint64_t last_done;
    uint64_t total;
    bool stop;
} progress_seen;

static int see(uint64_t done, uint64_t total, void *user) {
    progress_seen *seen = user;
    assert_true(done >= seen->last_done && done <= total);
    seen->calls++;
    seen->last_done = done;
    seen->total = total;
    return seen->stop;
}

static void test_progress_is_told_and_may_stop_the_load(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    progress_seen seen = {0};
    fk_load_options options = {.progress = see, .progress_user = &seen};
    assert_int_equal(load(it, id, options), FK_OK);
    assert_true(seen.calls >= 5);
    assert_true(seen.last_done == seen.total);
    assert_true(seen.total == fk_loaded_info(loaded)->size_bytes);
    seen = (progress_seen){.stop = true};
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
    assert_weights(it);
}

/* Whatever single call the kernel refuses: an error that says something, or a load whose bytes are
 * right; the next load works. */
static void test_every_refusal_of_the_kernel_is_told(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    for (int mmap = 0; mmap < 2; mmap++) {
        for (size_t nth = 1; nth < 90; nth++) {
            fake_kernel_fail("*", nth, EIO, FAKE_ONCE);
            fk_code code = load(it, id, (fk_load_options){.mmap = mmap});
            fake_kernel_relent();
            if (code == FK_OK) {
                assert_weights(it);
            } else {
                assert_true(it->err.message[0] != '\0');
            }
        }
    }
    assert_int_equal(load(it, id, PLAIN), FK_OK);
    assert_int_equal(fk_loaded_info(loaded)->health, FK_COMPLETE);
}

/* Every byte of every file, one bit flipped: never handed out unnoticed. */
static void test_no_flipped_byte_goes_unnoticed(void **state) {
    run_bench *it = *state;
    sample_model_finish(&it->sample);
    sample_model_init(&it->sample, 8);
    const char *id = run_bench_save(it);
    const char *const names[] = {"run.json", "weights", "sample.png", "feedback.json",
                                 "eval-glyphs/A.png"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[512];
        size_t length = 0;
        snprintf(path, sizeof path, "%s", run_bench_file(it, id, names[i]));
        char *bytes = tree_read(path, &length);
        for (size_t at = 0; at < length; at++) {
            bytes[at] ^= (char)(1 << at % 8);
            tree_write(path, bytes, length);
            fk_code code = load(it, id, (fk_load_options){.strict = true});
            if (code == FK_OK) {
                fail_msg("%s, byte %zu", names[i], at);
            }
            bytes[at] ^= (char)(1 << at % 8);
        }
        tree_write(path, bytes, length);
        free(bytes);
    }
    assert_int_equal(load(it, id, (fk_load_options){.strict = true}), FK_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, run_bench_setup, teardown)
        T(test_what_was_saved_is_loaded),
        T(test_no_run_id_means_latest_and_twins_are_taken),
        T(test_loaded_memory_may_be_written_and_never_reaches_the_store),
        T(test_large_weights_of_several_pieces_load_in_both_modes),
        T(test_damaged_weights_name_tensor_range_and_the_run_to_take),
        T(test_the_run_to_take_is_the_newest_that_verifies),
        T(test_emptied_weights_are_corrupt),
        T(test_missing_weights_are_incomplete),
        T(test_a_failed_run_without_weights_is_incomplete),
        T(test_links_and_fifos_are_never_followed),
        T(test_a_bad_sector_is_an_error_with_its_offset),
        T(test_a_damaged_manifest_is_named),
        T(test_no_verify_loads_past_a_damaged_manifest_with_a_warning),
        T(test_no_verify_skips_the_digests),
        T(test_newer_versions_are_refused_with_both_versions),
        T(test_weights_that_say_a_newer_version_are_refused),
        T(test_missing_and_damaged_assets_are_problems_or_with_strict_errors),
        T(test_fallback_takes_the_newest_that_verifies_and_tells),
        T(test_runs_made_by_hand_load_unverified),
        T(test_a_file_that_is_no_checkpoint_is_refused_by_name),
        T(test_weights_of_version_v0_are_the_whole_object_with_a_warning),
        T(test_progress_is_told_and_may_stop_the_load),
        T(test_an_open_run_loads_its_weights_alone),
        T(test_every_refusal_of_the_kernel_is_told),
        T(test_no_flipped_byte_goes_unnoticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
