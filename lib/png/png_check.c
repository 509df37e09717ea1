#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/limits.h"
#include "png/png_chunk.h"
#include "png/png_image.h"

static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

enum { COLOUR_GREY = 0, COLOUR_RGB = 2, COLOUR_PALETTE = 3, COLOUR_GREY_ALPHA = 4 };
enum { COLOUR_RGBA = 6 };
enum { PALETTE_BYTES_MAX = 3 * 256 };

/* What was seen so far. */
typedef struct png_walk {
    fk_png_size size;
    uint8_t colour;
    bool palette;
    bool data;       /* an IDAT */
    bool data_ended; /* another chunk behind the last IDAT */
} png_walk;

static fk_code set_failure(fk_error *err, size_t offset, const char *what) {
    fk_code code = fk_error_set(err, FK_E_INVALID, "%s", what);
    fk_error_offset(err, offset);
    fk_error_hint(err, "write the image again as PNG");
    return code;
}

static fk_code set_limit(fk_error *err, size_t offset, const png_walk *walk) {
    fk_code code =
        fk_error_set(err, FK_E_LIMIT,
                     "an image of %" PRIu32 " x %" PRIu32
                     " pixels is larger than %u a side or %" PRIu64 " in all",
                     walk->size.width, walk->size.height, FK_LIMIT_PNG_SIDE, FK_LIMIT_PNG_PIXELS);
    fk_error_offset(err, offset);
    fk_error_hint(err, "scale the image down");
    return code;
}

/* Bits per sample that a colour type allows, as a set: bit n stands for n bits. */
static uint32_t depths_of(uint8_t colour) {
    switch (colour) {
    case COLOUR_GREY:
        return 1u << 1 | 1u << 2 | 1u << 4 | 1u << 8 | 1u << 16;
    case COLOUR_PALETTE:
        return 1u << 1 | 1u << 2 | 1u << 4 | 1u << 8;
    case COLOUR_RGB:
    case COLOUR_GREY_ALPHA:
    case COLOUR_RGBA:
        return 1u << 8 | 1u << 16;
    default:
        return 0;
    }
}

/* IHDR:  width 4 | height 4 | bit depth 1 | colour type 1 | compression 1 | filter 1 | interlace 1
 */
static fk_code take_header(png_walk *walk, const fk_png_chunk *chunk, fk_error *err) {
    const uint8_t *data = chunk->data;
    if (!fk_png_chunk_is(chunk, "IHDR") || chunk->length != 13) {
        return set_failure(err, chunk->offset, "the PNG file does not start with an IHDR chunk");
    }
    walk->size.width = fk_png_chunk_number(data);
    walk->size.height = fk_png_chunk_number(data + 4);
    walk->colour = data[9];
    if (walk->size.width == 0 || walk->size.height == 0) {
        return set_failure(err, chunk->offset + 8, "the PNG image has no pixels");
    }
    if (walk->size.width > FK_LIMIT_PNG_SIDE || walk->size.height > FK_LIMIT_PNG_SIDE ||
        (uint64_t)walk->size.width * walk->size.height > FK_LIMIT_PNG_PIXELS) {
        return set_limit(err, chunk->offset + 8, walk);
    }
    if (data[8] > 16 || (depths_of(walk->colour) >> data[8] & 1) == 0) {
        return set_failure(err, chunk->offset + 16,
                           "bit depth and colour type of the PNG image do not go together");
    }
    if (data[10] != 0 || data[11] != 0 || data[12] > 1) {
        return set_failure(err, chunk->offset + 18,
                           "the PNG image's compression, filter or interlace method is unknown");
    }
    return FK_OK;
}

static fk_code take_palette(png_walk *walk, const fk_png_chunk *chunk, fk_error *err) {
    bool colourless = walk->colour == COLOUR_GREY || walk->colour == COLOUR_GREY_ALPHA;
    if (walk->palette || walk->data || colourless) {
        return set_failure(err, chunk->offset, "the PNG file has a PLTE chunk out of place");
    }
    if (chunk->length == 0 || chunk->length % 3 != 0 || chunk->length > PALETTE_BYTES_MAX) {
        return set_failure(err, chunk->offset, "the PNG file's palette has a wrong length");
    }
    walk->palette = true;
    return FK_OK;
}

static fk_code take_data(png_walk *walk, const fk_png_chunk *chunk, fk_error *err) {
    if (walk->data_ended) {
        return set_failure(err, chunk->offset, "the PNG file's IDAT chunks are not in one row");
    }
    if (walk->colour == COLOUR_PALETTE && !walk->palette) {
        return set_failure(err, chunk->offset, "the PNG file has no palette before its pixels");
    }
    walk->data = true;
    return FK_OK;
}

static fk_code take_end(png_walk *walk, const fk_png_chunk *chunk, size_t length, fk_error *err) {
    if (!walk->data) {
        return set_failure(err, chunk->offset, "the PNG file has no pixels (no IDAT chunk)");
    }
    if (chunk->length != 0) {
        return set_failure(err, chunk->offset, "the PNG file's IEND chunk is not empty");
    }
    if (chunk->end != length) {
        return set_failure(err, chunk->end, "bytes stand behind the end of the PNG file");
    }
    return FK_OK;
}

/* Any chunk behind IHDR but IEND. */
static fk_code take_chunk(png_walk *walk, const fk_png_chunk *chunk, fk_error *err) {
    if (fk_png_chunk_is(chunk, "IDAT")) {
        return take_data(walk, chunk, err);
    }
    walk->data_ended = walk->data;
    if (fk_png_chunk_is(chunk, "PLTE")) {
        return take_palette(walk, chunk, err);
    }
    /* a capital first letter: nobody may show the image without understanding the chunk */
    if ((chunk->type[0] & 0x20) == 0) {
        return set_failure(err, chunk->offset, "the PNG file has a critical chunk out of place");
    }
    return FK_OK;
}

static fk_code check_start(const uint8_t *file, size_t length, fk_error *err) {
    if (length > FK_LIMIT_PNG_BYTES) {
        fk_code code =
            fk_error_set(err, FK_E_LIMIT, "an image file of %zu bytes is larger than %" PRIu64,
                         length, FK_LIMIT_PNG_BYTES);
        fk_error_hint(err, "scale the image down");
        return code;
    }
    if (length < sizeof signature || memcmp(file, signature, sizeof signature) != 0) {
        fk_code code = fk_error_set(err, FK_E_INVALID, "the image is no PNG file");
        fk_error_offset(err, 0);
        fk_error_hint(err, "convert the image to PNG");
        return code;
    }
    return FK_OK;
}

fk_code fk_png_check(const void *bytes, size_t length, fk_png_size *ret_size, fk_error *err) {
    png_walk walk = {0};
    fk_png_chunk chunk = {.end = sizeof signature};
    fk_code code = check_start(bytes, length, err);
    if (code == FK_OK) {
        code = fk_png_chunk_read(bytes, length, chunk.end, &chunk, err);
    }
    if (code == FK_OK) {
        code = take_header(&walk, &chunk, err);
    }
    while (code == FK_OK) {
        code = fk_png_chunk_read(bytes, length, chunk.end, &chunk, err);
        if (code == FK_OK && fk_png_chunk_is(&chunk, "IEND")) {
            code = take_end(&walk, &chunk, length, err);
            break;
        }
        if (code == FK_OK) {
            code = take_chunk(&walk, &chunk, err);
        }
    }
    if (code == FK_OK && ret_size != NULL) {
        *ret_size = walk.size;
    }
    return code;
}
