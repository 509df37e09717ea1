#include "json/keys.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { CAPACITY_MIN = 32 };

void fk_json_keys_finish(fk_json_keys *keys) {
    free(keys->items);
    *keys = (fk_json_keys){0};
}

bool fk_json_keys_add(fk_json_keys *keys, const char *text, size_t length) {
    if (keys->count == keys->capacity) {
        size_t capacity = keys->capacity == 0 ? CAPACITY_MIN : keys->capacity * 2;
        fk_json_key *items = reallocarray(keys->items, capacity, sizeof *items);
        if (items == NULL) {
            return false;
        }
        keys->items = items;
        keys->capacity = capacity;
    }
    keys->items[keys->count++] = (fk_json_key){text, length};
    return true;
}

int fk_json_hex_digit(char digit) {
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *found = digit == '\0' ? NULL : strchr(digits, digit);
    if (found == NULL) {
        return -1;
    }
    return (int)(found - digits) - (found - digits >= 16 ? 6 : 0);
}

static uint32_t take_unit(const char *text, size_t *at) {
    uint32_t unit = 0;
    for (size_t end = *at + 4; *at < end; (*at)++) {
        unit = unit * 16 + (uint32_t)fk_json_hex_digit(text[*at]);
    }
    return unit;
}

uint32_t fk_json_key_character(const fk_json_key *key, size_t *at) {
    uint32_t character = 0;
    if (key->text[*at] != '\\') {
        *at += fk_text_decode_utf8(key->text + *at, key->length - *at, &character);
        return character;
    }
    char kind = key->text[*at + 1];
    *at += 2;
    if (kind != 'u') {
        static const char from[] = "bfnrt";
        static const char to[] = "\b\f\n\r\t";
        const char *found = strchr(from, kind);
        return (uint32_t)(unsigned char)(found == NULL ? kind : to[found - from]);
    }
    character = take_unit(key->text, at);
    if (character >= 0xD800 && character <= 0xDBFF) {
        *at += 2; /* the \u of the second half */
        character = 0x10000 + ((character - 0xD800) << 10) + (take_unit(key->text, at) - 0xDC00);
    }
    return character;
}

static int compare_characters(const fk_json_key *one, const fk_json_key *other) {
    size_t shorter = one->length < other->length ? one->length : other->length;
    size_t same = 0;
    while (same < shorter && one->text[same] == other->text[same] && one->text[same] != '\\') {
        same++;
    }
    if (same < shorter && one->text[same] != '\\' && other->text[same] != '\\') {
        /* bytes of UTF-8 are in the order of the characters */
        return (unsigned char)one->text[same] < (unsigned char)other->text[same] ? -1 : 1;
    }
    size_t one_at = 0;
    size_t other_at = 0;
    while (one_at < one->length && other_at < other->length) {
        uint32_t one_character = fk_json_key_character(one, &one_at);
        uint32_t other_character = fk_json_key_character(other, &other_at);
        if (one_character != other_character) {
            return one_character < other_character ? -1 : 1;
        }
    }
    return (one_at < one->length) - (other_at < other->length);
}

/* By what they say, then by their place in the text. */
static int compare_keys(const void *one, const void *other) {
    const fk_json_key *one_key = one;
    const fk_json_key *other_key = other;
    int order = compare_characters(one_key, other_key);
    return order != 0 ? order
                      : (one_key->text > other_key->text) - (one_key->text < other_key->text);
}

const char *fk_json_keys_close(fk_json_keys *keys, size_t first) {
    size_t count = keys->count - first;
    keys->count = first;
    if (count < 2) {
        return NULL;
    }
    fk_json_key *items = keys->items + first;
    qsort(items, count, sizeof *items, compare_keys);
    const char *earliest = NULL;
    for (size_t i = 1; i < count; i++) {
        if (compare_characters(&items[i - 1], &items[i]) == 0 &&
            (earliest == NULL || items[i].text < earliest)) {
            earliest = items[i].text;
        }
    }
    return earliest;
}
