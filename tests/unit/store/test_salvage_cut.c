/* Weights whose end is gone: cut off, or overwritten. The directory of the archive stood there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "digest/digest.h"
#include "fake_kernel.h"
#include "load_fixture.h"
#include "progress.h"
#include "tree.h"

enum { FLOATS = 16, DESCRIPTOR_BYTES = 16 };

static const float vector[4] = {0.25f, -1.5f, 3.0f, 0.0f};

/* A saved run, and where its records end, which lie in this order. */
typedef struct cut_run {
    run_bench *it;
    const char *id;
    const char *path;
    uint8_t *bytes;
    size_t length;
    size_t pickle_end;
    size_t vector_end;
    size_t layer_end;
} cut_run;

static size_t end_of(const cut_run *run, const void *bytes, size_t count) {
    const uint8_t *found = memmem(run->bytes, run->length, bytes, count);
    assert_non_null(found);
    return (size_t)(found - run->bytes) + count + DESCRIPTOR_BYTES;
}

static void make_run(cut_run *run, run_bench *it) {
    sample_model_finish(&it->sample);
    sample_model_init(&it->sample, FLOATS);
    *run = (cut_run){.it = it, .id = run_bench_save(it)};
    run->path = run_bench_file(it, run->id, "weights");
    run->bytes = (uint8_t *)tree_read(run->path, &run->length);
    run->pickle_end = end_of(run, "archive/.format_version", 23) - 23 - 30 - DESCRIPTOR_BYTES;
    run->vector_end = end_of(run, vector, sizeof vector);
    run->layer_end = end_of(run, it->sample.floats, FLOATS * sizeof(float));
    assert_true(run->pickle_end < run->vector_end && run->vector_end < run->layer_end);
}

static void finish_run(cut_run *run) {
    free(run->bytes);
}

#define SCOPED_RUN __attribute__((cleanup(finish_run))) cut_run

static void cut(const cut_run *run, size_t length) {
    tree_write(run->path, run->bytes, length);
}

/* With zeros, or with each byte changed. The first one that is not as it was is the result. */
static size_t overwrite(const cut_run *run, size_t from, bool zeros) {
    uint8_t *bytes = malloc(run->length);
    size_t first = run->length;
    assert_non_null(bytes);
    memcpy(bytes, run->bytes, run->length);
    for (size_t i = run->length; i-- > from;) {
        bytes[i] = zeros ? 0 : bytes[i] ^ 0x5A;
        first = bytes[i] != run->bytes[i] ? i : first;
    }
    tree_write(run->path, bytes, run->length);
    free(bytes);
    return first;
}

static void assert_vector(void) {
    const fk_tensor *found = fk_loaded_personality_vector(loaded);
    assert_non_null(found);
    assert_memory_equal(fk_tensor_data(found), vector, sizeof vector);
}

/* Of the file, what stands before `kept` is as it was saved, and nothing else. */
static void assert_salvaged(const cut_run *run, size_t kept) {
    fk_code code = load(run->it, run->id, (fk_load_options){.salvage = true});
    if (kept < run->vector_end) {
        assert_int_equal(code, FK_E_CORRUPT);
        assert_non_null(strstr(run->it->err.message, "nothing can be salvaged"));
        return;
    }
    assert_int_equal(code, FK_OK);
    assert_vector();
    const fk_run_info *info = fk_loaded_info(loaded);
    assert_int_equal(info->health, FK_CORRUPT);
    assert_null(load_find_loss(info, "personality_vector"));
    const fk_problem *lost = load_find_loss(info, "model.layer.weight");
    if (kept >= run->layer_end) {
        load_assert_weights(run->it);
        assert_null(lost);
        return;
    }
    assert_null(fk_value_get(fk_loaded_weights(loaded), "layer.weight"));
    assert_non_null(lost);
    assert_string_equal(lost->code, "digest");
    assert_true(lost->offset <= kept && lost->offset >= run->vector_end);
    assert_int_equal(lost->offset + lost->length, run->length);
}

static void test_every_length_gives_what_is_whole_and_names_the_rest(void **state) {
    SCOPED_RUN run;
    make_run(&run, *state);
    for (size_t length = 1; length < run.length; length++) {
        cut(&run, length);
        assert_salvaged(&run, length);
        if (loaded != NULL) {
            const fk_problem *size = run_find_problem(fk_loaded_info(loaded), "size", "weights");
            assert_int_equal(size->offset, length);
            assert_int_equal(size->length, run.length - length);
        }
    }
}

static void overwrite_each_end(run_bench *it, bool zeros) {
    SCOPED_RUN run;
    make_run(&run, it);
    for (size_t from = 1; from < run.layer_end + 200; from++) {
        assert_salvaged(&run, overwrite(&run, from, zeros));
    }
}

static void test_an_end_of_zeros_is_as_good_as_none(void **state) {
    overwrite_each_end(*state, true);
}

static void test_an_end_of_other_bytes_is_as_good_as_none(void **state) {
    overwrite_each_end(*state, false);
}

/* What the manifest tells of a file is all there is to know of its length: without one, the rest is
 * what is there. */
static void test_without_a_manifest_a_cut_file_gives_the_same(void **state) {
    SCOPED_RUN run;
    make_run(&run, *state);
    cut(&run, run.layer_end - 1);
    run_bench_make_unverified(run.it, run.id, "2026-02-01T00:00:00.000000", "weights.pt");
    assert_int_equal(load(run.it, NULL, PLAIN), FK_E_CORRUPT);
    assert_non_null(strstr(run.it->err.message, "tensor 'model.layer.weight'"));
    assert_int_equal(load(run.it, NULL, (fk_load_options){.salvage = true}), FK_OK);
    assert_vector();
    const fk_problem *lost = load_find_loss(fk_loaded_info(loaded), "model.layer.weight");
    assert_non_null(lost);
    assert_int_equal(lost->offset + lost->length, run.layer_end - 1);
}

static void test_the_error_of_a_load_names_what_was_cut_off_and_what_is_intact(void **state) {
    SCOPED_RUN run;
    make_run(&run, *state);
    cut(&run, run.layer_end - 1);
    for (int mmap = 0; mmap < 2; mmap++) {
        const fk_error *err = &run.it->err;
        assert_int_equal(load(run.it, run.id, (fk_load_options){.mmap = mmap}), FK_E_CORRUPT);
        assert_non_null(strstr(err->message, "its manifest says"));
        assert_non_null(strstr(err->message, "tensor 'model.layer.weight' (bytes "));
        assert_non_null(strstr(err->message, "the other 1 of 2 tensors are intact"));
        assert_non_null(strstr(err->hint, "salvage what is intact"));
        assert_int_equal(err->offset, run.layer_end - 1);
    }
    cut(&run, run.length - 1);
    assert_int_equal(load(run.it, run.id, PLAIN), FK_E_CORRUPT);
    assert_non_null(strstr(run.it->err.message, "all 2 tensors are intact"));
    cut(&run, run.pickle_end - 1);
    assert_int_equal(load(run.it, run.id, PLAIN), FK_E_CORRUPT);
    assert_null(strstr(run.it->err.hint, "salvage"));
}

static void test_verify_names_what_was_cut_off(void **state) {
    SCOPED_RUN run;
    fk_run_list *runs = NULL;
    make_run(&run, *state);
    cut(&run, run.layer_end - 1);
    fk_code code = fk_verify(run.it->store, RUN_FONT, run.id, NULL, NULL, &runs, &run.it->err);
    assert_int_equal(code, FK_OK);
    const fk_run_info *info = fk_run_list_at(runs, 0);
    assert_int_equal(info->problem_count, 2);
    assert_string_equal(info->problems[0].code, "size");
    assert_non_null(strstr(info->problems[0].message, "the other 1 of 2 tensors are intact"));
    const fk_problem *lost = load_find_loss(info, "model.layer.weight");
    assert_non_null(lost);
    assert_non_null(strstr(lost->message, "was cut off"));
    assert_int_equal(lost->offset, run.vector_end);
    assert_int_equal(lost->offset + lost->length, run.length);
    fk_run_list_destroy(runs);
}

static void test_a_look_at_what_is_left_is_progress_and_may_be_stopped(void **state) {
    SCOPED_RUN run;
    make_run(&run, *state);
    cut(&run, run.layer_end - 1);
    progress_seen seen = {.stop_at = 1};
    const fk_load_options options = {.progress = progress_see, .progress_user = &seen};
    assert_int_equal(load(run.it, run.id, options), FK_E_CANCELLED);
    assert_string_equal(run.it->err.message, "cancelled");
    assert_int_equal(seen.done, run.layer_end - 1);

    fk_run_list *runs = NULL;
    fk_store *store = run.it->store;
    seen = (progress_seen){0};
    fk_code code = fk_verify(store, RUN_FONT, run.id, progress_see, &seen, &runs, &run.it->err);
    assert_int_equal(code, FK_OK);
    assert_true(seen.calls > 1 && seen.done == seen.total);
    fk_run_list_destroy(runs);
    const uint64_t calls = seen.calls;
    for (uint64_t at = 1; at <= calls; at++) {
        seen = (progress_seen){.stop_at = at};
        runs = NULL;
        code = fk_verify(store, RUN_FONT, run.id, progress_see, &seen, &runs, &run.it->err);
        assert_int_equal(code, FK_E_CANCELLED);
        assert_null(runs);
    }
}

/* Of a file of 20 MB, the first piece is whole; the second is not, which is no news. */
static void test_the_digests_of_whole_pieces_still_tell(void **state) {
    run_bench *it = *state;
    sample_model_finish(&it->sample);
    sample_model_init(&it->sample, 5000000);
    const char *id = run_bench_save(it);
    const char *path = run_bench_file(it, id, "weights");
    size_t layer = run_weights_offset(it, path);
    const size_t lengths[] = {FK_PIECE_BYTES + 100, FK_PIECE_BYTES};
    for (size_t i = 0; i < 2; i++) {
        run_damage_truncate(path, lengths[i]);
        assert_int_equal(load(it, id, (fk_load_options){.salvage = true}), FK_OK);
        assert_vector();
        assert_int_equal(fk_loaded_info(loaded)->problem_count, 2); /* the size, and the layer */
        assert_non_null(load_find_loss(fk_loaded_info(loaded), "model.layer.weight"));
    }
    run_damage_flip(path, layer - 1);
    assert_int_equal(load(it, id, (fk_load_options){.salvage = true}), FK_OK);
    assert_vector();
    const fk_run_info *info = fk_loaded_info(loaded);
    assert_int_equal(info->problem_count, 3);
    size_t told = 0;
    for (size_t i = 0; i < info->problem_count; i++) {
        const fk_problem *problem = &info->problems[i];
        told +=
            problem->tensor == NULL && problem->offset == 0 && problem->length == FK_PIECE_BYTES;
    }
    assert_int_equal(told, 1);
}

/* Of what cannot be read nothing is known, and the size says enough. */
static void test_what_is_left_need_not_be_readable(void **state) {
    SCOPED_RUN run;
    make_run(&run, *state);
    cut(&run, run.layer_end - 1);
    static const char *const calls[] = {"pread", "openat_beneath", "mmap"};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        size_t untold = 0;
        for (size_t nth = 1; nth < 12; nth++) {
            fake_kernel_fail(calls[i], nth, EACCES, FAKE_ONCE);
            fk_code code = load(run.it, run.id, PLAIN);
            fake_kernel_relent();
            assert_true(code != FK_OK && run.it->err.message[0] != '\0');
            untold += code == FK_E_CORRUPT && strstr(run.it->err.message, "tensor") == NULL;
        }
        assert_true(untold > 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, run_bench_setup, load_teardown)
        T(test_every_length_gives_what_is_whole_and_names_the_rest),
        T(test_an_end_of_zeros_is_as_good_as_none),
        T(test_an_end_of_other_bytes_is_as_good_as_none),
        T(test_without_a_manifest_a_cut_file_gives_the_same),
        T(test_the_error_of_a_load_names_what_was_cut_off_and_what_is_intact),
        T(test_verify_names_what_was_cut_off),
        T(test_a_look_at_what_is_left_is_progress_and_may_be_stopped),
        T(test_the_digests_of_whole_pieces_still_tell),
        T(test_what_is_left_need_not_be_readable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
