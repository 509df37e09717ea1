/* lib/os/crew.c: threads that share a list of items. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "fake_kernel.h"
#include "os/crew.h"

enum { ITEMS = 1000 };

typedef struct work_seen {
    _Atomic unsigned times[ITEMS];
    _Atomic unsigned members[FK_CREW_MAX];
    atomic_size_t done;
    size_t fail_from; /* this item and all behind it fail */
    pthread_barrier_t barrier;
} work_seen;

static fk_error err;

static fk_code note(void *user, const fk_crew_member *member, size_t item, fk_error *error) {
    work_seen *seen = user;
    assert_true(item < ITEMS);
    seen->times[item]++;
    seen->members[member->index]++;
    seen->done++;
    if (seen->fail_from != 0 && item >= seen->fail_from) {
        return fk_error_set(error, FK_E_IO, "item %zu", item);
    }
    return FK_OK;
}

/* Nobody leaves before all four are there: so each does one item, on a thread of its own. */
static fk_code meet(void *user, const fk_crew_member *member, size_t item, fk_error *error) {
    work_seen *seen = user;
    pthread_barrier_wait(&seen->barrier);
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    assert_int_equal(sigismember(&blocked, SIGINT), member->index == 0 ? 0 : 1);
    return note(user, member, item, error);
}

/* One fails, and the others work on until they are told to stop. */
static fk_code work_until_stopped(void *user, const fk_crew_member *member, size_t item,
                                  fk_error *error) {
    work_seen *seen = user;
    pthread_barrier_wait(&seen->barrier);
    if (item == 2) {
        return fk_error_set(error, FK_E_CORRUPT, "the first failure");
    }
    while (!fk_crew_is_stopping(member)) {
    }
    return FK_OK;
}

static size_t threads_alive(void) {
    DIR *tasks = opendir("/proc/self/task");
    size_t count = 0;
    assert_non_null(tasks);
    for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
        count += task->d_name[0] != '.';
    }
    closedir(tasks);
    return count;
}

static void test_every_item_is_worked_on_once(void **state) {
    (void)state;
    fake_kernel_allow_threads();
    for (size_t size = 0; size <= FK_CREW_MAX + 1; size++) {
        work_seen seen = {0};
        assert_int_equal(fk_crew_run(size, ITEMS, note, &seen, &err), FK_OK);
        for (size_t i = 0; i < ITEMS; i++) {
            assert_int_equal(seen.times[i], 1);
        }
    }
    assert_int_equal(fk_crew_run(4, 0, note, NULL, &err), FK_OK);
}

static void test_each_thread_has_an_index_and_blocks_signals_and_none_is_left_behind(void **state) {
    (void)state;
    fake_kernel_allow_threads();
    size_t before = threads_alive();
    work_seen seen = {0};
    pthread_barrier_init(&seen.barrier, NULL, 4);
    assert_int_equal(fk_crew_run(4, 4, meet, &seen, &err), FK_OK);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(seen.members[i], 1);
    }
    pthread_barrier_destroy(&seen.barrier);
    assert_int_equal(threads_alive(), before);
}

static void test_the_first_failure_stops_the_others(void **state) {
    (void)state;
    fake_kernel_allow_threads();
    work_seen seen = {0};
    pthread_barrier_init(&seen.barrier, NULL, 4);
    assert_int_equal(fk_crew_run(4, 4, work_until_stopped, &seen, &err), FK_E_CORRUPT);
    assert_string_equal(err.message, "the first failure");
    pthread_barrier_destroy(&seen.barrier);
}

static void test_where_threads_are_refused_the_caller_works_alone(void **state) {
    (void)state;
    work_seen seen = {.fail_from = 7};
    assert_int_equal(fk_crew_run(4, ITEMS, note, &seen, &err), FK_E_IO);
    assert_string_equal(err.message, "item 7");
    assert_int_equal(seen.done, 8);
    assert_int_equal(seen.members[0], 8);
    assert_int_equal(fake_kernel_count("start_thread"), 1);
    fake_kernel_allow_threads();
    fake_kernel_fail("start_thread", 2, EAGAIN, FAKE_EVER_AFTER);
    work_seen two = {0};
    assert_int_equal(fk_crew_run(4, ITEMS, note, &two, &err), FK_OK);
    assert_int_equal(two.members[0] + two.members[1], ITEMS);
}

static void test_a_crew_is_as_large_as_its_work(void **state) {
    (void)state;
    assert_int_equal(fk_crew_size_to_compute(1), 1);
    assert_true(fk_crew_size_to_compute(1000) <= 4);
    assert_int_equal(fk_crew_size_to_wait(1), 1);
    assert_int_equal(fk_crew_size_to_wait(16), 3);
    assert_int_equal(fk_crew_size_to_wait(10000), FK_CREW_MAX);
    assert_int_equal(fk_crew_size_to_sync(1), 1);
    assert_int_equal(fk_crew_size_to_sync(6), 4);
    assert_int_equal(fk_crew_size_to_sync(10000), 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fake_kernel_setup, fake_kernel_teardown)
        T(test_every_item_is_worked_on_once),
        T(test_each_thread_has_an_index_and_blocks_signals_and_none_is_left_behind),
        T(test_the_first_failure_stops_the_others),
        T(test_where_threads_are_refused_the_caller_works_alone),
        T(test_a_crew_is_as_large_as_its_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
