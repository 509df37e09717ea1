#include <png.h>
#include <setjmp.h>
#include <stdbool.h>

#include "base/limits.h"
#include "png/png_image.h"

/* Settings are fixed, so that the same pixels give the same bytes. */
enum { COMPRESSION_LEVEL = 6, COMPRESSION_MEMORY = 8, COMPRESSION_WINDOW_BITS = 15 };
enum { COMPRESSION_STRATEGY = 0 }; /* zlib's default */

typedef struct png_pixels {
    const uint8_t *first;
    uint32_t width;
    uint32_t height;
    uint32_t channels;
} png_pixels;

static void append_bytes(png_structp writer, png_bytep bytes, size_t length) {
    if (!fk_buffer_append(png_get_io_ptr(writer), bytes, length)) {
        png_error(writer, "out of memory");
    }
}

static void flush_nothing(png_structp writer) {
    (void)writer;
}

/* libpng would print: the library never does. */
static void stay_silent(png_structp writer, png_const_charp message) {
    (void)writer;
    (void)message;
}

static void give_up(png_structp writer, png_const_charp message) {
    (void)message;
    png_longjmp(writer, 1);
}

static int colour_type(uint32_t channels) {
    return channels == 1   ? PNG_COLOR_TYPE_GRAY
           : channels == 3 ? PNG_COLOR_TYPE_RGB
                           : PNG_COLOR_TYPE_RGB_ALPHA;
}

/* The only function that libpng jumps back to: it owns nothing and changes no variable of its own.
 */
static bool write_image(png_structp writer, png_infop info, const png_pixels *pixels) {
    if (setjmp(png_jmpbuf(writer)) != 0) {
        return false;
    }
    png_set_compression_level(writer, COMPRESSION_LEVEL);
    png_set_compression_mem_level(writer, COMPRESSION_MEMORY);
    png_set_compression_strategy(writer, COMPRESSION_STRATEGY);
    png_set_compression_window_bits(writer, COMPRESSION_WINDOW_BITS);
    png_set_filter(writer, PNG_FILTER_TYPE_BASE, PNG_FILTER_UP);
    png_set_IHDR(writer, info, pixels->width, pixels->height, 8, colour_type(pixels->channels),
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
    png_write_info(writer, info);
    const size_t stride = (size_t)pixels->width * pixels->channels;
    for (uint32_t row = 0; row < pixels->height; row++) {
        png_write_row(writer, pixels->first + row * stride);
    }
    png_write_end(writer, NULL);
    return true;
}

static fk_code check(uint32_t width, uint32_t height, uint32_t channels, fk_error *err) {
    if (channels != 1 && channels != 3 && channels != 4) {
        fk_code code = fk_error_set(err, FK_E_INVALID, "an image of %u channels", channels);
        fk_error_hint(err, "give 1 (grey), 3 (RGB) or 4 (RGBA) channels");
        return code;
    }
    if (width == 0 || height == 0 || width > FK_LIMIT_PNG_SIDE || height > FK_LIMIT_PNG_SIDE ||
        (uint64_t)width * height > FK_LIMIT_PNG_PIXELS) {
        fk_code code = fk_error_set(err, FK_E_INVALID, "an image of %u x %u pixels", width, height);
        fk_error_hint(err, "give 1 to %u pixels a side, %llu in all", FK_LIMIT_PNG_SIDE,
                      (unsigned long long)FK_LIMIT_PNG_PIXELS);
        return code;
    }
    return FK_OK;
}

fk_code fk_png_encode(const void *pixels, uint32_t width, uint32_t height, uint32_t channels,
                      fk_buffer *buffer, fk_error *err) {
    fk_code code = check(width, height, channels, err);
    if (code != FK_OK) {
        return code;
    }
    const png_pixels image = {pixels, width, height, channels};
    size_t length = buffer->length;
    png_structp writer = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, give_up, stay_silent);
    png_infop info = writer == NULL ? NULL : png_create_info_struct(writer);
    bool written = false;
    if (info != NULL) {
        png_set_write_fn(writer, buffer, append_bytes, flush_nothing);
        written = write_image(writer, info, &image);
    }
    png_destroy_write_struct(&writer, &info);
    if (!written) { /* all else that libpng may complain of was checked: memory was short */
        buffer->length = length;
        return fk_error_no_memory(err);
    }
    return FK_OK;
}
