/* Saving and loading on kernels and in containers that lack calls: seccomp takes them away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/syscall.h>

#include "bench.h"
#include "old_kernel.h"
#include "tree.h"

/* Everything there is to do; 0, or the number of what went wrong. */
static int save_and_load(void *user) {
    bench *it = user;
    fk_loaded *loaded = NULL;
    fk_run_list *runs = NULL;
    fk_recovery *recovery = NULL;
    for (int i = 0; i < 3; i++) {
        if (bench_save(it) != FK_OK) {
            return 1;
        }
    }
    if (strcmp(it->id.text, NOW_TEXT "-0002") != 0) {
        return 2;
    }
    fk_code code = fk_load_model(it->store, "1-fruity", NULL, NULL, &loaded, &it->err);
    fk_loaded_destroy(loaded);
    if (code != FK_OK) {
        return 3;
    }
    code = fk_verify(it->store, NULL, NULL, NULL, NULL, &runs, &it->err);
    size_t count = code == FK_OK ? fk_run_list_count(runs) : 0;
    fk_run_list_destroy(runs);
    if (count != 3) {
        return 4;
    }
    code = fk_recover(it->store, &recovery, &it->err);
    fk_recovery_destroy(recovery);
    return code == FK_OK ? 0 : 5;
}

static void check(bench *it, const old_kernel *lacking, unsigned count) {
    assert_int_equal(old_kernel_run(lacking, count, save_and_load, it), 0);
    bench_assert_all_verify(it, 3);
    assert_int_equal(tree_count(bench_in_runs(it, ""), "", NULL), 3);
}

static void test_linux_4_without_openat2(void **state) {
    static const old_kernel lacking[] = {{SYS_openat2, -1, ENOSYS}};
    check(*state, lacking, 1);
}

static void test_a_container_that_forbids_openat2(void **state) {
    static const old_kernel lacking[] = {{SYS_openat2, -1, EPERM}};
    check(*state, lacking, 1);
}

static void test_linux_3_without_openat2_and_renameat2(void **state) {
    static const old_kernel lacking[] = {{SYS_openat2, -1, ENOSYS}, {SYS_renameat2, -1, ENOSYS}};
    check(*state, lacking, 2);
}

static void test_a_file_system_that_knows_no_flags_of_rename(void **state) {
    static const old_kernel lacking[] = {{SYS_renameat2, 4, EINVAL}};
    check(*state, lacking, 1);
}

static void test_a_file_system_without_reserving_hints_and_links(void **state) {
    static const old_kernel lacking[] = {{SYS_fallocate, -1, EOPNOTSUPP},
                                         {SYS_sync_file_range, -1, ENOSYS},
                                         {SYS_linkat, -1, EPERM},
                                         {SYS_madvise, -1, ENOSYS}};
    check(*state, lacking, 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup_at_now, bench_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_linux_4_without_openat2),
        TEST(test_a_container_that_forbids_openat2),
        TEST(test_linux_3_without_openat2_and_renameat2),
        TEST(test_a_file_system_that_knows_no_flags_of_rename),
        TEST(test_a_file_system_without_reserving_hints_and_links),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
