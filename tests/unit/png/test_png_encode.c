/* lib/png/png_encode.c: what it writes, libpng reads, and our own check accepts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <png.h>

#include "base/limits.h"
#include "fake_memory.h"
#include "png/png_image.h"

enum { WIDTH = 61, HEIGHT = 47, PIXELS_MAX = WIDTH * HEIGHT * 4 };

static fk_error err;
static uint8_t pixels[PIXELS_MAX];

static bool fail_writer;
static bool fail_info;

png_structp __real_png_create_write_struct(png_const_charp version, png_voidp user,
                                           png_error_ptr fail, png_error_ptr warn);
png_structp __wrap_png_create_write_struct(png_const_charp version, png_voidp user,
                                           png_error_ptr fail, png_error_ptr warn);
png_infop __real_png_create_info_struct(png_const_structrp writer);
png_infop __wrap_png_create_info_struct(png_const_structrp writer);

png_structp __wrap_png_create_write_struct(png_const_charp version, png_voidp user,
                                           png_error_ptr fail, png_error_ptr warn) {
    return fail_writer ? NULL : __real_png_create_write_struct(version, user, fail, warn);
}

png_infop __wrap_png_create_info_struct(png_const_structrp writer) {
    return fail_info ? NULL : __real_png_create_info_struct(writer);
}

static int setup(void **state) {
    (void)state;
    uint32_t number = 7;
    for (size_t i = 0; i < sizeof pixels; i++) {
        number = number * 1664525 + 1013904223;
        pixels[i] = i % 5 == 0 ? (uint8_t)(number >> 24) : (uint8_t)(i / 60);
    }
    return 0;
}

static void decode(const fk_buffer *file, png_uint_32 format, size_t bytes) {
    uint8_t decoded[PIXELS_MAX];
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_memory(&image, file->bytes, file->length));
    assert_int_equal(image.format, format);
    assert_true(png_image_finish_read(&image, NULL, decoded, 0, NULL));
    assert_memory_equal(decoded, pixels, bytes);
}

static void test_pixels_of_each_kind_come_back(void **state) {
    (void)state;
    static const uint32_t channels[] = {1, 3, 4};
    static const png_uint_32 formats[] = {PNG_FORMAT_GRAY, PNG_FORMAT_RGB, PNG_FORMAT_RGBA};
    for (size_t i = 0; i < 3; i++) {
        FK_SCOPED(fk_buffer_finish) fk_buffer file = {0};
        fk_png_size size = {0};
        assert_int_equal(fk_png_encode(pixels, WIDTH, HEIGHT, channels[i], &file, &err), FK_OK);
        assert_int_equal(fk_png_check(file.bytes, file.length, &size, &err), FK_OK);
        assert_int_equal(size.width, WIDTH);
        assert_int_equal(size.height, HEIGHT);
        decode(&file, formats[i], (size_t)WIDTH * HEIGHT * channels[i]);
    }
}

static void test_the_same_pixels_give_the_same_bytes_behind_what_was_there(void **state) {
    (void)state;
    FK_SCOPED(fk_buffer_finish) fk_buffer one = {0};
    FK_SCOPED(fk_buffer_finish) fk_buffer other = {0};
    assert_int_equal(fk_png_encode(pixels, WIDTH, HEIGHT, 3, &one, &err), FK_OK);
    fk_buffer_append_text(&other, "front");
    assert_int_equal(fk_png_encode(pixels, WIDTH, HEIGHT, 3, &other, &err), FK_OK);
    assert_int_equal(other.length, one.length + 5);
    assert_memory_equal(other.bytes, "front", 5);
    assert_memory_equal(other.bytes + 5, one.bytes, one.length);
}

static void test_a_file_holds_nothing_but_the_image(void **state) {
    (void)state;
    FK_SCOPED(fk_buffer_finish) fk_buffer file = {0};
    assert_int_equal(fk_png_encode(pixels, 1, 1, 1, &file, &err), FK_OK);
    assert_null(memmem(file.bytes, file.length, "tIME", 4));
    assert_null(memmem(file.bytes, file.length, "tEXt", 4));
    assert_memory_equal(file.bytes + 12, "IHDR", 4);
    assert_memory_equal(file.bytes + 37, "IDAT", 4);
}

static void test_impossible_images_are_refused(void **state) {
    (void)state;
    static const uint32_t cases[][3] = {
        {1, 1, 2},
        {1, 1, 0},
        {1, 1, 5},
        {0, 1, 1},
        {1, 0, 1},
        {FK_LIMIT_PNG_SIDE + 1, 1, 1},
        {1, FK_LIMIT_PNG_SIDE + 1, 1},
        {FK_LIMIT_PNG_SIDE, FK_LIMIT_PNG_SIDE, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fk_buffer file = {0};
        const uint32_t *sides = cases[i];
        assert_int_equal(fk_png_encode(pixels, sides[0], sides[1], sides[2], &file, &err),
                         FK_E_INVALID);
        assert_string_not_equal(err.hint, "");
        assert_null(file.bytes);
    }
}

static void test_short_memory_leaves_the_buffer_as_it_was(void **state) {
    (void)state;
    for (size_t nth = 1;; nth++) {
        FK_SCOPED(fk_buffer_finish) fk_buffer file = {0};
        fk_buffer_append_text(&file, "front");
        fake_memory_fail(nth);
        fk_code code = fk_png_encode(pixels, WIDTH, HEIGHT, 4, &file, &err);
        if (!fake_memory_relent()) {
            assert_int_equal(code, FK_OK);
            assert_true(nth > 1);
            break;
        }
        assert_int_equal(code, FK_E_NO_MEMORY);
        assert_int_equal(file.length, 5);
        assert_memory_equal(file.bytes, "front", 5);
    }
}

static void test_a_libpng_without_memory_is_an_error(void **state) {
    (void)state;
    fk_buffer file = {0};
    fail_writer = true;
    assert_int_equal(fk_png_encode(pixels, 1, 1, 1, &file, &err), FK_E_NO_MEMORY);
    fail_writer = false;
    fail_info = true;
    assert_int_equal(fk_png_encode(pixels, 1, 1, 1, &file, &err), FK_E_NO_MEMORY);
    fail_info = false;
    assert_null(file.bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pixels_of_each_kind_come_back),
        cmocka_unit_test(test_the_same_pixels_give_the_same_bytes_behind_what_was_there),
        cmocka_unit_test(test_a_file_holds_nothing_but_the_image),
        cmocka_unit_test(test_impossible_images_are_refused),
        cmocka_unit_test(test_short_memory_leaves_the_buffer_as_it_was),
        cmocka_unit_test(test_a_libpng_without_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
