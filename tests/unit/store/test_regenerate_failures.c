/* fk_regenerate, when a call, an allocation or the font fails: the run is as it was, or whole and
 * new. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <unistd.h>

#include "bench.h"
#include "fake_kernel.h"
#include "fake_memory.h"
#include "fontkeep/fontkeep.h"
#include "regenerate.h"
#include "tree.h"

/* Draws the glyph; what it needs of the store it asks of the store. */
static fk_code paint(const fk_rendering *wanted, fk_image *ret_image, void *user, fk_error *err) {
    static const unsigned char pixels[4] = {9, 9, 9, 9};
    fk_loaded *loaded = NULL;
    (void)user;
    fk_code code = fk_run_load_weights(wanted->run, NULL, &loaded, err);
    fk_loaded_destroy(loaded);
    *ret_image = (fk_image){pixels, sizeof pixels, 2, 2, 1};
    return code;
}

/* A run that lost its sample and a glyph. */
static bench *begin(void **state) {
    const fk_store_options fast = {.size = sizeof fast, .durability = FK_DURABILITY_NONE};
    bench_setup_at_now(state);
    bench *it = *state;
    bench_reopen(it, &fast);
    bench_save_well(it, RUN);
    assert_int_equal(unlink(bench_in_runs(it, RUN "/sample.png")), 0);
    assert_int_equal(unlink(bench_in_runs(it, RUN "/eval-glyphs/A.png")), 0);
    bench_reopen(it, NULL);
    it->err = (fk_error){0};
    return it;
}

static fk_code regenerate(bench *it) {
    fk_change_list *changes = NULL;
    const fk_regenerate_options options = {.size = sizeof options, .renderer = paint};
    fk_code code = fk_regenerate(it->store, "1-fruity", RUN, &options, &changes, &it->err);
    fk_change_list_destroy(changes);
    return code;
}

static void check_state(bench *it, fk_code code) {
    bool published = code == FK_OK || code == FK_E_NOT_DURABLE;
    fk_recovery *recovery = NULL;
    assert_int_equal(fk_recover(it->store, &recovery, NULL), FK_OK);
    fk_recovery_destroy(recovery);
    assert_int_equal(tree_count(bench_in_runs(it, ""), ".stage-", NULL), 0);
    assert_int_equal(tree_count(bench_in_runs(it, ""), ".trash-", NULL), published ? 1 : 0);
    assert_int_equal(bench_generation(it, RUN), published ? 2 : 1);
    assert_int_equal(tree_exists(bench_in_runs(it, RUN "/eval-glyphs/A.png")), published);
    if (code != FK_OK) {
        assert_int_equal(it->err.code, code);
        assert_string_not_equal(it->err.message, "");
    }
}

/* Nothing is left half made, and a sheet never lacks a glyph because a call failed once. */
static bool fail_one(const char *call, size_t nth, int system_errno, fake_duration duration) {
    void *state = NULL;
    bench *it = begin(&state);
    size_t made = fake_kernel_count(call);
    fake_kernel_fail(call, nth, system_errno, duration);
    fk_code code = regenerate(it);
    bool reached = fake_kernel_count(call) - made >= nth;
    fake_kernel_relent();
    check_state(it, code);
    if (code == FK_OK || code == FK_E_NOT_DURABLE) {
        bench_assert_all_verify(it, 1);
    }
    bench_teardown(&state);
    return reached;
}

static void test_whatever_fails_the_run_is_as_it_was_or_new(void **state) {
    (void)state;
    static const char *const calls[] = {
        "openat_beneath", "write",    "fsync",     "renameat2", "linkat", "mkdirat", "unlinkat",
        "set_lock",       "getdents", "getrandom", "fstatat",   "pread",  "mmap",    "close"};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        for (size_t nth = 1; fail_one(calls[i], nth, EIO, FAKE_ONCE); nth++) {
        }
    }
    for (size_t i = 0; i < 6; i++) {
        for (size_t nth = 1; fail_one(calls[i], nth, ENOSPC, FAKE_ONCE); nth++) {
        }
        for (size_t nth = 1; fail_one(calls[i], nth, EIO, FAKE_EVER_AFTER); nth++) {
        }
    }
}

static void test_short_memory_leaves_the_run_as_it_was(void **state) {
    (void)state;
    size_t short_of_memory = 0;
    for (size_t nth = 1;; nth++) {
        void *one = NULL;
        bench *it = begin(&one);
        fake_memory_fail(nth);
        fk_code code = regenerate(it);
        bool failed = fake_memory_relent();
        check_state(it, code);
        bench_teardown(&one);
        if (!failed) {
            assert_int_equal(code, FK_OK);
            break;
        }
        assert_true(code == FK_OK || code == FK_E_NO_MEMORY);
        short_of_memory += code == FK_OK ? 0 : 1;
    }
    assert_true(short_of_memory > 50);
}

/* As another process would while the program of the user draws. */
static fk_code remove_font(const fk_rendering *wanted, fk_image *ret_image, void *user,
                           fk_error *err) {
    bench *it = user;
    fk_trash_entry entry;
    assert_int_equal(fk_rm(it->store, "1-fruity", NULL, &entry, NULL), FK_OK);
    return paint(wanted, ret_image, NULL, err);
}

static void test_a_font_that_is_removed_meanwhile_is_not_changed_in_the_trash(void **state) {
    bench *it = begin(state);
    fk_change_list *changes = NULL;
    const fk_regenerate_options options = {
        .size = sizeof options, .renderer = remove_font, .renderer_user = it};
    assert_int_equal(fk_regenerate(it->store, "1-fruity", RUN, &options, &changes, &it->err),
                     FK_E_FONT_NOT_FOUND);
    assert_int_equal(tree_count(bench_in_store(it, ".trash-1-fruity.1/runs"), ".trash-", NULL), 0);
    assert_int_equal(tree_count(bench_in_store(it, ".trash-1-fruity.1/runs"), ".stage-", NULL), 0);
    bench_teardown(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whatever_fails_the_run_is_as_it_was_or_new),
        cmocka_unit_test(test_short_memory_leaves_the_run_as_it_was),
        cmocka_unit_test(test_a_font_that_is_removed_meanwhile_is_not_changed_in_the_trash),
    };
    if (access("/dev/shm", W_OK) == 0) { /* a thousand stores, whose syncs take their time */
        setenv("TMPDIR", "/dev/shm", 0);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
