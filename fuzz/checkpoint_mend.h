/* Makes the CRCs of a mutated zip archive right again, so that mutations of its contents get past
 * them. Follows the directory as far as it makes sense; independent of the reader it tests. */
#ifndef FK_FUZZ_CHECKPOINT_MEND_H
#define FK_FUZZ_CHECKPOINT_MEND_H

#include "digest/digest.h"
#include "fuzz.h"

static inline uint32_t mend_number(const uint8_t *bytes, size_t count) {
    uint32_t number = 0;
    for (size_t i = count; i-- > 0;) {
        number = number << 8 | bytes[i];
    }
    return number;
}

static inline void mend_record(uint8_t *file, size_t length, uint8_t *entry) {
    size_t local = mend_number(entry + 42, 4);
    size_t bytes = mend_number(entry + 24, 4);
    if (local > length || length - local < 30) {
        return;
    }
    size_t start =
        local + 30 + mend_number(file + local + 26, 2) + mend_number(file + local + 28, 2);
    if (start > length || bytes > length - start) {
        return;
    }
    uint32_t crc = fk_crc32_update(0, file + start, bytes);
    memcpy(entry + 16, &crc, sizeof crc);
    if (length - start - bytes >= 8 && memcmp(file + start + bytes, "PK\7\10", 4) == 0) {
        memcpy(file + start + bytes + 4, &crc, sizeof crc);
    }
    if (mend_number(file + local + 14, 4) != 0) {
        memcpy(file + local + 14, &crc, sizeof crc);
    }
}

static inline void checkpoint_mend(uint8_t *file, size_t length) {
    if (length < 22 || memcmp(file + length - 22, "PK\5\6", 4) != 0) {
        return;
    }
    size_t at = mend_number(file + length - 6, 4);
    while (at < length && length - at >= 46 && memcmp(file + at, "PK\1\2", 4) == 0) {
        mend_record(file, length, file + at);
        at += 46 + mend_number(file + at + 28, 2) + mend_number(file + at + 30, 2);
    }
}

#endif
