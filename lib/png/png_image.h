/* PNG: is it one, how large is it; pixels to PNG and back. */
#ifndef FK_PNG_PNG_IMAGE_H
#define FK_PNG_PNG_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

typedef struct fk_png_size {
    uint32_t width;  /* pixels */
    uint32_t height; /* pixels */
} fk_png_size;

/* Checks a PNG file in memory: signature, chunk order, lengths and CRCs, sizes within limits, IEND
 * last with nothing behind; pixels are not decoded. FK_E_INVALID with the offset; FK_E_LIMIT.
 * `ret_size` may be NULL. */
fk_code fk_png_check(const void *bytes, size_t length, fk_png_size *ret_size, fk_error *err);

/* Appends the PNG file of 8-bit pixels: 1 (grey), 3 (RGB) or 4 (RGBA) channels, rows from the top
 * without padding. The same pixels give the same bytes. FK_E_INVALID for zero or too large sides or
 * other channels. */
fk_code fk_png_encode(const void *pixels, uint32_t width, uint32_t height, uint32_t channels,
                      fk_buffer *buffer, fk_error *err);

enum { FK_PNG_RGB = 3 }; /* bytes per pixel of what is decoded */

/* The pixels of a PNG file of any kind as 8-bit RGB, what is transparent on white. FK_E_INVALID
 * when the file, or what it holds, is damaged; FK_E_LIMIT. The caller frees `*ret_pixels`. */
fk_code fk_png_decode(const void *bytes, size_t length, uint8_t **ret_pixels, fk_png_size *ret_size,
                      fk_error *err);

#endif
