/* Files read piece by piece, by several threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "digest/digest.h"
#include "fake_kernel.h"
#include "make_run.h"
#include "os/file.h"
#include "os/kernel.h"
#include "os/map.h"
#include "store/run/pieces.h"
#include "tree.h"

static void test_a_list_of_another_number_of_pieces_is_refused(void **state) {
    run_bench *it = *state;
    tree_write(tree_path(it->path, "x"), "x", 1);
    fk_run_file file = {.path = "x", .bytes = 1, .pieces = 2};
    fk_pieces_job job = {.fd = -1, .path = "x", .bytes = 1, .file = &file};
    assert_int_equal(fk_pieces_check(&job, NULL, &it->err), FK_E_CORRUPT);
}

static void test_a_file_has_a_piece_for_each_16_mib_begun_and_at_least_one(void **state) {
    (void)state;
    assert_int_equal(fk_pieces_count(0), 1);
    assert_int_equal(fk_pieces_count(1), 1);
    assert_int_equal(fk_pieces_count(FK_PIECE_BYTES), 1);
    assert_int_equal(fk_pieces_count(FK_PIECE_BYTES + 1), 2);
}

static void let_time_pass(void *user) {
    int64_t *now_us = user;
    *now_us += 5000;
    fake_kernel_set_time(*now_us);
}

static void test_after_three_blocks_that_came_slowly_the_rest_has_small_pages(void **state) {
    run_bench *it = *state;
    enum { BLOCKS = 5 };
    int64_t now_us = 1000;
    FK_SCOPED(fk_map_finish) fk_map map = {0};
    FK_SCOPED(fk_file_closep) int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    assert_int_equal(fk_map_allocate(BLOCKS << 20, &map, &it->err), FK_OK);
    fk_pieces_job job = {.fd = fd, .path = "x", .bytes = map.bytes, .into = map.data};
    size_t before = fake_kernel_count("madvise");
    fake_kernel_set_time(now_us);
    assert_int_equal(fk_pieces_check(&job, NULL, &it->err), FK_OK);
    assert_int_equal(fake_kernel_count("madvise") - before, BLOCKS);
    for (size_t i = 1; i <= BLOCKS; i++) {
        fake_kernel_before("clock_gettime", 2 * i, let_time_pass, &now_us);
    }
    assert_int_equal(fk_pieces_check(&job, NULL, &it->err), FK_OK);
    assert_int_equal(fake_kernel_count("madvise") - before, 2 * BLOCKS + 1);
}

/* ---- a failure of one thread */

static const fk_kernel *real;
static pthread_t caller;
static atomic_bool another_reads;
static atomic_bool failed;
static atomic_size_t reads;

/* The caller's first read fails, once another thread is in the midst of a piece. That one goes on
 * behind the failure. */
static ssize_t pread_in_turn(int fd, void *into, size_t bytes, off_t offset) {
    atomic_fetch_add(&reads, 1);
    if (pthread_equal(pthread_self(), caller)) {
        for (int ms = 0; ms < 1000 && !atomic_load(&another_reads); ms++) {
            usleep(1000);
        }
        atomic_store(&failed, true);
        errno = EIO;
        return -1;
    }
    atomic_store(&another_reads, true);
    while (!atomic_load(&failed)) {
        usleep(1000);
    }
    usleep(20000);
    return real->pread(fd, into, bytes, offset);
}

static void test_when_one_thread_fails_the_others_leave_their_pieces(void **state) {
    run_bench *it = *state;
    FK_SCOPED(fk_file_closep) int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    fk_pieces_job job = {.fd = fd, .path = "x", .bytes = 8 * FK_PIECE_BYTES};
    caller = pthread_self();
    fake_kernel_allow_threads();
    real = fk_kernel_current;
    fk_kernel in_turn = *real;
    in_turn.pread = pread_in_turn;
    fk_kernel_current = &in_turn;
    fk_code code = fk_pieces_check(&job, NULL, &it->err);
    fk_kernel_current = real;
    assert_int_equal(code, FK_E_IO);
    assert_int_equal(it->err.code, FK_E_IO);
    assert_true(atomic_load(&reads) < job.bytes >> 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, run_bench_setup, run_bench_teardown)
        T(test_a_list_of_another_number_of_pieces_is_refused),
        T(test_a_file_has_a_piece_for_each_16_mib_begun_and_at_least_one),
        T(test_after_three_blocks_that_came_slowly_the_rest_has_small_pages),
        T(test_when_one_thread_fails_the_others_leave_their_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
