#include "png/png_chunk.h"

#include <string.h>

#include "digest/crc32.h"

enum { FRAME_BYTES = 12 }; /* length, type and CRC */

uint32_t fk_png_chunk_number(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool is_type(const uint8_t *bytes) {
    for (size_t i = 0; i < 4; i++) {
        uint8_t letter = bytes[i] & ~0x20u;
        if (letter < 'A' || letter > 'Z') {
            return false;
        }
    }
    return true;
}

static fk_code set_failure(fk_error *err, size_t offset, const char *what) {
    fk_code code = fk_error_set(err, FK_E_INVALID, "%s", what);
    fk_error_offset(err, offset);
    fk_error_hint(err, "write the image again, it is damaged");
    return code;
}

fk_code fk_png_chunk_read(const uint8_t *file, size_t bytes, size_t offset, fk_png_chunk *ret_chunk,
                          fk_error *err) {
    size_t left = bytes - offset;
    if (left < FRAME_BYTES) {
        return set_failure(err, offset, "the PNG file ends before its IEND chunk");
    }
    const uint8_t *start = file + offset;
    uint32_t length = fk_png_chunk_number(start);
    if (length > left - FRAME_BYTES) {
        return set_failure(err, offset, "a PNG chunk reaches beyond the end of the file");
    }
    if (!is_type(start + 4)) {
        return set_failure(err, offset + 4, "a PNG chunk's type is not four letters");
    }
    uint32_t expected = fk_png_chunk_number(start + 8 + length);
    if (fk_crc32_update(0, start + 4, (size_t)length + 4) != expected) {
        return set_failure(err, offset, "a PNG chunk's CRC-32 does not match");
    }
    *ret_chunk = (fk_png_chunk){.data = start + 8,
                                .length = length,
                                .offset = offset,
                                .end = offset + FRAME_BYTES + length};
    memcpy(ret_chunk->type, start + 4, 4);
    return FK_OK;
}

bool fk_png_chunk_is(const fk_png_chunk *chunk, const char *type) {
    return memcmp(chunk->type, type, 4) == 0;
}
