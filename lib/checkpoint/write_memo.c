#include "checkpoint/write_memo.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_FIRST = 64 };

void fk_write_memo_finish(fk_write_memo *memo) {
    free(memo->entries);
    *memo = (fk_write_memo){0};
}

/* FNV-1a, its bits mixed once more since the table uses the low ones. */
static uint64_t hash_of(fk_write_domain domain, const void *bytes, size_t length) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)domain;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001b3);
    }
    hash ^= hash >> 32;
    return hash * UINT64_C(0x9e3779b97f4a7c15) >> 7;
}

static bool same_text(const fk_write_memo *memo, const fk_write_memo_entry *entry,
                      const char *text) {
    return entry->length == 0 ||
           memcmp(memo->pickle->bytes + entry->place, text, entry->length) == 0;
}

fk_write_memo_entry *fk_write_memo_find_text(const fk_write_memo *memo, fk_write_domain domain,
                                             const char *text, size_t length) {
    uint64_t hash = hash_of(domain, text, length);
    for (size_t i = hash; memo->capacity != 0; i++) {
        fk_write_memo_entry *entry = &memo->entries[i & (memo->capacity - 1)];
        if (entry->domain == 0) {
            break;
        }
        if (entry->hash == hash && entry->domain == domain && entry->length == length &&
            same_text(memo, entry, text)) {
            return entry;
        }
    }
    return NULL;
}

fk_write_memo_entry *fk_write_memo_find_value(const fk_write_memo *memo, const void *value) {
    uint64_t hash = hash_of(FK_WRITE_VALUE, &value, sizeof value);
    for (size_t i = hash; memo->capacity != 0; i++) {
        fk_write_memo_entry *entry = &memo->entries[i & (memo->capacity - 1)];
        if (entry->domain == 0) {
            break;
        }
        if (entry->domain == FK_WRITE_VALUE && entry->place == (uintptr_t)value) {
            return entry;
        }
    }
    return NULL;
}

static void insert(fk_write_memo *memo, const fk_write_memo_entry *entry) {
    size_t i = entry->hash;
    while (memo->entries[i & (memo->capacity - 1)].domain != 0) {
        i++;
    }
    memo->entries[i & (memo->capacity - 1)] = *entry;
}

/* At most half of the table is used, so that a free place is always near. */
static bool grow(fk_write_memo *memo) {
    if (2 * memo->used < memo->capacity) {
        return true;
    }
    fk_write_memo old = *memo;
    size_t capacity = old.capacity == 0 ? CAPACITY_FIRST : 2 * old.capacity;
    fk_write_memo_entry *entries = calloc(capacity, sizeof *entries);
    if (entries == NULL) {
        return false;
    }
    memo->entries = entries;
    memo->capacity = capacity;
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.entries[i].domain != 0) {
            insert(memo, &old.entries[i]);
        }
    }
    free(old.entries);
    return true;
}

static bool put(fk_write_memo *memo, const fk_write_memo_entry *entry) {
    if (!grow(memo)) {
        return false;
    }
    insert(memo, entry);
    memo->used++;
    return true;
}

bool fk_write_memo_put_text(fk_write_memo *memo, fk_write_domain domain, size_t place,
                            size_t length, uint32_t index) {
    fk_write_memo_entry entry = {
        .place = place, .length = (uint32_t)length, .index = index, .domain = domain};
    entry.hash = hash_of(domain, length == 0 ? NULL : memo->pickle->bytes + place, length);
    return put(memo, &entry);
}

bool fk_write_memo_put_value(fk_write_memo *memo, const void *value, uint32_t index) {
    fk_write_memo_entry entry = {
        .place = (uintptr_t)value, .index = index, .domain = FK_WRITE_VALUE};
    entry.hash = hash_of(FK_WRITE_VALUE, &value, sizeof value);
    return put(memo, &entry);
}
