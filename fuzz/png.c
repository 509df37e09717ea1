/* The check of PNG files, and what libpng decodes of those that pass. The mutator makes the chunks'
 * CRCs right again. */
#include "digest/digest.h"
#include "fuzz.h"
#include "png/png_image.h"

enum { PIXELS_MAX = 1 << 20 };

/* All pixels are written, or the file is refused. */
static void decode(const uint8_t *file, size_t length, fk_png_size expected) {
    FK_SCOPED(fk_freep) uint8_t *pixels = NULL;
    fk_png_size size = {0};
    fk_code code = fk_png_decode(file, length, &pixels, &size, NULL);
    fuzz_require(code == FK_OK || code == FK_E_INVALID);
    fuzz_require((code == FK_OK) == (pixels != NULL));
    if (code == FK_OK) {
        fuzz_require(size.width == expected.width && size.height == expected.height);
        uint32_t sum = 0;
        for (size_t i = 0; i < (size_t)size.width * size.height * FK_PNG_RGB; i++) {
            sum += pixels[i];
        }
        volatile uint32_t looked_at = sum; /* a sanitizer sees what was never written */
        (void)looked_at;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    FK_SCOPED(fk_freep) uint8_t *copy = fuzz_copy(bytes, length);
    fk_png_size size = {0};
    fk_error err = {.code = FK_OK};
    fk_code code = fk_png_check(copy, length, &size, &err);
    fuzz_require(code == FK_OK || code == FK_E_INVALID || code == FK_E_LIMIT);
    fuzz_require(code != FK_OK || (size.width > 0 && size.height > 0));
    fuzz_require(code == FK_OK || err.offset == FK_NO_OFFSET || err.offset <= length);
    if (code == FK_OK && (uint64_t)size.width * size.height <= PIXELS_MAX) {
        decode(copy, length, size);
    }
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t length_max, unsigned seed) {
    length = LLVMFuzzerMutate(bytes, length, length_max);
    for (size_t at = 8; seed % 4 != 0 && at < length && length - at >= 12;) {
        uint32_t data = (uint32_t)bytes[at] << 24 | (uint32_t)bytes[at + 1] << 16 |
                        (uint32_t)bytes[at + 2] << 8 | bytes[at + 3];
        if (data > length - at - 12) {
            break;
        }
        uint32_t crc = __builtin_bswap32(fk_crc32_update(0, bytes + at + 4, data + 4));
        memcpy(bytes + at + 8 + data, &crc, sizeof crc);
        at += 12 + data;
    }
    return length;
}
