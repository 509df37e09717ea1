/* adopt and migrate, when what is written differs, calls fail, or there is nothing to do. What they
 * give is shown through the command and the package. */
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

#include "bench.h"
#include "fake_kernel.h"
#include "fontkeep/fontkeep.h"
#include "tree.h"

#define RUN NOW_TEXT

/* A run by hand: what was saved, without its manifest, the bare state dict in `name`. */
static void make_old_run(bench *it, const char *name) {
    char path[128];
    bench_save_well(it, RUN);
    assert_int_equal(unlink(bench_in_runs(it, RUN "/run.json")), 0);
    assert_int_equal(unlink(bench_in_runs(it, RUN "/weights")), 0);
    snprintf(path, sizeof path, RUN "/%s", name);
    sample_write_checkpoint(it->sample.model.weights, bench_in_runs(it, path));
}

static fk_code adopt(bench *it, size_t changed) {
    fk_change_list *changes = NULL;
    fk_code code = fk_adopt(it->store, "1-fruity", NULL, NULL, &changes, &it->err);
    if (code == FK_OK) {
        assert_int_equal(fk_change_list_count(changes), changed);
    }
    fk_change_list_destroy(changes);
    return code;
}

static fk_code migrate(bench *it, const char *run_id) {
    fk_change_list *changes = NULL;
    fk_code code = fk_migrate(it->store, "1-fruity", run_id, it->sample.model.personality_vector,
                              NULL, NULL, &changes, &it->err);
    fk_change_list_destroy(changes);
    return code;
}

static void test_adopt_then_migrate_give_generations_one_and_two(void **state) {
    bench *it = *state;
    fk_run_info *info = NULL;
    make_old_run(it, "weights.pth");
    assert_int_equal(adopt(it, 1), FK_OK);
    assert_int_equal(fk_get_run_info(it->store, "1-fruity", RUN, &info, &it->err), FK_OK);
    assert_int_equal(info->generation, 1);
    assert_string_equal(info->weights_version, "v0");
    assert_int_equal(info->ended_at_us, NOW_US);
    assert_true(info->started_at_us == FK_NO_TIME);
    fk_run_info_destroy(info);
    assert_int_equal(adopt(it, 0), FK_OK);
    assert_int_equal(migrate(it, RUN), FK_OK);
    assert_int_equal(fk_get_run_info(it->store, "1-fruity", RUN, &info, &it->err), FK_OK);
    assert_int_equal(info->generation, 2);
    assert_string_equal(info->weights_version, "v1");
    assert_true(info->has_personality);
    fk_run_info_destroy(info);
    bench_assert_all_verify(it, 1);
    assert_int_equal(tree_count(bench_in_runs(it, ""), ".trash-", NULL), 2);
}

static void test_an_adoption_that_was_never_published_is_removed(void **state) {
    bench *it = *state;
    fk_recovery *recovery = NULL;
    make_old_run(it, "weights");
    fake_kernel_fail("renameat2", 2, EIO, FAKE_EVER_AFTER);
    assert_int_equal(adopt(it, 0), FK_E_IO);
    fake_kernel_relent();
    assert_true(tree_exists(bench_in_runs(it, ".trash-" RUN ".1")));
    assert_int_equal(fk_recover(it->store, &recovery, &it->err), FK_OK);
    fk_recovery_destroy(recovery);
    assert_false(tree_exists(bench_in_runs(it, ".trash-" RUN ".1")));
    assert_false(tree_exists(bench_in_runs(it, RUN "/run.json")));
}

/* The stage's name, among lock files: ".stage-" and 32 digits. */
static void find_stage(bench *it, char name[256]) {
    DIR *runs = opendir(bench_in_runs(it, ""));
    assert_non_null(runs);
    name[0] = '\0';
    for (struct dirent *at = readdir(runs); at != NULL; at = readdir(runs)) {
        if (strncmp(at->d_name, ".stage-", 7) == 0 && strlen(at->d_name) == 7 + 32) {
            snprintf(name, 256, "%s", at->d_name);
        }
    }
    closedir(runs);
    assert_string_not_equal(name, "");
}

/* One float of the weights in the stage: of what was written, before it is read back. */
static void damage_the_stage(void *user) {
    bench *it = user;
    char name[256];
    char path[512];
    find_stage(it, name);
    snprintf(path, sizeof path, "%s/weights", name);
    size_t length = 0;
    char *bytes = tree_read(bench_in_runs(it, path), &length);
    char *at = memmem(bytes, length, it->sample.floats, it->sample.count * sizeof(float));
    assert_non_null(at);
    at[8] ^= 1;
    tree_write(bench_in_runs(it, path), bytes, length);
    free(bytes);
}

static void test_weights_that_read_back_otherwise_are_not_published(void **state) {
    bench *it = *state;
    make_old_run(it, "weights");
    assert_int_equal(adopt(it, 1), FK_OK);
    char *before = tree_listing(it->path, true);
    /* maps: the old weights' memory, then the file that was written */
    fake_kernel_before("mmap", 2, damage_the_stage, it);
    assert_int_equal(migrate(it, RUN), FK_E_CORRUPT);
    char *after = tree_listing(it->path, true);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

static void test_a_vector_that_is_no_tensor_is_refused(void **state) {
    bench *it = *state;
    fk_change_list *changes = NULL;
    make_old_run(it, "weights");
    assert_int_equal(fk_migrate(it->store, "1-fruity", NULL, it->sample.model.weights, NULL, NULL,
                                &changes, &it->err),
                     FK_E_INVALID);
    assert_null(changes);
}

static int stop(uint64_t done, uint64_t total, void *user) {
    (void)done, (void)total, (void)user;
    return 1;
}

static void test_a_cancelled_migration_leaves_the_run_as_it_was(void **state) {
    bench *it = *state;
    fk_change_list *changes = NULL;
    make_old_run(it, "weights");
    char *before = tree_listing(it->path, true);
    assert_int_equal(fk_migrate(it->store, "1-fruity", NULL, NULL, stop, NULL, &changes, &it->err),
                     FK_E_CANCELLED);
    char *after = tree_listing(it->path, true);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

static bool fail_one(const char *call, size_t nth, bool migrates) {
    void *state = NULL;
    const fk_store_options fast = {.size = sizeof fast, .durability = FK_DURABILITY_NONE};
    bench_setup_at_now(&state);
    bench *it = state;
    fk_recovery *recovery = NULL;
    fk_run_info *info = NULL;
    bench_reopen(it, &fast);
    make_old_run(it, "weights");
    bench_reopen(it, NULL);
    size_t made = fake_kernel_count(call);
    fake_kernel_fail(call, nth, EIO, FAKE_ONCE);
    fk_code code = migrates ? migrate(it, RUN) : adopt(it, 1);
    bool reached = fake_kernel_count(call) - made >= nth;
    fake_kernel_relent();
    assert_int_equal(fk_recover(it->store, &recovery, NULL), FK_OK);
    fk_recovery_destroy(recovery);
    assert_int_equal(fk_get_run_info(it->store, "1-fruity", RUN, &info, NULL), FK_OK);
    bool published = code == FK_OK || code == FK_E_NOT_DURABLE;
    assert_int_equal(info->health, published ? FK_COMPLETE : FK_UNVERIFIED);
    fk_run_info_destroy(info);
    assert_int_equal(tree_count(bench_in_runs(it, ""), ".trash-", NULL), published ? 1 : 0);
    assert_int_equal(tree_count(bench_in_runs(it, ""), ".stage-", NULL), 0);
    bench_teardown(&state);
    return reached;
}

static void test_whatever_fails_the_run_is_as_it_was_or_new(void **state) {
    (void)state;
    static const char *const calls[] = {"openat_beneath", "write",  "fsync",
                                        "renameat2",      "linkat", "mkdirat",
                                        "unlinkat",       "pread",  "mmap"};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        for (size_t nth = 1; fail_one(calls[i], nth, true); nth++) {
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup_at_now, bench_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_adopt_then_migrate_give_generations_one_and_two),
        TEST(test_an_adoption_that_was_never_published_is_removed),
        TEST(test_weights_that_read_back_otherwise_are_not_published),
        TEST(test_a_vector_that_is_no_tensor_is_refused),
        TEST(test_a_cancelled_migration_leaves_the_run_as_it_was),
        cmocka_unit_test(test_whatever_fails_the_run_is_as_it_was_or_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
