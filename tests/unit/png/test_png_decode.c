/* lib/png/png_decode.c: every kind of PNG file becomes 8-bit RGB on white. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <png.h>

#include "base/limits.h"
#include "digest/crc32.h"
#include "fake_memory.h"
#include "png/png_image.h"

static fk_error err;

/* ---- files -------------------------------------------------------------------------------- */

static void append_bytes(png_structp writer, png_bytep bytes, size_t length) {
    assert_true(fk_buffer_append(png_get_io_ptr(writer), bytes, length));
}

typedef struct kind {
    int colour;
    int depth;
    bool interlaced;
    bool transparent; /* a tRNS chunk: the first colour */
} kind;

static const png_color palette[2] = {{10, 20, 30}, {200, 150, 100}};

/* One row of samples as they stand in the file, again and again. */
static void make_file(const kind *it, uint32_t width, uint32_t height, const void *row,
                      fk_buffer *file) {
    png_structp writer = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(writer);
    png_set_write_fn(writer, file, append_bytes, NULL);
    png_set_IHDR(writer, info, width, height, it->depth, it->colour,
                 it->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (it->colour == PNG_COLOR_TYPE_PALETTE) {
        png_set_PLTE(writer, info, palette, 2);
    }
    if (it->transparent) {
        const png_byte alphas[1] = {0};
        const png_color_16 first = {0};
        png_set_tRNS(writer, info, alphas, 1, &first);
    }
    png_write_info(writer, info);
    int passes = png_set_interlace_handling(writer);
    for (int pass = 0; pass < passes; pass++) {
        for (uint32_t y = 0; y < height; y++) {
            png_write_row(writer, row);
        }
    }
    png_write_end(writer, info);
    png_destroy_write_struct(&writer, &info);
}

/* Two pixels in a row, as they come out. */
static void assert_pixels(const kind *it, const void *row, const uint8_t expected[6]) {
    FK_SCOPED(fk_buffer_finish) fk_buffer file = {0};
    uint8_t *pixels = NULL;
    fk_png_size size = {0};
    make_file(it, 2, 3, row, &file);
    assert_int_equal(fk_png_decode(file.bytes, file.length, &pixels, &size, &err), FK_OK);
    assert_int_equal(size.width, 2);
    assert_int_equal(size.height, 3);
    for (size_t y = 0; y < 3; y++) {
        assert_memory_equal(pixels + y * 6, expected, 6);
    }
    free(pixels);
}

/* ---- kinds -------------------------------------------------------------------------------- */

static void test_grey_of_every_depth(void **state) {
    (void)state;
    static const uint8_t black_and_white[6] = {0, 0, 0, 255, 255, 255};
    static const uint8_t rows[][2] = {{0x40}, {0x30}, {0x0F}, {0x00, 0xFF}};
    for (int i = 0; i < 4; i++) {
        const kind grey = {.colour = PNG_COLOR_TYPE_GRAY, .depth = 1 << i};
        assert_pixels(&grey, rows[i], black_and_white);
    }
    const kind deep = {.colour = PNG_COLOR_TYPE_GRAY, .depth = 16};
    assert_pixels(&deep, "\x00\x10\x80\x80", (const uint8_t[]){0, 0, 0, 128, 128, 128});
}

static void test_colour_and_palette(void **state) {
    (void)state;
    static const uint8_t two[6] = {10, 20, 30, 200, 150, 100};
    const kind rgb = {.colour = PNG_COLOR_TYPE_RGB, .depth = 8};
    const kind deep = {.colour = PNG_COLOR_TYPE_RGB, .depth = 16};
    const kind indexed = {.colour = PNG_COLOR_TYPE_PALETTE, .depth = 1};
    const uint8_t wide[12] = {10, 10, 20, 20, 30, 30, 200, 200, 150, 150, 100, 100};
    assert_pixels(&rgb, two, two);
    assert_pixels(&deep, wide, two);
    assert_pixels(&indexed, "\x40", two);
}

static void test_what_is_transparent_stands_on_white(void **state) {
    (void)state;
    static const uint8_t expected[6] = {255, 255, 255, 200, 150, 100};
    const kind rgba = {.colour = PNG_COLOR_TYPE_RGB_ALPHA, .depth = 8};
    const kind deep = {.colour = PNG_COLOR_TYPE_RGB_ALPHA, .depth = 16};
    const kind indexed = {.colour = PNG_COLOR_TYPE_PALETTE, .depth = 1, .transparent = true};
    const kind grey = {.colour = PNG_COLOR_TYPE_GRAY, .depth = 8, .transparent = true};
    const kind grey_alpha = {.colour = PNG_COLOR_TYPE_GRAY_ALPHA, .depth = 8};
    const uint8_t wide[16] = {1, 1, 2, 2, 3, 3, 0, 0, 200, 200, 150, 150, 100, 100, 255, 255};
    assert_pixels(&rgba, (const uint8_t[]){1, 2, 3, 0, 200, 150, 100, 255}, expected);
    assert_pixels(&deep, wide, expected);
    assert_pixels(&indexed, "\x40", expected);
    assert_pixels(&grey, "\x00\x07", (const uint8_t[]){255, 255, 255, 7, 7, 7});
    assert_pixels(&grey_alpha, (const uint8_t[]){0, 128, 9, 255},
                  (const uint8_t[]){127, 127, 127, 9, 9, 9});
}

static void test_interlaced_files_are_whole(void **state) {
    (void)state;
    enum { SIDE = 19 };
    uint8_t row[SIDE];
    for (size_t i = 0; i < SIDE; i++) {
        row[i] = (uint8_t)(i * 13);
    }
    const kind interlaced = {.colour = PNG_COLOR_TYPE_GRAY, .depth = 8, .interlaced = true};
    FK_SCOPED(fk_buffer_finish) fk_buffer file = {0};
    uint8_t *pixels = NULL;
    fk_png_size size = {0};
    make_file(&interlaced, SIDE, SIDE, row, &file);
    assert_int_equal(fk_png_decode(file.bytes, file.length, &pixels, &size, &err), FK_OK);
    for (size_t i = 0; i < (size_t)SIDE * SIDE; i++) {
        assert_int_equal(pixels[i * 3], row[i % SIDE]);
        assert_int_equal(pixels[i * 3 + 2], row[i % SIDE]);
    }
    free(pixels);
}

/* ---- damage ------------------------------------------------------------------------------- */

static fk_code decode(const fk_buffer *file) {
    uint8_t *pixels = NULL;
    fk_png_size size;
    fk_code code = fk_png_decode(file->bytes, file->length, &pixels, &size, &err);
    free(pixels);
    return code;
}

static void make_noise(fk_buffer *file) {
    enum { SIDE = 64 };
    static uint8_t pixels[SIDE * SIDE];
    uint32_t number = 7;
    for (size_t i = 0; i < sizeof pixels; i++) {
        number = number * 1664525 + 1013904223;
        pixels[i] = (uint8_t)(number >> 24);
    }
    assert_int_equal(fk_png_encode(pixels, SIDE, SIDE, 1, file, &err), FK_OK);
}

/* The frame of a file is right, its compressed pixels are not. */
static void test_pixels_that_cannot_be_read_are_refused(void **state) {
    (void)state;
    enum { DATA = 41 }; /* of the IDAT chunk, behind signature, IHDR, length and type */
    FK_SCOPED(fk_buffer_finish) fk_buffer file = {0};
    make_noise(&file);
    uint8_t *length = file.bytes + DATA - 8;
    uint32_t bytes = (uint32_t)length[2] << 8 | length[3];
    file.bytes[DATA + 100] ^= 0xFF;
    uint32_t crc = __builtin_bswap32(fk_crc32_update(0, file.bytes + DATA - 4, (size_t)bytes + 4));
    memcpy(file.bytes + DATA + bytes, &crc, sizeof crc);
    assert_int_equal(fk_png_check(file.bytes, file.length, NULL, &err), FK_OK);
    assert_int_equal(decode(&file), FK_E_INVALID);
    assert_string_not_equal(err.hint, "");
}

static void test_a_file_that_fails_the_check_is_not_decoded(void **state) {
    (void)state;
    FK_SCOPED(fk_buffer_finish) fk_buffer file = {0};
    make_noise(&file);
    file.length -= 1;
    assert_int_equal(decode(&file), FK_E_INVALID);
    file.length = 3;
    assert_int_equal(decode(&file), FK_E_INVALID);
}

static void test_short_memory_is_told_apart_from_damage(void **state) {
    (void)state;
    FK_SCOPED(fk_buffer_finish) fk_buffer file = {0};
    make_noise(&file);
    for (size_t nth = 1;; nth++) {
        fake_memory_fail(nth);
        fk_code code = decode(&file);
        if (!fake_memory_relent()) {
            assert_int_equal(code, FK_OK);
            assert_true(nth > 3);
            break;
        }
        assert_int_equal(code, FK_E_NO_MEMORY);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grey_of_every_depth),
        cmocka_unit_test(test_colour_and_palette),
        cmocka_unit_test(test_what_is_transparent_stands_on_white),
        cmocka_unit_test(test_interlaced_files_are_whole),
        cmocka_unit_test(test_pixels_that_cannot_be_read_are_refused),
        cmocka_unit_test(test_a_file_that_fails_the_check_is_not_decoded),
        cmocka_unit_test(test_short_memory_is_told_apart_from_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
