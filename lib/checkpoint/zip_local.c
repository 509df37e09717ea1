#include "checkpoint/zip_local.h"

#include <string.h>

#include "checkpoint/little_endian.h"

/* local       50 4B 03 04 | needed u16 | flags u16 | method u16 | time u16 | date u16 | crc u32 |
 *             packed bytes u32 | bytes u32 | name length u16 | extra length u16 | name | extra
 * descriptor  50 4B 07 08 | crc u32 | packed bytes | bytes, both u64 when the local header has a
 *             zip64 extra, else u32
 */
enum { ZIP64_EXTRA = 1 };

static fk_code fail(fk_error *err, uint64_t offset, const char *what) {
    fk_error_set(err, FK_E_CORRUPT, "%s", what);
    fk_error_offset(err, offset);
    fk_error_hint(err, "restore the file from a copy");
    return FK_E_CORRUPT;
}

/* Extra fields are (id u16, length u16, bytes), one behind the other, and fill their room. */
fk_code fk_zip64_find(const uint8_t *extra, size_t length, uint64_t offset, fk_zip64 *ret_zip64,
                      fk_error *err) {
    fk_zip64 found = {0};
    for (size_t at = 0; at < length;) {
        if (length - at < 4 || fk_little_u16(extra + at + 2) > length - at - 4) {
            return fail(err, offset + at, "a zip extra field exceeds its room");
        }
        size_t bytes = fk_little_u16(extra + at + 2);
        if (fk_little_u16(extra + at) == ZIP64_EXTRA) {
            if (found.bytes != NULL) {
                return fail(err, offset + at, "a record has two zip64 extra fields");
            }
            found = (fk_zip64){extra + at + 4, bytes};
        }
        at += 4 + bytes;
    }
    *ret_zip64 = found;
    return FK_OK;
}

bool fk_zip_local_begins(const uint8_t *bytes, uint64_t end, uint64_t at) {
    return end >= FK_ZIP_LOCAL_BYTES && at <= end - FK_ZIP_LOCAL_BYTES &&
           memcmp(bytes + at, "PK\3\4", 4) == 0;
}

fk_code fk_zip_local_read(const uint8_t *bytes, uint64_t end, uint64_t at, fk_zip_local *ret_local,
                          fk_error *err) {
    const uint8_t *header = bytes + at;
    size_t name_bytes = fk_little_u16(header + 26);
    size_t extra_bytes = fk_little_u16(header + 28);
    uint64_t extra = at + FK_ZIP_LOCAL_BYTES + name_bytes;
    if (name_bytes + extra_bytes > end - FK_ZIP_LOCAL_BYTES - at) {
        return fail(err, at, "a zip record reaches into the directory");
    }
    *ret_local = (fk_zip_local){
        .flags = fk_little_u16(header + 6),
        .method = fk_little_u16(header + 8),
        .crc32 = fk_little_u32(header + 14),
        .packed_bytes = fk_little_u32(header + 18),
        .bytes = fk_little_u32(header + 22),
        .name = header + FK_ZIP_LOCAL_BYTES,
        .name_bytes = name_bytes,
        .extra = extra,
        .payload = extra + extra_bytes,
    };
    return FK_OK;
}

fk_code fk_zip_local_widen(const uint8_t *bytes, const fk_zip_local *local, fk_zip64 *ret_zip64,
                           fk_error *err) {
    return fk_zip64_find(bytes + local->extra, (size_t)(local->payload - local->extra),
                         local->extra, ret_zip64, err);
}

size_t fk_zip_descriptor_bytes(const fk_zip64 *wide) {
    return wide->bytes != NULL ? 24 : 16;
}

bool fk_zip_descriptor_read(const uint8_t *bytes, uint64_t end, uint64_t at, const fk_zip64 *wide,
                            fk_zip_descriptor *ret_descriptor) {
    size_t length = fk_zip_descriptor_bytes(wide);
    const uint8_t *from = bytes + at;
    if (at > end || end - at < length || memcmp(from, "PK\7\10", 4) != 0) {
        return false;
    }
    bool is_wide = length == 24;
    *ret_descriptor = (fk_zip_descriptor){
        .crc32 = fk_little_u32(from + 4),
        .packed_bytes = is_wide ? fk_little_u64(from + 8) : fk_little_u32(from + 8),
        .bytes = is_wide ? fk_little_u64(from + 16) : fk_little_u32(from + 12),
    };
    return true;
}
