#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_kernel.h"
#include "tree.h"

int bench_setup(void **state) {
    bench *it = calloc(1, sizeof *it);
    it->path = tree_create();
    it->beside = tree_create();
    it->id = (fk_run_id){"untouched"};
    fake_kernel_install();
    assert_int_equal(fk_store_open(it->path, NULL, &it->store, &it->err), FK_OK);
    sample_model_init(&it->sample, 1000);
    *state = it;
    return 0;
}

int bench_setup_at_now(void **state) {
    bench_setup(state);
    fake_kernel_set_time(NOW_US);
    return 0;
}

int bench_setup_draft(void **state) {
    bench_setup_at_now(state);
    bench *it = *state;
    assert_int_equal(
        fk_draft_create(it->store, "1-fruity", &it->sample.metadata, &it->draft, &it->err), FK_OK);
    return 0;
}

int bench_teardown(void **state) {
    bench *it = *state;
    fk_draft_destroy(it->draft);
    sample_model_finish(&it->sample);
    fk_store_close(it->store);
    fake_kernel_remove();
    tree_destroy(it->path);
    tree_destroy(it->beside);
    free(it);
    return 0;
}

void bench_reopen(bench *it, const fk_store_options *options) {
    fk_store_close(it->store);
    assert_int_equal(fk_store_open(it->path, options, &it->store, &it->err), FK_OK);
}

const char *bench_in_store(bench *it, const char *name) {
    return tree_path(it->path, name);
}

const char *bench_in_runs(bench *it, const char *name) {
    char path[1024];
    snprintf(path, sizeof path, "1-fruity/runs/%s", name);
    return tree_path(it->path, path);
}

fk_code bench_save(bench *it) {
    it->id = (fk_run_id){"untouched"};
    return fk_save_model(it->store, "1-fruity", &it->sample.model, &it->id, &it->err);
}

void bench_save_well(bench *it, const char *id) {
    assert_int_equal(bench_save(it), FK_OK);
    assert_string_equal(it->id.text, id);
}

void bench_assert_refused(bench *it, fk_code code) {
    char *before = tree_listing(it->path, true);
    assert_int_equal(bench_save(it), code);
    assert_int_equal(it->err.code, code);
    assert_string_equal(it->id.text, "untouched");
    char *after = tree_listing(it->path, true);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

void bench_assert_all_verify(bench *it, size_t count) {
    fk_run_list *runs = NULL;
    assert_int_equal(fk_verify(it->store, NULL, NULL, NULL, NULL, &runs, &it->err), FK_OK);
    assert_int_equal(fk_run_list_count(runs), count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(fk_run_list_at(runs, i)->health, FK_COMPLETE);
    }
    fk_run_list_destroy(runs);
}

fk_code bench_set_weights(bench *it) {
    return fk_draft_set_weights(it->draft, it->sample.model.weights,
                                it->sample.model.personality_vector, NULL, &it->err);
}

void bench_set_all(bench *it) {
    assert_int_equal(bench_set_weights(it), FK_OK);
    assert_int_equal(fk_draft_set_sample(it->draft, &it->sample.image, &it->err), FK_OK);
    assert_int_equal(fk_draft_set_feedback(it->draft, it->sample.model.feedback, &it->err), FK_OK);
}

fk_code bench_commit(bench *it) {
    return fk_draft_commit(it->draft, &it->id, &it->err);
}

void bench_assert_whole_run(bench *it) {
    fk_run_list *runs = NULL;
    assert_int_equal(bench_commit(it), FK_OK);
    assert_int_equal(fk_verify(it->store, "1-fruity", it->id.text, NULL, NULL, &runs, &it->err),
                     FK_OK);
    assert_int_equal(fk_run_list_at(runs, 0)->health, FK_COMPLETE);
    assert_int_equal(fk_run_list_at(runs, 0)->problem_count, 0);
    fk_run_list_destroy(runs);
}

char *bench_record_without_chance(void) {
    const char *from = fake_kernel_record();
    char *text = calloc(1, strlen(from) + 1);
    char *into = text;
    while (*from != '\0') {
        *into++ = *from++;
        if (into - text >= 7 && memcmp(into - 7, ".stage-", 7) == 0) {
            from += strspn(from, "0123456789abcdef");
            *into++ = 'R';
        }
    }
    return text;
}
