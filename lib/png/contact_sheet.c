#include "png/contact_sheet.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

enum { WHITE = 255 };

/* ---- layout ------------------------------------------------------------------------------- */

static uint32_t divide_up(uint64_t number, uint64_t by) {
    return (uint32_t)((number + by - 1) / by);
}

/* The fewest columns that make the sheet no higher than 2/3 of its width, then as few as the rows
 * need. */
static uint32_t choose_columns(size_t count, fk_png_size cell) {
    uint64_t columns = 1;
    while (columns < count && 2 * columns * columns * cell.width < 3 * count * cell.height) {
        columns++;
    }
    return divide_up(count, divide_up(count, columns));
}

static uint64_t side(uint32_t cells, uint32_t cell, uint32_t gap) {
    return (uint64_t)cells * (cell + gap) + gap;
}

/* The layout for images reduced so; whether it is small enough. */
static bool lay_out(fk_contact_sheet *sheet, size_t count, fk_png_size largest, uint32_t reduce) {
    fk_png_size cell = {divide_up(largest.width, reduce), divide_up(largest.height, reduce)};
    uint32_t columns = choose_columns(count, cell);
    uint32_t gap = divide_up(cell.width + cell.height, 16);
    uint64_t width = side(columns, cell.width, gap);
    uint64_t height = side(divide_up(count, columns), cell.height, gap);
    if (width > FK_LIMIT_SHEET_SIDE || height > FK_LIMIT_SHEET_SIDE) {
        return false;
    }
    *sheet = (fk_contact_sheet){.cell = cell,
                                .columns = columns,
                                .gap = gap,
                                .reduce = reduce,
                                .size = {(uint32_t)width, (uint32_t)height}};
    return true;
}

fk_code fk_contact_sheet_init(fk_contact_sheet *sheet, size_t count, fk_png_size largest,
                              fk_error *err) {
    uint32_t reduce = 1;
    while (!lay_out(sheet, count, largest, reduce)) {
        reduce++;
    }
    size_t bytes = (size_t)sheet->size.width * sheet->size.height * FK_PNG_RGB;
    sheet->pixels = malloc(bytes);
    if (sheet->pixels == NULL) {
        return fk_error_no_memory(err);
    }
    memset(sheet->pixels, WHITE, bytes);
    return FK_OK;
}

void fk_contact_sheet_finish(fk_contact_sheet *sheet) {
    free(sheet->pixels);
    sheet->pixels = NULL;
}

/* ---- images ------------------------------------------------------------------------------- */

/* An image, decoded. */
typedef struct picture {
    uint8_t *pixels; /* RGB */
    fk_png_size size;
} picture;

static void picture_finish(picture *it) {
    free(it->pixels);
}

/* The mean of a square of `reduce` x `reduce` pixels, less where the image ends; the first pixel is
 * within the image. */
static void average(const picture *it, uint32_t reduce, uint32_t left, uint32_t top,
                    uint8_t into[FK_PNG_RGB]) {
    uint64_t sums[FK_PNG_RGB] = {0};
    uint64_t count = 0;
    uint32_t right = it->size.width - left < reduce ? it->size.width : left + reduce;
    uint32_t bottom = it->size.height - top < reduce ? it->size.height : top + reduce;
    uint32_t y = top;
    do {
        const uint8_t *pixel = it->pixels + ((size_t)y * it->size.width + left) * FK_PNG_RGB;
        uint32_t x = left;
        do {
            for (size_t channel = 0; channel < FK_PNG_RGB; channel++) {
                sums[channel] += pixel[channel];
            }
            pixel += FK_PNG_RGB;
            count++;
        } while (++x < right);
    } while (++y < bottom);
    for (size_t channel = 0; channel < FK_PNG_RGB; channel++) {
        into[channel] = (uint8_t)((sums[channel] + count / 2) / count);
    }
}

/* Draws the image, reduced, with its upper left corner there. */
static void draw(fk_contact_sheet *sheet, const picture *it, fk_png_size reduced, uint32_t left,
                 uint32_t top) {
    for (uint32_t y = 0; y < reduced.height; y++) {
        uint8_t *pixel =
            sheet->pixels + ((size_t)(top + y) * sheet->size.width + left) * FK_PNG_RGB;
        for (uint32_t x = 0; x < reduced.width; x++, pixel += FK_PNG_RGB) {
            average(it, sheet->reduce, x * sheet->reduce, y * sheet->reduce, pixel);
        }
    }
}

fk_code fk_contact_sheet_place(fk_contact_sheet *sheet, size_t index, const void *bytes,
                               size_t length, fk_error *err) {
    FK_SCOPED(picture_finish) picture it = {0};
    fk_code code = fk_png_decode(bytes, length, &it.pixels, &it.size, err);
    if (code != FK_OK) {
        return code;
    }
    fk_png_size reduced = {divide_up(it.size.width, sheet->reduce),
                           divide_up(it.size.height, sheet->reduce)};
    if (reduced.width > sheet->cell.width || reduced.height > sheet->cell.height) {
        return fk_error_set(err, FK_E_LIMIT, "the image is larger than its cell");
    }
    uint32_t column = (uint32_t)(index % sheet->columns);
    uint32_t row = (uint32_t)(index / sheet->columns);
    uint32_t left = sheet->gap + column * (sheet->cell.width + sheet->gap);
    uint32_t top = sheet->gap + row * (sheet->cell.height + sheet->gap);
    draw(sheet, &it, reduced, left + (sheet->cell.width - reduced.width) / 2,
         top + (sheet->cell.height - reduced.height) / 2);
    return FK_OK;
}

/* ---- the file ----------------------------------------------------------------------------- */

static bool is_grey(const uint8_t *pixels, size_t count) {
    for (size_t i = 0; i < count; i++, pixels += FK_PNG_RGB) {
        if (pixels[0] != pixels[1] || pixels[0] != pixels[2]) {
            return false;
        }
    }
    return true;
}

fk_code fk_contact_sheet_encode(const fk_contact_sheet *sheet, fk_buffer *buffer, fk_error *err) {
    fk_png_size size = sheet->size;
    size_t count = (size_t)size.width * size.height;
    if (!is_grey(sheet->pixels, count)) {
        return fk_png_encode(sheet->pixels, size.width, size.height, FK_PNG_RGB, buffer, err);
    }
    FK_SCOPED(fk_freep) uint8_t *grey = malloc(count);
    if (grey == NULL) {
        return fk_error_no_memory(err);
    }
    for (size_t i = 0; i < count; i++) {
        grey[i] = sheet->pixels[i * FK_PNG_RGB];
    }
    return fk_png_encode(grey, size.width, size.height, 1, buffer, err);
}
