/* New generations: the order of calls, what is left when one fails or the process dies, and the way
 * back. */
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
#include "store/generation.h"
#include "tree.h"

#define RUN   NOW_TEXT
#define ENTRY ".trash-" RUN ".2"

/* Replaces the sample of the run by pixels. */
static fk_code regenerate(bench *it) {
    static const unsigned char pixels[4] = {1, 2, 3, 4};
    const fk_image image = {pixels, sizeof pixels, 2, 2, 1};
    fk_generation *generation = NULL;
    fk_code code = fk_generation_create(it->store, "1-fruity", RUN, &generation, &it->err);
    if (code == FK_OK) {
        code = fk_draft_set_sample(generation->draft, &image, &it->err);
    }
    if (code == FK_OK) {
        code = fk_generation_publish(generation, &it->err);
    }
    fk_generation_destroy(generation);
    return code;
}

static uint64_t generation_of(bench *it, const char *run_id) {
    fk_run_info *info = NULL;
    assert_int_equal(fk_get_run_info(it->store, "1-fruity", run_id, &info, &it->err), FK_OK);
    uint64_t generation = info->generation;
    fk_run_info_destroy(info);
    return generation;
}

/* One row per entry of the trash: "n, n, ...". */
static void assert_trash(bench *it, const char *ids) {
    char text[1024] = "";
    fk_trash_list *trash = NULL;
    assert_int_equal(fk_trash(it->store, &trash, &it->err), FK_OK);
    for (size_t i = 0; i < fk_trash_list_count(trash); i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%s", i == 0 ? "" : ", ",
                 strrchr(fk_trash_list_at(trash, i)->trash_id, '.') + 1);
    }
    fk_trash_list_destroy(trash);
    assert_string_equal(text, ids);
}

static void recover(bench *it, size_t removed, size_t kept) {
    fk_recovery *recovery = NULL;
    assert_int_equal(fk_recover(it->store, &recovery, &it->err), FK_OK);
    assert_int_equal(recovery->removed_count, removed);
    assert_int_equal(recovery->kept_count, kept);
    fk_recovery_destroy(recovery);
    assert_int_equal(tree_count(bench_in_runs(it, ""), ".stage-", NULL), 0);
}

static size_t sample_bytes(bench *it) {
    size_t length = 0;
    free(tree_read(bench_in_runs(it, RUN "/sample.png"), &length));
    return length;
}

static bool share_weights(bench *it, const char *one, const char *other) {
    struct stat a;
    struct stat b;
    char path[256];
    snprintf(path, sizeof path, "%s/weights", one);
    assert_int_equal(stat(bench_in_runs(it, path), &a), 0);
    snprintf(path, sizeof path, "%s/weights", other);
    assert_int_equal(stat(bench_in_runs(it, path), &b), 0);
    return a.st_ino == b.st_ino;
}

/* ---- the order of calls ------------------------------------------------------------------- */

static void test_a_generation_makes_these_calls_in_this_order(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    fake_kernel_record_clear();
    assert_int_equal(regenerate(it), FK_OK);
    char *record = bench_record_without_chance();
    const char *steps[] = {"openat_beneath .stage-R-01-11T08:30:00.000000.lock\n",
                           "mkdirat .stage-R\n",
                           "write sample.png\n",
                           "linkat A.png -> ",
                           "linkat feedback.json -> ",
                           "linkat weights -> ",
                           "write run.json\n",
                           "fsync sample.png\n",
                           "fsync eval-glyphs/A.png\n",
                           "fsync weights\n",
                           "fsync run.json\n",
                           "fsync eval-glyphs\nfsync .stage-R\n"
                           "renameat2 .stage-R -> " ENTRY "\nfsync runs\n"
                           "renameat2 " ENTRY " -> " RUN "\nfsync runs\n",
                           "unlinkat .stage-"};
    const char *at = record;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        const char *found = strstr(at, steps[i]);
        if (found == NULL) {
            fail_msg("no '%s' behind the step before in\n%s", steps[i], record);
        }
        at = found;
    }
    free(record);
    assert_int_equal(generation_of(it, RUN), 2);
    assert_true(share_weights(it, RUN, ENTRY));
    assert_trash(it, "2");
    bench_assert_all_verify(it, 1);
    recover(it, 0, 0);
}

static void test_numbers_rise_and_each_generation_before_stays_in_the_trash(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    for (uint64_t generation = 2; generation < 5; generation++) {
        assert_int_equal(regenerate(it), FK_OK);
        assert_int_equal(generation_of(it, "latest"), generation);
    }
    assert_trash(it, "2, 3, 4");
    recover(it, 0, 0);
    assert_trash(it, "2, 3, 4");
}

static void test_without_durability_nothing_is_synced(void **state) {
    bench *it = *state;
    const fk_store_options options = {.size = sizeof options, .durability = FK_DURABILITY_NONE};
    bench_reopen(it, &options);
    bench_save_well(it, RUN);
    assert_int_equal(regenerate(it), FK_OK);
    assert_int_equal(fake_kernel_count("fsync"), 0);
    bench_assert_all_verify(it, 1);
}

/* ---- what is carried over ----------------------------------------------------------------- */

static void test_files_that_cannot_be_linked_are_copied(void **state) {
    bench *it = *state;
    static const int reasons[] = {EXDEV, EPERM, EMLINK, EOPNOTSUPP};
    bench_save_well(it, RUN);
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        fake_kernel_fail("linkat", 1, reasons[i], FAKE_EVER_AFTER);
        assert_int_equal(regenerate(it), FK_OK);
        fake_kernel_relent();
    }
    assert_false(share_weights(it, RUN, ENTRY));
    bench_assert_all_verify(it, 1);
    fake_kernel_fail("linkat", 1, EIO, FAKE_ONCE);
    assert_int_equal(regenerate(it), FK_E_IO);
}

static void test_damage_is_not_vouched_for_anew(void **state) {
    bench *it = *state;
    fk_run_list *runs = NULL;
    bench_save_well(it, RUN);
    tree_write(bench_in_runs(it, RUN "/feedback.json"), "{}", 2);
    assert_int_equal(unlink(bench_in_runs(it, RUN "/eval-glyphs/A.png")), 0);
    assert_int_equal(regenerate(it), FK_OK);
    assert_int_equal(fk_verify(it->store, NULL, NULL, NULL, NULL, &runs, &it->err), FK_OK);
    const fk_run_info *info = fk_run_list_at(runs, 0);
    assert_int_equal(info->health, FK_CORRUPT);
    assert_int_equal(info->problem_count, 2);
    assert_string_equal(info->problems[0].path, "eval-glyphs/A.png");
    assert_string_equal(info->problems[1].path, "feedback.json");
    fk_run_list_destroy(runs);
}

static void test_strangers_come_along_and_what_the_manifest_says_stays(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    tree_write(bench_in_runs(it, RUN "/notes.txt"), "mine", 4);
    assert_int_equal(symlink("/etc/passwd", bench_in_runs(it, RUN "/link")), 0);
    assert_int_equal(regenerate(it), FK_OK);
    assert_true(tree_exists(bench_in_runs(it, RUN "/notes.txt")));
    assert_false(tree_exists(bench_in_runs(it, RUN "/link")));
    size_t length = 0;
    char *old = tree_read(bench_in_runs(it, ENTRY "/run.json"), &length);
    char *fresh = tree_read(bench_in_runs(it, RUN "/run.json"), &length);
    const char *same[] = {"\"status\"",  "\"started_at\"",  "\"ended_at\"",       "\"training\"",
                          "\"metrics\"", "\"personality\"", "\"weights_version\""};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        const char *a = strstr(old, same[i]);
        const char *b = strstr(fresh, same[i]);
        assert_non_null(a);
        assert_non_null(b);
        assert_memory_equal(a, b, strcspn(a, "\n"));
    }
    free(old);
    free(fresh);
}

static void test_a_run_whose_manifest_cannot_be_used_is_refused(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    tree_write(bench_in_runs(it, RUN "/run.json"), "{", 1);
    char *before = tree_listing(it->path, true);
    assert_int_equal(regenerate(it), FK_E_CORRUPT);
    char *after = tree_listing(it->path, true);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

/* ---- failures ----------------------------------------------------------------------------- */

static void check_state(bench *it, fk_code code, size_t old_sample) {
    bool published = code == FK_OK || code == FK_E_NOT_DURABLE;
    fk_recovery *recovery = NULL;
    assert_int_equal(fk_recover(it->store, &recovery, &it->err), FK_OK);
    fk_recovery_destroy(recovery);
    assert_int_equal(tree_count(bench_in_runs(it, ""), ".stage-", NULL), 0);
    bench_assert_all_verify(it, 1);
    assert_int_equal(generation_of(it, RUN), published ? 2 : 1);
    assert_int_equal(sample_bytes(it) == old_sample, !published);
    assert_trash(it, published ? "2" : "");
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
    size_t old_sample = sample_bytes(it);
    size_t made = fake_kernel_count(call);
    fake_kernel_fail(call, nth, system_errno, duration);
    if (no_exchange) {
        fake_kernel_fail("renameat2", 1, EINVAL, FAKE_EVER_AFTER);
    }
    it->err = (fk_error){0};
    fk_code code = regenerate(it);
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
    assert_int_equal(regenerate(it), FK_OK);
    syncs = fake_kernel_count("fsync") - syncs;
    fake_kernel_fail("fsync", syncs, EIO, FAKE_ONCE);
    assert_int_equal(regenerate(it), FK_E_NOT_DURABLE);
    assert_int_equal(it->err.system_errno, EIO);
    assert_int_equal(generation_of(it, RUN), 3);
    fake_kernel_fail("fsync", syncs - 1, EIO, FAKE_ONCE);
    assert_int_equal(regenerate(it), FK_E_IO);
    assert_int_equal(generation_of(it, RUN), 3);
}

/* ---- without exchange --------------------------------------------------------------------- */

static void test_without_exchange_two_renames_do_it(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    fake_kernel_fail("renameat2", 1, EINVAL, FAKE_EVER_AFTER);
    fake_kernel_record_clear();
    assert_int_equal(regenerate(it), FK_OK);
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
    assert_int_equal(generation_of(it, RUN), 2);
    assert_trash(it, "2");
    bench_assert_all_verify(it, 1);
    recover(it, 0, 0);
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
        (void)regenerate(it);
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
    assert_int_equal(regenerate(it), FK_OK);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        made[i] = fake_kernel_count(calls[i]) - made[i];
    }
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        for (size_t nth = 1; nth <= made[i]; nth++) {
            uint64_t before = generation_of(it, RUN);
            die_at(it, calls[i], nth, false);
            bench_assert_all_verify(it, 1);
            fk_recovery *recovery = NULL;
            assert_int_equal(fk_recover(it->store, &recovery, &it->err), FK_OK);
            fk_recovery_destroy(recovery);
            uint64_t after = generation_of(it, RUN);
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
    recover(it, 1, 1); /* the lock file of the first stage */
    assert_int_equal(generation_of(it, RUN), 2);
    bench_assert_all_verify(it, 1);
    assert_trash(it, "2");
}

static void test_a_save_mends_it_too(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    die_at(it, "renameat", 4, true);
    bench_reopen(it, NULL);
    bench_save_well(it, RUN "-0001");
    assert_int_equal(generation_of(it, RUN), 2);
    bench_assert_all_verify(it, 2);
}

static void test_a_kill_before_the_run_left_its_place_undoes_the_change(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    die_at(it, "renameat", 3, true);
    assert_true(tree_exists(bench_in_runs(it, ".stage-" RUN)));
    recover(it, 2, 0);
    assert_int_equal(generation_of(it, RUN), 1);
    assert_trash(it, "");
}

/* ---- never published ---------------------------------------------------------------------- */

static void test_a_generation_that_was_never_published_is_hidden_and_removed(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    die_at(it, "renameat2", 2, false);
    assert_true(tree_exists(bench_in_runs(it, ENTRY)));
    assert_int_equal(generation_of(it, RUN), 1);
    assert_trash(it, "");
    fk_trash_list *purged = NULL;
    assert_int_equal(fk_purge(it->store, "1-fruity/" RUN ".2", &purged, &it->err),
                     FK_E_RUN_NOT_FOUND);
    assert_int_equal(fk_purge(it->store, NULL, &purged, &it->err), FK_OK);
    fk_trash_list_destroy(purged);
    recover(it, 2, 0); /* it, and the lock file of its stage */
    assert_false(tree_exists(bench_in_runs(it, ENTRY)));
    bench_assert_all_verify(it, 1);
}

static void test_the_next_change_removes_it_first(void **state) {
    bench *it = *state;
    fk_trash_entry entry;
    bench_save_well(it, RUN);
    die_at(it, "renameat2", 2, false);
    assert_int_equal(regenerate(it), FK_OK);
    assert_int_equal(generation_of(it, RUN), 2);
    assert_trash(it, "2");
    die_at(it, "renameat2", 2, false);
    assert_int_equal(fk_rm(it->store, "1-fruity", RUN, &entry, &it->err), FK_OK);
    assert_trash(it, "2, 3");
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

/* ---- others ------------------------------------------------------------------------------- */

static void put_another_in_place(void *user) {
    bench *it = user;
    assert_int_equal(rename(bench_in_runs(it, RUN), bench_in_runs(it, "mine")), 0);
    assert_int_equal(mkdir(bench_in_runs(it, RUN), 0777), 0);
    tree_write(bench_in_runs(it, RUN "/weights"), "other", 5);
}

static void test_a_run_that_somebody_replaced_meanwhile_is_left_alone(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    fake_kernel_before("renameat2", 2, put_another_in_place, it);
    assert_int_equal(regenerate(it), FK_E_BUSY);
    size_t length = 0;
    char *text = tree_read(bench_in_runs(it, RUN "/weights"), &length);
    assert_string_equal(text, "other");
    free(text);
    assert_int_equal(tree_count(bench_in_runs(it, ""), ".trash-", NULL), 0);
    assert_int_equal(tree_count(bench_in_runs(it, ""), ".stage-", NULL), 0);
}

static void remove_the_run(void *user) {
    bench *it = user;
    assert_int_equal(rename(bench_in_runs(it, RUN), bench_in_runs(it, ".trash-" RUN ".1")), 0);
}

static void test_a_run_that_was_removed_meanwhile_stays_removed(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    fake_kernel_before("renameat2", 2, remove_the_run, it);
    assert_int_equal(regenerate(it), FK_E_RUN_NOT_FOUND);
    assert_false(tree_exists(bench_in_runs(it, RUN)));
    assert_trash(it, "1");
}

/* ---- restoring ---------------------------------------------------------------------------- */

static void test_a_replaced_generation_comes_back_as_the_newest(void **state) {
    bench *it = *state;
    fk_trash_entry entry;
    bench_save_well(it, RUN);
    size_t old_sample = sample_bytes(it);
    assert_int_equal(regenerate(it), FK_OK);
    assert_int_not_equal(sample_bytes(it), old_sample);
    assert_int_equal(fk_restore(it->store, "1-fruity/" RUN ".2", &entry, &it->err), FK_OK);
    assert_int_equal(sample_bytes(it), old_sample);
    assert_int_equal(generation_of(it, RUN), 3);
    assert_trash(it, "3"); /* the one that was there */
    bench_assert_all_verify(it, 1);
    recover(it, 0, 0);
    assert_int_equal(fk_restore(it->store, "1-fruity/" RUN ".3", &entry, &it->err), FK_OK);
    assert_int_not_equal(sample_bytes(it), old_sample);
    assert_int_equal(generation_of(it, RUN), 4);
    assert_trash(it, "4");
    bench_assert_all_verify(it, 1);
}

static void test_a_generation_without_a_manifest_changes_places_with_the_run(void **state) {
    bench *it = *state;
    fk_trash_entry entry;
    bench_save_well(it, RUN);
    assert_int_equal(regenerate(it), FK_OK);
    assert_int_equal(unlink(bench_in_runs(it, ENTRY "/run.json")), 0);
    assert_int_equal(fk_restore(it->store, "1-fruity/" RUN ".2", &entry, &it->err), FK_OK);
    assert_false(tree_exists(bench_in_runs(it, RUN "/run.json")));
    assert_trash(it, "3"); /* not 2: that is the generation of what is there now */
    recover(it, 0, 0);
    assert_trash(it, "3");
    assert_int_equal(fk_restore(it->store, "1-fruity/" RUN ".3", &entry, &it->err), FK_OK);
    bench_assert_all_verify(it, 1);
}

static void test_a_damaged_run_is_replaced_by_the_generation_before(void **state) {
    bench *it = *state;
    fk_trash_entry entry;
    bench_save_well(it, RUN);
    assert_int_equal(regenerate(it), FK_OK);
    tree_write(bench_in_runs(it, RUN "/run.json"), "{", 1);
    assert_trash(it, "2");
    assert_int_equal(fk_restore(it->store, "1-fruity/" RUN ".2", &entry, &it->err), FK_OK);
    bench_assert_all_verify(it, 1);
    assert_trash(it, "3");
    recover(it, 0, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup_at_now, bench_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_generation_makes_these_calls_in_this_order),
        TEST(test_numbers_rise_and_each_generation_before_stays_in_the_trash),
        TEST(test_without_durability_nothing_is_synced),
        TEST(test_files_that_cannot_be_linked_are_copied),
        TEST(test_damage_is_not_vouched_for_anew),
        TEST(test_strangers_come_along_and_what_the_manifest_says_stays),
        TEST(test_a_run_whose_manifest_cannot_be_used_is_refused),
        cmocka_unit_test(test_whatever_fails_the_run_is_as_it_was_or_new),
        TEST(test_the_last_sync_that_fails_is_told_apart),
        TEST(test_without_exchange_two_renames_do_it),
        cmocka_unit_test(test_without_exchange_whatever_fails_the_run_is_as_it_was_or_new),
        TEST(test_a_kill_anywhere_leaves_the_run_old_or_new),
        TEST(test_a_kill_between_the_two_renames_is_mended_by_the_next_sweep),
        TEST(test_a_save_mends_it_too),
        TEST(test_a_kill_before_the_run_left_its_place_undoes_the_change),
        TEST(test_a_generation_that_was_never_published_is_hidden_and_removed),
        TEST(test_the_next_change_removes_it_first),
        TEST(test_recover_leaves_a_generation_alone_that_is_being_published),
        TEST(test_a_run_that_somebody_replaced_meanwhile_is_left_alone),
        TEST(test_a_run_that_was_removed_meanwhile_stays_removed),
        TEST(test_a_replaced_generation_comes_back_as_the_newest),
        TEST(test_a_generation_without_a_manifest_changes_places_with_the_run),
        TEST(test_a_damaged_run_is_replaced_by_the_generation_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
