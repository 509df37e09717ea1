#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "value/values.h"

static void test_memory_is_aligned_and_does_not_overlap(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 15, 16, 17, 100, 4000, 5000, 100000, 3, 1 << 20, 24, 2000};
    enum { COUNT = sizeof sizes / sizeof sizes[0], ROUNDS = 200 };
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    static unsigned char *given[COUNT * ROUNDS];
    for (size_t i = 0; i < COUNT * ROUNDS; i++) {
        size_t size = i / COUNT == 0 ? sizes[i] : sizes[i % COUNT] % 4096;
        given[i] = fk_values_allocate(values, size);
        assert_non_null(given[i]);
        assert_int_equal((uintptr_t)given[i] % 16, 0);
        memset(given[i], (int)(i % 251), size);
    }
    for (size_t i = 0; i < COUNT * ROUNDS; i++) {
        size_t size = i / COUNT == 0 ? sizes[i] : sizes[i % COUNT] % 4096;
        for (size_t b = 0; b < size; b++) {
            assert_int_equal(given[i][b], i % 251);
        }
    }
}

static void test_a_size_that_wraps_is_refused(void **state) {
    (void)state;
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    assert_null(fk_values_allocate(values, SIZE_MAX));
    assert_null(fk_values_allocate(values, SIZE_MAX - 20));
    assert_null(fk_value_text(values, FK_KIND_BYTES, "", SIZE_MAX));
    assert_non_null(fk_values_allocate(values, 8));
}

static int released[3];
static int release_count;

static void release(void *user) {
    released[release_count++] = *(int *)user;
}

static void test_memory_is_released_last_added_first(void **state) {
    (void)state;
    int numbers[] = {1, 2, 3};
    release_count = 0;
    fk_values *values = fk_values_create();
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(fk_values_on_destroy(values, release, &numbers[i]), FK_OK);
    }
    assert_int_equal(release_count, 0);
    fk_values_destroy(values);
    assert_int_equal(release_count, 3);
    assert_int_equal(released[0], 3);
    assert_int_equal(released[2], 1);
    fk_values_destroy(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_aligned_and_does_not_overlap),
        cmocka_unit_test(test_a_size_that_wraps_is_refused),
        cmocka_unit_test(test_memory_is_released_last_added_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
