/* lib/os/clock.c: time, chance and identity. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "fake_kernel.h"
#include "os/clock.h"

static fk_error err;

static void test_now_is_the_systems_time_in_microseconds(void **state) {
    (void)state;
    int64_t before_us = (int64_t)time(NULL) * 1000000;
    int64_t now_us = fk_clock_now_us();
    assert_true(now_us >= before_us && now_us < before_us + 10 * 1000000);
    fake_kernel_set_time(1234567890123456);
    assert_true(fk_clock_now_us() == 1234567890123456);
}

static void test_sleep_goes_on_after_an_interruption(void **state) {
    (void)state;
    fake_kernel_fail("nanosleep", 1, EINTR, FAKE_ONCE);
    fk_clock_sleep_ms(2500);
    assert_int_equal(fake_kernel_slept_ms(), 2500);
    assert_int_equal(fake_kernel_count("nanosleep"), 2);
}

static void test_random_hex_is_as_long_as_asked_and_never_the_same(void **state) {
    (void)state;
    char one[201];
    char other[201];
    fake_kernel_fail("getrandom", 1, EINTR, FAKE_ONCE);
    assert_int_equal(fk_clock_random_hex(one, 100, &err), FK_OK);
    assert_int_equal(fk_clock_random_hex(other, 100, &err), FK_OK);
    assert_int_equal(strspn(one, "0123456789abcdef"), 200);
    assert_int_equal(strlen(one), 200);
    assert_string_not_equal(one, other);
    assert_int_equal(fk_clock_random_hex(one, 0, &err), FK_OK);
    assert_string_equal(one, "");
}

static void test_missing_chance_is_an_error(void **state) {
    (void)state;
    char text[33];
    fake_kernel_fail("getrandom", 1, ENOSYS, FAKE_ONCE);
    assert_int_equal(fk_clock_random_hex(text, 16, &err), FK_E_IO);
    assert_int_equal(err.system_errno, ENOSYS);
}

static void test_identity_is_host_boot_and_process(void **state) {
    (void)state;
    fk_identity identity;
    char host[65];
    assert_int_equal(gethostname(host, sizeof host), 0);
    fk_identity_current(&identity);
    assert_string_equal(identity.host, host);
    assert_int_equal(strlen(identity.boot_id), 36);
    assert_int_equal(identity.pid, getpid());
    fake_kernel_set_pid(77);
    assert_int_equal(fk_identity_pid(), 77);
}

static void test_an_unknown_boot_id_is_empty(void **state) {
    (void)state;
    fk_identity identity;
    fake_kernel_fail("openat", 1, ENOENT, FAKE_ONCE);
    fk_identity_current(&identity);
    assert_string_equal(identity.boot_id, "");
    fake_kernel_move_at_most(10);
    fk_identity_current(&identity);
    assert_string_equal(identity.boot_id, "");
    fake_kernel_fail("uname", 1, EFAULT, FAKE_ONCE);
    fk_identity_current(&identity);
    assert_string_equal(identity.host, "");
}

#define kernel_test(function)                                                                      \
    cmocka_unit_test_setup_teardown(function, fake_kernel_setup, fake_kernel_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        kernel_test(test_now_is_the_systems_time_in_microseconds),
        kernel_test(test_sleep_goes_on_after_an_interruption),
        kernel_test(test_random_hex_is_as_long_as_asked_and_never_the_same),
        kernel_test(test_missing_chance_is_an_error),
        kernel_test(test_identity_is_host_boot_and_process),
        kernel_test(test_an_unknown_boot_id_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
