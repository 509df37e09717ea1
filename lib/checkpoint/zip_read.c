#include "checkpoint/zip_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "checkpoint/zip_record.h"
#include "checkpoint/zip_trailer.h"
#include "checkpoint/zip_walk.h"
#include "digest/digest.h"

/* Z1 records fill the file from its first byte to the directory, without gap or overlap. Z2 no two
 * names are equal when ASCII case is folded. Neither is known of damaged records. */
struct fk_zip {
    const uint8_t *bytes;
    const char *numbered;   /* as in fk_zip_source */
    fk_zip_record *records; /* [count], in the order of the directory */
    size_t count;
    size_t damaged;  /* of them */
    size_t *by_name; /* [count] indices, by case-folded name */
    char *names;     /* all of them, each with a NUL */
    uint64_t rest;   /* FK_NO_OFFSET with a directory */
};

static int compare_folded(const char *one, const char *other) {
    for (;; one++, other++) {
        int a = *one >= 'A' && *one <= 'Z' ? *one - 'A' + 'a' : (unsigned char)*one;
        int b = *other >= 'A' && *other <= 'Z' ? *other - 'A' + 'a' : (unsigned char)*other;
        if (a != b || a == '\0') {
            return a - b;
        }
    }
}

/* Of equal names, those of damaged records come last. */
static int compare_names(const void *one, const void *other, void *user) {
    const fk_zip_record *records = user;
    const fk_zip_entry *a = &records[*(const size_t *)one].entry;
    const fk_zip_entry *b = &records[*(const size_t *)other].entry;
    int order = compare_folded(a->name, b->name);
    return order != 0 ? order : (int)a->damaged - (int)b->damaged;
}

/* Damaged records come last: where they begin is not known. */
static int compare_headers(const void *one, const void *other, void *user) {
    const fk_zip_record *records = user;
    const fk_zip_entry *a = &records[*(const size_t *)one].entry;
    const fk_zip_entry *b = &records[*(const size_t *)other].entry;
    if (a->damaged != b->damaged) {
        return (int)a->damaged - (int)b->damaged;
    }
    return a->header < b->header ? -1 : a->header > b->header;
}

static fk_code fail(fk_error *err, fk_code code, uint64_t offset, const char *what,
                    const char *name) {
    fk_error_set(err, code, "%s '%s'", what, name);
    fk_error_offset(err, offset);
    fk_error_hint(err, "restore the file from a copy, or save it again with torch.save");
    return code;
}

static fk_code order_names(fk_zip *zip, fk_error *err) {
    for (size_t i = 0; i < zip->count; i++) {
        zip->by_name[i] = i;
    }
    qsort_r(zip->by_name, zip->count, sizeof zip->by_name[0], compare_names, zip->records);
    for (size_t i = 1; i < zip->count; i++) {
        const fk_zip_entry *one = &zip->records[zip->by_name[i - 1]].entry;
        const fk_zip_entry *other = &zip->records[zip->by_name[i]].entry;
        if (compare_folded(one->name, other->name) == 0 && !other->damaged) {
            uint64_t second = one->header > other->header ? one->header : other->header;
            return fail(err, FK_E_CORRUPT, second, "the zip archive has two records named",
                        other->name);
        }
    }
    return FK_OK;
}

/* Bytes that no intact record takes. */
typedef struct zip_gap {
    size_t next; /* the intact record behind it */
    uint64_t start;
    uint64_t end;
    uint64_t patience; /* bytes that may still be looked at, in all gaps together: a directory may
                          tell of one record a million times */
} zip_gap;

static const uint64_t descriptors[] = {0, 16, 24};
enum { DESCRIPTORS = sizeof descriptors / sizeof descriptors[0] };

/* Goes on to the next gap; at the end of the records it is empty. `order` is that of the intact
 * records in the file. */
static void find_gap(const fk_zip *zip, const size_t *order, size_t intact,
                     uint64_t directory_offset, zip_gap *gap) {
    do {
        gap->start = gap->next == 0 ? 0 : zip->records[order[gap->next - 1]].end;
        gap->end =
            gap->next < intact ? zip->records[order[gap->next]].entry.header : directory_offset;
        gap->next++;
    } while (gap->start >= gap->end && gap->next <= intact);
}

/* Only its local header or its descriptor is damaged when its bytes, which end with the gap or in
 * front of a descriptor, have the CRC that the directory tells: then it is found. */
static bool find_payload(const fk_zip *zip, zip_gap *gap, fk_zip_record *record) {
    fk_zip_entry *entry = &record->entry;
    for (size_t i = 0; i < DESCRIPTORS; i++) {
        uint64_t room = gap->end - entry->header;
        if (room < descriptors[i] || room - descriptors[i] < entry->bytes ||
            entry->bytes > gap->patience) {
            return false;
        }
        gap->patience -= entry->bytes;
        uint64_t offset = gap->end - descriptors[i] - entry->bytes;
        if (fk_crc32_update(0, zip->bytes + offset, entry->bytes) == entry->crc32) {
            entry->offset = offset;
            return true;
        }
    }
    return false;
}

/* A damaged record lies in the gap that it should begin in; else the first one has to do. */
static void place_damaged(fk_zip *zip, const size_t *order, size_t intact,
                          uint64_t directory_offset) {
    zip_gap gap = {.patience = DESCRIPTORS * directory_offset};
    find_gap(zip, order, intact, directory_offset, &gap);
    const zip_gap first = gap;
    for (size_t i = intact; i < zip->count; i++) {
        fk_zip_record *record = &zip->records[order[i]];
        while (record->entry.header >= gap.end && gap.next <= intact) {
            find_gap(zip, order, intact, directory_offset, &gap);
        }
        bool within = record->entry.header >= gap.start && record->entry.header < gap.end;
        const zip_gap *place = within ? &gap : &first;
        bool named = record->named_twice || !fk_text_starts_with(record->entry.name, zip->numbered);
        if (within && named && record->entry.crc32 != 0 && find_payload(zip, &gap, record)) {
            record->entry.damaged = false;
            gap.end = gap.start; /* taken */
            continue;
        }
        record->entry.offset = place->start;
        record->entry.bytes = place->start < place->end ? place->end - place->start : 0;
    }
}

/* Z1, by the order in the file, which need not be the directory's. */
static fk_code check_order(fk_zip *zip, const size_t *order, uint64_t directory_offset,
                           fk_error *err) {
    uint64_t end = 0;
    size_t intact = 0;
    bool gaps = zip->damaged > 0;
    for (; intact < zip->count - zip->damaged; intact++) {
        const fk_zip_record *record = &zip->records[order[intact]];
        if (record->entry.header < end) {
            return fail(err, FK_E_CORRUPT, record->entry.header,
                        "a record overlaps the one before it:", record->entry.name);
        }
        if (record->entry.header > end && !gaps) {
            return fail(err, FK_E_CORRUPT, end, "bytes that belong to no record stand before",
                        record->entry.name);
        }
        end = record->end;
    }
    if (end != directory_offset && !gaps) {
        return fail(err, FK_E_CORRUPT, end,
                    "the directory does not start where the records end:", "zip archive");
    }
    if (gaps) {
        place_damaged(zip, order, intact, directory_offset);
    }
    return FK_OK;
}

static fk_code check_layout(fk_zip *zip, uint64_t directory_offset, fk_error *err) {
    FK_SCOPED(fk_freep) size_t *order = calloc(zip->count, sizeof *order);
    if (order == NULL) {
        return fk_error_no_memory(err);
    }
    for (size_t i = 0; i < zip->count; i++) {
        order[i] = i;
    }
    qsort_r(order, zip->count, sizeof *order, compare_headers, zip->records);
    return check_order(zip, order, directory_offset, err);
}

static fk_code allocate(fk_zip *zip, const fk_zip_trailer *trailer, fk_error *err) {
    if (trailer->count == 0) {
        fk_error_set(err, FK_E_UNSUPPORTED, "an empty zip archive is no PyTorch checkpoint");
        fk_error_subject(err, FK_SUBJECT_DATA);
        fk_error_hint(err, "give a file that torch.save wrote");
        return FK_E_UNSUPPORTED;
    }
    if (trailer->count > FK_LIMIT_ZIP_ENTRIES) {
        fk_error_set(err, FK_E_LIMIT, "the zip archive has %llu records, more than %u",
                     (unsigned long long)trailer->count, FK_LIMIT_ZIP_ENTRIES);
        fk_error_offset(err, trailer->directory_offset);
        fk_error_hint(err, "save fewer tensors in one file");
        return FK_E_LIMIT;
    }
    if (trailer->count > trailer->directory_bytes / FK_ZIP_DIRECTORY_HEADER_BYTES) {
        fk_error_set(err, FK_E_CORRUPT, "the zip archive claims more records than it has");
        fk_error_offset(err, trailer->directory_offset);
        fk_error_hint(err, "restore the file from a copy");
        return FK_E_CORRUPT;
    }
    zip->count = (size_t)trailer->count;
    zip->records = calloc(zip->count, sizeof zip->records[0]);
    zip->by_name = calloc(zip->count, sizeof zip->by_name[0]);
    /* a name without its prefix and the slash leaves room for its NUL */
    zip->names = malloc((size_t)trailer->directory_bytes);
    if (zip->records == NULL || zip->by_name == NULL || zip->names == NULL) {
        return fk_error_no_memory(err);
    }
    return FK_OK;
}

static fk_code read_directory(fk_zip *zip, const fk_zip_trailer *trailer, const fk_zip_peek *peek,
                              fk_error *err) {
    fk_zip_cursor cursor = {
        .bytes = zip->bytes,
        .peek = peek,
        .at = trailer->directory_offset,
        .end = trailer->directory_offset + trailer->directory_bytes,
        .records_end = trailer->directory_offset,
        .names = zip->names,
    };
    for (size_t i = 0; i < zip->count; i++) {
        fk_zip_record *record = &zip->records[i];
        fk_code code = fk_zip_record_read(&cursor, record, err);
        record->entry.damaged =
            code == FK_E_CORRUPT && zip->numbered != NULL && record->entry.name != NULL;
        if (code != FK_OK && !record->entry.damaged) {
            return code;
        }
        zip->damaged += record->entry.damaged;
    }
    if (cursor.at != cursor.end) {
        fk_error_set(err, FK_E_CORRUPT, "the zip directory has more entries than it counts");
        fk_error_offset(err, cursor.at);
        fk_error_hint(err, "restore the file from a copy");
        return FK_E_CORRUPT;
    }
    return FK_OK;
}

bool fk_zip_recognise(const uint8_t *bytes, size_t length) {
    return length >= 4 && memcmp(bytes, "PK\3\4", 4) == 0;
}

fk_code fk_zip_open(const fk_zip_source *source, fk_zip **ret_zip, fk_error *err) {
    fk_zip_trailer trailer;
    fk_code code = fk_zip_trailer_read(source->bytes, source->length, &trailer, err);
    if (code != FK_OK) {
        return code;
    }
    FK_SCOPED(fk_zip_closep) fk_zip *zip = calloc(1, sizeof *zip);
    if (zip == NULL) {
        return fk_error_no_memory(err);
    }
    zip->bytes = source->bytes;
    zip->numbered = source->numbered;
    zip->rest = FK_NO_OFFSET;
    code = allocate(zip, &trailer, err);
    if (code == FK_OK) {
        code = read_directory(zip, &trailer, source->peek, err);
    }
    if (code == FK_OK) {
        code = order_names(zip, err);
    }
    if (code == FK_OK) {
        code = check_layout(zip, trailer.directory_offset, err);
    }
    if (code != FK_OK) {
        return code;
    }
    *ret_zip = fk_take(zip);
    return FK_OK;
}

/* In front of a directory there is no room for more records. */
static uint64_t find_rest(const fk_zip_source *source, uint64_t end) {
    bool directory = source->length - end >= 4 && memcmp(source->bytes + end, "PK\1\2", 4) == 0;
    return directory ? FK_NO_OFFSET : end;
}

fk_code fk_zip_open_walked(const fk_zip_source *source, fk_zip **ret_zip, fk_error *err) {
    FK_SCOPED(fk_zip_walk_finish) fk_zip_walk walk = {0};
    FK_SCOPED(fk_zip_closep) fk_zip *zip = calloc(1, sizeof *zip);
    fk_code code = fk_zip_walk_records(source->bytes, source->length, source->numbered, &walk, err);
    if (code == FK_OK && walk.count == 0) {
        code = fk_error_set(err, FK_E_CORRUPT, "the zip archive has no whole record");
    }
    size_t *by_name = calloc(walk.count + 1, sizeof *by_name);
    if (zip == NULL || by_name == NULL) {
        free(by_name);
        return fk_error_no_memory(err);
    }
    *zip = (fk_zip){.bytes = source->bytes,
                    .records = fk_take(walk.records),
                    .count = walk.count,
                    .by_name = by_name,
                    .names = fk_take(walk.names),
                    .rest = find_rest(source, walk.end)};
    if (code == FK_OK) {
        code = order_names(zip, err);
    }
    if (code == FK_OK) {
        *ret_zip = fk_take(zip);
    }
    return code;
}

void fk_zip_close(fk_zip *zip) {
    if (zip == NULL) {
        return;
    }
    free(zip->records);
    free(zip->by_name);
    free(zip->names);
    free(zip);
}

size_t fk_zip_count(const fk_zip *zip) {
    return zip->count;
}

const fk_zip_entry *fk_zip_at(const fk_zip *zip, size_t index) {
    return &zip->records[index].entry;
}

const fk_zip_entry *fk_zip_find(const fk_zip *zip, const char *name) {
    size_t low = 0;
    size_t high = zip->count;
    while (low < high) { /* to the first of equal names: the intact one */
        size_t middle = low + (high - low) / 2;
        if (compare_folded(zip->records[zip->by_name[middle]].entry.name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const fk_zip_entry *found = low < zip->count ? &zip->records[zip->by_name[low]].entry : NULL;
    return found != NULL && strcmp(name, found->name) == 0 ? found : NULL;
}

size_t fk_zip_index(const fk_zip *zip, const fk_zip_entry *entry) {
    return (size_t)((const fk_zip_record *)entry - zip->records);
}

size_t fk_zip_damaged(const fk_zip *zip) {
    return zip->damaged;
}

uint64_t fk_zip_rest(const fk_zip *zip) {
    return zip->rest;
}

bool fk_zip_check(const fk_zip *zip, const fk_zip_entry *entry, bool *ret_computed) {
    bool same = fk_crc32_update(0, zip->bytes + entry->offset, entry->bytes) == entry->crc32;
    *ret_computed = same || entry->crc32 != 0;
    return same || entry->crc32 == 0;
}
