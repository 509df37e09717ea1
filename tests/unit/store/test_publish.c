/* The commit protocol, call by call, and what is left when any of them fails. */
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
#include "fontkeep/fontkeep.h"
#include "sample_model.h"
#include "tree.h"

#define NOW_US   INT64_C(1768120200000000) /* 2026-01-11T08:30:00.000000 */
#define NOW_TEXT "2026-01-11T08:30:00.000000"

typedef struct bench {
    char *path;
    fk_store *store;
    sample_model sample;
    fk_run_id id;
    fk_error err;
} bench;

static int setup(void **state) {
    bench *it = calloc(1, sizeof *it);
    it->path = tree_create();
    fake_kernel_install();
    fake_kernel_set_time(NOW_US);
    assert_int_equal(fk_store_open(it->path, NULL, &it->store, &it->err), FK_OK);
    sample_model_init(&it->sample, 1000);
    *state = it;
    return 0;
}

static int teardown(void **state) {
    bench *it = *state;
    sample_model_finish(&it->sample);
    fk_store_close(it->store);
    fake_kernel_remove();
    tree_destroy(it->path);
    free(it);
    return 0;
}

static fk_code save(bench *it) {
    it->id = (fk_run_id){"untouched"};
    return fk_save_model(it->store, "1-fruity", &it->sample.model, &it->id, &it->err);
}

static void save_well(bench *it, const char *id) {
    assert_int_equal(save(it), FK_OK);
    assert_string_equal(it->id.text, id);
}

static void reopen(bench *it, const fk_store_options *options) {
    fk_store_close(it->store);
    assert_int_equal(fk_store_open(it->path, options, &it->store, &it->err), FK_OK);
}

static const char *in_runs(bench *it, const char *name) {
    char path[1024];
    snprintf(path, sizeof path, "1-fruity/runs/%s", name);
    return tree_path(it->path, path);
}

static void assert_all_verify(bench *it, size_t count) {
    fk_run_list *runs = NULL;
    assert_int_equal(fk_verify(it->store, NULL, NULL, NULL, NULL, &runs, &it->err), FK_OK);
    assert_int_equal(fk_run_list_count(runs), count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(fk_run_list_at(runs, i)->health, FK_COMPLETE);
    }
    fk_run_list_destroy(runs);
}

/* ---- the order of calls ------------------------------------------------------------------- */

/* What was recorded, with "R" for the random part of names. The caller frees it. */
static char *record_without_chance(void) {
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

static void test_a_save_makes_these_calls_in_this_order(void **state) {
    bench *it = *state;
    save_well(it, NOW_TEXT); /* the first: font, identity and probe are made */
    fake_kernel_record_clear();
    save_well(it, NOW_TEXT "-0001");
    char *record = record_without_chance();
    assert_string_equal(record, "openat_beneath .stage-R.lock\n"
                                "set_lock .stage-R.lock\n"
                                "write .stage-R.lock\n"
                                "mkdirat .stage-R\n"
                                "openat_beneath weights\n"
                                "write weights\n"
                                "openat_beneath sample.png\n"
                                "write sample.png\n"
                                "mkdirat eval-glyphs\n"
                                "openat_beneath eval-glyphs/A.png\n"
                                "write eval-glyphs/A.png\n"
                                "openat_beneath eval-glyphs/uni00E9.png\n"
                                "write eval-glyphs/uni00E9.png\n"
                                "openat_beneath feedback.json\n"
                                "write feedback.json\n"
                                "openat_beneath run.json\n"
                                "write run.json\n"
                                "sync_file_range weights\n"
                                "sync_file_range sample.png\n"
                                "sync_file_range eval-glyphs/A.png\n"
                                "sync_file_range eval-glyphs/uni00E9.png\n"
                                "sync_file_range feedback.json\n"
                                "sync_file_range run.json\n"
                                "fsync weights\n"
                                "close weights\n"
                                "fsync sample.png\n"
                                "close sample.png\n"
                                "fsync eval-glyphs/A.png\n"
                                "close eval-glyphs/A.png\n"
                                "fsync eval-glyphs/uni00E9.png\n"
                                "close eval-glyphs/uni00E9.png\n"
                                "fsync feedback.json\n"
                                "close feedback.json\n"
                                "fsync run.json\n"
                                "close run.json\n"
                                "fsync eval-glyphs\n"
                                "fsync .stage-R\n"
                                "renameat2 .stage-R -> " NOW_TEXT "-0001\n"
                                "fsync runs\n"
                                "unlinkat .stage-R.lock\n"
                                "close .stage-R.lock\n");
    free(record);
}

static void test_the_first_save_makes_font_and_runs_durable_before_the_rename(void **state) {
    bench *it = *state;
    save_well(it, NOW_TEXT);
    const char *record = fake_kernel_record();
    const char *font = strstr(record, "fsync 1-fruity\n");
    const char *made = strstr(record, "mkdirat 1-fruity\nmkdirat runs\n");
    const char *renamed = strstr(record, "renameat2");
    assert_non_null(made);
    assert_non_null(font);
    assert_true(made < font && font < renamed);
    /* and so does the first save of another process, which cannot know who made them */
    reopen(it, NULL);
    fake_kernel_record_clear();
    save_well(it, NOW_TEXT "-0001");
    font = strstr(fake_kernel_record(), "fsync 1-fruity\n");
    assert_non_null(font);
    assert_true(font < strstr(fake_kernel_record(), "renameat2"));
}

static void test_without_durability_nothing_is_synced(void **state) {
    bench *it = *state;
    const fk_store_options options = {.size = sizeof options, .durability = FK_DURABILITY_NONE};
    reopen(it, &options);
    save_well(it, NOW_TEXT);
    assert_int_equal(fake_kernel_count("fsync"), 0);
    assert_int_equal(fake_kernel_count("sync_file_range"), 0);
    assert_all_verify(it, 1);
}

/* ---- failures ----------------------------------------------------------------------------- */

static const char *const changing_calls[] = {"openat_beneath", "openat",    "write",    "fsync",
                                             "mkdirat",        "renameat2", "close",    "getdents",
                                             "getrandom",      "fstatat",   "unlinkat", "linkat",
                                             "set_lock",       "fallocate", "fstatvfs"};

/* Whatever fails: either nothing was saved and the store is as it was, or a whole run was. */
static void check_one_failure(bench *it, const char *call, size_t nth, int system_errno,
                              fake_duration duration) {
    char *before = tree_listing(it->path, true);
    size_t runs = tree_count(in_runs(it, ""), "2", NULL);
    fake_kernel_fail(call, nth, system_errno, duration);
    fk_code code = save(it);
    fake_kernel_relent();
    if (code == FK_OK || code == FK_E_NOT_DURABLE) {
        assert_true(tree_exists(in_runs(it, it->id.text)));
        assert_int_equal(tree_count(in_runs(it, ""), "2", NULL), runs + 1);
    } else {
        assert_string_equal(it->id.text, "untouched");
        assert_int_equal(it->err.code, code);
        assert_string_not_equal(it->err.message, "");
        assert_int_equal(tree_count(in_runs(it, ""), "2", NULL), runs);
        /* what could not be removed because that failed, too, recover removes */
        if (tree_count(in_runs(it, ""), ".stage-", NULL) > 0) {
            assert_true(strcmp(call, "unlinkat") == 0 || duration == FAKE_EVER_AFTER);
            fk_recovery *recovery = NULL;
            assert_int_equal(fk_recover(it->store, &recovery, &it->err), FK_OK);
            fk_recovery_destroy(recovery);
        }
        char *after = tree_listing(it->path, true);
        assert_string_equal(after, before);
        free(after);
    }
    free(before);
}

static void check_failures_of(bench *it, const char *call, int system_errno,
                              fake_duration duration) {
    for (size_t nth = 1; nth < 200; nth++) {
        size_t calls_before = fake_kernel_count(call);
        check_one_failure(it, call, nth, system_errno, duration);
        if (fake_kernel_count(call) - calls_before < nth) {
            return; /* a save does not make so many */
        }
    }
    fail_msg("a save made 200 calls of %s", call);
}

static void test_whichever_call_fails_a_save_is_whole_or_not_there(void **state) {
    bench *it = *state;
    save_well(it, NOW_TEXT);
    for (size_t i = 0; i < sizeof changing_calls / sizeof changing_calls[0]; i++) {
        check_failures_of(it, changing_calls[i], EIO, FAKE_ONCE);
    }
    assert_all_verify(it, tree_count(in_runs(it, ""), "2", NULL));
}

static void test_whatever_goes_on_failing_a_save_is_whole_or_not_there(void **state) {
    bench *it = *state;
    save_well(it, NOW_TEXT);
    static const char *const calls[] = {"write",     "fsync",          "mkdirat",
                                        "renameat2", "openat_beneath", "unlinkat"};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        check_failures_of(it, calls[i], EIO, FAKE_EVER_AFTER);
    }
    assert_all_verify(it, tree_count(in_runs(it, ""), "2", NULL));
}

static void test_a_full_disk_or_quota_leaves_the_store_as_it_was(void **state) {
    bench *it = *state;
    save_well(it, NOW_TEXT);
    static const char *const calls[] = {"write", "fsync", "mkdirat", "openat_beneath", "close"};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        check_failures_of(it, calls[i], ENOSPC, FAKE_ONCE);
        check_failures_of(it, calls[i], EDQUOT, FAKE_ONCE);
    }
    fake_kernel_fail("write", 3, EDQUOT, FAKE_ONCE);
    assert_int_equal(save(it), FK_E_NO_SPACE);
    assert_int_equal(it->err.system_errno, EDQUOT);
    assert_non_null(strstr(it->err.path, "1-fruity/runs/.stage-"));
}

static void test_a_failed_first_save_takes_the_font_away_again(void **state) {
    bench *it = *state;
    static const char *const calls[] = {"write", "fsync", "mkdirat", "renameat2"};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        for (size_t nth = 1; nth < 50; nth++) {
            size_t before = fake_kernel_count(calls[i]);
            fake_kernel_fail(calls[i], nth, EIO, FAKE_ONCE);
            fk_code code = save(it);
            fake_kernel_relent();
            if (code == FK_OK || code == FK_E_NOT_DURABLE) {
                assert_true(tree_exists(in_runs(it, it->id.text)));
                reopen(it, NULL);
                tree_destroy(it->path);
                assert_int_equal(mkdir(it->path = strdup(fk_store_path(it->store)), 0777), 0);
            } else {
                assert_int_equal(tree_count(it->path, "", NULL), 0);
            }
            if (fake_kernel_count(calls[i]) - before < nth) {
                break;
            }
        }
    }
}

/* After a failed sync the kernel may have dropped the data and would answer "good". */
static void test_after_a_failed_sync_nothing_is_synced_again(void **state) {
    bench *it = *state;
    save_well(it, NOW_TEXT);
    for (size_t nth = 1; nth <= 8; nth++) {
        fake_kernel_record_clear();
        fake_kernel_fail("fsync", nth, EIO, FAKE_ONCE);
        assert_int_equal(save(it), FK_E_IO);
        const char *failed = strstr(fake_kernel_record(), "(EIO)");
        assert_non_null(failed);
        assert_null(strstr(failed, "fsync"));
        assert_null(strstr(fake_kernel_record(), "renameat2"));
        fake_kernel_relent();
    }
}

static void test_a_failing_last_sync_is_not_durable_and_says_the_id(void **state) {
    bench *it = *state;
    save_well(it, NOW_TEXT);
    fake_kernel_fail("fsync", 9, EIO, FAKE_ONCE);
    assert_int_equal(save(it), FK_E_NOT_DURABLE);
    assert_string_equal(it->id.text, NOW_TEXT "-0001");
    assert_int_equal(it->err.system_errno, EIO);
    assert_non_null(strstr(it->err.message, NOW_TEXT "-0001"));
    assert_int_equal(tree_count(in_runs(it, ""), ".stage-", NULL), 0);
    assert_all_verify(it, 2);
    save_well(it, NOW_TEXT "-0002");
}

/* ---- ids ---------------------------------------------------------------------------------- */

static void test_a_clock_that_stands_or_goes_back_still_gives_rising_ids(void **state) {
    bench *it = *state;
    save_well(it, NOW_TEXT);
    save_well(it, NOW_TEXT "-0001");
    fake_kernel_set_time(NOW_US - INT64_C(3600000000));
    save_well(it, NOW_TEXT "-0002");
    fake_kernel_set_time(NOW_US + 1);
    save_well(it, "2026-01-11T08:30:00.000001");
    reopen(it, NULL);
    fake_kernel_set_time(NOW_US);
    save_well(it, "2026-01-11T08:30:00.000001-0001");
    assert_all_verify(it, 5);
}

static void test_behind_9999_the_instant_moves_on(void **state) {
    bench *it = *state;
    assert_int_equal(fk_create_font(it->store, "1-fruity", NULL), FK_OK);
    assert_int_equal(mkdir(in_runs(it, NOW_TEXT "-9999"), 0777), 0);
    save_well(it, "2026-01-11T08:30:00.000001");
}

static void test_trashed_runs_keep_their_ids(void **state) {
    bench *it = *state;
    save_well(it, NOW_TEXT);
    assert_int_equal(rename(in_runs(it, NOW_TEXT), in_runs(it, ".trash-" NOW_TEXT ".1")), 0);
    reopen(it, NULL);
    save_well(it, NOW_TEXT "-0001");
}

static bench *taker;

static void take_the_id(void *user) {
    const char *name = user;
    assert_int_equal(mkdir(in_runs(taker, name), 0777), 0);
    char path[512];
    snprintf(path, sizeof path, "%s/weights", name);
    tree_write(in_runs(taker, path), "x", 1);
}

static void test_a_taken_id_takes_the_next_from_a_fresh_scan(void **state) {
    bench *it = *state;
    taker = it;
    save_well(it, NOW_TEXT);
    fake_kernel_record_clear();
    char taken[] = NOW_TEXT "-0001";
    fake_kernel_before("renameat2", 1, take_the_id, taken);
    save_well(it, NOW_TEXT "-0002");
    char *record = record_without_chance();
    assert_non_null(strstr(record, "renameat2 .stage-R -> " NOW_TEXT "-0001 (EEXIST)\n"
                                   "unlinkat run.json\n"
                                   "openat_beneath run.json\n"
                                   "write run.json\n"
                                   "sync_file_range run.json\n"
                                   "fsync run.json\n"
                                   "close run.json\n"
                                   "fsync .stage-R\n"
                                   "renameat2 .stage-R -> " NOW_TEXT "-0002\n"
                                   "fsync runs\n"));
    free(record);
    /* the manifest names the id that it got */
    fk_run_info *info = NULL;
    assert_int_equal(fk_get_run_info(it->store, "1-fruity", it->id.text, &info, &it->err), FK_OK);
    assert_string_equal(info->run_id, NOW_TEXT "-0002");
    assert_int_equal(info->health, FK_COMPLETE);
    fk_run_info_destroy(info);
}

static void take_by_a_file(void *user) {
    (void)user;
    tree_write(in_runs(taker, NOW_TEXT), "x", 1);
}

static void test_a_file_of_that_name_takes_the_id_too(void **state) {
    bench *it = *state;
    taker = it;
    assert_int_equal(fk_create_font(it->store, "1-fruity", NULL), FK_OK);
    fake_kernel_before("renameat2", 1, take_by_a_file, NULL);
    save_well(it, NOW_TEXT "-0001");
}

static void test_the_second_manifest_may_fail_as_well(void **state) {
    bench *it = *state;
    taker = it;
    save_well(it, NOW_TEXT);
    char taken[] = NOW_TEXT "-0001";
    fake_kernel_before("renameat2", 1, take_the_id, taken);
    fake_kernel_fail("unlinkat", 1, EIO, FAKE_ONCE);
    assert_int_equal(save(it), FK_E_IO);
    assert_int_equal(tree_count(in_runs(it, ""), ".stage-", NULL), 0);
}

static void test_a_rename_whose_answer_got_lost_is_a_success(void **state) {
    bench *it = *state;
    save_well(it, NOW_TEXT);
    fake_kernel_fail_after("renameat2", 1, EIO);
    save_well(it, NOW_TEXT "-0001");
    assert_all_verify(it, 2);
}

static void test_without_renameat2_a_run_is_published_by_plain_rename(void **state) {
    bench *it = *state;
    fake_kernel_fail("renameat2", 1, EINVAL, FAKE_EVER_AFTER);
    save_well(it, NOW_TEXT);
    taker = it;
    char taken[] = NOW_TEXT "-0001";
    fake_kernel_before("renameat", 1, take_the_id, taken);
    save_well(it, NOW_TEXT "-0002");
}

static void test_runs_is_scanned_again_only_when_somebody_else_changed_it(void **state) {
    bench *it = *state;
    save_well(it, NOW_TEXT);
    save_well(it, NOW_TEXT "-0001");
    size_t scans = fake_kernel_count("getdents");
    save_well(it, NOW_TEXT "-0002");
    save_well(it, NOW_TEXT "-0003");
    assert_int_equal(fake_kernel_count("getdents"), scans);
    assert_int_equal(mkdir(in_runs(it, NOW_TEXT "-0007"), 0777), 0);
    save_well(it, NOW_TEXT "-0008");
    assert_true(fake_kernel_count("getdents") > scans);
}

static void test_a_run_that_comes_in_while_a_draft_is_open_counts(void **state) {
    bench *it = *state;
    save_well(it, NOW_TEXT);
    fk_draft *draft = NULL;
    it->sample.metadata.status = FK_FAILED;
    assert_int_equal(fk_draft_create(it->store, "1-fruity", &it->sample.metadata, &draft, &it->err),
                     FK_OK);
    assert_int_equal(mkdir(in_runs(it, NOW_TEXT "-0005"), 0777), 0);
    assert_int_equal(fk_draft_commit(draft, &it->id, &it->err), FK_OK);
    assert_string_equal(it->id.text, NOW_TEXT "-0006");
    fk_draft_destroy(draft);
}

/* ---- names -------------------------------------------------------------------------------- */

static void test_where_colons_are_refused_the_directory_is_the_twin(void **state) {
    bench *it = *state;
    assert_int_equal(fk_create_font(it->store, "1-fruity", NULL), FK_OK);
    fake_kernel_record_clear();
    /* root, font, runs/, then the probe */
    fake_kernel_fail("openat_beneath", 3, EINVAL, FAKE_ONCE);
    save_well(it, NOW_TEXT);
    char *record = record_without_chance();
    assert_int_equal(strncmp(record, "openat_beneath .stage-R:.lock (EINVAL)\n", 39), 0);
    free(record);
    assert_true(tree_exists(in_runs(it, "2026-01-11T08-30-00.000000")));
    assert_false(tree_exists(in_runs(it, NOW_TEXT)));
    save_well(it, NOW_TEXT "-0001");
    assert_true(tree_exists(in_runs(it, "2026-01-11T08-30-00.000000-0001")));
    assert_all_verify(it, 2);
}

static void test_a_probe_that_fails_otherwise_fails_the_save(void **state) {
    bench *it = *state;
    assert_int_equal(fk_create_font(it->store, "1-fruity", NULL), FK_OK);
    fake_kernel_fail("openat_beneath", 3, ENOSPC, FAKE_ONCE);
    assert_int_equal(save(it), FK_E_NO_SPACE);
    assert_int_equal(tree_count(in_runs(it, ""), "", NULL), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_save_makes_these_calls_in_this_order),
        TEST(test_the_first_save_makes_font_and_runs_durable_before_the_rename),
        TEST(test_without_durability_nothing_is_synced),
        TEST(test_whichever_call_fails_a_save_is_whole_or_not_there),
        TEST(test_whatever_goes_on_failing_a_save_is_whole_or_not_there),
        TEST(test_a_full_disk_or_quota_leaves_the_store_as_it_was),
        TEST(test_a_failed_first_save_takes_the_font_away_again),
        TEST(test_after_a_failed_sync_nothing_is_synced_again),
        TEST(test_a_failing_last_sync_is_not_durable_and_says_the_id),
        TEST(test_a_clock_that_stands_or_goes_back_still_gives_rising_ids),
        TEST(test_behind_9999_the_instant_moves_on),
        TEST(test_trashed_runs_keep_their_ids),
        TEST(test_a_taken_id_takes_the_next_from_a_fresh_scan),
        TEST(test_a_file_of_that_name_takes_the_id_too),
        TEST(test_the_second_manifest_may_fail_as_well),
        TEST(test_a_rename_whose_answer_got_lost_is_a_success),
        TEST(test_without_renameat2_a_run_is_published_by_plain_rename),
        TEST(test_runs_is_scanned_again_only_when_somebody_else_changed_it),
        TEST(test_a_run_that_comes_in_while_a_draft_is_open_counts),
        TEST(test_where_colons_are_refused_the_directory_is_the_twin),
        TEST(test_a_probe_that_fails_otherwise_fails_the_save),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
