/* Zip archives for the tests of reading: plain ones as other programs write them, and ones as
 * PyTorch does, with the offsets of all their parts, so that a test can change any field. */
#ifndef ARCHIVE_FIXTURE_H
#define ARCHIVE_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buffer.h"
#include "digest/digest.h"

enum { ARCHIVE_RECORDS_MAX = 16 };

typedef struct archive_record {
    const char *name; /* with the prefix */
    const void *bytes;
    size_t length;
} archive_record;

typedef struct archive {
    fk_buffer file;
    size_t local[ARCHIVE_RECORDS_MAX];
    size_t payload[ARCHIVE_RECORDS_MAX];
    size_t descriptor[ARCHIVE_RECORDS_MAX]; /* PyTorch's only */
    size_t entry[ARCHIVE_RECORDS_MAX];
    size_t zip64_end; /* PyTorch's only */
    size_t locator;
    size_t end;
} archive;

static inline void archive_finish(archive *built) {
    fk_buffer_finish(&built->file);
}

/* A local header or a directory entry; what differs is in front and behind. */
static inline void archive_header(fk_buffer *file, const archive_record *record, uint16_t flags,
                                  bool described, size_t extra) {
    uint32_t crc = fk_crc32_update(0, record->bytes, record->length);
    uint32_t length = (uint32_t)record->length;
    fk_buffer_append_u16(file, 0); /* needed */
    fk_buffer_append_u16(file, flags);
    fk_buffer_append_u16(file, 0); /* method */
    fk_buffer_append_u32(file, 0); /* time and date */
    fk_buffer_append_u32(file, described ? crc : 0);
    fk_buffer_append_u32(file, described ? length : 0);
    fk_buffer_append_u32(file, described ? length : 0);
    fk_buffer_append_u16(file, (uint16_t)strlen(record->name));
    fk_buffer_append_u16(file, (uint16_t)extra);
}

static inline void archive_local(archive *built, const archive_record *record, size_t index,
                                 bool pytorch) {
    fk_buffer *file = &built->file;
    uint16_t flags = !pytorch ? 0 : record->length > 0 ? 0x0808 : 0x0800;
    size_t start = file->length + 30 + strlen(record->name) + 4;
    size_t padding = (64 - start % 64) % 64;
    built->local[index] = file->length;
    fk_buffer_append_text(file, "PK\3\4");
    archive_header(file, record, flags, !pytorch, pytorch ? 4 + padding : 0);
    fk_buffer_append_text(file, record->name);
    if (pytorch) {
        fk_buffer_append_text(file, "FB");
        fk_buffer_append_u16(file, (uint16_t)padding);
        memset(fk_buffer_extend(file, padding), 'Z', padding);
    }
    built->payload[index] = file->length;
    fk_buffer_append(file, record->bytes, record->length);
    built->descriptor[index] = file->length;
    if (pytorch && record->length > 0) {
        fk_buffer_append_text(file, "PK\7\10");
        fk_buffer_append_u32(file, fk_crc32_update(0, record->bytes, record->length));
        fk_buffer_append_u32(file, (uint32_t)record->length);
        fk_buffer_append_u32(file, (uint32_t)record->length);
    }
}

static inline void archive_entry(archive *built, const archive_record *record, size_t index,
                                 bool pytorch) {
    fk_buffer *file = &built->file;
    uint16_t flags = !pytorch ? 0 : record->length > 0 ? 0x0808 : 0x0800;
    built->entry[index] = file->length;
    fk_buffer_append_text(file, "PK\1\2");
    fk_buffer_append_u16(file, 0);
    archive_header(file, record, flags, true, 0);
    fk_buffer_append(file, "\0\0\0\0\0\0\0\0\0\0", 10); /* comment, disk, attributes */
    fk_buffer_append_u32(file, (uint32_t)built->local[index]);
    fk_buffer_append_text(file, record->name);
}

static inline void archive_zip64_end(archive *built, size_t count, size_t directory) {
    fk_buffer *file = &built->file;
    size_t bytes = file->length - directory;
    built->zip64_end = file->length;
    fk_buffer_append_text(file, "PK\6\6");
    fk_buffer_append_u64(file, 44);
    fk_buffer_append_u32(file, 0x002D031E);
    fk_buffer_append_u64(file, 0); /* disks */
    fk_buffer_append_u64(file, count);
    fk_buffer_append_u64(file, count);
    fk_buffer_append_u64(file, bytes);
    fk_buffer_append_u64(file, directory);
    built->locator = file->length;
    fk_buffer_append_text(file, "PK\6\7");
    fk_buffer_append_u32(file, 0);
    fk_buffer_append_u64(file, built->zip64_end);
    fk_buffer_append_u32(file, 1);
}

static inline void archive_build(archive *built, const archive_record *records, size_t count,
                                 bool pytorch) {
    fk_buffer *file = &built->file;
    for (size_t i = 0; i < count; i++) {
        archive_local(built, &records[i], i, pytorch);
    }
    size_t directory = file->length;
    for (size_t i = 0; i < count; i++) {
        archive_entry(built, &records[i], i, pytorch);
    }
    size_t bytes = file->length - directory;
    if (pytorch) {
        archive_zip64_end(built, count, directory);
    }
    built->end = file->length;
    fk_buffer_append_text(file, "PK\5\6");
    fk_buffer_append_u32(file, 0); /* disks */
    fk_buffer_append_u16(file, (uint16_t)count);
    fk_buffer_append_u16(file, (uint16_t)count);
    fk_buffer_append_u32(file, (uint32_t)bytes);
    fk_buffer_append_u32(file, (uint32_t)directory);
    fk_buffer_append_u16(file, 0); /* comment */
}

#endif
