/* New generations, when a call fails or the process dies: the run is as it was, or new. */
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
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "fake_kernel.h"
#include "fontkeep/fontkeep.h"
#include "regenerate.h"
#include "tree.h"

/* ---- failures ----------------------------------------------------------------------------- */

static void check_state(bench *it, fk_code code, size_t old_sample) {
    bool published = code == FK_OK || code == FK_E_NOT_DURABLE;
    fk_recovery *recovery = NULL;
    assert_int_equal(fk_recover(it->store, &recovery, &it->err), FK_OK);
    fk_recovery_destroy(recovery);
    assert_int_equal(tree_count(bench_in_runs(it, ""), ".stage-", NULL), 0);
    bench_assert_all_verify(it, 1);
    assert_int_equal(bench_generation(it, RUN), published ? 2 : 1);
    assert_int_equal(bench_sample_bytes(it) == old_sample, !published);
    bench_assert_trash(it, published ? "2" : "");
    assert_int_equal(tree_count(bench_in_runs(it, ""), ".trash-", NULL), published ? 1 : 0);
}

static bool fail_one(const char *call, size_t nth, int system_errno, fake_duration duration,
                     bool no_exchange) {
    void *state = NULL;
    const fk_store_options fast = {.size = sizeof fast, .durability = FK_DURABILITY_NONE};
    bench_setup_at_now(&state);
    bench *it = state;
    bench_reopen(it, &fast);
    bench_save_well(it, RUN);
    bench_reopen(it, NULL);
    size_t old_sample = bench_sample_bytes(it);
    size_t made = fake_kernel_count(call);
    fake_kernel_fail(call, nth, system_errno, duration);
    if (no_exchange) {
        fake_kernel_fail("renameat2", 1, EINVAL, FAKE_EVER_AFTER);
    }
    it->err = (fk_error){0};
    fk_code code = bench_regenerate(it);
    bool reached = fake_kernel_count(call) - made >= nth;
    fake_kernel_relent();
    if (code != FK_OK) {
        assert_int_equal(it->err.code, code);
        assert_string_not_equal(it->err.message, "");
    }
    check_state(it, code, old_sample);
    bench_teardown(&state);
    return reached;
}

static void test_whatever_fails_the_run_is_as_it_was_or_new(void **state) {
    (void)state;
    static const char *const calls[] = {"openat_beneath", "write",     "fsync",    "renameat2",
                                        "linkat",         "mkdirat",   "unlinkat", "set_lock",
                                        "getdents",       "getrandom", "fstatat",  "close"};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        for (size_t nth = 1; fail_one(calls[i], nth, EIO, FAKE_ONCE, false); nth++) {
        }
    }
    for (size_t i = 0; i < 6; i++) {
        for (size_t nth = 1; fail_one(calls[i], nth, ENOSPC, FAKE_ONCE, false); nth++) {
        }
        for (size_t nth = 1; fail_one(calls[i], nth, EIO, FAKE_EVER_AFTER, false); nth++) {
        }
    }
}

static void test_the_last_sync_that_fails_is_told_apart(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    size_t syncs = fake_kernel_count("fsync");
    assert_int_equal(bench_regenerate(it), FK_OK);
    syncs = fake_kernel_count("fsync") - syncs;
    fake_kernel_fail("fsync", syncs, EIO, FAKE_ONCE);
    assert_int_equal(bench_regenerate(it), FK_E_NOT_DURABLE);
    assert_int_equal(it->err.system_errno, EIO);
    assert_int_equal(bench_generation(it, RUN), 3);
    fake_kernel_fail("fsync", syncs - 1, EIO, FAKE_ONCE);
    assert_int_equal(bench_regenerate(it), FK_E_IO);
    assert_int_equal(bench_generation(it, RUN), 3);
}

/* ---- without exchange --------------------------------------------------------------------- */

static void test_without_exchange_two_renames_do_it(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    fake_kernel_fail("renameat2", 1, EINVAL, FAKE_EVER_AFTER);
    fake_kernel_record_clear();
    assert_int_equal(bench_regenerate(it), FK_OK);
    fake_kernel_relent();
    char *record = bench_record_without_chance();
    const char *steps[] = {
        "renameat .stage-R -> " ENTRY "\nfsync runs\n",
        "renameat " ENTRY " -> .stage-",
        "fsync runs\n",
        "renameat " RUN " -> " ENTRY "\nfsync runs\n",
        "-> " RUN "\nfsync runs\n",
    };
    const char *at = record;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        at = strstr(at, steps[i]);
        if (at == NULL) {
            fail_msg("no '%s' behind the step before in\n%s", steps[i], record);
        }
    }
    free(record);
    assert_int_equal(bench_generation(it, RUN), 2);
    bench_assert_trash(it, "2");
    bench_assert_all_verify(it, 1);
    bench_recover(it, 0, 0);
}

static void test_without_exchange_whatever_fails_the_run_is_as_it_was_or_new(void **state) {
    (void)state;
    static const char *const calls[] = {"fsync", "renameat", "fstatat", "fstat"};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        for (size_t nth = 1; fail_one(calls[i], nth, EIO, FAKE_ONCE, true); nth++) {
        }
    }
}

static void die(void *user) {
    (void)user;
    _exit(0);
}

/* A process is killed before the `nth` call of `call`. */
static void die_at(bench *it, const char *call, size_t nth, bool no_exchange) {
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        if (no_exchange) {
            fake_kernel_fail("renameat2", 1, EINVAL, FAKE_EVER_AFTER);
        }
        fake_kernel_before(call, nth, die, NULL);
        (void)bench_regenerate(it);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* Killed before each call in turn: the run is old or new, and the next sweep makes it tidy. */
static void test_a_kill_anywhere_leaves_the_run_old_or_new(void **state) {
    bench *it = *state;
    static const char *const calls[] = {"openat_beneath", "write",     "fsync",   "linkat",
                                        "mkdirat",        "renameat2", "unlinkat"};
    const fk_store_options fast = {.size = sizeof fast, .durability = FK_DURABILITY_NONE};
    bench_reopen(it, &fast);
    bench_save_well(it, RUN);
    size_t made[8] = {0};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        made[i] = fake_kernel_count(calls[i]);
    }
    assert_int_equal(bench_regenerate(it), FK_OK);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        made[i] = fake_kernel_count(calls[i]) - made[i];
    }
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        for (size_t nth = 1; nth <= made[i]; nth++) {
            uint64_t before = bench_generation(it, RUN);
            die_at(it, calls[i], nth, false);
            bench_assert_all_verify(it, 1);
            fk_recovery *recovery = NULL;
            assert_int_equal(fk_recover(it->store, &recovery, &it->err), FK_OK);
            fk_recovery_destroy(recovery);
            uint64_t after = bench_generation(it, RUN);
            assert_true(after == before || after == before + 1);
            assert_int_equal(tree_count(bench_in_runs(it, ""), ".stage-", NULL), 0);
            assert_int_equal(tree_count(bench_in_runs(it, ""), ".trash-", NULL), after - 1);
            bench_assert_all_verify(it, 1);
        }
    }
}

static void test_a_kill_between_the_two_renames_is_mended_by_the_next_sweep(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    die_at(it, "renameat", 4, true); /* beside, stage, run away, and in place */
    assert_false(tree_exists(bench_in_runs(it, RUN)));
    assert_true(tree_exists(bench_in_runs(it, ".stage-" RUN)));
    assert_true(tree_exists(bench_in_runs(it, ENTRY)));
    bench_recover(it, 1, 1); /* the lock file of the first stage */
    assert_int_equal(bench_generation(it, RUN), 2);
    bench_assert_all_verify(it, 1);
    bench_assert_trash(it, "2");
}

/* A change that could not be undone, because that failed, too. */
static void test_so_is_one_whose_owner_has_given_up(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    fake_kernel_fail("renameat2", 1, EINVAL, FAKE_EVER_AFTER);
    fake_kernel_fail("renameat", 4, EIO, FAKE_EVER_AFTER); /* in place, and both ways back */
    assert_int_equal(bench_regenerate(it), FK_E_IO);
    fake_kernel_relent();
    assert_false(tree_exists(bench_in_runs(it, RUN)));
    assert_false(tree_exists(bench_in_runs(it, ".stage-" RUN ".lock")));
    bench_recover(it, 1, 1); /* the lock file of the first stage */
    assert_int_equal(bench_generation(it, RUN), 2);
    bench_assert_all_verify(it, 1);
    bench_assert_trash(it, "2");
}

/* Its stage has changed names with the run by then. */
static void test_a_change_that_cannot_be_undone_does_not_discard_the_run(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    fake_kernel_fail("renameat2", 1, EINVAL, FAKE_EVER_AFTER);
    fake_kernel_fail("renameat", 4, EIO, FAKE_ONCE); /* in place, */
    fake_kernel_fail("renameat", 5, EIO, FAKE_ONCE); /* and the run's way back */
    assert_int_equal(bench_regenerate(it), FK_E_IO);
    fake_kernel_relent();
    bench_recover(it, 1, 1);
    bench_assert_all_verify(it, 1);
    bench_assert_trash(it, "2");
}

static void test_a_save_mends_it_too(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    die_at(it, "renameat", 4, true);
    bench_reopen(it, NULL);
    bench_save_well(it, RUN "-0001");
    assert_int_equal(bench_generation(it, RUN), 2);
    bench_assert_all_verify(it, 2);
}

static void test_a_kill_before_the_run_left_its_place_undoes_the_change(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    die_at(it, "renameat", 3, true);
    assert_true(tree_exists(bench_in_runs(it, ".stage-" RUN)));
    bench_recover(it, 2, 0);
    assert_int_equal(bench_generation(it, RUN), 1);
    bench_assert_trash(it, "");
}

/* ---- never published ---------------------------------------------------------------------- */

static void test_a_generation_that_was_never_published_is_hidden_and_removed(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    die_at(it, "renameat2", 2, false);
    assert_true(tree_exists(bench_in_runs(it, ENTRY)));
    assert_int_equal(bench_generation(it, RUN), 1);
    bench_assert_trash(it, "");
    fk_trash_list *purged = NULL;
    assert_int_equal(fk_purge(it->store, "1-fruity/" RUN ".2", &purged, &it->err),
                     FK_E_RUN_NOT_FOUND);
    assert_int_equal(fk_purge(it->store, NULL, &purged, &it->err), FK_OK);
    fk_trash_list_destroy(purged);
    bench_recover(it, 2, 0); /* it, and the lock file of its stage */
    assert_false(tree_exists(bench_in_runs(it, ENTRY)));
    bench_assert_all_verify(it, 1);
}

static void test_the_next_change_removes_it_first(void **state) {
    bench *it = *state;
    fk_trash_entry entry;
    bench_save_well(it, RUN);
    die_at(it, "renameat2", 2, false);
    assert_int_equal(bench_regenerate(it), FK_OK);
    assert_int_equal(bench_generation(it, RUN), 2);
    bench_assert_trash(it, "2");
    die_at(it, "renameat2", 2, false);
    assert_int_equal(fk_rm(it->store, "1-fruity", RUN, &entry, &it->err), FK_OK);
    bench_assert_trash(it, "2, 3");
    assert_int_equal(tree_count(bench_in_runs(it, ""), ".trash-", NULL), 2);
}

static void test_recover_leaves_a_generation_alone_that_is_being_published(void **state) {
    bench *it = *state;
    fk_recovery *recovery = NULL;
    bench_save_well(it, RUN);
    die_at(it, "renameat2", 2, false);
    tree_write(bench_in_runs(it, ".stage-" RUN ".lock"), "{}", 2);
    fake_kernel_fail("set_lock", 1, EAGAIN, FAKE_EVER_AFTER);
    assert_int_equal(fk_recover(it->store, &recovery, &it->err), FK_OK);
    fake_kernel_relent();
    assert_int_equal(recovery->removed_count, 0);
    assert_string_equal(recovery->kept[recovery->kept_count - 1], "1-fruity/runs/" ENTRY);
    fk_recovery_destroy(recovery);
    assert_true(tree_exists(bench_in_runs(it, ENTRY)));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup_at_now, bench_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whatever_fails_the_run_is_as_it_was_or_new),
        TEST(test_the_last_sync_that_fails_is_told_apart),
        TEST(test_without_exchange_two_renames_do_it),
        cmocka_unit_test(test_without_exchange_whatever_fails_the_run_is_as_it_was_or_new),
        TEST(test_a_kill_anywhere_leaves_the_run_old_or_new),
        TEST(test_a_kill_between_the_two_renames_is_mended_by_the_next_sweep),
        TEST(test_so_is_one_whose_owner_has_given_up),
        TEST(test_a_change_that_cannot_be_undone_does_not_discard_the_run),
        TEST(test_a_save_mends_it_too),
        TEST(test_a_kill_before_the_run_left_its_place_undoes_the_change),
        TEST(test_a_generation_that_was_never_published_is_hidden_and_removed),
        TEST(test_the_next_change_removes_it_first),
        TEST(test_recover_leaves_a_generation_alone_that_is_being_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
