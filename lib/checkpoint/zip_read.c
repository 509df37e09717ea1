#include "checkpoint/zip_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "checkpoint/zip_record.h"
#include "checkpoint/zip_trailer.h"
#include "digest/digest.h"

/* Z1 records fill the file from its first byte to the directory, without gap or overlap. Z2 no two
 * names are equal when ASCII case is folded. */
struct fk_zip {
    const uint8_t *bytes;
    fk_zip_record *records; /* [count], in the order of the directory */
    size_t count;
    size_t *by_name; /* [count] indices, by case-folded name */
    char *names;     /* all of them, each with a NUL */
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

static int compare_names(const void *one, const void *other, void *user) {
    const fk_zip_record *records = user;
    return compare_folded(records[*(const size_t *)one].entry.name,
                          records[*(const size_t *)other].entry.name);
}

static int compare_headers(const void *one, const void *other, void *user) {
    const fk_zip_record *records = user;
    uint64_t a = records[*(const size_t *)one].entry.header;
    uint64_t b = records[*(const size_t *)other].entry.header;
    return a < b ? -1 : a > b;
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
        if (compare_folded(one->name, other->name) == 0) {
            uint64_t second = one->header > other->header ? one->header : other->header;
            return fail(err, FK_E_CORRUPT, second, "the zip archive has two records named",
                        other->name);
        }
    }
    return FK_OK;
}

/* Z1, by the order in the file, which need not be the directory's. */
static fk_code check_layout(const fk_zip *zip, uint64_t directory_offset, fk_error *err) {
    FK_SCOPED(fk_freep) size_t *order = calloc(zip->count, sizeof *order);
    if (order == NULL) {
        return fk_error_no_memory(err);
    }
    for (size_t i = 0; i < zip->count; i++) {
        order[i] = i;
    }
    qsort_r(order, zip->count, sizeof *order, compare_headers, zip->records);
    uint64_t end = 0;
    for (size_t i = 0; i < zip->count; i++) {
        const fk_zip_record *record = &zip->records[order[i]];
        if (record->entry.header < end) {
            return fail(err, FK_E_CORRUPT, record->entry.header,
                        "a record overlaps the one before it:", record->entry.name);
        }
        if (record->entry.header > end) {
            return fail(err, FK_E_CORRUPT, end, "bytes that belong to no record stand before",
                        record->entry.name);
        }
        end = record->end;
    }
    if (end != directory_offset) {
        return fail(err, FK_E_CORRUPT, end,
                    "the directory does not start where the records end:", "zip archive");
    }
    return FK_OK;
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

static fk_code read_directory(fk_zip *zip, const fk_zip_trailer *trailer, fk_error *err) {
    fk_zip_cursor cursor = {
        .bytes = zip->bytes,
        .at = trailer->directory_offset,
        .end = trailer->directory_offset + trailer->directory_bytes,
        .records_end = trailer->directory_offset,
        .names = zip->names,
    };
    for (size_t i = 0; i < zip->count; i++) {
        fk_code code = fk_zip_record_read(&cursor, &zip->records[i], err);
        if (code != FK_OK) {
            return code;
        }
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

fk_code fk_zip_open(const uint8_t *bytes, size_t length, fk_zip **ret_zip, fk_error *err) {
    fk_zip_trailer trailer;
    fk_code code = fk_zip_trailer_read(bytes, length, &trailer, err);
    if (code != FK_OK) {
        return code;
    }
    FK_SCOPED(fk_zip_closep) fk_zip *zip = calloc(1, sizeof *zip);
    if (zip == NULL) {
        return fk_error_no_memory(err);
    }
    zip->bytes = bytes;
    code = allocate(zip, &trailer, err);
    if (code == FK_OK) {
        code = read_directory(zip, &trailer, err);
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
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const fk_zip_entry *entry = &zip->records[zip->by_name[middle]].entry;
        int order = compare_folded(name, entry->name);
        if (order == 0) {
            return strcmp(name, entry->name) == 0 ? entry : NULL;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

size_t fk_zip_index(const fk_zip *zip, const fk_zip_entry *entry) {
    return (size_t)((const fk_zip_record *)entry - zip->records);
}

bool fk_zip_check(const fk_zip *zip, const fk_zip_entry *entry, bool *ret_computed) {
    bool same = fk_crc32_update(0, zip->bytes + entry->offset, entry->bytes) == entry->crc32;
    *ret_computed = same || entry->crc32 != 0;
    return same || entry->crc32 == 0;
}
