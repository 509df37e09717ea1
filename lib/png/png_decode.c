#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "png/png_image.h"

/* The file, as libpng reads it. */
typedef struct png_source {
    const uint8_t *next;
    size_t left;        /* bytes */
    bool out_of_memory; /* an allocation failed: the file is not to blame */
} png_source;

static void take_bytes(png_structp reader, png_bytep into, size_t bytes) {
    png_source *source = png_get_io_ptr(reader);
    if (bytes > source->left) {
        png_error(reader, "the file ends");
    }
    memcpy(into, source->next, bytes);
    source->next += bytes;
    source->left -= bytes;
}

/* libpng would print: the library never does. */
static void stay_silent(png_structp reader, png_const_charp message) {
    (void)reader;
    (void)message;
}

static void give_up(png_structp reader, png_const_charp message) {
    (void)message;
    png_longjmp(reader, 1);
}

static png_voidp allocate(png_structp reader, png_alloc_size_t bytes) {
    void *memory = malloc(bytes);
    if (memory == NULL) {
        ((png_source *)png_get_mem_ptr(reader))->out_of_memory = true;
    }
    return memory;
}

static void release(png_structp reader, png_voidp memory) {
    (void)reader;
    free(memory);
}

/* Whatever the file holds becomes 8-bit RGB, what is transparent stands on white. */
static void ask_for_rgb(png_structp reader, png_infop info) {
    const png_color_16 white = {.red = 255, .green = 255, .blue = 255, .gray = 255};
    png_set_expand(reader);
    png_set_scale_16(reader);
    png_set_gray_to_rgb(reader);
    if ((png_get_color_type(reader, info) & PNG_COLOR_MASK_ALPHA) != 0 ||
        png_get_valid(reader, info, PNG_INFO_tRNS) != 0) {
        png_set_background(reader, &white, PNG_BACKGROUND_GAMMA_SCREEN, 0, 1.0);
    }
}

/* The only function that libpng jumps back to: it owns nothing and changes no variable of its own.
 */
static bool read_image(png_structp reader, png_infop info, const fk_png_size *size, uint8_t *into) {
    if (setjmp(png_jmpbuf(reader)) != 0) {
        return false;
    }
    png_read_info(reader, info);
    ask_for_rgb(reader, info);
    const int passes = png_set_interlace_handling(reader);
    png_read_update_info(reader, info);
    const size_t stride = (size_t)size->width * FK_PNG_RGB;
    if (png_get_rowbytes(reader, info) != stride ||
        png_get_image_height(reader, info) != size->height) {
        return false;
    }
    for (int pass = 0; pass < passes; pass++) {
        for (uint32_t row = 0; row < size->height; row++) {
            png_read_row(reader, into + row * stride, NULL);
        }
    }
    png_read_end(reader, NULL);
    return true;
}

static fk_code refuse(fk_error *err) {
    fk_code code = fk_error_set(err, FK_E_INVALID, "the pixels of the PNG file cannot be read");
    fk_error_hint(err, "write the image again as PNG");
    return code;
}

fk_code fk_png_decode(const void *bytes, size_t length, uint8_t **ret_pixels, fk_png_size *ret_size,
                      fk_error *err) {
    fk_png_size size;
    fk_code code = fk_png_check(bytes, length, &size, err);
    if (code != FK_OK) {
        return code;
    }
    FK_SCOPED(fk_freep) uint8_t *pixels = malloc((size_t)size.width * size.height * FK_PNG_RGB);
    png_source source = {.next = bytes, .left = length};
    png_structp reader = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, NULL, give_up, stay_silent,
                                                  &source, allocate, release);
    png_infop info = reader == NULL ? NULL : png_create_info_struct(reader);
    bool started = pixels != NULL && info != NULL;
    bool done = false;
    if (started) {
        png_set_read_fn(reader, &source, take_bytes);
        done = read_image(reader, info, &size, pixels);
    }
    png_destroy_read_struct(&reader, &info, NULL);
    if (!done) {
        return started && !source.out_of_memory ? refuse(err) : fk_error_no_memory(err);
    }
    *ret_pixels = fk_take(pixels);
    *ret_size = size;
    return FK_OK;
}
