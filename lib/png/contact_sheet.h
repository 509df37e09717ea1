/* A contact sheet: many images on white, in rows of equal cells.
 *
 *     +---------------------+      Cells are as large as the largest image, each image stands in
 *     |  A   B   C   D   E  |      the middle of its cell, and the sheet is about 3 wide to 2 high.
 *     |  F   G   H   I   J  |      Images keep their size, unless the sheet would be more than
 *     |  K   L              |      FK_LIMIT_SHEET_SIDE a side: then all are reduced alike.
 *     +---------------------+      The same images give the same bytes.
 */
#ifndef FK_PNG_CONTACT_SHEET_H
#define FK_PNG_CONTACT_SHEET_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "png/png_image.h"

typedef struct fk_contact_sheet {
    fk_png_size cell; /* pixels, reduced */
    uint32_t columns;
    uint32_t gap;    /* pixels around and between the cells */
    uint32_t reduce; /* so many pixels of an image, either way, become one */
    fk_png_size size;
    uint8_t *pixels; /* RGB, from malloc */
} fk_contact_sheet;

/* An empty sheet for `count` images (1 or more, at most FK_LIMIT_RUN_FILES), none wider or higher
 * than `largest`. */
fk_code fk_contact_sheet_init(fk_contact_sheet *sheet, size_t count, fk_png_size largest,
                              fk_error *err);
/* Frees; zeroed memory is fine. */
void fk_contact_sheet_finish(fk_contact_sheet *sheet);

/* Puts a PNG file into a cell, counted from 0 at the top left, row by row. FK_E_INVALID, FK_E_LIMIT
 * when it cannot be shown: the cell stays white. */
fk_code fk_contact_sheet_place(fk_contact_sheet *sheet, size_t index, const void *bytes,
                               size_t length, fk_error *err);

/* Appends the sheet as a PNG file: grey when it holds no colour, else RGB. */
fk_code fk_contact_sheet_encode(const fk_contact_sheet *sheet, fk_buffer *buffer, fk_error *err);

#endif
