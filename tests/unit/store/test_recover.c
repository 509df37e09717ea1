/* What killed savers leave behind: removed when its owner is dead, and only then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake_kernel.h"
#include "fontkeep/fontkeep.h"
#include "os/clock.h"
#include "sample_model.h"
#include "tree.h"

#define DAY   (24L * 60 * 60)
#define STAGE "0123456789abcdef0123456789abcdef"

typedef struct bench {
    char *path;
    fk_store *store;
    sample_model sample;
    fk_run_id id;
    fk_recovery *recovery;
    fk_error err;
} bench;

static int setup(void **state) {
    bench *it = calloc(1, sizeof *it);
    it->path = tree_create();
    fake_kernel_install();
    assert_int_equal(fk_store_open(it->path, NULL, &it->store, &it->err), FK_OK);
    assert_int_equal(fk_create_font(it->store, "1-fruity", &it->err), FK_OK);
    sample_model_init(&it->sample, 100);
    *state = it;
    return 0;
}

static int teardown(void **state) {
    bench *it = *state;
    fk_recovery_destroy(it->recovery);
    sample_model_finish(&it->sample);
    fk_store_close(it->store);
    fake_kernel_remove();
    tree_destroy(it->path);
    free(it);
    return 0;
}

static const char *in_runs(bench *it, const char *name) {
    char path[1024];
    snprintf(path, sizeof path, "1-fruity/runs/%s", name);
    return tree_path(it->path, path);
}

static void make_stage(bench *it) {
    assert_int_equal(mkdir(in_runs(it, ".stage-" STAGE), 0777), 0);
    assert_int_equal(mkdir(in_runs(it, ".stage-" STAGE "/eval-glyphs"), 0777), 0);
    tree_write(in_runs(it, ".stage-" STAGE "/weights"), "half", 4);
    tree_write(in_runs(it, ".stage-" STAGE "/eval-glyphs/A.png"), "half", 4);
}

static void write_lock(bench *it, const char *host, const char *boot_id) {
    char text[512];
    int length = snprintf(text, sizeof text,
                          "{\"host\": \"%s\", \"boot_id\": \"%s\", \"pid\": 77}\n", host, boot_id);
    tree_write(in_runs(it, ".stage-" STAGE ".lock"), text, (size_t)length);
}

static void age_all(bench *it, long seconds) {
    static const char *const names[] = {".stage-" STAGE "/eval-glyphs/A.png",
                                        ".stage-" STAGE "/eval-glyphs", ".stage-" STAGE "/weights",
                                        ".stage-" STAGE, ".stage-" STAGE ".lock"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (tree_exists(in_runs(it, names[i]))) {
            tree_age(in_runs(it, names[i]), seconds);
        }
    }
}

static void recover(bench *it) {
    fk_recovery_destroy(it->recovery);
    it->recovery = NULL;
    assert_int_equal(fk_recover(it->store, &it->recovery, &it->err), FK_OK);
}

static void assert_removed(bench *it, const char *path) {
    recover(it);
    assert_int_equal(it->recovery->removed_count, 1);
    assert_int_equal(it->recovery->kept_count, 0);
    assert_string_equal(it->recovery->removed[0], path);
    assert_int_equal(tree_count(in_runs(it, ""), ".stage-", NULL), 0);
}

static void assert_kept(bench *it, const char *path, const char *reason) {
    size_t before = tree_count(in_runs(it, ""), "", NULL);
    recover(it);
    assert_int_equal(it->recovery->removed_count, 0);
    assert_int_equal(it->recovery->kept_count, 1);
    assert_string_equal(it->recovery->kept[0], path);
    assert_non_null(strstr(it->recovery->reasons[0], reason));
    assert_int_equal(tree_count(in_runs(it, ""), "", NULL), before);
}

static void test_there_is_nothing_to_do_in_a_tidy_store(void **state) {
    bench *it = *state;
    assert_int_equal(fk_save_model(it->store, "1-fruity", &it->sample.model, &it->id, &it->err),
                     FK_OK);
    char *before = tree_listing(it->path, true);
    recover(it);
    assert_int_equal(it->recovery->removed_count, 0);
    assert_int_equal(it->recovery->kept_count, 0);
    char *after = tree_listing(it->path, true);
    assert_string_equal(after, before);
    free(before);
    free(after);
    fk_recovery_destroy(NULL);
}

static void test_a_stage_whose_lock_can_be_had_is_removed_with_its_lock(void **state) {
    bench *it = *state;
    make_stage(it);
    write_lock(it, "elsewhere", "another-boot");
    assert_removed(it, "1-fruity/runs/.stage-" STAGE);
}

static void test_a_draft_that_is_being_written_is_kept(void **state) {
    bench *it = *state;
    fk_draft *draft = NULL;
    char name[256];
    char path[512];
    assert_int_equal(fk_draft_create(it->store, "1-fruity", NULL, &draft, &it->err), FK_OK);
    assert_int_equal(tree_count(in_runs(it, ""), ".stage-", name), 2);
    snprintf(path, sizeof path, "1-fruity/runs/%s", name);
    assert_kept(it, path, "is writing it");
    fk_draft_destroy(draft);
}

static void test_what_a_killed_process_left_is_removed(void **state) {
    bench *it = *state;
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    pid_t child = fork();
    if (child == 0) {
        fk_draft *draft = NULL;
        fk_draft_create(it->store, "1-fruity", NULL, &draft, NULL);
        fk_draft_set_sample(draft, &it->sample.image, NULL);
        if (write(pipe_ends[1], "x", 1) == 1) {
            pause();
        }
        _exit(1);
    }
    char ready;
    assert_int_equal(read(pipe_ends[0], &ready, 1), 1);
    recover(it);
    assert_int_equal(it->recovery->kept_count, 1);
    char pid[64];
    snprintf(pid, sizeof pid, "process %d ", (int)child);
    assert_non_null(strstr(it->recovery->reasons[0], pid));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    recover(it);
    assert_int_equal(it->recovery->removed_count, 1);
    assert_int_equal(tree_count(in_runs(it, ""), "", NULL), 0);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

static void test_a_stage_without_a_lock_file_waits_for_24_hours(void **state) {
    bench *it = *state;
    make_stage(it);
    assert_kept(it, "1-fruity/runs/.stage-" STAGE, "24 hours");
    age_all(it, DAY - 60);
    assert_kept(it, "1-fruity/runs/.stage-" STAGE, "24 hours");
    age_all(it, DAY + 60);
    tree_age(in_runs(it, ".stage-" STAGE "/eval-glyphs/A.png"), 60); /* one file is young */
    assert_kept(it, "1-fruity/runs/.stage-" STAGE, "24 hours");
    age_all(it, DAY + 60);
    assert_removed(it, "1-fruity/runs/.stage-" STAGE);
}

static void test_over_a_network_only_our_own_boot_or_24_hours_count(void **state) {
    bench *it = *state;
    fk_identity self;
    fk_identity_current(&self);
    fake_kernel_set_file_system(NFS_SUPER_MAGIC);
    make_stage(it);
    write_lock(it, "elsewhere", "another-boot");
    assert_kept(it, "1-fruity/runs/.stage-" STAGE, "'elsewhere'");
    write_lock(it, "elsewhere", self.boot_id);
    assert_kept(it, "1-fruity/runs/.stage-" STAGE, "'elsewhere'");
    age_all(it, DAY + 60);
    assert_removed(it, "1-fruity/runs/.stage-" STAGE);
    make_stage(it);
    write_lock(it, self.host, self.boot_id);
    assert_removed(it, "1-fruity/runs/.stage-" STAGE);
}

static void test_where_there_are_no_locks_time_decides(void **state) {
    bench *it = *state;
    make_stage(it);
    write_lock(it, "here", "boot");
    fake_kernel_fail("set_lock", 1, ENOLCK, FAKE_EVER_AFTER);
    assert_kept(it, "1-fruity/runs/.stage-" STAGE, "24 hours");
    age_all(it, DAY + 60);
    assert_removed(it, "1-fruity/runs/.stage-" STAGE);
    /* and saving works all the same */
    assert_int_equal(fk_save_model(it->store, "1-fruity", &it->sample.model, &it->id, &it->err),
                     FK_OK);
}

static void test_a_lock_file_without_a_stage_is_removed_likewise(void **state) {
    bench *it = *state;
    write_lock(it, "elsewhere", "another-boot");
    assert_removed(it, "1-fruity/runs/.stage-" STAGE ".lock");
    fake_kernel_set_file_system(NFS_SUPER_MAGIC);
    tree_write(in_runs(it, ".stage-" STAGE ".lock"), "", 0); /* killed before it wrote its name */
    assert_kept(it, "1-fruity/runs/.stage-" STAGE ".lock", "nobody knows");
    age_all(it, DAY + 60);
    assert_removed(it, "1-fruity/runs/.stage-" STAGE ".lock");
}

static void test_what_cannot_be_removed_is_kept_with_the_reason(void **state) {
    bench *it = *state;
    make_stage(it);
    write_lock(it, "here", "boot");
    fake_kernel_fail("unlinkat", 1, EACCES, FAKE_EVER_AFTER);
    assert_kept(it, "1-fruity/runs/.stage-" STAGE, "ermission");
    fake_kernel_relent();
    assert_int_equal(unlink(in_runs(it, ".stage-" STAGE ".lock")), 0);
    fake_kernel_fail("openat_beneath", 6, EROFS, FAKE_EVER_AFTER);
    age_all(it, DAY + 60);
    recover(it);
    assert_int_equal(it->recovery->kept_count, 1);
    fake_kernel_relent();
    assert_removed(it, "1-fruity/runs/.stage-" STAGE);
}

static void test_a_lock_that_cannot_be_opened_keeps_its_stage(void **state) {
    bench *it = *state;
    make_stage(it);
    assert_int_equal(mkdir(in_runs(it, ".stage-" STAGE ".lock"), 0777), 0);
    recover(it);
    assert_int_equal(it->recovery->removed_count, 0);
    assert_non_null(strstr(it->recovery->reasons[0], "cannot be opened"));
}

static void finish_the_save(void *user) {
    bench *it = user;
    assert_int_equal(unlink(in_runs(it, ".stage-" STAGE ".lock")), 0);
}

static void lock_may_not_be_opened(void **state, int system_errno, const char *reason) {
    bench *it = *state;
    make_stage(it);
    write_lock(it, "here", "boot");
    age_all(it, 2 * DAY);
    fake_kernel_fail("openat_beneath", 3, system_errno, FAKE_ONCE); /* font, runs/, the lock */
    assert_kept(it, "1-fruity/runs/.stage-" STAGE, reason);
}

static void test_a_lock_of_another_user_keeps_its_stage_and_says_why(void **state) {
    lock_may_not_be_opened(
        state, EACCES, "cannot be opened: cannot lock '.stage-" STAGE ".lock': Permission denied");
}

static void test_a_lock_that_says_nothing_is_judged_by_lock_and_time(void **state) {
    bench *it = *state;
    static const char *const texts[] = {"",
                                        "{",
                                        "[1]",
                                        "\xff\xfe",
                                        "{\"host\": 7, \"pid\": \"x\"}",
                                        "{\"boot_id\": null, \"pid\": -5}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *lock = ".stage-" STAGE ".lock";
        make_stage(it);
        tree_write(in_runs(it, lock), texts[i], strlen(texts[i]));
        fake_kernel_set_file_system(NFS_SUPER_MAGIC);
        assert_kept(it, "1-fruity/runs/.stage-" STAGE, "nobody knows who writes it");
        fake_kernel_set_file_system(EXT4_SUPER_MAGIC);
        assert_removed(it, "1-fruity/runs/.stage-" STAGE);
    }
}

/* The saver made its stage behind the sweep's listing, and was killed before the sweep came to its
 * lock file: the stage must not stay behind alone, to wait for 24 hours. */
static void stage_comes_in(void *user) {
    make_stage(user);
}

static void test_a_stage_that_came_in_behind_the_listing_goes_with_its_lock(void **state) {
    bench *it = *state;
    write_lock(it, "here", "boot");
    fake_kernel_before("openat_beneath", 3, stage_comes_in, it); /* font, runs/, then the lock */
    assert_removed(it, "1-fruity/runs/.stage-" STAGE ".lock");
    assert_int_equal(tree_count(in_runs(it, ""), "", NULL), 0);
}

static void lock_comes_in(void *user) {
    write_lock(user, "elsewhere", "another-boot");
}

static void test_a_lock_that_came_in_behind_the_listing_counts(void **state) {
    bench *it = *state;
    make_stage(it);
    fake_kernel_before("openat_beneath", 3, lock_comes_in, it);
    assert_removed(it, "1-fruity/runs/.stage-" STAGE);
}

static void test_a_stage_that_is_finished_just_now_is_left_alone(void **state) {
    bench *it = *state;
    make_stage(it);
    write_lock(it, "here", "boot");
    age_all(it, 2 * DAY);
    fake_kernel_before("openat_beneath", 3, finish_the_save, it); /* font, runs/, then the lock */
    recover(it);
    assert_int_equal(it->recovery->kept_count, 1);
    assert_non_null(strstr(it->recovery->reasons[0], "just now"));
    assert_true(tree_exists(in_runs(it, ".stage-" STAGE "/weights")));
}

static void test_runs_and_strangers_are_never_touched(void **state) {
    bench *it = *state;
    assert_int_equal(fk_save_model(it->store, "1-fruity", &it->sample.model, &it->id, &it->err),
                     FK_OK);
    assert_int_equal(mkdir(in_runs(it, "stage-of-mine"), 0777), 0);
    assert_int_equal(mkdir(in_runs(it, ".trash-2026-01-11T08:30:00.000000.1"), 0777), 0);
    tree_write(in_runs(it, ".hidden.lock"), "x", 1);
    tree_write(tree_path(it->path, "2-file"), "x", 1);
    assert_int_equal(mkdir(tree_path(it->path, "3-empty"), 0777), 0);
    assert_int_equal(mkdir(tree_path(it->path, "Stranger"), 0777), 0);
    char *before = tree_listing(it->path, true);
    make_stage(it);
    write_lock(it, "here", "boot");
    assert_removed(it, "1-fruity/runs/.stage-" STAGE);
    char *after = tree_listing(it->path, true);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

static void test_a_link_named_like_a_stage_is_removed_without_being_followed(void **state) {
    bench *it = *state;
    tree_write(tree_path(it->path, "precious"), "x", 1);
    assert_int_equal(symlink(it->path, in_runs(it, ".stage-" STAGE)), 0);
    write_lock(it, "here", "boot");
    recover(it);
    assert_true(tree_exists(tree_path(it->path, "precious")));
    assert_true(tree_exists(tree_path(it->path, "1-fruity")));
}

static void test_a_save_sweeps_once_per_open_store(void **state) {
    bench *it = *state;
    make_stage(it);
    write_lock(it, "here", "boot");
    assert_int_equal(fk_save_model(it->store, "1-fruity", &it->sample.model, &it->id, &it->err),
                     FK_OK);
    assert_int_equal(tree_count(in_runs(it, ""), ".stage-", NULL), 0);
    make_stage(it);
    write_lock(it, "here", "boot");
    assert_int_equal(fk_save_model(it->store, "1-fruity", &it->sample.model, &it->id, &it->err),
                     FK_OK);
    assert_int_equal(tree_count(in_runs(it, ""), ".stage-", NULL), 2);
}

static void sweep_the_new_lock(void *user) {
    bench *it = user;
    char name[256];
    assert_int_equal(tree_count(in_runs(it, ""), ".stage-", name), 1);
    assert_int_equal(unlink(in_runs(it, name)), 0);
}

static void test_a_lock_file_swept_before_it_was_held_gets_a_successor(void **state) {
    bench *it = *state;
    fake_kernel_before("set_lock", 1, sweep_the_new_lock, it);
    assert_int_equal(fk_save_model(it->store, "1-fruity", &it->sample.model, &it->id, &it->err),
                     FK_OK);
    assert_int_equal(fake_kernel_count("set_lock"), 2);
    fake_kernel_fail("set_lock", 1, EAGAIN, FAKE_EVER_AFTER); /* a sweeper holds each of them */
    assert_int_equal(fk_save_model(it->store, "1-fruity", &it->sample.model, &it->id, &it->err),
                     FK_E_BUSY);
}

static void test_errors_of_looking_are_told_with_the_path(void **state) {
    bench *it = *state;
    fk_recovery *recovery = NULL;
    fake_kernel_fail("getdents", 1, EIO, FAKE_ONCE);
    assert_int_equal(fk_recover(it->store, &recovery, &it->err), FK_E_IO);
    assert_non_null(strstr(it->err.path, it->path));
    fake_kernel_fail("getdents", 5, EIO, FAKE_ONCE); /* behind two looks at the store */
    assert_int_equal(fk_recover(it->store, &recovery, &it->err), FK_E_IO);
    assert_string_equal(it->err.path, tree_path(it->path, "1-fruity/runs"));
    assert_null(recovery);
}

static void test_a_stage_that_cannot_be_listed_may_be_changing_now(void **state) {
    bench *it = *state;
    make_stage(it);
    age_all(it, 2 * DAY);
    fake_kernel_fail("getdents", 7, EIO, FAKE_ONCE); /* behind twice the store and once runs/ */
    assert_kept(it, "1-fruity/runs/.stage-" STAGE, "within 24 hours");
    assert_string_equal(fake_kernel_failed(), "getdents");
    assert_removed(it, "1-fruity/runs/.stage-" STAGE);
}

static void test_over_a_network_the_stage_of_a_run_need_not_wait(void **state) {
    bench *it = *state;
    fake_kernel_set_file_system(NFS_SUPER_MAGIC);
    assert_int_equal(fk_save_model(it->store, "1-fruity", &it->sample.model, &it->id, &it->err),
                     FK_OK);
    char *before = tree_listing(it->path, true);
    char name[256];
    snprintf(name, sizeof name, ".stage-%s", it->id.text);
    assert_int_equal(mkdir(in_runs(it, name), 0777), 0);
    snprintf(name, sizeof name, ".stage-%s.lock", it->id.text);
    const char *text = "{\"host\": \"elsewhere\", \"boot_id\": \"x\", \"pid\": 77}\n";
    tree_write(in_runs(it, name), text, strlen(text));
    recover(it);
    assert_int_equal(it->recovery->removed_count, 1);
    char *after = tree_listing(it->path, true);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_there_is_nothing_to_do_in_a_tidy_store),
        TEST(test_a_stage_whose_lock_can_be_had_is_removed_with_its_lock),
        TEST(test_a_draft_that_is_being_written_is_kept),
        TEST(test_what_a_killed_process_left_is_removed),
        TEST(test_a_stage_without_a_lock_file_waits_for_24_hours),
        TEST(test_over_a_network_only_our_own_boot_or_24_hours_count),
        TEST(test_where_there_are_no_locks_time_decides),
        TEST(test_a_lock_file_without_a_stage_is_removed_likewise),
        TEST(test_what_cannot_be_removed_is_kept_with_the_reason),
        TEST(test_a_lock_that_cannot_be_opened_keeps_its_stage),
        TEST(test_a_lock_of_another_user_keeps_its_stage_and_says_why),
        TEST(test_a_lock_that_says_nothing_is_judged_by_lock_and_time),
        TEST(test_a_stage_that_came_in_behind_the_listing_goes_with_its_lock),
        TEST(test_a_lock_that_came_in_behind_the_listing_counts),
        TEST(test_a_stage_that_is_finished_just_now_is_left_alone),
        TEST(test_runs_and_strangers_are_never_touched),
        TEST(test_a_link_named_like_a_stage_is_removed_without_being_followed),
        TEST(test_a_save_sweeps_once_per_open_store),
        TEST(test_a_lock_file_swept_before_it_was_held_gets_a_successor),
        TEST(test_errors_of_looking_are_told_with_the_path),
        TEST(test_a_stage_that_cannot_be_listed_may_be_changing_now),
        TEST(test_over_a_network_the_stage_of_a_run_need_not_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
