/* Reading when memory runs out at every single allocation,. */
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

#include "base/error.h"
#include "fake_kernel.h"
#include "fake_memory.h"
#include "make_run.h"
#include "store/run/health.h"
#include "tree.h"

typedef fk_code (*reading_call)(run_bench *it);

static bool copied;
static fk_error *wanted; /* of the calls; NULL: none is wanted */

/* Removes the copy that the last call made; memory is there again. */
static void remove_copy(run_bench *it) {
    char target[512];
    snprintf(target, sizeof target, "%s/.copy", it->path);
    assert_true(copied == tree_exists(target));
    if (copied) {
        tree_destroy(strdup(target));
        copied = false;
    }
}

/* The n-th allocation fails, for every n: FK_E_NO_MEMORY, or a result that did without it; nothing
 * leaks (the sanitizer looks), and at last the call gives what it gives with memory. */
static void starve_reporting(run_bench *it, reading_call call, fk_code at_last, fk_error *err) {
    size_t short_of_memory = 0;
    wanted = err;
    for (size_t nth = 1; nth < 100000; nth++) {
        fake_memory_fail(nth);
        fk_code code = call(it);
        bool failed = fake_memory_relent();
        remove_copy(it);
        if (!failed) {
            assert_int_equal(code, at_last);
            assert_true(short_of_memory > 0);
            return;
        }
        if (code != at_last) {
            assert_int_equal(code, FK_E_NO_MEMORY);
            assert_true(err == NULL || err->code == FK_E_NO_MEMORY);
            short_of_memory++;
        }
    }
    fail_msg("no end");
}

/* With an error to fill in, and without. */
static void starve_to(run_bench *it, reading_call call, fk_code at_last) {
    starve_reporting(it, call, at_last, NULL);
    starve_reporting(it, call, at_last, &it->err);
}

static void starve(run_bench *it, reading_call call) {
    starve_to(it, call, FK_OK);
}

static fk_code list_fonts(run_bench *it) {
    fk_font_list *fonts = NULL;
    fk_code code = fk_list_fonts(it->store, &fonts, wanted);
    fk_font_list_destroy(fonts);
    return code;
}

static fk_code list_runs(run_bench *it) {
    fk_run_list *runs = NULL;
    fk_code code = fk_list_runs(it->store, RUN_FONT, NULL, &runs, wanted);
    fk_run_list_destroy(runs);
    return code;
}

static fk_code resolve(run_bench *it) {
    fk_run_id id;
    return fk_resolve_run(it->store, RUN_FONT, "latest", &id, wanted);
}

static fk_code get_info(run_bench *it) {
    fk_run_info *info = NULL;
    fk_code code = fk_get_run_info(it->store, RUN_FONT, NULL, &info, wanted);
    fk_run_info_destroy(info);
    return code;
}

static fk_code load_with(run_bench *it, fk_load_options options) {
    fk_loaded *loaded = NULL;
    options.size = sizeof options;
    fk_code code = fk_load_model(it->store, RUN_FONT, NULL, &options, &loaded, wanted);
    fk_loaded_destroy(loaded);
    return code;
}

static fk_code load(run_bench *it) {
    return load_with(it, (fk_load_options){0});
}

static fk_code load_mapped(run_bench *it) {
    return load_with(it, (fk_load_options){.mmap = true});
}

static fk_code load_strictly(run_bench *it) {
    return load_with(it, (fk_load_options){.strict = true});
}

static fk_code load_unchecked(run_bench *it) {
    return load_with(it, (fk_load_options){.no_verify = true});
}

static fk_code load_another(run_bench *it) {
    return load_with(it, (fk_load_options){.fallback = true});
}

static fk_code salvage(run_bench *it) {
    return load_with(it, (fk_load_options){.salvage = true});
}

static fk_code load_opened(run_bench *it) {
    fk_run *run = NULL;
    fk_loaded *loaded = NULL;
    fk_code code = fk_run_open(it->store, RUN_FONT, NULL, &run, wanted);
    if (code == FK_OK) {
        code = fk_run_load_weights(run, NULL, &loaded, wanted);
    }
    fk_run_close(run);
    fk_loaded_destroy(loaded);
    return code;
}

static fk_code read_sample(run_bench *it) {
    fk_run *run = NULL;
    void *bytes = NULL;
    size_t length = 0;
    fk_code code = fk_run_open(it->store, RUN_FONT, NULL, &run, wanted);
    if (code == FK_OK) {
        code = fk_run_read_file(run, "sample.png", &bytes, &length, wanted);
    }
    fk_run_close(run);
    free(bytes);
    return code;
}

static int go_on(uint64_t done, uint64_t total, void *user) {
    (void)done;
    (void)total;
    (void)user;
    return 0;
}

static fk_code verify(run_bench *it) {
    fk_run_list *runs = NULL;
    fk_code code = fk_verify(it->store, NULL, NULL, go_on, NULL, &runs, wanted);
    fk_run_list_destroy(runs);
    return code;
}

/* The two reads of runs/ are answered, that of the run's directory is not. */
static fk_code verify_what_cannot_be_listed(run_bench *it) {
    fk_run_list *runs = NULL;
    fake_kernel_fail("getdents", 3, EIO, FAKE_EVER_AFTER);
    fk_code code = fk_verify(it->store, RUN_FONT, NULL, NULL, NULL, &runs, wanted);
    fake_kernel_relent();
    if (code == FK_OK) {
        assert_int_equal(fk_run_list_at(runs, 0)->health, FK_CORRUPT);
        assert_non_null(run_find_problem(fk_run_list_at(runs, 0), "manifest", NULL));
    }
    fk_run_list_destroy(runs);
    return code;
}

static fk_code examine(run_bench *it) {
    fk_run *run = NULL;
    fk_code code = fk_run_open(it->store, RUN_FONT, NULL, &run, wanted);
    if (code == FK_OK) {
        code = fk_health_deep(run, FK_DEPTH_FULL, false, NULL, wanted);
    }
    fk_run_close(run);
    return code;
}

static fk_code status(run_bench *it) {
    fk_store_report *report = NULL;
    fk_code code = fk_status(it->store, &report, wanted);
    fk_store_report_destroy(report);
    return code;
}

static fk_code inspect(run_bench *it) {
    fk_inspection *inspection = NULL;
    fk_code code = fk_inspect_run(it->store, RUN_FONT, NULL, &inspection, wanted);
    fk_inspection_destroy(inspection);
    return code;
}

static fk_code export_as(run_bench *it, const char *format) {
    void *bytes = NULL;
    size_t length = 0;
    fk_code code = fk_read_personality(it->store, RUN_FONT, NULL, format, &bytes, &length, wanted);
    free(bytes);
    return code;
}

static fk_code export_json(run_bench *it) {
    return export_as(it, "json");
}

static fk_code export_csv(run_bench *it) {
    return export_as(it, "csv");
}

static fk_code export_pt(run_bench *it) {
    return export_as(it, "pt");
}

static fk_code read_vector(run_bench *it, const char *name) {
    fk_values *values = fk_values_create();
    fk_value *tensor = NULL;
    if (values == NULL) {
        return fk_error_no_memory(wanted);
    }
    fk_code code = fk_read_tensor_file(tree_path(it->path, name), values, &tensor, wanted);
    fk_values_destroy(values);
    return code;
}

static fk_code read_json(run_bench *it) {
    return read_vector(it, "v.json");
}

static fk_code read_pt(run_bench *it) {
    return read_vector(it, "v.pt");
}

static fk_code copy(run_bench *it) {
    char target[512];
    snprintf(target, sizeof target, "%s/.copy", it->path);
    fk_code code = fk_copy_run(it->store, RUN_FONT, NULL, target, NULL, NULL, NULL, wanted);
    copied = code == FK_OK;
    return code;
}

static fk_code copy_what_is_intact(run_bench *it) {
    char target[512];
    snprintf(target, sizeof target, "%s/.copy", it->path);
    fk_code code = fk_salvage_run(it->store, RUN_FONT, NULL, target, NULL, NULL, NULL, wanted);
    copied = code == FK_OK;
    return code;
}

static void test_every_call_survives_when_memory_runs_out(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    tree_write(run_bench_file(it, id, "stranger"), "x", 1);
    const reading_call calls[] = {list_fonts,  list_runs,   resolve,   get_info, load,
                                  load_opened, read_sample, verify,    status,   inspect,
                                  export_json, export_csv,  export_pt, copy};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        starve(it, calls[i]);
    }
}

static void test_tensor_files_survive_when_memory_runs_out(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    const char *const names[] = {"v.json", "v.pt"};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(fk_export_personality(it->store, RUN_FONT, NULL,
                                               tree_path(it->path, names[i]), NULL, &it->err),
                         FK_OK);
    }
    starve(it, read_json);
    starve(it, read_pt);
}

static void test_damaged_runs_survive_when_memory_runs_out(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    const char *path = run_bench_file(it, id, "weights");
    run_damage_flip(path, run_weights_offset(it, path));
    starve(it, verify);
    run_bench_make_unverified(it, id, "2026-02-01T00:00:00.000000", "weights");
    starve(it, verify);
    starve(it, list_runs);
    starve(it, examine);
    starve_to(it, load, FK_E_CORRUPT);
    starve(it, salvage);
    starve(it, copy_what_is_intact);
}

static void test_loads_of_damaged_weights_survive_when_memory_runs_out(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    const char *id = run_bench_save(it);
    const char *path = run_bench_file(it, id, "weights");
    starve(it, load_mapped);
    starve(it, load_unchecked);
    run_damage_flip(path, run_weights_offset(it, path));
    starve_to(it, load, FK_E_CORRUPT);
    starve_to(it, load_mapped, FK_E_CORRUPT);
    starve_to(it, copy, FK_E_CORRUPT);
    starve(it, salvage);
    starve(it, copy_what_is_intact);
    run_damage_append(path, "more");
    starve(it, salvage);
}

static void test_looks_at_weights_that_were_cut_survive_when_memory_runs_out(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    const char *path = run_bench_file(it, run_bench_save(it), "weights");
    run_damage_truncate(path, run_weights_offset(it, path) + 100);
    starve(it, verify);
    starve_to(it, load, FK_E_CORRUPT);
    starve_to(it, load_mapped, FK_E_CORRUPT);
    starve(it, salvage);
    starve(it, copy_what_is_intact);
}

static void test_fallbacks_survive_when_memory_runs_out(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    const char *id = run_bench_save(it);
    run_damage_flip(run_bench_file(it, id, "run.json"), 40);
    starve_to(it, load_strictly, FK_E_CORRUPT);
    starve(it, salvage);
    starve(it, copy_what_is_intact);
    bool failed = true;
    wanted = &it->err;
    for (size_t nth = 1; failed; nth++) { /* which run is another is not worth an error */
        fake_memory_fail(nth);
        fk_code code = load_another(it);
        failed = fake_memory_relent();
        assert_true(code == FK_OK || (failed && (code == FK_E_NO_MEMORY || code == FK_E_CORRUPT)));
    }
}

/* As many as it takes to fill a chunk of the list's arena with their rows. */
static void test_fonts_that_cannot_be_looked_at_survive_when_memory_runs_out(void **state) {
    run_bench *it = *state;
    for (int number = 2; number < 14; number++) {
        char name[32];
        snprintf(name, sizeof name, "%d-dumb", number);
        assert_int_equal(mkdir(tree_path(it->path, name), 0777), 0);
        snprintf(name, sizeof name, "%d-dumb/runs", number);
        tree_write(tree_path(it->path, name), "x", 1);
    }
    starve(it, verify);
}

static void flip_vector(const char *path) {
    static const float vector[4] = {0.25f, -1.5f, 3.0f, 0.0f};
    run_damage_flip_bytes(path, vector, sizeof vector);
}

/* The last allocations of a call fail, each. `first` is where to begin, and where next time. */
static void starve_at_the_end(run_bench *it, reading_call call, size_t *first) {
    for (size_t nth = *first;; nth++) {
        fake_memory_fail(nth);
        fk_code code = call(it);
        if (!fake_memory_relent()) {
            assert_int_equal(code, FK_OK);
            *first = nth > 24 ? nth - 24 : 1;
            return;
        }
        assert_true(code == FK_OK || code == FK_E_NO_MEMORY || code == FK_E_CORRUPT);
    }
}

/* A dict whose values take the more of an arena the more there are. */
static fk_value *padding(run_bench *it, int count) {
    fk_value *dict = fk_value_container(it->sample.values, FK_KIND_DICT);
    for (int i = 0; i < count; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        assert_int_equal(fk_value_set(dict, key, fk_value_int(it->sample.values, i)), FK_OK);
    }
    return dict;
}

/* With more and more in the arena, so that each allocation comes at a chunk's end once. */
static void test_lost_vectors_survive_when_memory_runs_out(void **state) {
    run_bench *it = *state;
    size_t first = 1;
    wanted = &it->err;
    for (int count = 0; count < 64; count++) {
        it->sample.model.architecture = padding(it, count);
        it->saved = 0;
        const char *id = run_bench_save(it);
        flip_vector(run_bench_file(it, id, "weights"));
        starve_at_the_end(it, salvage, &first);
        tree_destroy(strdup(run_bench_file(it, id, "")));
    }
}

static void test_runs_that_cannot_be_listed_survive_when_memory_runs_out(void **state) {
    run_bench *it = *state;
    size_t first = 1;
    wanted = &it->err;
    for (int count = 0; count < 64; count++) {
        it->sample.metadata.training = padding(it, count);
        it->saved = 0;
        const char *id = run_bench_save(it);
        starve_at_the_end(it, verify_what_cannot_be_listed, &first);
        tree_destroy(strdup(run_bench_file(it, id, "")));
    }
}

static void test_what_a_fallback_tells_is_told_or_memory_ran_out(void **state) {
    run_bench *it = *state;
    size_t first = 1;
    wanted = &it->err;
    for (int count = 0; count < 160; count += 2) {
        it->sample.metadata.training = padding(it, count);
        it->saved = 0;
        const char *one = run_bench_save(it);
        const char *two = run_bench_save(it);
        run_damage_flip(run_bench_file(it, two, "weights"), 90);
        starve_at_the_end(it, load_another, &first);
        tree_destroy(strdup(run_bench_file(it, one, "")));
        tree_destroy(strdup(run_bench_file(it, two, "")));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, run_bench_setup, run_bench_teardown)
        T(test_every_call_survives_when_memory_runs_out),
        T(test_tensor_files_survive_when_memory_runs_out),
        T(test_damaged_runs_survive_when_memory_runs_out),
        T(test_loads_of_damaged_weights_survive_when_memory_runs_out),
        T(test_looks_at_weights_that_were_cut_survive_when_memory_runs_out),
        T(test_fallbacks_survive_when_memory_runs_out),
        T(test_fonts_that_cannot_be_looked_at_survive_when_memory_runs_out),
        T(test_lost_vectors_survive_when_memory_runs_out),
        T(test_runs_that_cannot_be_listed_survive_when_memory_runs_out),
        T(test_what_a_fallback_tells_is_told_or_memory_ran_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
