/* Reading when memory runs out at every single allocation, and on file systems that do not tell the
 * types of names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "digest/digest.h"
#include "fake_kernel.h"
#include "fake_memory.h"
#include "make_run.h"
#include "os/file.h"
#include "os/kernel.h"
#include "os/map.h"
#include "store/run/pieces.h"
#include "tree.h"

typedef fk_code (*reading_call)(run_bench *it);

static bool copied;

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
static void starve_to(run_bench *it, reading_call call, fk_code at_last) {
    size_t short_of_memory = 0;
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
            short_of_memory++;
        }
    }
    fail_msg("no end");
}

static void starve(run_bench *it, reading_call call) {
    starve_to(it, call, FK_OK);
}

static fk_code list_fonts(run_bench *it) {
    fk_font_list *fonts = NULL;
    fk_code code = fk_list_fonts(it->store, &fonts, &it->err);
    fk_font_list_destroy(fonts);
    return code;
}

static fk_code list_runs(run_bench *it) {
    fk_run_list *runs = NULL;
    fk_code code = fk_list_runs(it->store, RUN_FONT, NULL, &runs, &it->err);
    fk_run_list_destroy(runs);
    return code;
}

static fk_code resolve(run_bench *it) {
    fk_run_id id;
    return fk_resolve_run(it->store, RUN_FONT, "latest", &id, &it->err);
}

static fk_code get_info(run_bench *it) {
    fk_run_info *info = NULL;
    fk_code code = fk_get_run_info(it->store, RUN_FONT, NULL, &info, &it->err);
    fk_run_info_destroy(info);
    return code;
}

static fk_code load_with(run_bench *it, fk_load_options options) {
    fk_loaded *loaded = NULL;
    options.size = sizeof options;
    fk_code code = fk_load_model(it->store, RUN_FONT, NULL, &options, &loaded, &it->err);
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
    fk_code code = fk_run_open(it->store, RUN_FONT, NULL, &run, &it->err);
    if (code == FK_OK) {
        code = fk_run_load_weights(run, NULL, &loaded, &it->err);
    }
    fk_run_close(run);
    fk_loaded_destroy(loaded);
    return code;
}

static fk_code read_sample(run_bench *it) {
    fk_run *run = NULL;
    void *bytes = NULL;
    size_t length = 0;
    fk_code code = fk_run_open(it->store, RUN_FONT, NULL, &run, &it->err);
    if (code == FK_OK) {
        code = fk_run_read_file(run, "sample.png", &bytes, &length, &it->err);
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
    fk_code code = fk_verify(it->store, NULL, NULL, go_on, NULL, &runs, &it->err);
    fk_run_list_destroy(runs);
    return code;
}

static fk_code status(run_bench *it) {
    fk_store_report *report = NULL;
    fk_code code = fk_status(it->store, &report, &it->err);
    fk_store_report_destroy(report);
    return code;
}

static fk_code inspect(run_bench *it) {
    fk_inspection *inspection = NULL;
    fk_code code = fk_inspect_run(it->store, RUN_FONT, NULL, &inspection, &it->err);
    fk_inspection_destroy(inspection);
    return code;
}

static fk_code export_as(run_bench *it, const char *format) {
    void *bytes = NULL;
    size_t length = 0;
    fk_code code =
        fk_read_personality(it->store, RUN_FONT, NULL, format, &bytes, &length, &it->err);
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
        return FK_E_NO_MEMORY;
    }
    fk_code code = fk_read_tensor_file(tree_path(it->path, name), values, &tensor, &it->err);
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
    fk_code code = fk_copy_run(it->store, RUN_FONT, NULL, target, NULL, NULL, NULL, &it->err);
    copied = code == FK_OK;
    return code;
}

static fk_code copy_what_is_intact(run_bench *it) {
    char target[512];
    snprintf(target, sizeof target, "%s/.copy", it->path);
    fk_code code = fk_salvage_run(it->store, RUN_FONT, NULL, target, NULL, NULL, NULL, &it->err);
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

static void test_fallbacks_survive_when_memory_runs_out(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    const char *id = run_bench_save(it);
    run_damage_flip(run_bench_file(it, id, "run.json"), 40);
    starve_to(it, load_strictly, FK_E_CORRUPT);
    starve(it, salvage);
    starve(it, copy_what_is_intact);
    bool failed = true;
    for (size_t nth = 1; failed; nth++) { /* which run is another is not worth an error */
        fake_memory_fail(nth);
        fk_code code = load_another(it);
        failed = fake_memory_relent();
        assert_true(code == FK_OK || (failed && (code == FK_E_NO_MEMORY || code == FK_E_CORRUPT)));
    }
}

/* ---- types of names */

static fk_kernel untyped;
static const fk_kernel *typed;

static ssize_t getdents_untyped(int fd, void *entries, size_t bytes) {
    ssize_t got = typed->getdents(fd, entries, bytes);
    for (ssize_t at = 0; at < got;) {
        struct dirent64 *entry = (struct dirent64 *)((char *)entries + at);
        entry->d_type = DT_UNKNOWN;
        at += entry->d_reclen;
    }
    return got;
}

static void test_file_systems_that_tell_no_types_give_the_same_answers(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *two = run_bench_save(it);
    tree_write(run_bench_file(it, "2026-05-05T00:00:00.000000", ""), "a file", 6);
    tree_write(tree_path(it->path, "5-file"), "x", 1);
    run_damage_fifo(run_bench_file(it, one, "sample.png"));
    typed = fk_kernel_current;
    untyped = *typed;
    untyped.getdents = getdents_untyped;
    fk_kernel_current = &untyped;
    fk_run_list *runs = NULL;
    fk_font_list *fonts = NULL;
    fk_store_report *report = NULL;
    assert_int_equal(fk_list_runs(it->store, RUN_FONT, NULL, &runs, &it->err), FK_OK);
    assert_int_equal(fk_list_fonts(it->store, &fonts, &it->err), FK_OK);
    assert_int_equal(fk_status(it->store, &report, &it->err), FK_OK);
    fk_kernel_current = typed;
    assert_int_equal(fk_run_list_count(runs), 2);
    assert_int_equal(fk_run_list_at(runs, 0)->health, FK_CORRUPT);
    assert_string_equal(fk_run_list_at(runs, 1)->run_id, two);
    assert_int_equal(fk_run_list_at(runs, 1)->health, FK_COMPLETE);
    assert_int_equal(fk_font_list_count(fonts), 1);
    assert_int_equal(report->fonts, 1);
    assert_int_equal(report->stranger_count, 2);
    fk_run_list_destroy(runs);
    fk_font_list_destroy(fonts);
    fk_store_report_destroy(report);
}

static void test_sockets_and_devices_have_names_of_their_own(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    const char *path = run_bench_file(it, id, "sample.png");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mknod(path, S_IFSOCK | 0666, 0), 0);
    fk_run_info *info = NULL;
    assert_int_equal(fk_get_run_info(it->store, RUN_FONT, id, &info, &it->err), FK_OK);
    assert_non_null(strstr(info->problems[0].message, "socket"));
    fk_run_info_destroy(info);
}

/* ---- pieces */

static void test_a_list_of_another_number_of_pieces_is_refused(void **state) {
    run_bench *it = *state;
    tree_write(tree_path(it->path, "x"), "x", 1);
    fk_run_file file = {.path = "x", .bytes = 1, .pieces = 2};
    fk_pieces_job job = {.fd = -1, .path = "x", .bytes = 1, .file = &file};
    assert_int_equal(fk_pieces_check(&job, NULL, &it->err), FK_E_CORRUPT);
}

static void test_a_file_has_a_piece_for_each_16_mib_begun_and_at_least_one(void **state) {
    (void)state;
    assert_int_equal(fk_pieces_count(0), 1);
    assert_int_equal(fk_pieces_count(1), 1);
    assert_int_equal(fk_pieces_count(FK_PIECE_BYTES), 1);
    assert_int_equal(fk_pieces_count(FK_PIECE_BYTES + 1), 2);
}

static void let_time_pass(void *user) {
    int64_t *now_us = user;
    *now_us += 5000;
    fake_kernel_set_time(*now_us);
}

static void test_after_three_blocks_that_came_slowly_the_rest_has_small_pages(void **state) {
    run_bench *it = *state;
    enum { BLOCKS = 5 };
    int64_t now_us = 1000;
    FK_SCOPED(fk_map_finish) fk_map map = {0};
    FK_SCOPED(fk_file_closep) int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    assert_int_equal(fk_map_allocate(BLOCKS << 20, &map, &it->err), FK_OK);
    fk_pieces_job job = {.fd = fd, .path = "x", .bytes = map.bytes, .into = map.data};
    size_t before = fake_kernel_count("madvise");
    fake_kernel_set_time(now_us);
    assert_int_equal(fk_pieces_check(&job, NULL, &it->err), FK_OK);
    assert_int_equal(fake_kernel_count("madvise") - before, BLOCKS);
    for (size_t i = 1; i <= BLOCKS; i++) {
        fake_kernel_before("clock_gettime", 2 * i, let_time_pass, &now_us);
    }
    assert_int_equal(fk_pieces_check(&job, NULL, &it->err), FK_OK);
    assert_int_equal(fake_kernel_count("madvise") - before, 2 * BLOCKS + 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, run_bench_setup, run_bench_teardown)
        T(test_every_call_survives_when_memory_runs_out),
        T(test_tensor_files_survive_when_memory_runs_out),
        T(test_damaged_runs_survive_when_memory_runs_out),
        T(test_loads_of_damaged_weights_survive_when_memory_runs_out),
        T(test_fallbacks_survive_when_memory_runs_out),
        T(test_file_systems_that_tell_no_types_give_the_same_answers),
        T(test_sockets_and_devices_have_names_of_their_own),
        T(test_a_list_of_another_number_of_pieces_is_refused),
        T(test_after_three_blocks_that_came_slowly_the_rest_has_small_pages),
        T(test_a_file_has_a_piece_for_each_16_mib_begun_and_at_least_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
