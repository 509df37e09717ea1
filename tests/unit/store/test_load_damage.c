/* Loading damaged runs: nothing goes unnoticed, and every failure says what, where, what next. */
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
#include "tree.h"

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

/* A file that is no archive any more has no tensors to name. */
static void test_damage_before_the_first_tensor_names_the_file(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    const char *two = run_bench_save(it);
    const char *path = run_bench_file(it, two, "weights");
    run_damage_flip(path, 1);
    assert_int_equal(load(it, two, PLAIN), FK_E_CORRUPT);
    assert_string_equal(it->err.path, path);
    assert_int_equal(it->err.offset, 0);
    assert_non_null(strstr(it->err.message, "'weights' of run '"));
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
    load_assert_weights(it);
    assert_int_equal(fk_loaded_info(loaded)->health, FK_CORRUPT);
    assert_non_null(run_find_problem(fk_loaded_info(loaded), "manifest", "run.json"));
}

static void test_no_verify_skips_the_digests(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    const char *path = run_bench_file(it, id, "weights");
    run_damage_flip(path, run_weights_offset(it, path));
    assert_int_equal(load(it, id, (fk_load_options){.no_verify = true}), FK_OK);
    assert_true(memcmp(fk_tensor_data(load_layer()), it->sample.floats, 4000) != 0);
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
                load_assert_weights(it);
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
#define T(name) cmocka_unit_test_setup_teardown(name, run_bench_setup, load_teardown)
        T(test_damaged_weights_name_tensor_range_and_the_run_to_take),
        T(test_damage_before_the_first_tensor_names_the_file),
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
        T(test_every_refusal_of_the_kernel_is_told),
        T(test_no_flipped_byte_goes_unnoticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
