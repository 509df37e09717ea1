/* The stage and its files: what must not happen to them stops the process, and what others do to
 * their names is survived. */
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
#include "digest/digest.h"
#include "fake_kernel.h"
#include "os/file.h"
#include "store/save/stage.h"
#include "store/save/staged_file.h"
#include "tree.h"

/* The linker's --wrap: an assertion that fails comes to cmocka. */
void __wrap___assert_fail(const char *text, const char *file, unsigned line, const char *function);
void __wrap___assert_fail(const char *text, const char *file, unsigned line, const char *function) {
    (void)function;
    mock_assert(0, text, file, (int)line);
    abort();
}

typedef struct staging {
    bench *bench;
    fk_runs_directory where;
    fk_stage stage;
} staging;

static int setup(void **state) {
    staging *it = calloc(1, sizeof *it);
    void *one = NULL;
    bench_setup_at_now(&one);
    it->bench = one;
    it->where = FK_RUNS_DIRECTORY_CLOSED;
    fk_error *err = &it->bench->err;
    assert_int_equal(fk_runs_directory_open(it->bench->store, "1-fruity", true, &it->where, err),
                     FK_OK);
    assert_int_equal(fk_stage_create(&it->where, true, &it->stage, err), FK_OK);
    *state = it;
    return 0;
}

static int teardown(void **state) {
    staging *it = *state;
    void *one = it->bench;
    fk_stage_discard(&it->stage);
    fk_stage_finish(&it->stage);
    fk_runs_directory_close(&it->where);
    bench_teardown(&one);
    free(it);
    return 0;
}

static void write_file(staging *it, const char *path) {
    fk_file_digests digests = {0};
    assert_int_equal(fk_stage_write(&it->stage, path, "bytes", 5, &digests, &it->bench->err),
                     FK_OK);
    fk_file_digests_finish(&digests);
}

static void sync_stage(staging *it) {
    assert_int_equal(fk_stage_sync(&it->stage, &it->bench->err), FK_OK);
}

static void publish_as(staging *it, const char *name) {
    bool taken = true;
    assert_int_equal(fk_stage_publish(&it->stage, name, &taken, &it->bench->err), FK_OK);
    assert_false(taken);
}

static size_t names_in_runs(staging *it, const char *start) {
    return tree_count(bench_in_runs(it->bench, ""), start, NULL);
}

static void
test_a_stage_with_unsynced_files_can_neither_be_published_nor_handed_over(void **state) {
    staging *it = *state;
    bool taken = false;
    write_file(it, "weights");
    expect_assert_failure(fk_stage_publish(&it->stage, "run", &taken, NULL));
    expect_assert_failure(fk_stage_hand_over(&it->stage));
    assert_int_equal(names_in_runs(it, "run"), 0);
    sync_stage(it);
    publish_as(it, "run");
    assert_true(tree_exists(bench_in_runs(it->bench, "run/weights")));
}

static void test_a_stage_is_published_once(void **state) {
    staging *it = *state;
    bool taken = false;
    expect_assert_failure(fk_stage_release(&it->stage));
    expect_assert_failure(fk_stage_take_back(&it->stage, "run"));
    publish_as(it, "run");
    expect_assert_failure(fk_stage_publish(&it->stage, "another", &taken, NULL));
    expect_assert_failure(fk_stage_hand_over(&it->stage));
    assert_int_equal(names_in_runs(it, "another"), 0);
    fk_stage_release(&it->stage);
    assert_int_equal(names_in_runs(it, ".stage-"), 0);
    assert_int_equal(names_in_runs(it, "run"), 1);
}

static void test_a_stage_that_cannot_be_taken_back_is_not_ours_any_more(void **state) {
    staging *it = *state;
    publish_as(it, "entry");
    fake_kernel_fail("renameat2", 1, EIO, FAKE_ONCE);
    fk_stage_take_back(&it->stage, "entry");
    assert_false(it->stage.on_disk);
    fake_kernel_fail("renameat2", 1, EEXIST, FAKE_ONCE); /* somebody has the stage's name */
    fk_stage_take_back(&it->stage, "entry");
    assert_false(it->stage.on_disk);
    assert_int_equal(names_in_runs(it, "entry"), 1);
    fk_stage_take_back(&it->stage, "entry");
    assert_true(it->stage.on_disk);
    assert_int_equal(names_in_runs(it, "entry"), 0);
    fk_stage_discard(&it->stage);
    assert_int_equal(names_in_runs(it, ""), 0);
}

static void test_a_glyph_behind_a_sync_makes_the_next_one_sync_its_directory(void **state) {
    staging *it = *state;
    assert_int_equal(fk_stage_make_glyphs(&it->stage, &it->bench->err), FK_OK);
    sync_stage(it);
    fake_kernel_record_clear();
    sync_stage(it);
    assert_null(strstr(fake_kernel_record(), "fsync eval-glyphs\n"));
    write_file(it, "eval-glyphs/A.png");
    sync_stage(it);
    assert_non_null(strstr(fake_kernel_record(), "fsync eval-glyphs\n"));
}

static void test_a_file_gets_as_many_bytes_as_were_announced_and_ends_once(void **state) {
    staging *it = *state;
    FK_SCOPED(fk_staged_file_destroyp) fk_staged_file *file = NULL;
    FK_SCOPED(fk_file_closep) int fd = -1;
    fk_file_digests digests = {0};
    assert_int_equal(fk_staged_file_create(it->stage.directory, "weights", 4, true, &file, NULL),
                     FK_OK);
    fk_sink sink = fk_staged_file_sink(file);
    expect_assert_failure(fk_sink_write(&sink, "12345", 5, NULL, NULL));
    assert_int_equal(fk_sink_write(&sink, "123", 3, NULL, NULL), FK_OK);
    expect_assert_failure(fk_staged_file_finish(file, &fd, &digests, NULL));
    assert_int_equal(fk_sink_write(&sink, "4", 1, NULL, NULL), FK_OK);
    assert_int_equal(fk_staged_file_finish(file, &fd, &digests, NULL), FK_OK);
    expect_assert_failure(fk_staged_file_finish(file, &fd, &digests, NULL));
    assert_int_equal(lseek(fd, 0, SEEK_END), 4);
    fk_file_digests_finish(&digests);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(test_a_stage_with_unsynced_files_can_neither_be_published_nor_handed_over),
        T(test_a_stage_is_published_once),
        T(test_a_stage_that_cannot_be_taken_back_is_not_ours_any_more),
        T(test_a_glyph_behind_a_sync_makes_the_next_one_sync_its_directory),
        T(test_a_file_gets_as_many_bytes_as_were_announced_and_ends_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
