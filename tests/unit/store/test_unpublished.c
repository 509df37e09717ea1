/* Which entries of the trash were never published, and what takes its place at the same moment:
 * unpublished.h, discard.h and exchange.h by themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "fake_kernel.h"
#include "os/file.h"
#include "os/kernel.h"
#include "regenerate.h"
#include "store/trash/discard.h"
#include "store/trash/exchange.h"
#include "store/trash/unpublished.h"
#include "tree.h"

#define STRANGER ".trash-1-fruity.1" /* in runs/, where only runs can be entries */

static int open_directory(bench *it, const char *name) {
    int fd = open(bench_in_runs(it, name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void swap(bench *it, const char *one, const char *other) {
    assert_int_equal(rename(bench_in_runs(it, one), bench_in_runs(it, "between")), 0);
    assert_int_equal(rename(bench_in_runs(it, other), bench_in_runs(it, one)), 0);
    assert_int_equal(rename(bench_in_runs(it, "between"), bench_in_runs(it, other)), 0);
}

/* The run has generation 1; generation 2 is in the trash, as if its writer had been killed. */
static void make_unpublished(bench *it) {
    bench_save_well(it, RUN);
    assert_int_equal(bench_regenerate(it), FK_OK);
    swap(it, RUN, ENTRY);
}

static void cut_manifest(bench *it) {
    assert_int_equal(truncate(bench_in_runs(it, RUN "/run.json"), 10), 0);
}

static fk_code judge_as(bench *it, const char *entry, bool *ret_is, fk_error *err) {
    FK_SCOPED(fk_file_closep) int runs = open_directory(it, "");
    fk_trash_name name;
    *ret_is = false;
    assert_true(fk_trash_name_parse(entry, &name));
    return fk_unpublished_judge(it->store, runs, "1-fruity", &name, ret_is, err);
}

static bool judge(bench *it, const char *entry) {
    bool is = false;
    assert_int_equal(judge_as(it, entry, &is, &it->err), FK_OK);
    return is;
}

/* Puts a copy of a file in its place: the same bytes, no hard link. */
static void copy(bench *it, const char *name) {
    char path[1024];
    size_t length = 0;
    snprintf(path, sizeof path, "%s", bench_in_runs(it, name));
    char *bytes = tree_read(path, &length);
    assert_int_equal(unlink(path), 0);
    tree_write(path, bytes, length);
    free(bytes);
}

static void test_the_higher_generation_was_never_published(void **state) {
    bench *it = *state;
    make_unpublished(it);
    assert_true(judge(it, ENTRY));
    swap(it, RUN, ENTRY);
    assert_false(judge(it, ENTRY));
}

static void test_without_a_manifest_number_and_a_shared_file_decide(void **state) {
    bench *it = *state;
    make_unpublished(it);
    cut_manifest(it);
    assert_true(judge(it, ENTRY)); /* they share the weights */
    copy(it, RUN "/weights");
    assert_true(judge(it, ENTRY)); /* the feedback */
    copy(it, RUN "/feedback.json");
    assert_false(judge(it, ENTRY));
    assert_int_equal(unlink(bench_in_runs(it, RUN "/weights")), 0);
    assert_false(judge(it, ENTRY));
    assert_int_equal(unlink(bench_in_runs(it, RUN "/sample.png")), 0);
    assert_false(judge(it, ENTRY));
    assert_int_equal(
        link(bench_in_runs(it, ENTRY "/sample.png"), bench_in_runs(it, RUN "/sample.png")), 0);
    assert_true(judge(it, ENTRY));
    assert_int_equal(unlink(bench_in_runs(it, ENTRY "/sample.png")), 0);
    assert_false(judge(it, ENTRY));
}

static void test_without_a_manifest_another_number_was_published(void **state) {
    bench *it = *state;
    make_unpublished(it);
    cut_manifest(it);
    assert_int_equal(rename(bench_in_runs(it, ENTRY), bench_in_runs(it, ".trash-" RUN ".3")), 0);
    assert_false(judge(it, ".trash-" RUN ".3"));
}

static void test_where_there_is_no_such_run_nothing_is_unpublished(void **state) {
    bench *it = *state;
    make_unpublished(it);
    assert_false(judge(it, STRANGER));
    assert_false(judge(it, ".trash-" RUN ".7"));
    assert_int_equal(rename(bench_in_runs(it, RUN), bench_in_runs(it, "elsewhere")), 0);
    tree_write(bench_in_runs(it, RUN), "no directory", 12);
    assert_false(judge(it, ENTRY));
}

static void test_errors_of_opening_are_told_to_those_who_ask(void **state) {
    bench *it = *state;
    bool is = true;
    make_unpublished(it);
    fake_kernel_fail("openat_beneath", 1, EIO, FAKE_ONCE);
    assert_int_equal(judge_as(it, ENTRY, &is, &it->err), FK_E_IO);
    assert_int_equal(it->err.system_errno, EIO);
    fake_kernel_fail("openat_beneath", 1, EIO, FAKE_ONCE);
    assert_int_equal(judge_as(it, ENTRY, &is, NULL), FK_E_IO);
    assert_int_equal(rename(bench_in_runs(it, RUN), bench_in_runs(it, "elsewhere")), 0);
    fake_kernel_fail("openat_beneath", 2, EIO, FAKE_ONCE); /* the other form of the name */
    assert_int_equal(judge_as(it, ENTRY, &is, &it->err), FK_E_IO);
    fake_kernel_fail("openat_beneath", 2, EIO, FAKE_ONCE);
    assert_int_equal(judge_as(it, ENTRY, &is, NULL), FK_E_IO);
    assert_false(is);
}

/* A file that cannot be looked at is none that both share; the others still are. */
static void test_files_that_cannot_be_looked_at_are_not_shared(void **state) {
    bench *it = *state;
    bool reached = true;
    make_unpublished(it);
    cut_manifest(it);
    copy(it, RUN "/feedback.json"); /* only the weights are shared */
    size_t unseen = 0;
    for (size_t nth = 1; reached; nth++) {
        bool is = true;
        size_t made = fake_kernel_count("fstatat");
        fake_kernel_fail("fstatat", nth, EIO, FAKE_ONCE);
        fk_code code = judge_as(it, ENTRY, &is, &it->err);
        reached = fake_kernel_count("fstatat") - made >= nth;
        fake_kernel_relent();
        assert_true(code == FK_OK || code == FK_E_IO);
        unseen += code == FK_OK && !is;
        assert_true(reached || is);
    }
    assert_true(unseen >= 2);
}

static fk_kernel other_device;
static const fk_kernel *one_device;
static unsigned looks;

static int fstatat_elsewhere(int directory, const char *path, struct stat *ret_status, int flags) {
    int result = one_device->fstatat(directory, path, ret_status, flags);
    ret_status->st_dev += looks++;
    return result;
}

static void test_one_number_on_two_file_systems_is_not_one_file(void **state) {
    bench *it = *state;
    make_unpublished(it);
    cut_manifest(it);
    one_device = fk_kernel_current;
    other_device = *one_device;
    other_device.fstatat = fstatat_elsewhere;
    fk_kernel_current = &other_device;
    bool is = judge(it, ENTRY);
    fk_kernel_current = one_device;
    assert_false(is);
    assert_true(judge(it, ENTRY));
}

static void publish(void *user) {
    swap(user, RUN, ENTRY);
}

static void test_what_is_published_behind_the_look_is_left_alone(void **state) {
    bench *it = *state;
    make_unpublished(it);
    fake_kernel_before("set_lock", 1, publish, it);
    bench_recover(it, 0, 0);
    assert_int_equal(bench_generation(it, RUN), 2);
    bench_assert_trash(it, "2");
}

static void test_entries_of_other_subjects_are_no_business_of_a_run(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    assert_int_equal(mkdir(bench_in_runs(it, STRANGER), 0777), 0);
    assert_int_equal(mkdir(bench_in_runs(it, ".trash-2026-05-05T00:00:00.000000.1"), 0777), 0);
    assert_int_equal(bench_regenerate(it), FK_OK);
    bench_assert_trash(it, "2, 1");
    bench_recover(it, 0, 0);
    assert_true(tree_exists(bench_in_runs(it, STRANGER)));
}

/* ---- discard and exchange ----------------------------------------------------------------- */

static void test_only_what_is_expected_is_discarded(void **state) {
    bench *it = *state;
    make_unpublished(it);
    FK_SCOPED(fk_file_closep) int runs = open_directory(it, "");
    FK_SCOPED(fk_file_closep) int run = open_directory(it, RUN);
    fk_discarded discarded = {.parent = runs, .path = "runs", .name = ENTRY, .expected = run};
    char *before = tree_listing(it->path, true);
    assert_int_equal(fk_discard(&discarded, &it->err), FK_E_BUSY);
    assert_non_null(strstr(it->err.message, ENTRY));
    discarded.expected = -1;
    fake_kernel_fail("renameat2", 1, EEXIST, FAKE_ONCE); /* somebody has the stage's name */
    assert_int_equal(fk_discard(&discarded, &it->err), FK_E_BUSY);
    assert_non_null(strstr(it->err.message, ".stage-"));
    char *after = tree_listing(it->path, true);
    assert_string_equal(after, before);
    free(before);
    free(after);
    assert_int_equal(fk_discard(&discarded, &it->err), FK_OK);
    assert_false(tree_exists(bench_in_runs(it, ENTRY)));
}

static void test_a_directory_that_cannot_be_compared_stays(void **state) {
    bench *it = *state;
    make_unpublished(it);
    FK_SCOPED(fk_file_closep) int runs = open_directory(it, "");
    FK_SCOPED(fk_file_closep) int entry = open_directory(it, ENTRY);
    fk_discarded discarded = {.parent = runs, .path = "runs", .name = ENTRY, .expected = entry};
    char *before = tree_listing(it->path, true);
    fake_kernel_fail("fstatat", 1, EIO, FAKE_EVER_AFTER);
    assert_int_equal(fk_discard(&discarded, &it->err), FK_E_IO);
    fake_kernel_relent();
    char *after = tree_listing(it->path, true);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

static void test_another_directory_in_the_run_s_place_is_put_back(void **state) {
    bench *it = *state;
    make_unpublished(it);
    FK_SCOPED(fk_file_closep) int runs = open_directory(it, "");
    fk_exchange exchange = {
        .runs = runs, .path = "runs", .directory = RUN, .entry = ENTRY, .replaced = runs};
    assert_int_equal(fk_exchange_run(&exchange, &it->err), FK_E_BUSY);
    assert_string_equal(it->err.path, "runs");
    assert_int_equal(fk_exchange_run(&exchange, NULL), FK_E_BUSY);
    assert_int_equal(bench_generation(it, RUN), 1);
    assert_true(judge(it, ENTRY));
}

static void test_a_stage_that_cannot_get_its_place_stays(void **state) {
    bench *it = *state;
    bool placed = true;
    make_unpublished(it);
    FK_SCOPED(fk_file_closep) int runs = open_directory(it, "");
    assert_int_equal(rename(bench_in_runs(it, RUN), bench_in_runs(it, ".stage-" RUN)), 0);
    fake_kernel_fail("renameat2", 1, EIO, FAKE_EVER_AFTER);
    assert_int_equal(fk_exchange_finish(runs, RUN, &placed, &it->err), FK_E_IO);
    fake_kernel_relent();
    assert_false(placed);
    assert_false(tree_exists(bench_in_runs(it, RUN)));
    assert_int_equal(fk_exchange_finish(runs, RUN, &placed, &it->err), FK_OK);
    assert_true(placed);
    assert_int_equal(bench_generation(it, RUN), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, bench_setup_at_now, bench_teardown)
        T(test_the_higher_generation_was_never_published),
        T(test_without_a_manifest_number_and_a_shared_file_decide),
        T(test_without_a_manifest_another_number_was_published),
        T(test_where_there_is_no_such_run_nothing_is_unpublished),
        T(test_errors_of_opening_are_told_to_those_who_ask),
        T(test_files_that_cannot_be_looked_at_are_not_shared),
        T(test_one_number_on_two_file_systems_is_not_one_file),
        T(test_what_is_published_behind_the_look_is_left_alone),
        T(test_entries_of_other_subjects_are_no_business_of_a_run),
        T(test_only_what_is_expected_is_discarded),
        T(test_a_directory_that_cannot_be_compared_stays),
        T(test_another_directory_in_the_run_s_place_is_put_back),
        T(test_a_stage_that_cannot_get_its_place_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
