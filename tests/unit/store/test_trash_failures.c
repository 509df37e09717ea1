/* Removal with a way back: what rm, trash, restore and purge do, call by call, and what is left
 * when a call fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "fake_kernel.h"
#include "fontkeep/fontkeep.h"
#include "tree.h"

static fk_trash_entry entry; /* what the last call gave */

static fk_code rm(bench *it, const char *run_id) {
    memset(&entry, 0, sizeof entry);
    return fk_rm(it->store, "1-fruity", run_id, &entry, &it->err);
}

static fk_code restore(bench *it, const char *trash_id) {
    char id[FK_TRASH_ID_BYTES * 4]; /* it may be that of `entry` */
    snprintf(id, sizeof id, "%s", trash_id);
    memset(&entry, 0, sizeof entry);
    return fk_restore(it->store, id, &entry, &it->err);
}

static size_t trash_count(bench *it) {
    fk_trash_list *trash = NULL;
    assert_int_equal(fk_trash(it->store, &trash, &it->err), FK_OK);
    size_t count = fk_trash_list_count(trash);
    fk_trash_list_destroy(trash);
    return count;
}

static void recover(bench *it, size_t removed) {
    fk_recovery *recovery = NULL;
    assert_int_equal(fk_recover(it->store, &recovery, &it->err), FK_OK);
    assert_int_equal(recovery->removed_count, removed);
    fk_recovery_destroy(recovery);
}

/* ---- failures ----------------------------------------------------------------------------- */

/* those that change something come first */
static const char *const calls[] = {"openat_beneath", "write",    "fsync",    "renameat2",
                                    "unlinkat",       "set_lock", "getdents", "getrandom",
                                    "fstatat",        "fstat",    "close"};

typedef struct change {
    const char *name;
    fk_code (*call)(bench *it);
    void (*prepare)(bench *it);
} change;

static fk_code call_rm_run(bench *it) {
    return rm(it, NOW_TEXT);
}
static fk_code call_rm_font(bench *it) {
    return rm(it, NULL);
}
static fk_code call_restore_run(bench *it) {
    return restore(it, "1-fruity/" NOW_TEXT ".1");
}
static fk_code call_restore_font(bench *it) {
    return restore(it, "1-fruity.1");
}
static fk_code call_purge(bench *it) {
    fk_trash_list *purged = NULL;
    fk_code code = fk_purge(it->store, "1-fruity/" NOW_TEXT ".1", &purged, &it->err);
    fk_trash_list_destroy(purged);
    return code;
}
static void prepare_nothing(bench *it) {
    (void)it;
}
static void prepare_removed_run(bench *it) {
    assert_int_equal(rm(it, NOW_TEXT), FK_OK);
}
static void prepare_removed_font(bench *it) {
    assert_int_equal(rm(it, NULL), FK_OK);
}

/* What counts: runs, trash, strangers; not stages, which recover removes. */
static char *visible(bench *it) {
    fk_recovery *recovery = NULL;
    assert_int_equal(fk_recover(it->store, &recovery, &it->err), FK_OK);
    fk_recovery_destroy(recovery);
    return tree_listing(it->path, true);
}

/* False when the call was not made so often. */
static bool fail_once(bench *it, const change *tried, const char *call, size_t nth,
                      int system_errno, fake_duration duration) {
    char *before = visible(it);
    fake_kernel_fail(call, nth, system_errno, duration);
    size_t made = fake_kernel_count(call);
    it->err = (fk_error){0};
    fk_code code = tried->call(it);
    bool reached = fake_kernel_count(call) - made >= nth;
    fake_kernel_relent();
    char *after = visible(it);
    if (code == FK_OK || code == FK_E_NOT_DURABLE) {
        assert_string_not_equal(after, before);
    } else {
        assert_int_equal(it->err.code, code);
        assert_string_not_equal(it->err.message, "");
        /* a purge that failed behind its rename has purged: what is left is a dead stage */
        bool purged = tried->call == call_purge && strcmp(after, before) != 0;
        if (!purged) {
            assert_string_equal(after, before);
        }
    }
    if (code == FK_E_NOT_DURABLE) {
        assert_string_equal(call, "fsync");
    }
    free(before);
    free(after);
    return reached;
}

enum { CHANGING_CALLS = 5, ALL_CALLS = sizeof calls / sizeof calls[0] };

static void check_failures(const change *tried, size_t count, int system_errno,
                           fake_duration duration) {
    for (size_t i = 0; i < count; i++) {
        bool reached = true;
        for (size_t nth = 1; reached; nth++) {
            void *state = NULL;
            bench_setup_at_now(&state);
            bench *it = state;
            const fk_store_options fast = {.size = sizeof fast, .durability = FK_DURABILITY_NONE};
            bench_reopen(it, &fast);
            bench_save_well(it, NOW_TEXT);
            tried->prepare(it);
            bench_reopen(it, NULL);
            reached = fail_once(it, tried, calls[i], nth, system_errno, duration);
            bench_teardown(&state);
        }
    }
}

static void test_whatever_fails_all_is_as_before_or_the_change_is_done(void **state) {
    (void)state;
    static const change changes[] = {
        {"rm run", call_rm_run, prepare_nothing},
        {"rm font", call_rm_font, prepare_nothing},
        {"restore run", call_restore_run, prepare_removed_run},
        {"restore font", call_restore_font, prepare_removed_font},
        {"purge", call_purge, prepare_removed_run},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        check_failures(&changes[i], ALL_CALLS, EIO, FAKE_ONCE);
        check_failures(&changes[i], CHANGING_CALLS, EIO, FAKE_EVER_AFTER);
        check_failures(&changes[i], CHANGING_CALLS, ENOSPC, FAKE_ONCE);
    }
}

static void test_a_sync_that_fails_behind_the_rename_is_told_apart(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    fake_kernel_fail("fsync", 1, EIO, FAKE_ONCE);
    assert_int_equal(rm(it, NOW_TEXT), FK_E_NOT_DURABLE);
    assert_string_equal(entry.trash_id, "1-fruity/" NOW_TEXT ".1");
    assert_int_equal(it->err.system_errno, EIO);
    fake_kernel_fail("fsync", 1, EIO, FAKE_ONCE);
    assert_int_equal(restore(it, entry.trash_id), FK_E_NOT_DURABLE);
    assert_string_equal(entry.run_id.text, NOW_TEXT);
    bench_assert_all_verify(it, 1);
}

static void crash(void *user) {
    *(bool *)user = true;
    fake_kernel_fail("*", 1, EIO, FAKE_EVER_AFTER);
}

static void test_a_purge_cut_off_leaves_a_dead_stage(void **state) {
    bench *it = *state;
    bool crashed = false;
    bench_save_well(it, NOW_TEXT);
    assert_int_equal(rm(it, NULL), FK_OK);
    fk_trash_list *purged = NULL;
    fake_kernel_before("unlinkat", 2, crash, &crashed);
    assert_int_not_equal(fk_purge(it->store, NULL, &purged, &it->err), FK_OK);
    assert_true(crashed);
    fake_kernel_relent();
    assert_int_equal(trash_count(it), 0);
    assert_int_equal(tree_count(it->path, ".stage-", NULL), 2);
    fk_store_report *report = NULL;
    assert_int_equal(fk_status(it->store, &report, &it->err), FK_OK);
    assert_int_equal(report->stages, 1);
    assert_int_equal(report->stranger_count, 0);
    fk_store_report_destroy(report);
    recover(it, 1);
    assert_int_equal(tree_count(it->path, ".stage-", NULL), 0);
}

static void test_without_a_name_to_hide_it_under_nothing_is_purged(void **state) {
    bench *it = *state;
    fk_trash_list *purged = NULL;
    bench_save_well(it, NOW_TEXT);
    assert_int_equal(rm(it, NULL), FK_OK);
    fake_kernel_fail("getrandom", 1, ENOSPC, FAKE_ONCE);
    assert_int_equal(fk_purge(it->store, NULL, &purged, &it->err), FK_E_NO_SPACE);
    assert_int_equal(trash_count(it), 1);
}

static void test_a_full_disk_can_be_purged(void **state) {
    bench *it = *state;
    fk_trash_list *purged = NULL;
    bench_save_well(it, NOW_TEXT);
    fake_kernel_fail("write", 1, ENOSPC, FAKE_EVER_AFTER);
    assert_int_equal(rm(it, NOW_TEXT), FK_OK);
    assert_int_equal(fk_purge(it->store, NULL, &purged, &it->err), FK_OK);
    fk_trash_list_destroy(purged);
    assert_int_equal(tree_count(bench_in_runs(it, ""), ".", NULL), 0);
}

static void open_failure(bench *it, fk_code (*call)(bench *it), size_t nth) {
    fake_kernel_fail("openat_beneath", nth, EIO, FAKE_ONCE);
    it->err = (fk_error){0};
    assert_int_equal(call(it), FK_E_IO);
    assert_non_null(strstr(it->err.path, "1-fruity"));
    fake_kernel_relent();
}

static fk_code list_trash(bench *it) {
    fk_trash_list *trash = NULL;
    fk_code code = fk_trash(it->store, &trash, &it->err);
    fk_trash_list_destroy(trash);
    return code;
}

static fk_code purge_all(bench *it) {
    fk_trash_list *purged = NULL;
    fk_code code = fk_purge(it->store, NULL, &purged, &it->err);
    fk_trash_list_destroy(purged);
    return code;
}

static void test_a_font_that_cannot_be_opened_is_no_font_without_trash(void **state) {
    bench *it = *state;
    fk_recovery *recovery = NULL;
    bench_save_well(it, NOW_TEXT);
    assert_int_equal(rm(it, NOW_TEXT), FK_OK);
    for (size_t nth = 1; nth <= 2; nth++) { /* the font, its runs/ */
        open_failure(it, list_trash, nth);
        open_failure(it, purge_all, nth);
    }
    fake_kernel_fail("openat_beneath", 1, EACCES, FAKE_ONCE);
    assert_int_equal(fk_recover(it->store, &recovery, &it->err), FK_OK);
    assert_int_equal(recovery->kept_count, 1);
    assert_string_equal(recovery->kept[0], "1-fruity");
    assert_non_null(strstr(recovery->reasons[0], "Permission denied"));
    fk_recovery_destroy(recovery);
    assert_int_equal(trash_count(it), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup_at_now, bench_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whatever_fails_all_is_as_before_or_the_change_is_done),
        TEST(test_a_sync_that_fails_behind_the_rename_is_told_apart),
        TEST(test_a_purge_cut_off_leaves_a_dead_stage),
        TEST(test_without_a_name_to_hide_it_under_nothing_is_purged),
        TEST(test_a_full_disk_can_be_purged),
        TEST(test_a_font_that_cannot_be_opened_is_no_font_without_trash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
