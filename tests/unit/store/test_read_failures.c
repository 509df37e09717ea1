/* Reading while the kernel or OpenSSL refuse one call after the other, or while names vanish
 * between the calls: an error that says so or an answer, nothing changed, nothing half copied. And
 * on file systems that do not tell the types of names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_kernel.h"
#include "fake_openssl.h"
#include "make_run.h"
#include "os/kernel.h"
#include "store/load/salvage.h"
#include "tree.h"

typedef fk_code (*reading_call)(run_bench *it, fk_error *err);

static int go_on(uint64_t done, uint64_t total, void *user) {
    (void)done;
    (void)total;
    (void)user;
    return 0;
}

static fk_code verify(run_bench *it, fk_error *err) {
    fk_run_list *runs = NULL;
    fk_code code = fk_verify(it->store, NULL, NULL, go_on, NULL, &runs, err);
    assert_true((runs != NULL) == (code == FK_OK));
    fk_run_list_destroy(runs);
    return code;
}

static fk_code list(run_bench *it, fk_error *err) {
    fk_run_list *runs = NULL;
    fk_code code = fk_list_runs(it->store, RUN_FONT, NULL, &runs, err);
    assert_true((runs != NULL) == (code == FK_OK));
    fk_run_list_destroy(runs);
    return code;
}

static fk_code load_with(run_bench *it, fk_load_options options, fk_error *err) {
    fk_loaded *loaded = NULL;
    options.size = sizeof options;
    fk_code code = fk_load_model(it->store, RUN_FONT, NULL, &options, &loaded, err);
    assert_true((loaded != NULL) == (code == FK_OK));
    fk_loaded_destroy(loaded);
    return code;
}

static fk_code load(run_bench *it, fk_error *err) {
    return load_with(it, (fk_load_options){0}, err);
}

static fk_code load_another(run_bench *it, fk_error *err) {
    return load_with(it, (fk_load_options){.fallback = true}, err);
}

static fk_code salvage(run_bench *it, fk_error *err) {
    return load_with(it, (fk_load_options){.salvage = true}, err);
}

/* What a copy leaves: a whole directory, which goes again, or nothing. */
static fk_code copied(run_bench *it, fk_code code) {
    char target[512];
    snprintf(target, sizeof target, "%s/.copy", it->path);
    assert_true((code == FK_OK) == tree_exists(target));
    if (code == FK_OK) {
        tree_destroy(strdup(target));
    }
    return code;
}

static fk_code copy(run_bench *it, fk_error *err) {
    char target[512];
    snprintf(target, sizeof target, "%s/.copy", it->path);
    return copied(it, fk_copy_run(it->store, RUN_FONT, NULL, target, NULL, NULL, NULL, err));
}

static fk_code copy_what_is_intact(run_bench *it, fk_error *err) {
    char target[512];
    snprintf(target, sizeof target, "%s/.copy", it->path);
    return copied(it, fk_salvage_run(it->store, RUN_FONT, NULL, target, NULL, NULL, NULL, err));
}

static const reading_call calls[] = {
    verify, list, load, load_another, salvage, copy, copy_what_is_intact};
enum { CALLS = sizeof calls / sizeof calls[0] };

/* ---- refusals */

/* A call with an error to fill in, or without. */
static fk_code call_reporting(run_bench *it, reading_call call, bool reports) {
    it->err = (fk_error){0};
    fk_code code = call(it, reports ? &it->err : NULL);
    if (code != FK_OK && reports) {
        assert_int_equal(it->err.code, code);
        assert_true(it->err.message[0] != '\0');
    }
    return code;
}

/* Each call of the kernel by the name fails once: the store stays as it is. */
static void refuse(run_bench *it, reading_call call, const char *name, int system_errno) {
    char *before = tree_listing(it->path, true);
    size_t made = fake_kernel_count(name);
    fk_code undisturbed = call_reporting(it, call, true);
    made = fake_kernel_count(name) - made;
    for (size_t nth = 1; nth <= made; nth++) {
        fake_kernel_fail(name, nth, system_errno, FAKE_ONCE);
        call_reporting(it, call, nth % 2 == 0);
        fake_kernel_relent();
    }
    for (size_t nth = 1; nth <= made; nth++) {
        fake_kernel_fail(name, nth, system_errno, FAKE_ONCE);
        call_reporting(it, call, nth % 2 == 1);
        fake_kernel_relent();
    }
    assert_int_equal(call_reporting(it, call, true), undisturbed);
    char *after = tree_listing(it->path, true);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

static void refuse_all(run_bench *it, int system_errno) {
    static const char *const names[] = {"pread", "openat_beneath", "getdents",
                                        "fstat", "fstatat",        "mmap"};
    for (size_t i = 0; i < CALLS; i++) {
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
            refuse(it, calls[i], names[k], system_errno);
        }
    }
}

static void flip_weights(run_bench *it, const char *id) {
    const char *path = run_bench_file(it, id, "weights");
    run_damage_flip(path, run_weights_offset(it, path));
}

static void test_refused_reads_of_whole_runs_change_nothing(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    run_bench_save(it);
    refuse_all(it, EIO);
    refuse_all(it, EACCES);
    refuse_all(it, ENOMEM);
}

static void test_refused_reads_of_damaged_runs_change_nothing(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    flip_weights(it, run_bench_save(it));
    refuse_all(it, EIO);
    refuse_all(it, ENOMEM);
}

static void test_refused_reads_of_cut_weights_change_nothing(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    const char *path = run_bench_file(it, run_bench_save(it), "weights");
    run_damage_truncate(path, run_weights_offset(it, path) + 100);
    refuse_all(it, EIO);
    refuse_all(it, ENOMEM);
}

static void test_refused_reads_of_runs_without_manifest_change_nothing(void **state) {
    run_bench *it = *state;
    run_bench_make_unverified(it, run_bench_save(it), "2026-02-01T00:00:00.000000", "weights");
    refuse_all(it, EIO);
    refuse_all(it, EACCES);
    flip_weights(it, "2026-02-01T00:00:00.000000");
    refuse_all(it, EIO);
}

static void test_openssl_that_fails_is_named(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    char *before = tree_listing(it->path, true);
    size_t failures = 0;
    for (size_t i = 0; i < CALLS; i++) {
        for (int call = FAKE_OPENSSL_INIT; call < FAKE_OPENSSL_CALLS; call++) {
            bool failed = true;
            for (size_t nth = 1; failed; nth++) {
                fake_openssl_fail((fake_openssl_call)call, nth);
                bool reports = nth % 2 == 1;
                fk_code code = call_reporting(it, calls[i], reports);
                failed = fake_openssl_relent();
                assert_true(code == FK_OK || failed);
                if (code != FK_OK && reports) {
                    assert_non_null(strstr(it->err.message, "OpenSSL"));
                    failures++;
                }
            }
        }
    }
    assert_true(failures > 10);
    char *after = tree_listing(it->path, true);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

static void test_a_manifest_that_openssl_cannot_check_says_so(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    fk_loaded *loaded = NULL;
    fake_openssl_fail(FAKE_OPENSSL_INIT, 1);
    assert_int_equal(fk_load_model(it->store, RUN_FONT, id, NULL, &loaded, &it->err), FK_E_IO);
    assert_non_null(strstr(it->err.message, "OpenSSL"));
    assert_non_null(strstr(it->err.hint, "openssl.cnf"));
    assert_non_null(strstr(it->err.path, "run.json"));
}

/* ---- names that vanish */

static char victim[512];
static char hidden[512];

static void hide(void *user) {
    (void)user;
    assert_int_equal(rename(victim, hidden), 0);
}

static void unhide(void) {
    if (tree_exists(hidden)) {
        assert_int_equal(rename(hidden, victim), 0);
    }
}

/* A path goes before each of a call's calls of the kernel in turn, and comes back behind it. */
static void let_vanish(run_bench *it, reading_call call, const char *path) {
    snprintf(victim, sizeof victim, "%s", path);
    snprintf(hidden, sizeof hidden, "%s.hidden", it->path);
    fk_code undisturbed = call_reporting(it, call, true);
    bool vanished = true;
    for (size_t nth = 1; vanished; nth++) {
        fake_kernel_before("*", nth, hide, NULL);
        call_reporting(it, call, nth % 2 == 0);
        fake_kernel_relent();
        vanished = tree_exists(hidden);
        unhide();
    }
    assert_int_equal(call_reporting(it, call, true), undisturbed);
}

static void test_what_vanishes_between_two_calls_is_told_or_not_needed(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    run_bench_save(it);
    run_bench_make_unverified(it, id, "2026-02-01T00:00:00.000000", "weights");
    const char *const names[] = {"weights", "sample.png", "eval-glyphs", "eval-glyphs/A.png", ""};
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        for (size_t i = 0; i < CALLS; i++) {
            let_vanish(it, calls[i], run_bench_file(it, "2026-02-01T00:00:00.000000", names[k]));
            let_vanish(it, calls[i], run_bench_file(it, id, names[k]));
        }
    }
}

static void shrink(void *user) {
    (void)user;
    run_damage_truncate(victim, 100);
}

static void test_weights_that_shrink_while_they_are_read_are_damaged(void **state) {
    run_bench *it = *state;
    static const char hand[] = "2026-02-01T00:00:00.000000";
    run_bench_make_unverified(it, run_bench_save(it), hand, "weights");
    snprintf(victim, sizeof victim, "%s", run_bench_file(it, hand, "weights"));
    size_t length = 0;
    char *bytes = tree_read(victim, &length);
    size_t corrupt = 0;
    for (size_t nth = 1; nth <= 8; nth++) {
        fk_run_list *runs = NULL;
        fake_kernel_before("pread", nth, shrink, NULL);
        assert_int_equal(fk_verify(it->store, RUN_FONT, hand, NULL, NULL, &runs, &it->err), FK_OK);
        fake_kernel_relent();
        corrupt += fk_run_list_at(runs, 0)->health == FK_CORRUPT;
        fk_run_list_destroy(runs);
        tree_write(victim, bytes, length);
    }
    free(bytes);
    assert_true(corrupt > 0);
}

static void test_a_salvage_that_finds_nothing_needs_no_error_to_fill_in(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    fk_loaded *loaded = NULL;
    assert_int_equal(fk_load_model(it->store, RUN_FONT, id, NULL, &loaded, &it->err), FK_OK);
    run_damage_truncate(run_bench_file(it, id, "weights"), 0);
    const fk_error why = {.code = FK_E_CORRUPT, .message = "the weights are damaged"};
    assert_int_equal(fk_salvage_weights(loaded, NULL, &why, NULL), FK_E_CORRUPT);
    assert_int_equal(fk_salvage_weights(loaded, NULL, &why, &it->err), FK_E_CORRUPT);
    assert_non_null(strstr(it->err.message, "damaged; nothing can be salvaged: "));
    fk_loaded_destroy(loaded);
}

static void test_a_font_that_vanishes_leaves_the_others(void **state) {
    run_bench *it = *state;
    run_bench_save(it);
    let_vanish(it, verify, tree_path(it->path, RUN_FONT));
    let_vanish(it, verify, it->path);
}

/* ---- types of names */

static void test_file_systems_that_tell_no_types_give_the_same_answers(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *two = run_bench_save(it);
    tree_write(run_bench_file(it, "2026-05-05T00:00:00.000000", ""), "a file", 6);
    tree_write(tree_path(it->path, "5-file"), "x", 1);
    run_damage_fifo(run_bench_file(it, one, "sample.png"));
    fake_kernel_tell_types(false);
    fk_run_list *runs = NULL;
    fk_font_list *fonts = NULL;
    fk_store_report *report = NULL;
    assert_int_equal(fk_list_runs(it->store, RUN_FONT, NULL, &runs, &it->err), FK_OK);
    assert_int_equal(fk_list_fonts(it->store, &fonts, &it->err), FK_OK);
    assert_int_equal(fk_status(it->store, &report, &it->err), FK_OK);
    fake_kernel_tell_types(true);
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

static void test_refusals_where_types_are_not_told_change_nothing(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    fake_kernel_tell_types(false);
    refuse_all(it, EIO);
    run_bench_make_unverified(it, id, "2026-02-01T00:00:00.000000", "weights");
    refuse_all(it, EIO);
    fake_kernel_tell_types(true);
}

/* ---- lengths that no file has */

static const fk_kernel *honest;
static fk_kernel endless;

static int fstat_endless(int fd, struct stat *ret_status) {
    int result = honest->fstat(fd, ret_status);
    ret_status->st_size = -1;
    return result;
}

static void test_a_file_of_no_possible_length_is_not_read(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    run_bench_make_unverified(it, id, "2026-02-01T00:00:00.000000", "weights");
    fk_run *run = NULL;
    void *bytes = NULL;
    size_t length = 0;
    assert_int_equal(fk_run_open(it->store, RUN_FONT, "2026-02-01T00:00:00.000000", &run, &it->err),
                     FK_OK);
    honest = fk_kernel_current;
    endless = *honest;
    endless.fstat = fstat_endless;
    fk_kernel_current = &endless;
    fk_code code = fk_run_read_file(run, "sample.png", &bytes, &length, &it->err);
    fk_kernel_current = honest;
    assert_int_equal(code, FK_E_NO_MEMORY);
    assert_null(bytes);
    fk_run_close(run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, run_bench_setup, run_bench_teardown)
        T(test_refused_reads_of_whole_runs_change_nothing),
        T(test_refused_reads_of_damaged_runs_change_nothing),
        T(test_refused_reads_of_cut_weights_change_nothing),
        T(test_refused_reads_of_runs_without_manifest_change_nothing),
        T(test_openssl_that_fails_is_named),
        T(test_a_manifest_that_openssl_cannot_check_says_so),
        T(test_what_vanishes_between_two_calls_is_told_or_not_needed),
        T(test_weights_that_shrink_while_they_are_read_are_damaged),
        T(test_a_salvage_that_finds_nothing_needs_no_error_to_fill_in),
        T(test_a_font_that_vanishes_leaves_the_others),
        T(test_file_systems_that_tell_no_types_give_the_same_answers),
        T(test_sockets_and_devices_have_names_of_their_own),
        T(test_refusals_where_types_are_not_told_change_nothing),
        T(test_a_file_of_no_possible_length_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
