/* Work in a process that is killed at a call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake_kernel.h"
#include "os/directory.h"
#include "os/kernel.h"
#include "os/trial.h"
#include "scratch.h"

/* Two directories: two calls. */
static fk_code make_two(void *user, fk_error *err) {
    (void)user;
    fk_code code = fk_directory_make(scratch_fd, "one", NULL, err);
    return code == FK_OK ? fk_directory_make(scratch_fd, "other", NULL, err) : code;
}

static void test_a_trial_that_is_not_killed_tells_its_calls(void **state) {
    (void)state;
    fk_trial trial;
    assert_int_equal(fk_trial_run(make_two, NULL, 0, &trial, NULL), FK_OK);
    assert_false(trial.killed);
    assert_int_equal(trial.code, FK_OK);
    assert_int_equal(trial.calls, 2);
    assert_string_equal(trial.call, "mkdirat");
    assert_true(scratch_exists("one") && scratch_exists("other"));
}

static void test_a_trial_is_killed_before_its_call(void **state) {
    (void)state;
    fk_trial trial;
    assert_int_equal(fk_trial_run(make_two, NULL, 2, &trial, NULL), FK_OK);
    assert_true(trial.killed);
    assert_int_equal(trial.calls, 1);
    assert_true(scratch_exists("one") && !scratch_exists("other"));
}

static void test_a_call_beyond_the_last_kills_nobody(void **state) {
    (void)state;
    fk_trial trial;
    assert_int_equal(fk_trial_run(make_two, NULL, 3, &trial, NULL), FK_OK);
    assert_false(trial.killed);
}

static void test_the_failure_of_the_work_comes_back(void **state) {
    (void)state;
    fk_trial trial;
    scratch_write_text("one", "a file");
    assert_int_equal(fk_trial_run(make_two, NULL, 0, &trial, NULL), FK_OK);
    assert_true(trial.code != FK_OK && trial.code == trial.error.code);
    assert_non_null(strstr(trial.error.message, "one"));
}

static void *do_nothing(void *user) {
    return user;
}

static fk_code start_a_thread(void *user, fk_error *err) {
    (void)user;
    pthread_t thread;
    bool started = fk_kernel_current->start_thread(&thread, do_nothing, NULL);
    return started ? fk_error_set(err, FK_E_USAGE, "a thread") : FK_OK;
}

static void test_a_trial_has_one_thread(void **state) {
    (void)state;
    fk_trial trial;
    fake_kernel_allow_threads();
    assert_int_equal(fk_trial_run(start_a_thread, NULL, 0, &trial, NULL), FK_OK);
    assert_int_equal(trial.code, FK_OK);
}

static fk_code hang(void *user, fk_error *err) {
    (void)user;
    (void)err;
    fk_kernel_linux.alarm(1);
    pause();
    return FK_OK;
}

static fk_code leave_early(void *user, fk_error *err) {
    (void)user;
    (void)err;
    _exit(3);
}

static void test_any_other_end_is_an_error(void **state) {
    (void)state;
    fk_trial trial;
    fk_error err;
    assert_int_equal(fk_trial_run(leave_early, NULL, 0, &trial, &err), FK_E_IO);
    assert_non_null(strstr(err.message, "status 3"));
    assert_int_equal(fk_trial_run(hang, NULL, 0, &trial, &err), FK_E_IO);
    assert_non_null(strstr(err.hint, "hung"));
}

static void test_no_process_and_no_memory_are_errors(void **state) {
    (void)state;
    fk_trial trial;
    fk_error err;
    fake_kernel_fail("fork", 1, ENOMEM, FAKE_ONCE);
    assert_int_equal(fk_trial_run(make_two, NULL, 0, &trial, &err), FK_E_NO_MEMORY);
    fake_kernel_fail("mmap", 1, ENOMEM, FAKE_ONCE);
    assert_int_equal(fk_trial_run(make_two, NULL, 0, &trial, &err), FK_E_NO_MEMORY);
    fake_kernel_fail("waitpid", 1, EINTR, FAKE_ONCE);
    assert_int_equal(fk_trial_run(make_two, NULL, 0, &trial, &err), FK_OK);
    fake_kernel_fail("waitpid", 1, ECHILD, FAKE_ONCE);
    assert_int_equal(fk_trial_run(make_two, NULL, 0, &trial, &err), FK_E_IO);
    assert_non_null(strstr(err.hint, "SIGCHLD"));
    assert_true(waitpid(-1, NULL, 0) > 0); /* nobody has waited for it */
}

static void test_a_flip_is_one_bit_and_can_be_taken_back(void **state) {
    (void)state;
    scratch_write_text("file", "abc");
    assert_int_equal(fk_trial_flip(scratch_fd, "file", NULL), FK_OK);
    char *text = scratch_read("file", NULL);
    assert_string_equal(text, "`bc");
    free(text);
    assert_int_equal(fk_trial_flip(scratch_fd, "file", NULL), FK_OK);
    text = scratch_read("file", NULL);
    assert_string_equal(text, "abc");
    free(text);
    assert_int_equal(fk_trial_flip(scratch_fd, "none", NULL), FK_E_IO);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_trial_that_is_not_killed_tells_its_calls),
        TEST(test_a_trial_is_killed_before_its_call),
        TEST(test_a_call_beyond_the_last_kills_nobody),
        TEST(test_the_failure_of_the_work_comes_back),
        TEST(test_a_trial_has_one_thread),
        TEST(test_any_other_end_is_an_error),
        TEST(test_no_process_and_no_memory_are_errors),
        TEST(test_a_flip_is_one_bit_and_can_be_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
