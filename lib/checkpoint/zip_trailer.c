#include "checkpoint/zip_trailer.h"

#include <stdbool.h>
#include <string.h>

#include "checkpoint/little_endian.h"

/* The file ends, zip64 parts optional:
 *
 *   zip64 end   50 4B 06 06 | u64 44 | made u16 | needed u16 | disk u32 | directory's disk u32 |
 *               count here u64 | count u64 | directory bytes u64 | directory offset u64
 *   locator     50 4B 06 07 | disk u32 | offset of the zip64 end u64 | disks u32
 *   end         50 4B 05 06 | disk u16 | directory's disk u16 | count here u16 | count u16 |
 *               directory bytes u32 | directory offset u32 | comment length u16
 */
enum { END_BYTES = 22, LOCATOR_BYTES = 20, ZIP64_END_BYTES = 56, COMMENT_BYTES_MAX = 65535 };

static const uint8_t end_signature[4] = {'P', 'K', 5, 6};
static const uint8_t locator_signature[4] = {'P', 'K', 6, 7};
static const uint8_t zip64_end_signature[4] = {'P', 'K', 6, 6};

static bool signed_with(const uint8_t *at, const uint8_t signature[4]) {
    return memcmp(at, signature, 4) == 0;
}

static fk_code fail(fk_error *err, uint64_t offset, const char *what) {
    fk_error_set(err, FK_E_CORRUPT, "the zip archive is damaged at its end: %s", what);
    fk_error_offset(err, offset);
    fk_error_hint(err, "restore the file from a copy");
    return FK_E_CORRUPT;
}

/* The end record is not where it must be: says whether bytes were cut off or added. */
static fk_code fail_without_end(const uint8_t *bytes, size_t length, fk_error *err) {
    size_t lowest =
        length > END_BYTES + COMMENT_BYTES_MAX ? length - END_BYTES - COMMENT_BYTES_MAX : 0;
    for (size_t at = length >= END_BYTES ? length - END_BYTES + 1 : 0; at > lowest; at--) {
        if (signed_with(bytes + at - 1, end_signature)) {
            return fail(err, at - 1 + END_BYTES, "bytes follow its end record");
        }
    }
    fk_error_set(err, FK_E_CORRUPT,
                 "the zip archive has no end record: the file was cut off, %zu bytes are left",
                 length);
    fk_error_offset(err, length);
    fk_error_hint(err, "restore the file from a copy: a download or a save was interrupted");
    return FK_E_CORRUPT;
}

/* The zip64 end record decides, and the plain one must hold the same numbers, or all bits set. */
static fk_code read_zip64(const uint8_t *bytes, uint64_t end, fk_zip_trailer *trailer,
                          uint64_t *ret_trailer_offset, fk_error *err) {
    uint64_t locator = end - LOCATOR_BYTES;
    uint64_t zip64_end = fk_little_u64(bytes + locator + 8);
    if (fk_little_u32(bytes + locator + 4) != 0 || fk_little_u32(bytes + locator + 16) > 1) {
        return fail(err, locator, "it claims several disks");
    }
    if (locator < ZIP64_END_BYTES || zip64_end != locator - ZIP64_END_BYTES ||
        !signed_with(bytes + zip64_end, zip64_end_signature)) {
        return fail(err, locator, "its zip64 end record is not where the locator says");
    }
    const uint8_t *at = bytes + zip64_end;
    if (fk_little_u64(at + 4) != ZIP64_END_BYTES - 12) {
        return fail(err, zip64_end, "its zip64 end record has another size");
    }
    if (fk_little_u32(at + 16) != 0 || fk_little_u32(at + 20) != 0 ||
        fk_little_u64(at + 24) != fk_little_u64(at + 32)) {
        return fail(err, zip64_end, "it claims several disks");
    }
    fk_zip_trailer wide = {fk_little_u64(at + 32), fk_little_u64(at + 48), fk_little_u64(at + 40)};
    if ((trailer->count != UINT16_MAX && trailer->count != wide.count) ||
        (trailer->directory_offset != UINT32_MAX &&
         trailer->directory_offset != wide.directory_offset) ||
        (trailer->directory_bytes != UINT32_MAX &&
         trailer->directory_bytes != wide.directory_bytes)) {
        return fail(err, end, "its two end records disagree");
    }
    *trailer = wide;
    *ret_trailer_offset = zip64_end;
    return FK_OK;
}

fk_code fk_zip_trailer_read(const uint8_t *bytes, size_t length, fk_zip_trailer *ret_trailer,
                            fk_error *err) {
    if (length < END_BYTES || !signed_with(bytes + length - END_BYTES, end_signature)) {
        return fail_without_end(bytes, length, err);
    }
    uint64_t end = length - END_BYTES;
    const uint8_t *at = bytes + end;
    if (fk_little_u16(at + 20) != 0) {
        return fail(err, end, "its end record claims a comment behind the end of the file");
    }
    if (fk_little_u16(at + 4) != 0 || fk_little_u16(at + 6) != 0 ||
        fk_little_u16(at + 8) != fk_little_u16(at + 10)) {
        return fail(err, end, "it claims several disks");
    }
    fk_zip_trailer trailer = {fk_little_u16(at + 10), fk_little_u32(at + 16),
                              fk_little_u32(at + 12)};
    uint64_t trailer_offset = end;
    if (end >= LOCATOR_BYTES && signed_with(at - LOCATOR_BYTES, locator_signature)) {
        fk_code code = read_zip64(bytes, end, &trailer, &trailer_offset, err);
        if (code != FK_OK) {
            return code;
        }
    }
    if (trailer.directory_bytes > trailer_offset ||
        trailer.directory_offset != trailer_offset - trailer.directory_bytes) {
        return fail(err, end, "its directory does not end where the end record starts");
    }
    *ret_trailer = trailer;
    return FK_OK;
}
