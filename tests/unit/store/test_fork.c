/* A forked child goes on with the handles of its parent, and harms nothing of the parent's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "fake_kernel.h"
#include "store/handle/font_memory.h"
#include "tree.h"

/* Runs `body` in a forked child, which is killed when it hangs. */
static void in_child(bench *it, int (*body)(bench *it)) {
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        _exit(body(it));
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static int save_in_child(bench *it) {
    return bench_save(it) == FK_OK ? 0 : 1;
}

static void test_a_child_saves_through_the_store_of_its_parent(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    in_child(it, save_in_child);
    bench_save_well(it, NOW_TEXT "-0002");
    in_child(it, save_in_child);
    in_child(it, save_in_child);
    bench_save_well(it, NOW_TEXT "-0005");
    bench_assert_all_verify(it, 6);
}

/* The thread that holds the mutex does not exist in the child, so nobody will let it go there. */
static void test_a_mutex_that_was_held_at_the_fork_does_not_stop_a_child(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    fk_font_memories *memories = atomic_load(&it->store->memories);
    assert_int_equal(pthread_mutex_lock(&memories->mutex), 0);
    in_child(it, save_in_child);
    assert_int_equal(pthread_mutex_unlock(&memories->mutex), 0);
    bench_save_well(it, NOW_TEXT "-0002");
}

static int fork_again(bench *it) {
    in_child(it, save_in_child);
    return save_in_child(it);
}

static void test_a_child_of_a_child_saves_too(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    in_child(it, fork_again);
    bench_save_well(it, NOW_TEXT "-0003");
    bench_assert_all_verify(it, 4);
}

static void *save_in_thread(void *user) {
    bench *it = user;
    fk_run_id id;
    return fk_save_model(it->store, "1-fruity", &it->sample.model, &id, NULL) == FK_OK ? user
                                                                                       : NULL;
}

static int save_in_threads(bench *it) {
    pthread_t threads[8];
    int failed = 0;
    for (size_t i = 0; i < 8; i++) {
        failed |= pthread_create(&threads[i], NULL, save_in_thread, it);
    }
    for (size_t i = 0; i < 8; i++) {
        void *result = NULL;
        failed |= pthread_join(threads[i], &result) != 0 || result == NULL;
    }
    return failed;
}

static void test_threads_of_a_child_share_what_it_learns(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    in_child(it, save_in_threads);
    bench_save_well(it, NOW_TEXT "-0009");
    bench_assert_all_verify(it, 10);
}

static int close_in_child(bench *it) {
    fk_store_close(it->store);
    return 0;
}

static void test_a_child_that_closes_the_store_closes_only_its_own(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    in_child(it, close_in_child);
    bench_save_well(it, NOW_TEXT "-0001");
}

static fk_loaded *loaded;

static int read_in_child(bench *it) {
    fk_run_list *runs = NULL;
    fk_loaded *again = NULL;
    int failed = fk_value_kind(fk_loaded_weights(loaded)) != FK_KIND_DICT;
    fk_loaded_destroy(loaded);
    failed |= fk_list_runs(it->store, "1-fruity", NULL, &runs, NULL) != FK_OK;
    failed |= fk_load_model(it->store, "1-fruity", NULL, NULL, &again, NULL) != FK_OK;
    fk_loaded_destroy(again);
    fk_run_list_destroy(runs);
    return failed;
}

static void test_a_child_reads_through_handles_of_its_parent(void **state) {
    bench *it = *state;
    bench_save_well(it, NOW_TEXT);
    for (int mmap = 0; mmap < 2; mmap++) {
        const fk_load_options options = {.size = sizeof options, .mmap = mmap != 0};
        assert_int_equal(fk_load_model(it->store, "1-fruity", NULL, &options, &loaded, &it->err),
                         FK_OK);
        in_child(it, read_in_child);
        assert_int_equal(fk_value_kind(fk_loaded_weights(loaded)), FK_KIND_DICT);
        fk_loaded_destroy(loaded);
    }
}

static int destroy_draft(bench *it) {
    fk_draft_destroy(it->draft);
    return 0;
}

static void test_a_draft_survives_children_that_destroy_it(void **state) {
    bench *it = *state;
    assert_int_equal(
        fk_draft_create(it->store, "1-fruity", &it->sample.metadata, &it->draft, &it->err), FK_OK);
    bench_set_weights(it);
    char *before = tree_listing(it->path, true);
    in_child(it, destroy_draft);
    char *after = tree_listing(it->path, true);
    assert_string_equal(after, before);
    free(before);
    free(after);
    in_child(it, save_in_child); /* its sweep leaves the draft alone, too */
    assert_int_equal(fk_draft_set_sample(it->draft, &it->sample.image, &it->err), FK_OK);
    assert_int_equal(fk_draft_set_feedback(it->draft, it->sample.model.feedback, &it->err), FK_OK);
    bench_assert_whole_run(it);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup_at_now, bench_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_child_saves_through_the_store_of_its_parent),
        TEST(test_a_mutex_that_was_held_at_the_fork_does_not_stop_a_child),
        TEST(test_a_child_of_a_child_saves_too),
        TEST(test_threads_of_a_child_share_what_it_learns),
        TEST(test_a_child_that_closes_the_store_closes_only_its_own),
        TEST(test_a_child_reads_through_handles_of_its_parent),
        TEST(test_a_draft_survives_children_that_destroy_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
