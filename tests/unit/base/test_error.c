/* lib/base/error.c: what an error holds, and the codes' names and exit statuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/text.h"

static fk_error err;

static void test_an_error_starts_afresh(void **state) {
    (void)state;
    memset(&err, 'x', sizeof err);
    assert_int_equal(fk_error_set(&err, FK_E_INVALID, "width %d is odd", 7), FK_E_INVALID);
    assert_int_equal(err.code, FK_E_INVALID);
    assert_int_equal(err.subject, FK_SUBJECT_NONE);
    assert_int_equal(err.system_errno, 0);
    assert_true(err.offset == FK_NO_OFFSET);
    assert_string_equal(err.path, "");
    assert_string_equal(err.message, "width 7 is odd");
    assert_string_equal(err.hint, "");
}

static void test_parts_are_added(void **state) {
    (void)state;
    fk_error_set(&err, FK_E_CORRUPT, "damaged");
    fk_error_subject(&err, FK_SUBJECT_DATA);
    fk_error_offset(&err, 42);
    fk_error_path(&err, "weights");
    fk_error_path_join(&err, "1-fruity/runs");
    fk_error_hint(&err, "restore '%s'", "weights");
    assert_int_equal(err.subject, FK_SUBJECT_DATA);
    assert_int_equal(err.offset, 42);
    assert_string_equal(err.path, "1-fruity/runs/weights");
    assert_string_equal(err.hint, "restore 'weights'");
    assert_string_equal(err.message, "damaged");
}

static void test_joining_to_no_path_is_the_parent(void **state) {
    (void)state;
    fk_error_set(&err, FK_E_CORRUPT, "damaged");
    fk_error_path_join(&err, "networks");
    assert_string_equal(err.path, "networks");
}

static void test_an_error_may_be_built_from_itself(void **state) {
    (void)state;
    fk_error_set(&err, FK_E_IO, "cannot open 'x'");
    fk_error_hint(&err, "check the path");
    fk_error_set(&err, FK_E_CORRUPT, "font 1-a: %s", err.message);
    assert_string_equal(err.message, "font 1-a: cannot open 'x'");
    fk_error_hint(&err, "look");
    fk_error_hint(&err, "%s and %s", err.hint, err.hint);
    assert_string_equal(err.hint, "look and look");
    fk_error_path(&err, "a");
    fk_error_path_join(&err, err.path);
    assert_string_equal(err.path, "a/a");
}

static void test_without_an_error_only_the_code_counts(void **state) {
    (void)state;
    assert_int_equal(fk_error_set(NULL, FK_E_LIMIT, "too much"), FK_E_LIMIT);
    assert_int_equal(fk_error_no_memory(NULL), FK_E_NO_MEMORY);
    assert_int_equal(fk_error_pass(NULL, &(fk_error){.code = FK_E_IO}), FK_E_IO);
    fk_error_add(NULL, "x");
    fk_error_subject(NULL, FK_SUBJECT_DATA);
    fk_error_offset(NULL, 1);
    fk_error_path(NULL, "x");
    fk_error_path_join(NULL, "x");
    fk_error_hint(NULL, "x");
}

static void test_an_error_is_handed_on_whole(void **state) {
    (void)state;
    fk_error first;
    fk_error_set(&first, FK_E_IO, "read");
    fk_error_path(&first, "x");
    fk_error_hint(&first, "again");
    assert_int_equal(fk_error_pass(&err, &first), FK_E_IO);
    assert_string_equal(err.message, "read");
    assert_string_equal(err.path, "x");
    assert_string_equal(err.hint, "again");
}

static void test_a_message_may_grow(void **state) {
    (void)state;
    fk_error_set(&err, FK_E_IO, "read");
    fk_error_add(&err, "; then %s", err.message);
    assert_string_equal(err.message, "read; then read");
    for (int i = 0; i < 1000; i++) {
        fk_error_add(&err, "; and again");
    }
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
}

static void test_short_memory_has_a_hint(void **state) {
    (void)state;
    assert_int_equal(fk_error_no_memory(&err), FK_E_NO_MEMORY);
    assert_string_equal(err.message, "out of memory");
    assert_string_not_equal(err.hint, "");
}

/* Euro signs of three bytes each do not fill a text of 1024 or 4096 bytes evenly. */
static void test_long_texts_are_cut_between_characters(void **state) {
    (void)state;
    char long_text[3 * 2000 + 1];
    for (size_t i = 0; i < 2000; i++) {
        memcpy(long_text + 3 * i, "\xE2\x82\xAC", 3);
    }
    long_text[3 * 2000] = '\0';
    fk_error_set(&err, FK_E_IO, "x%s", long_text);
    fk_error_hint(&err, "xy%s", long_text);
    fk_error_path(&err, long_text);
    assert_int_equal(strlen(err.message), 1 + 1020);
    assert_int_equal(strlen(err.hint), 2 + 1020);
    assert_int_equal(strlen(err.path), 4095);
    fk_error_path_join(&err, "p");
    assert_int_equal(strlen(err.path), 2 + 4092);
    assert_memory_equal(err.path, "p/\xE2\x82\xAC", 5);
}

static void test_codes_have_the_names_and_exit_statuses_of_the_design(void **state) {
    (void)state;
    static const struct {
        fk_code code;
        const char *name;
        int exit_status;
    } codes[] = {
        {FK_OK, "ok", 0},
        {FK_E_USAGE, "usage", 2},
        {FK_E_STORE_NOT_FOUND, "store_not_found", 3},
        {FK_E_FONT_NOT_FOUND, "font_not_found", 3},
        {FK_E_RUN_NOT_FOUND, "run_not_found", 3},
        {FK_E_FONT_EXISTS, "font_exists", 4},
        {FK_E_INVALID, "invalid", 4},
        {FK_E_CORRUPT, "corrupt", 5},
        {FK_E_INCOMPLETE, "incomplete", 5},
        {FK_E_BUSY, "busy", 6},
        {FK_E_NO_SPACE, "no_space", 7},
        {FK_E_ACCESS, "access", 8},
        {FK_E_IO, "io", 8},
        {FK_E_NO_MEMORY, "no_memory", 8},
        {FK_E_UNSUPPORTED, "unsupported", 9},
        {FK_E_LIMIT, "limit", 9},
        {FK_E_NOT_DURABLE, "not_durable", 10},
        {FK_E_CANCELLED, "cancelled", 130},
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        assert_string_equal(fk_code_name(codes[i].code), codes[i].name);
        assert_int_equal(fk_code_exit_status(codes[i].code), codes[i].exit_status);
    }
    assert_string_equal(fk_code_name((fk_code)-99), "unknown");
    assert_int_equal(fk_code_exit_status((fk_code)-99), 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_error_starts_afresh),
        cmocka_unit_test(test_parts_are_added),
        cmocka_unit_test(test_joining_to_no_path_is_the_parent),
        cmocka_unit_test(test_an_error_may_be_built_from_itself),
        cmocka_unit_test(test_without_an_error_only_the_code_counts),
        cmocka_unit_test(test_an_error_is_handed_on_whole),
        cmocka_unit_test(test_a_message_may_grow),
        cmocka_unit_test(test_short_memory_has_a_hint),
        cmocka_unit_test(test_long_texts_are_cut_between_characters),
        cmocka_unit_test(test_codes_have_the_names_and_exit_statuses_of_the_design),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
