#include "checkpoint/zip_write.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/checked.h"
#include "base/limits.h"

/* The archive, in order; all numbers little endian:
 *
 *     record   local header | name | [zip64 extra] | FB extra | payload | [descriptor]
 *     ...      the next record follows at once; every payload starts on a multiple of 64
 *     directory entry | name | [zip64 extra], one per record
 *     zip64 end of directory, its locator, end of directory
 *
 * A record has a descriptor when its payload is not empty, and a zip64 extra when its payload or
 * the offset of its header reaches 4 GiB - 1. */
#define PREFIX "archive/"
enum {
    PAYLOAD_ALIGNMENT = 64,
    LOCAL_HEADER_BYTES = 30,
    DIRECTORY_HEADER_BYTES = 46,
    DESCRIPTOR_BYTES = 16,
    DESCRIPTOR64_BYTES = 24,
    EXTRA_HEADER_BYTES = 4,
    TRAILER_BYTES = 56 + 20 + 22,
    SERIALIZATION_ID_DIGITS = 40,
    FLAG_DESCRIPTOR = 0x0008,
    FLAG_UTF8 = 0x0800,
};
#define SIGNATURE_LOCAL         0x04034b50u
#define SIGNATURE_DIRECTORY     0x02014b50u
#define SIGNATURE_DESCRIPTOR    0x08074b50u
#define SIGNATURE_END64         0x06064b50u
#define SIGNATURE_END64_LOCATOR 0x07064b50u
#define SIGNATURE_END           0x06054b50u
#define NAME_SERIALIZATION_ID   ".data/serialization_id"
#define LIMIT32                 UINT64_C(0xFFFFFFFF) /* from here on a number needs zip64 */

struct fk_zip_writer {
    const fk_sink *sink;
    uint64_t offset; /* bytes written */
    uint64_t entries;
    uint64_t crc_hash;   /* of the CRCs so far: half of the serialization id */
    fk_buffer header;    /* of the record being written; its memory is used again */
    fk_buffer directory; /* of the records written */
};

/* One record's place. */
typedef struct record {
    const char *name;  /* without prefix */
    size_t name_bytes; /* with prefix */
    uint64_t header;   /* offset of the local header */
    uint64_t length;   /* of the payload */
    bool long_size;
    bool long_offset;
    uint16_t zip64_bytes; /* of the whole extra field, or 0 */
    uint16_t padding;
    uint64_t payload; /* offset */
    uint64_t end;     /* offset behind the descriptor */
} record;

/* False when the offsets wrap. */
static bool place(uint64_t header, const char *name, uint64_t length, record *ret_record) {
    record r = {.name = name, .header = header, .length = length};
    r.name_bytes = strlen(PREFIX) + strlen(name);
    r.long_size = length >= LIMIT32;
    r.long_offset = header >= LIMIT32;
    if (r.long_size || r.long_offset) {
        r.zip64_bytes =
            (uint16_t)(EXTRA_HEADER_BYTES + (r.long_size ? 16 : 0) + (r.long_offset ? 8 : 0));
    }
    uint64_t start = 0;
    uint64_t fixed = LOCAL_HEADER_BYTES + r.name_bytes + r.zip64_bytes + EXTRA_HEADER_BYTES;
    if (!fk_checked_add(header, fixed, &start)) {
        return false;
    }
    r.padding = (uint16_t)((0 - start) % PAYLOAD_ALIGNMENT);
    uint64_t descriptor = r.zip64_bytes != 0 ? DESCRIPTOR64_BYTES : DESCRIPTOR_BYTES;
    if (!fk_checked_add(start, r.padding, &r.payload) ||
        !fk_checked_add(r.payload, length, &r.end) ||
        !fk_checked_add(r.end, length != 0 ? descriptor : 0, &r.end)) {
        return false;
    }
    *ret_record = r;
    return true;
}

static uint64_t directory_entry_bytes(const record *r) {
    return DIRECTORY_HEADER_BYTES + r->name_bytes + r->zip64_bytes;
}

void fk_zip_size_add(fk_zip_size *size, const char *name, uint64_t length) {
    record r;
    if (size->overflow || !place(size->records_bytes, name, length, &r)) {
        size->overflow = true;
        return;
    }
    size->records_bytes = r.end;
    size->directory_bytes += directory_entry_bytes(&r);
    size->entries++;
}

uint64_t fk_zip_size_finish(const fk_zip_size *size) {
    fk_zip_size whole = *size;
    fk_zip_size_add(&whole, NAME_SERIALIZATION_ID, SERIALIZATION_ID_DIGITS);
    uint64_t total = 0;
    if (whole.overflow ||
        !fk_checked_add(whole.records_bytes, whole.directory_bytes + TRAILER_BYTES, &total)) {
        return UINT64_MAX;
    }
    return total;
}

fk_code fk_zip_writer_create(const fk_sink *sink, fk_zip_writer **ret_writer, fk_error *err) {
    fk_zip_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        return fk_error_no_memory(err);
    }
    writer->sink = sink;
    *ret_writer = writer;
    return FK_OK;
}

void fk_zip_writer_destroy(fk_zip_writer *writer) {
    if (writer != NULL) {
        fk_buffer_finish(&writer->header);
        fk_buffer_finish(&writer->directory);
        free(writer);
    }
}

static fk_code emit(fk_zip_writer *writer, const void *bytes, size_t length, uint32_t *crc32,
                    fk_error *err) {
    fk_code code = fk_sink_write(writer->sink, bytes, length, crc32, err);
    if (code == FK_OK) {
        writer->offset += length;
    }
    return code;
}

/* Writes what stands in the header buffer and empties it. */
static fk_code emit_header(fk_zip_writer *writer, fk_error *err) {
    if (writer->header.failed) {
        return fk_error_no_memory(err);
    }
    fk_code code = emit(writer, writer->header.bytes, writer->header.length, NULL, err);
    writer->header.length = 0;
    return code;
}

/* | 01 00 | u16 length | [u64 size | u64 compressed size] | [u64 header offset] |
 * The local copy has 0 for the compressed size, the directory's the real one. */
static void append_zip64_extra(fk_buffer *buffer, const record *r, uint64_t compressed) {
    if (r->zip64_bytes == 0) {
        return;
    }
    fk_buffer_append_u16(buffer, 0x0001);
    fk_buffer_append_u16(buffer, (uint16_t)(r->zip64_bytes - EXTRA_HEADER_BYTES));
    if (r->long_size) {
        fk_buffer_append_u64(buffer, r->length);
        fk_buffer_append_u64(buffer, compressed);
    }
    if (r->long_offset) {
        fk_buffer_append_u64(buffer, r->header);
    }
}

static uint16_t flags_of(const record *r) {
    return FLAG_UTF8 | (r->length != 0 ? FLAG_DESCRIPTOR : 0);
}

/* Local header, 30 bytes: u32 signature | u16 version 0 | u16 flags | u16 method 0 | u16 time 0 |
 * u16 date 0 | u32 crc 0 | u32 compressed size 0 | u32 size 0 | u16 name length | u16 extra length.
 * Behind name and zip64 extra, the FB extra: "FB" | u16 padding | padding times "Z". */
static void append_local_header(fk_buffer *buffer, const record *r) {
    static const char padding[PAYLOAD_ALIGNMENT] =
        "ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ";
    fk_buffer_append_u32(buffer, SIGNATURE_LOCAL);
    fk_buffer_append_u16(buffer, 0);
    fk_buffer_append_u16(buffer, flags_of(r));
    fk_buffer_append_u16(buffer, 0);
    fk_buffer_append_u32(buffer, 0);
    fk_buffer_append_u32(buffer, 0);
    fk_buffer_append_u64(buffer, 0);
    fk_buffer_append_u16(buffer, (uint16_t)r->name_bytes);
    fk_buffer_append_u16(buffer, (uint16_t)(r->zip64_bytes + EXTRA_HEADER_BYTES + r->padding));
    fk_buffer_append_text(buffer, PREFIX);
    fk_buffer_append_text(buffer, r->name);
    append_zip64_extra(buffer, r, 0);
    fk_buffer_append_text(buffer, "FB");
    fk_buffer_append_u16(buffer, r->padding);
    fk_buffer_append(buffer, padding, r->padding);
}

/* Descriptor: u32 signature | u32 crc | compressed size | size; the sizes are u64 beside a zip64
 * extra, else u32. */
static void append_descriptor(fk_buffer *buffer, const record *r, uint32_t crc32) {
    fk_buffer_append_u32(buffer, SIGNATURE_DESCRIPTOR);
    fk_buffer_append_u32(buffer, crc32);
    for (int i = 0; i < 2; i++) {
        if (r->zip64_bytes != 0) {
            fk_buffer_append_u64(buffer, r->length);
        } else {
            fk_buffer_append_u32(buffer, (uint32_t)r->length);
        }
    }
}

/* Directory entry, 46 bytes: u32 signature | u16 made by 0 | u16 version 0 | u16 flags |
 * u16 method 0 | u16 time 0 | u16 date 0 | u32 crc | u32 compressed size | u32 size |
 * u16 name length | u16 extra length | u16 comment length 0 | u16 disk 0 | u16 attributes 0 |
 * u32 attributes 0 | u32 header offset. What needs zip64 is FFFFFFFF here. */
static void append_directory_entry(fk_buffer *buffer, const record *r, uint32_t crc32) {
    uint32_t size = r->long_size ? (uint32_t)LIMIT32 : (uint32_t)r->length;
    fk_buffer_append_u32(buffer, SIGNATURE_DIRECTORY);
    fk_buffer_append_u32(buffer, 0);
    fk_buffer_append_u16(buffer, flags_of(r));
    fk_buffer_append_u16(buffer, 0);
    fk_buffer_append_u32(buffer, 0);
    fk_buffer_append_u32(buffer, crc32);
    fk_buffer_append_u32(buffer, size);
    fk_buffer_append_u32(buffer, size);
    fk_buffer_append_u16(buffer, (uint16_t)r->name_bytes);
    fk_buffer_append_u16(buffer, r->zip64_bytes);
    fk_buffer_append_u16(buffer, 0);
    fk_buffer_append_u32(buffer, 0);
    fk_buffer_append_u32(buffer, 0);
    fk_buffer_append_u32(buffer, r->long_offset ? (uint32_t)LIMIT32 : (uint32_t)r->header);
    fk_buffer_append_text(buffer, PREFIX);
    fk_buffer_append_text(buffer, r->name);
    append_zip64_extra(buffer, r, r->length);
}

static void fold_crc(fk_zip_writer *writer, uint32_t crc32) {
    uint64_t hash = writer->crc_hash;
    writer->crc_hash = hash ^ (crc32 + UINT64_C(0x9e3779b9) + (hash << 6) + (hash >> 2));
}

/* PyTorch finds the CRCs for its serialization id by looking for descriptors in what is written, so
 * it takes a payload that starts like one for one. */
static void fold_disguised_crc(fk_zip_writer *writer, const void *bytes, uint64_t length) {
    uint32_t words[2];
    if (length >= sizeof words) {
        memcpy(words, bytes, sizeof words);
        if (words[0] == SIGNATURE_DESCRIPTOR) {
            fold_crc(writer, words[1]);
        }
    }
}

static fk_code write_record(fk_zip_writer *writer, const record *r, const void *bytes,
                            fk_error *err) {
    append_local_header(&writer->header, r);
    fk_code code = emit_header(writer, err);
    uint32_t crc32 = 0;
    if (code == FK_OK && r->length != 0) {
        fold_disguised_crc(writer, bytes, r->length);
        code = emit(writer, bytes, r->length, &crc32, err);
    }
    if (code == FK_OK && r->length != 0) {
        fold_crc(writer, crc32);
        append_descriptor(&writer->header, r, crc32);
        code = emit_header(writer, err);
    }
    if (code != FK_OK) {
        return code;
    }
    assert(writer->offset == r->end);
    append_directory_entry(&writer->directory, r, crc32);
    writer->entries++;
    return writer->directory.failed ? fk_error_no_memory(err) : FK_OK;
}

fk_code fk_zip_writer_add(fk_zip_writer *writer, const char *name, const void *bytes,
                          uint64_t length, fk_error *err) {
    record r;
    if (writer->entries >= FK_LIMIT_ZIP_ENTRIES) {
        return fk_error_set(err, FK_E_LIMIT, "checkpoint has more than %u records",
                            FK_LIMIT_ZIP_ENTRIES);
    }
    if (!place(writer->offset, name, length, &r)) {
        return fk_error_set(err, FK_E_LIMIT, "record '%s' of %" PRIu64 " bytes is too large", name,
                            length);
    }
    assert(r.name_bytes <= FK_LIMIT_ZIP_NAME_BYTES);
    return write_record(writer, &r, bytes, err);
}

/* zip64 end, 56 bytes: u32 signature | u64 44 | u16 made by | u16 version | u32 disk 0 | u32 disk 0
 * | u64 entries here | u64 entries | u64 directory bytes | u64 directory offset.
 * Locator, 20 bytes: u32 signature | u32 disk 0 | u64 offset of the zip64 end | u32 disks 1.
 * End, 22 bytes: u32 signature | u16 disk 0 | u16 disk 0 | u16 entries here | u16 entries |
 * u32 directory bytes | u32 directory offset | u16 comment length 0; what does not fit is all F. */
static void append_trailer(fk_buffer *buffer, uint64_t entries, uint64_t directory_bytes,
                           uint64_t directory_offset) {
    fk_buffer_append_u32(buffer, SIGNATURE_END64);
    fk_buffer_append_u64(buffer, 44);
    fk_buffer_append_u16(buffer, 0x031E);
    fk_buffer_append_u16(buffer, 0x002D);
    fk_buffer_append_u64(buffer, 0);
    fk_buffer_append_u64(buffer, entries);
    fk_buffer_append_u64(buffer, entries);
    fk_buffer_append_u64(buffer, directory_bytes);
    fk_buffer_append_u64(buffer, directory_offset);

    fk_buffer_append_u32(buffer, SIGNATURE_END64_LOCATOR);
    fk_buffer_append_u32(buffer, 0);
    fk_buffer_append_u64(buffer, directory_offset + directory_bytes);
    fk_buffer_append_u32(buffer, 1);

    uint16_t short_entries = entries < UINT16_MAX ? (uint16_t)entries : UINT16_MAX;
    fk_buffer_append_u32(buffer, SIGNATURE_END);
    fk_buffer_append_u32(buffer, 0);
    fk_buffer_append_u16(buffer, short_entries);
    fk_buffer_append_u16(buffer, short_entries);
    fk_buffer_append_u32(buffer, (uint32_t)directory_bytes);
    fk_buffer_append_u32(buffer, directory_offset < LIMIT32 ? (uint32_t)directory_offset
                                                            : (uint32_t)LIMIT32);
    fk_buffer_append_u16(buffer, 0);
}

fk_code fk_zip_writer_finish(fk_zip_writer *writer, fk_error *err) {
    char id[SERIALIZATION_ID_DIGITS + 1];
    snprintf(id, sizeof id, "%020d%020" PRIu64, 0, writer->crc_hash);
    fk_code code =
        fk_zip_writer_add(writer, NAME_SERIALIZATION_ID, id, SERIALIZATION_ID_DIGITS, err);
    if (code != FK_OK) {
        return code;
    }
    uint64_t directory_offset = writer->offset;
    /* FK_LIMIT_ZIP_ENTRIES names of FK_LIMIT_ZIP_NAME_BYTES stay below 4 GiB */
    assert(writer->directory.length < LIMIT32);
    code = emit(writer, writer->directory.bytes, writer->directory.length, NULL, err);
    if (code == FK_OK) {
        append_trailer(&writer->header, writer->entries, writer->directory.length,
                       directory_offset);
        code = emit_header(writer, err);
    }
    return code;
}
