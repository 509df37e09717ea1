/* lib/png/contact_sheet.c: where images come to stand, and how large the sheet is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "fake_memory.h"
#include "png/contact_sheet.h"

static fk_error err;

/* An image of one colour. */
static void make_image(uint32_t width, uint32_t height, uint8_t red, uint8_t green,
                       fk_buffer *file) {
    size_t count = (size_t)width * height;
    uint8_t *pixels = malloc(count * 3);
    for (size_t i = 0; i < count; i++) {
        pixels[i * 3] = red;
        pixels[i * 3 + 1] = green;
        pixels[i * 3 + 2] = red;
    }
    assert_int_equal(fk_png_encode(pixels, width, height, 3, file, &err), FK_OK);
    free(pixels);
}

static fk_code place(fk_contact_sheet *sheet, size_t index, uint32_t width, uint32_t height,
                     uint8_t grey) {
    FK_SCOPED(fk_buffer_finish) fk_buffer file = {0};
    make_image(width, height, grey, grey, &file);
    return fk_contact_sheet_place(sheet, index, file.bytes, file.length, &err);
}

static uint8_t at(const fk_contact_sheet *sheet, uint32_t x, uint32_t y) {
    return sheet->pixels[((size_t)y * sheet->size.width + x) * 3];
}

static void test_the_grid_is_about_three_to_two(void **state) {
    (void)state;
    static const uint32_t cases[][4] = {
        /* images, width, height -> columns */
        {1, 64, 64, 1},   {2, 64, 64, 2},  {3, 64, 64, 3},    {4, 64, 64, 2},
        {5, 64, 64, 3},   {10, 64, 64, 4}, {26, 64, 64, 7},   {52, 64, 64, 9},
        {26, 128, 64, 5}, {26, 32, 64, 9}, {100, 64, 64, 13},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        FK_SCOPED(fk_contact_sheet_finish) fk_contact_sheet sheet = {0};
        const uint32_t *one = cases[i];
        fk_png_size largest = {one[1], one[2]};
        assert_int_equal(fk_contact_sheet_init(&sheet, one[0], largest, &err), FK_OK);
        assert_int_equal(sheet.columns, one[3]);
        assert_int_equal(sheet.reduce, 1);
    }
}

static void test_images_stand_in_the_middle_of_their_cells(void **state) {
    (void)state;
    FK_SCOPED(fk_contact_sheet_finish) fk_contact_sheet sheet = {0};
    fk_png_size largest = {16, 16};
    assert_int_equal(fk_contact_sheet_init(&sheet, 4, largest, &err), FK_OK);
    assert_int_equal(sheet.columns, 2);
    assert_int_equal(sheet.gap, 2);
    assert_int_equal(sheet.size.width, 38);
    assert_int_equal(sheet.size.height, 38);
    assert_int_equal(place(&sheet, 0, 16, 16, 10), FK_OK);
    assert_int_equal(place(&sheet, 3, 4, 8, 77), FK_OK);
    assert_int_equal(at(&sheet, 1, 1), 255);
    assert_int_equal(at(&sheet, 2, 2), 10);
    assert_int_equal(at(&sheet, 17, 17), 10);
    assert_int_equal(at(&sheet, 18, 17), 255);
    for (uint32_t y = 20; y < 38; y++) {
        for (uint32_t x = 20; x < 38; x++) {
            bool inside = x >= 26 && x < 30 && y >= 24 && y < 32;
            assert_int_equal(at(&sheet, x, y), inside ? 77 : 255);
        }
    }
}

static void test_a_sheet_that_would_be_huge_is_reduced(void **state) {
    (void)state;
    FK_SCOPED(fk_contact_sheet_finish) fk_contact_sheet sheet = {0};
    fk_png_size largest = {1000, 1000};
    assert_int_equal(fk_contact_sheet_init(&sheet, 26, largest, &err), FK_OK);
    assert_int_equal(sheet.reduce, 2);
    assert_true(sheet.size.width <= FK_LIMIT_SHEET_SIDE);
    assert_true(sheet.size.height <= FK_LIMIT_SHEET_SIDE);
    assert_int_equal(place(&sheet, 0, 999, 1000, 40), FK_OK);
    assert_int_equal(at(&sheet, sheet.gap, sheet.gap), 40);
    assert_int_equal(at(&sheet, sheet.gap + 499, sheet.gap + 499), 40);
    assert_int_equal(at(&sheet, sheet.gap + 500, sheet.gap), 255);
}

static void test_reducing_takes_the_mean(void **state) {
    (void)state;
    static const uint8_t pixels[6] = {0, 100, 7, 200, 101, 8};
    FK_SCOPED(fk_buffer_finish) fk_buffer file = {0};
    fk_contact_sheet sheet = {.cell = {2, 1}, .columns = 1, .reduce = 2, .size = {2, 1}};
    sheet.pixels = calloc(2, FK_PNG_RGB);
    assert_int_equal(fk_png_encode(pixels, 3, 2, 1, &file, &err), FK_OK);
    assert_int_equal(fk_contact_sheet_place(&sheet, 0, file.bytes, file.length, &err), FK_OK);
    assert_int_equal(at(&sheet, 0, 0), 100); /* of 0, 100, 200, 101 */
    assert_int_equal(at(&sheet, 1, 0), 8);   /* of 7, 8: rounded up */
    fk_contact_sheet_finish(&sheet);
}

static void test_the_extremes_of_the_limits_fit(void **state) {
    (void)state;
    static const fk_png_size cases[] = {{FK_LIMIT_PNG_SIDE, FK_LIMIT_PNG_SIDE},
                                        {FK_LIMIT_PNG_SIDE, 1},
                                        {1, FK_LIMIT_PNG_SIDE},
                                        {1, 1}};
    for (size_t i = 0; i < 4; i++) {
        for (size_t count = 1; count <= FK_LIMIT_RUN_FILES; count += FK_LIMIT_RUN_FILES - 1) {
            FK_SCOPED(fk_contact_sheet_finish) fk_contact_sheet sheet = {0};
            assert_int_equal(fk_contact_sheet_init(&sheet, count, cases[i], &err), FK_OK);
            assert_in_range(sheet.size.width, 1, FK_LIMIT_SHEET_SIDE);
            assert_in_range(sheet.size.height, 1, FK_LIMIT_SHEET_SIDE);
        }
    }
}

static void test_what_cannot_be_shown_leaves_its_cell_white(void **state) {
    (void)state;
    FK_SCOPED(fk_contact_sheet_finish) fk_contact_sheet sheet = {0};
    fk_png_size largest = {8, 8};
    assert_int_equal(fk_contact_sheet_init(&sheet, 1, largest, &err), FK_OK);
    assert_int_equal(fk_contact_sheet_place(&sheet, 0, "no image", 8, &err), FK_E_INVALID);
    assert_int_equal(place(&sheet, 0, 9, 8, 0), FK_E_LIMIT);
    assert_int_equal(place(&sheet, 0, 8, 9, 0), FK_E_LIMIT);
    for (uint32_t i = 0; i < sheet.size.width; i++) {
        assert_int_equal(at(&sheet, i, sheet.size.height / 2), 255);
    }
}

/* ---- the file ----------------------------------------------------------------------------- */

static void make_sheet(uint8_t green, fk_buffer *png) {
    FK_SCOPED(fk_contact_sheet_finish) fk_contact_sheet sheet = {0};
    FK_SCOPED(fk_buffer_finish) fk_buffer file = {0};
    fk_png_size largest = {8, 8};
    make_image(8, 8, 90, green, &file);
    assert_int_equal(fk_contact_sheet_init(&sheet, 3, largest, &err), FK_OK);
    assert_int_equal(fk_contact_sheet_place(&sheet, 1, file.bytes, file.length, &err), FK_OK);
    assert_int_equal(fk_contact_sheet_encode(&sheet, png, &err), FK_OK);
}

static void test_the_file_is_grey_unless_it_holds_colour(void **state) {
    (void)state;
    enum { COLOUR_TYPE = 25 };
    FK_SCOPED(fk_buffer_finish) fk_buffer grey = {0};
    FK_SCOPED(fk_buffer_finish) fk_buffer again = {0};
    FK_SCOPED(fk_buffer_finish) fk_buffer colour = {0};
    make_sheet(90, &grey);
    make_sheet(90, &again);
    make_sheet(91, &colour);
    assert_int_equal(grey.bytes[COLOUR_TYPE], 0);
    assert_int_equal(colour.bytes[COLOUR_TYPE], 2);
    assert_int_equal(again.length, grey.length);
    assert_memory_equal(again.bytes, grey.bytes, grey.length);
    fk_png_size size;
    uint8_t *pixels = NULL;
    assert_int_equal(fk_png_decode(grey.bytes, grey.length, &pixels, &size, &err), FK_OK);
    assert_int_equal(size.width, 3 * 8 + 4 * 1);
    assert_int_equal(pixels[(size_t)(size.width * 4 + size.width / 2) * 3], 90);
    free(pixels);
}

static void test_short_memory_is_an_error(void **state) {
    (void)state;
    FK_SCOPED(fk_buffer_finish) fk_buffer file = {0};
    fk_png_size largest = {8, 8};
    make_image(8, 8, 90, 90, &file);
    for (size_t nth = 1;; nth++) {
        FK_SCOPED(fk_contact_sheet_finish) fk_contact_sheet sheet = {0};
        FK_SCOPED(fk_buffer_finish) fk_buffer png = {0};
        fake_memory_fail(nth);
        fk_code code = fk_contact_sheet_init(&sheet, 1, largest, &err);
        if (code == FK_OK) {
            code = fk_contact_sheet_place(&sheet, 0, file.bytes, file.length, &err);
        }
        if (code == FK_OK) {
            code = fk_contact_sheet_encode(&sheet, &png, &err);
        }
        if (!fake_memory_relent()) {
            assert_int_equal(code, FK_OK);
            assert_true(nth > 4);
            break;
        }
        assert_int_equal(code, FK_E_NO_MEMORY);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_grid_is_about_three_to_two),
        cmocka_unit_test(test_images_stand_in_the_middle_of_their_cells),
        cmocka_unit_test(test_a_sheet_that_would_be_huge_is_reduced),
        cmocka_unit_test(test_reducing_takes_the_mean),
        cmocka_unit_test(test_the_extremes_of_the_limits_fit),
        cmocka_unit_test(test_what_cannot_be_shown_leaves_its_cell_white),
        cmocka_unit_test(test_the_file_is_grey_unless_it_holds_colour),
        cmocka_unit_test(test_short_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
