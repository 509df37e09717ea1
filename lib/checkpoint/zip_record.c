#include "checkpoint/zip_record.h"

#include <string.h>

#include "base/checked.h"
#include "base/limits.h"
#include "base/text.h"
#include "checkpoint/little_endian.h"
#include "checkpoint/zip_local.h"

/* directory   50 4B 01 02 | made u16 | needed u16 | flags u16 | method u16 | time u16 | date u16 |
 *             crc u32 | packed bytes u32 | bytes u32 | name length u16 | extra length u16 |
 *             comment length u16 | disk u16 | attributes u16 + u32 | header offset u32 | name |
 *             extra
 */
enum { USUAL_EXTRA_BYTES = 100 }; /* PyTorch aligns payloads to 64 bytes by an extra field */

/* What a directory entry says. */
typedef struct described {
    uint64_t at; /* offset of the entry itself */
    uint16_t flags;
    uint16_t method;
    uint32_t crc32;
    uint64_t packed_bytes;
    uint64_t bytes;
    uint64_t header;
    const uint8_t *name; /* with the prefix */
    size_t name_bytes;
} described;

static fk_code fail(fk_error *err, fk_code code, uint64_t offset, const char *what) {
    fk_error_set(err, code, "%s", what);
    fk_error_offset(err, offset);
    if (code == FK_E_UNSUPPORTED) {
        fk_error_subject(err, FK_SUBJECT_DATA);
        fk_error_hint(err, "load the file with torch.load and save it again with torch.save");
    } else {
        fk_error_hint(err, "restore the file from a copy");
    }
    return code;
}

/* Numbers whose 32-bit field has all bits set stand in the zip64 extra, in this order; nothing else
 * may stand there. */
static fk_code widen(described *record, const fk_zip64 *wide, uint64_t offset, fk_error *err) {
    uint64_t *numbers[] = {&record->bytes, &record->packed_bytes, &record->header};
    size_t used = 0;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (*numbers[i] != UINT32_MAX) {
            continue;
        }
        if (wide->length < used + 8) {
            return fail(err, FK_E_CORRUPT, offset, "a zip64 size or offset is missing");
        }
        *numbers[i] = fk_little_u64(wide->bytes + used);
        used += 8;
    }
    if (used != wide->length) {
        return fail(err, FK_E_CORRUPT, offset, "a zip64 field contradicts the 32-bit fields");
    }
    return FK_OK;
}

static fk_code fail_method(fk_error *err, uint64_t offset, const char *name, const char *what) {
    fk_error_set(err, FK_E_UNSUPPORTED, "the record '%s' is %s", name, what);
    fk_error_subject(err, FK_SUBJECT_DATA);
    fk_error_offset(err, offset);
    fk_error_hint(err, "load the file with torch.load and save it again with torch.save");
    return FK_E_UNSUPPORTED;
}

static fk_code check_method(const described *record, const char *name, fk_error *err) {
    if ((record->flags & (0x0001 | 0x0040 | 0x2000)) != 0) {
        return fail_method(err, record->at, name, "encrypted");
    }
    if (record->method != 0) {
        bool deflate = record->method == 8;
        return fail_method(err, record->at, name,
                           deflate ? "compressed (deflate)" : "compressed (not by deflate)");
    }
    if ((record->flags & ~(FK_ZIP_FLAG_DESCRIPTOR | FK_ZIP_FLAG_UTF8)) != 0) {
        return fail(err, FK_E_CORRUPT, record->at, "a zip record has unknown flags");
    }
    if (record->packed_bytes != record->bytes) {
        return fail(err, FK_E_CORRUPT, record->at, "a stored zip record has two different sizes");
    }
    return FK_OK;
}

/* Takes the entry at the cursor apart and moves the cursor behind it. */
static fk_code read_described(fk_zip_cursor *cursor, described *ret_record, fk_error *err) {
    const uint8_t *at = cursor->bytes + cursor->at;
    uint64_t room = cursor->end - cursor->at;
    if (room < FK_ZIP_DIRECTORY_HEADER_BYTES || memcmp(at, "PK\1\2", 4) != 0) {
        return fail(err, FK_E_CORRUPT, cursor->at, "an entry of the zip directory is damaged");
    }
    size_t name_bytes = fk_little_u16(at + 28);
    size_t extra_bytes = fk_little_u16(at + 30);
    if (name_bytes + extra_bytes > room - FK_ZIP_DIRECTORY_HEADER_BYTES) {
        return fail(err, FK_E_CORRUPT, cursor->at, "an entry exceeds the zip directory");
    }
    if (fk_little_u16(at + 32) != 0 || fk_little_u16(at + 34) != 0) {
        return fail(err, FK_E_CORRUPT, cursor->at, "a zip entry has a comment or several disks");
    }
    described record = {
        .at = cursor->at,
        .flags = fk_little_u16(at + 8),
        .method = fk_little_u16(at + 10),
        .crc32 = fk_little_u32(at + 16),
        .packed_bytes = fk_little_u32(at + 20),
        .bytes = fk_little_u32(at + 24),
        .header = fk_little_u32(at + 42),
        .name = at + FK_ZIP_DIRECTORY_HEADER_BYTES,
        .name_bytes = name_bytes,
    };
    uint64_t extra = cursor->at + FK_ZIP_DIRECTORY_HEADER_BYTES + name_bytes;
    fk_zip64 wide;
    fk_code code = fk_zip64_find(cursor->bytes + extra, extra_bytes, extra, &wide, err);
    if (code == FK_OK) {
        code = widen(&record, &wide, cursor->at, err);
    }
    if (code != FK_OK) {
        return code;
    }
    cursor->at = extra + extra_bytes;
    *ret_record = record;
    return FK_OK;
}

/* A local field may hold nothing (sizes follow the payload, or stand in zip64) or the truth. */
static bool local_field_fits(uint32_t field, uint64_t truth, const described *record,
                             const fk_zip64 *wide) {
    if (field == truth) {
        return true;
    }
    if (field == 0) {
        return (record->flags & FK_ZIP_FLAG_DESCRIPTOR) != 0;
    }
    return field == UINT32_MAX && wide->bytes != NULL;
}

/* PyTorch writes the local zip64 extra in its own way: packed bytes 0, and the header's offset. */
static bool local_zip64_fits(const described *record, const fk_zip64 *wide) {
    if (wide->length % 8 != 0) {
        return false;
    }
    for (size_t i = 0; i < wide->length; i += 8) {
        uint64_t number = fk_little_u64(wide->bytes + i);
        if (number != 0 && number != record->bytes && number != record->header) {
            return false;
        }
    }
    return true;
}

static void announce(const fk_zip_cursor *cursor, uint64_t offset, uint64_t bytes) {
    if (cursor->peek != NULL && offset < cursor->records_end) {
        uint64_t rest = cursor->records_end - offset;
        cursor->peek->announce(cursor->peek->user, offset, bytes < rest ? bytes : rest);
    }
}

static fk_code check_local(const fk_zip_cursor *cursor, const described *record, fk_zip64 *ret_wide,
                           uint64_t *ret_payload, fk_error *err) {
    announce(cursor, record->header, FK_ZIP_LOCAL_BYTES + record->name_bytes + USUAL_EXTRA_BYTES);
    if (!fk_zip_local_begins(cursor->bytes, cursor->records_end, record->header)) {
        return fail(err, FK_E_CORRUPT, record->at,
                    "a zip record does not start where the directory says");
    }
    fk_zip_local local;
    fk_code code =
        fk_zip_local_read(cursor->bytes, cursor->records_end, record->header, &local, err);
    if (code != FK_OK) {
        return code;
    }
    if (local.name_bytes != record->name_bytes ||
        memcmp(local.name, record->name, local.name_bytes) != 0) {
        return fail(err, FK_E_CORRUPT, record->header + FK_ZIP_LOCAL_BYTES,
                    "a zip record has another name than the directory says");
    }
    if (local.flags != record->flags || local.method != record->method) {
        return fail(err, FK_E_CORRUPT, record->header + 6,
                    "a zip record has other flags than the directory says");
    }
    fk_zip64 wide;
    code = fk_zip_local_widen(cursor->bytes, &local, &wide, err);
    if (code != FK_OK) {
        return code;
    }
    if (!local_field_fits(local.crc32, record->crc32, record, &(fk_zip64){0}) ||
        !local_field_fits(local.packed_bytes, record->packed_bytes, record, &wide) ||
        !local_field_fits(local.bytes, record->bytes, record, &wide) ||
        !local_zip64_fits(record, &wide)) {
        return fail(err, FK_E_CORRUPT, record->header + 14,
                    "a zip record has another size or CRC than the directory says");
    }
    *ret_wide = wide;
    *ret_payload = local.payload;
    return FK_OK;
}

/* Finds where the record ends: behind the payload, or the descriptor that follows it. */
static fk_code check_end(const fk_zip_cursor *cursor, const described *record, const fk_zip64 *wide,
                         uint64_t payload, uint64_t *ret_end, fk_error *err) {
    uint64_t end;
    if (!fk_checked_add(payload, record->bytes, &end) || end > cursor->records_end) {
        return fail(err, FK_E_CORRUPT, payload, "a zip record reaches into the directory");
    }
    if ((record->flags & FK_ZIP_FLAG_DESCRIPTOR) != 0) {
        size_t bytes = fk_zip_descriptor_bytes(wide);
        fk_zip_descriptor found;
        announce(cursor, end, bytes);
        if (!fk_zip_descriptor_read(cursor->bytes, cursor->records_end, end, wide, &found) ||
            found.crc32 != record->crc32) {
            return fail(err, FK_E_CORRUPT, end, "the descriptor behind a zip record is damaged");
        }
        if (found.packed_bytes != record->bytes || found.bytes != record->bytes) {
            return fail(err, FK_E_CORRUPT, end,
                        "the descriptor behind a zip record has another size");
        }
        end += bytes;
    }
    *ret_end = end;
    return FK_OK;
}

/* Whether a record's name, without the prefix, is a relative path of plain segments. */
static bool name_is_clean(const char *name, size_t bytes) {
    size_t segment = 0; /* where it starts */
    for (size_t i = 0; i <= bytes; i++) {
        if (i < bytes && name[i] != '/') {
            uint32_t character;
            size_t taken = fk_text_decode_utf8(name + i, bytes - i, &character);
            if (taken == 0 || character < 0x20 || character == 0x7F || character == '\\') {
                return false;
            }
            i += taken - 1;
            continue;
        }
        size_t length = i - segment;
        if (length == 0 || (length == 1 && name[segment] == '.') ||
            (length == 2 && memcmp(name + segment, "..", 2) == 0)) {
            return false;
        }
        segment = i + 1;
    }
    return true;
}

/* The prefix is what stands before the first slash of the first record's name. */
fk_code fk_zip_record_name(fk_zip_cursor *cursor, const uint8_t *full, size_t full_bytes,
                           const char **ret_name, fk_error *err) {
    uint64_t offset = (uint64_t)(full - cursor->bytes);
    if (full_bytes > FK_LIMIT_ZIP_NAME_BYTES) {
        return fail(err, FK_E_LIMIT, offset, "a zip record's name is longer than 512 bytes");
    }
    if (cursor->prefix == NULL) {
        const uint8_t *slash = memchr(full, '/', full_bytes);
        size_t bytes = slash != NULL ? (size_t)(slash - full) : 0;
        if (bytes == 0 || memchr(full, '\0', bytes) != NULL) {
            return fail(err, FK_E_UNSUPPORTED, offset,
                        "a zip archive without a folder of its own is no PyTorch checkpoint");
        }
        cursor->prefix = full;
        cursor->prefix_bytes = bytes;
    }
    size_t skipped = cursor->prefix_bytes + 1;
    if (full_bytes < skipped || full[skipped - 1] != '/' ||
        memcmp(full, cursor->prefix, skipped - 1) != 0) {
        return fail(err, FK_E_UNSUPPORTED, offset,
                    "a zip record lies outside the folder of the first one");
    }
    size_t bytes = full_bytes - skipped;
    memcpy(cursor->names, full + skipped, bytes);
    cursor->names[bytes] = '\0';
    if (!name_is_clean(cursor->names, bytes)) {
        return fail(err, FK_E_CORRUPT, offset, "a zip record has a name that is no plain path");
    }
    *ret_name = cursor->names;
    cursor->names += bytes + 1;
    return FK_OK;
}

static bool is_named_there(const fk_zip_cursor *cursor, const described *record) {
    uint64_t name = record->header + FK_ZIP_LOCAL_BYTES; /* may wrap */
    return record->header < cursor->records_end && name < cursor->records_end &&
           record->name_bytes <= cursor->records_end - name &&
           memcmp(cursor->bytes + name, record->name, record->name_bytes) == 0;
}

fk_code fk_zip_record_read(fk_zip_cursor *cursor, fk_zip_record *ret_record, fk_error *err) {
    described record = {0};
    fk_zip_entry *entry = &ret_record->entry;
    const char *name = NULL;
    fk_zip64 wide = {0};
    *ret_record = (fk_zip_record){0};
    fk_code code = read_described(cursor, &record, err);
    if (code == FK_OK) {
        code = fk_zip_record_name(cursor, record.name, record.name_bytes, &name, err);
    }
    if (code == FK_OK) {
        code = check_method(&record, name, err);
    }
    if (code != FK_OK) {
        return code;
    }
    *entry = (fk_zip_entry){
        .name = name, .header = record.header, .bytes = record.bytes, .crc32 = record.crc32};
    code = check_local(cursor, &record, &wide, &entry->offset, err);
    if (code == FK_OK) {
        code = check_end(cursor, &record, &wide, entry->offset, &ret_record->end, err);
    }
    ret_record->named_twice = code != FK_OK && is_named_there(cursor, &record);
    return code;
}
