/* lib/base/buffer.c and checked.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/checked.h"
#include "fake_memory.h"

static void test_what_is_appended_stands_in_order_before_a_nul(void **state) {
    (void)state;
    FK_SCOPED(fk_buffer_finish) fk_buffer buffer = {0};
    assert_true(fk_buffer_append(&buffer, "ab", 2));
    assert_true(fk_buffer_append(&buffer, NULL, 0));
    assert_true(fk_buffer_append_text(&buffer, "cd"));
    assert_true(fk_buffer_append_byte(&buffer, 'e'));
    assert_true(fk_buffer_append_format(&buffer, "%d-%s", 12, "x"));
    assert_int_equal(buffer.length, 9);
    assert_string_equal((char *)buffer.bytes, "abcde12-x");
}

static void test_numbers_are_little_endian(void **state) {
    (void)state;
    FK_SCOPED(fk_buffer_finish) fk_buffer buffer = {0};
    assert_true(fk_buffer_append_u16(&buffer, 0x0102));
    assert_true(fk_buffer_append_u32(&buffer, 0x03040506));
    assert_true(fk_buffer_append_u64(&buffer, 0x0708090A0B0C0D0E));
    assert_int_equal(buffer.length, 14);
    assert_memory_equal(buffer.bytes, "\2\1\6\5\4\3\x0E\x0D\x0C\x0B\x0A\x09\x08\x07", 14);
}

static void test_it_grows_as_needed(void **state) {
    (void)state;
    FK_SCOPED(fk_buffer_finish) fk_buffer buffer = {0};
    for (size_t i = 0; i < 10000; i++) {
        assert_true(fk_buffer_append_format(&buffer, "%04zu", i));
    }
    assert_int_equal(buffer.length, 40000);
    assert_memory_equal(buffer.bytes + 4 * 7777, "7777", 4);
    uint8_t *added = fk_buffer_extend(&buffer, 100000);
    assert_ptr_equal(added, buffer.bytes + 40000);
    memset(added, 'x', 100000);
    assert_int_equal(buffer.bytes[140000], 0);
}

static void test_a_size_that_wraps_fails_and_sticks(void **state) {
    (void)state;
    FK_SCOPED(fk_buffer_finish) fk_buffer buffer = {0};
    assert_true(fk_buffer_append_text(&buffer, "abc"));
    assert_null(fk_buffer_extend(&buffer, SIZE_MAX - 1));
    assert_true(buffer.failed);
    assert_false(fk_buffer_append_text(&buffer, "d"));
    assert_false(fk_buffer_append_format(&buffer, "d"));
    assert_false(fk_buffer_append_u16(&buffer, 1));
    assert_null(fk_buffer_take(&buffer, NULL));
    assert_int_equal(buffer.length, 3);
}

static void test_short_memory_fails_and_sticks(void **state) {
    (void)state;
    FK_SCOPED(fk_buffer_finish) fk_buffer buffer = {0};
    fake_memory_fail(1);
    assert_false(fk_buffer_append_text(&buffer, "abc"));
    assert_true(fake_memory_relent());
    assert_true(buffer.failed);
    assert_false(fk_buffer_append_byte(&buffer, 'd'));
    fk_buffer_finish(&buffer);
    assert_false(buffer.failed);
    assert_true(fk_buffer_append_byte(&buffer, 'd'));
}

static void test_take_hands_the_memory_over(void **state) {
    (void)state;
    fk_buffer buffer = {0};
    size_t length = 99;
    fk_buffer_append_text(&buffer, "abc");
    char *text = fk_buffer_take(&buffer, &length);
    assert_string_equal(text, "abc");
    assert_int_equal(length, 3);
    free(text);
    assert_null(buffer.bytes);
    assert_int_equal(buffer.length, 0);
    text = fk_buffer_take(&buffer, NULL);
    assert_string_equal(text, "");
    free(text);
    fake_memory_fail(1);
    assert_null(fk_buffer_take(&buffer, &length));
    fake_memory_relent();
    assert_int_equal(length, 3);
}

static void test_sums_and_products_tell_when_they_wrap(void **state) {
    (void)state;
    uint64_t result = 0;
    assert_true(fk_checked_add(UINT64_MAX - 1, 1, &result));
    assert_true(result == UINT64_MAX);
    assert_false(fk_checked_add(UINT64_MAX, 1, &result));
    assert_true(fk_checked_multiply(UINT64_C(1) << 32, (UINT64_C(1) << 32) - 1, &result));
    assert_false(fk_checked_multiply(UINT64_C(1) << 32, UINT64_C(1) << 32, &result));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_appended_stands_in_order_before_a_nul),
        cmocka_unit_test(test_numbers_are_little_endian),
        cmocka_unit_test(test_it_grows_as_needed),
        cmocka_unit_test(test_a_size_that_wraps_fails_and_sticks),
        cmocka_unit_test(test_short_memory_fails_and_sticks),
        cmocka_unit_test(test_take_hands_the_memory_over),
        cmocka_unit_test(test_sums_and_products_tell_when_they_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
