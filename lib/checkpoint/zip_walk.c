#include "checkpoint/zip_walk.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/text.h"
#include "checkpoint/zip_local.h"

/* One walk. Names are read in a second round, when it is known how much room they take. */
typedef struct walker {
    const uint8_t *bytes;
    uint64_t length;
    const char *numbered;
    fk_zip_walk found;
    size_t capacity;
    size_t name_bytes; /* of all names found, with their prefixes */
    size_t number;     /* that the next numbered record should have */
    bool as_texts;     /* numbers are sorted so */
} walker;

static void walker_finish(walker *it) {
    fk_zip_walk_finish(&it->found);
}

void fk_zip_walk_finish(fk_zip_walk *walk) {
    free(walk->records);
    free(walk->names);
    *walk = (fk_zip_walk){0};
}

/* ---- one record */

static bool is_plain(const fk_zip_local *local) {
    const unsigned known = FK_ZIP_FLAG_DESCRIPTOR | FK_ZIP_FLAG_UTF8;
    return local->method == 0 && (local->flags & ~known) == 0;
}

/* The size of a payload may stand behind it only: it ends at the first descriptor that tells how
 * far away it is. So none that belongs to another record is taken for it, though a tensor may hold
 * a whole archive. */
static bool find_descriptor(const walker *it, uint64_t offset, const fk_zip64 *wide,
                            fk_zip_record *record) {
    const uint8_t *payload = it->bytes + offset;
    uint64_t room = it->length - offset;
    for (uint64_t at = 0; at < room; at++) {
        const uint8_t *next = memmem(payload + at, room - at, "PK\7\10", 4);
        fk_zip_descriptor found;
        if (next == NULL) {
            return false;
        }
        at = (uint64_t)(next - payload);
        if (fk_zip_descriptor_read(it->bytes, it->length, offset + at, wide, &found) &&
            found.bytes == at && found.packed_bytes == at) {
            record->entry.bytes = at;
            record->entry.crc32 = found.crc32;
            record->end = offset + at + fk_zip_descriptor_bytes(wide);
            return true;
        }
    }
    return false;
}

/* A payload whose size stands in the header. */
static bool take_sized(const walker *it, const fk_zip_local *local, fk_zip_record *record) {
    if (local->bytes != local->packed_bytes || local->bytes > it->length - local->payload) {
        return false;
    }
    record->entry.bytes = local->bytes;
    record->entry.crc32 = local->crc32;
    record->end = local->payload + local->bytes;
    return true;
}

/* The record that begins at `at`; false when no whole one does. */
static bool read_record(const walker *it, uint64_t at, fk_zip_local *ret_local,
                        fk_zip_record *ret_record) {
    fk_zip_local local;
    fk_zip64 wide;
    if (!fk_zip_local_begins(it->bytes, it->length, at) ||
        fk_zip_local_read(it->bytes, it->length, at, &local, NULL) != FK_OK || !is_plain(&local) ||
        fk_zip_local_widen(it->bytes, &local, &wide, NULL) != FK_OK) {
        return false;
    }
    *ret_local = local;
    *ret_record = (fk_zip_record){.entry = {.header = at, .offset = local.payload}};
    return (local.flags & FK_ZIP_FLAG_DESCRIPTOR) != 0
               ? find_descriptor(it, local.payload, &wide, ret_record)
               : take_sized(it, &local, ret_record);
}

/* ---- all of them */

static fk_code add(walker *it, const fk_zip_record *record, fk_error *err) {
    fk_zip_walk *found = &it->found;
    if (found->count == it->capacity) {
        size_t capacity = it->capacity == 0 ? 64 : it->capacity * 2;
        fk_zip_record *records = reallocarray(found->records, capacity, sizeof *records);
        if (records == NULL) {
            return fk_error_no_memory(err);
        }
        found->records = records;
        it->capacity = capacity;
    }
    found->records[found->count++] = *record;
    found->end = record->end;
    return FK_OK;
}

static fk_code find_records(walker *it, fk_error *err) {
    fk_zip_local local;
    fk_zip_record record;
    fk_code code = FK_OK;
    while (code == FK_OK && it->found.count < FK_LIMIT_ZIP_ENTRIES &&
           read_record(it, it->found.end, &local, &record)) {
        it->name_bytes += local.name_bytes;
        code = add(it, &record, err);
    }
    return code;
}

/* The number behind `last` where they are sorted as texts, should it have so many digits. */
static size_t next_as_text(size_t last, size_t digits) {
    char text[24];
    size_t had = (size_t)snprintf(text, sizeof text, "%zu", last);
    if (digits > had) {
        return last * 10;
    }
    text[digits] = '\0';
    return (size_t)strtoull(text, NULL, 10) + 1;
}

/* No number but one is right, so one digit that changed is noticed. */
static bool is_next(walker *it, const char *digits) {
    char expected[24];
    it->as_texts = it->as_texts || (it->number == 2 && strcmp(digits, "10") == 0);
    if (it->as_texts) {
        it->number = next_as_text(it->number - 1, strlen(digits));
    }
    snprintf(expected, sizeof expected, "%zu", it->number++);
    return strcmp(digits, expected) == 0;
}

static bool is_believed(walker *it, const char *name) {
    return !fk_text_starts_with(name, it->numbered) || is_next(it, name + strlen(it->numbered));
}

/* Behind a name that no record of a checkpoint has there, nothing is believed. */
static fk_code read_names(walker *it, fk_error *err) {
    fk_zip_walk *found = &it->found;
    found->names = malloc(it->name_bytes + 1); /* without its prefix, a name has room for its NUL */
    if (found->names == NULL) {
        return fk_error_no_memory(err);
    }
    fk_zip_cursor cursor = {.bytes = it->bytes, .names = found->names};
    for (size_t i = 0; i < found->count; i++) {
        fk_zip_entry *entry = &found->records[i].entry;
        fk_zip_local local;
        if (fk_zip_local_read(it->bytes, it->length, entry->header, &local, NULL) != FK_OK ||
            fk_zip_record_name(&cursor, local.name, local.name_bytes, &entry->name, NULL) !=
                FK_OK ||
            !is_believed(it, entry->name)) {
            found->end = entry->header;
            found->count = i;
        }
    }
    return FK_OK;
}

fk_code fk_zip_walk_records(const uint8_t *bytes, size_t length, const char *numbered,
                            fk_zip_walk *ret_walk, fk_error *err) {
    FK_SCOPED(walker_finish)
    walker it = {.bytes = bytes, .length = length, .numbered = numbered};
    fk_code code = find_records(&it, err);
    if (code == FK_OK) {
        code = read_names(&it, err);
    }
    if (code == FK_OK) {
        *ret_walk = it.found;
        it.found = (fk_zip_walk){0};
    }
    return code;
}
