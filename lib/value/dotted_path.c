#include "value/dotted_path.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "value/value_private.h"

static bool add_dot(fk_buffer *path) {
    return path->length == 0 || fk_buffer_append_byte(path, '.');
}

bool fk_dotted_path_add_index(fk_buffer *path, size_t index) {
    return add_dot(path) && fk_buffer_append_format(path, "%zu", index);
}

/* A pickle of strangers can hang one long key on every level. */
static bool add_text(fk_buffer *path, const fk_value *key) {
    size_t shown = strnlen(key->text.bytes, FK_LIMIT_KEY_SHOWN_BYTES + 1);
    if (shown <= FK_LIMIT_KEY_SHOWN_BYTES) {
        return fk_buffer_append(path, key->text.bytes, shown);
    }
    shown = FK_LIMIT_KEY_SHOWN_BYTES;
    while (shown > 0 && ((uint8_t)key->text.bytes[shown] & 0xC0) == 0x80) {
        shown--;
    }
    return fk_buffer_append(path, key->text.bytes, shown) && fk_buffer_append_text(path, "...");
}

bool fk_dotted_path_add_key(fk_buffer *path, const fk_value *key) {
    char number[FK_TEXT_DOUBLE_BYTES];
    if (!add_dot(path)) {
        return false;
    }
    switch (key->kind) {
    case FK_KIND_INT:
        return fk_buffer_append_format(path, "%" PRId64, key->number);
    case FK_KIND_BOOL:
        return fk_buffer_append_text(path, key->truth ? "True" : "False");
    case FK_KIND_FLOAT:
        fk_text_from_double(key->real, number);
        return fk_buffer_append_text(path, number);
    case FK_KIND_NONE:
        return fk_buffer_append_text(path, "None");
    default:
        break;
    }
    if (fk_kind_is_text(key->kind) && key->kind != FK_KIND_BYTEARRAY) {
        return add_text(path, key);
    }
    return fk_buffer_append_format(path, "<%s>", fk_kind_name(key->kind));
}

/* The last `capacity` bytes at most, from a character's start on. */
static const char *tail(const char *text, size_t length, size_t capacity) {
    const char *from = text + (length > capacity ? length - capacity : 0);
    while (((uint8_t)*from & 0xC0) == 0x80) {
        from++;
    }
    return from;
}

void fk_dotted_path_text(fk_buffer *path, char into[FK_DOTTED_PATH_BYTES]) {
    for (size_t i = 0; i < path->length; i++) {
        if (path->bytes[i] < 0x20 || path->bytes[i] == 0x7F) {
            path->bytes[i] = '?';
        }
    }
    const char *text = path->length == 0 ? "(top)" : (const char *)path->bytes;
    size_t half = (FK_DOTTED_PATH_BYTES - sizeof "...") / 2;
    if (path->length < FK_DOTTED_PATH_BYTES) {
        fk_text_copy(into, FK_DOTTED_PATH_BYTES, text);
        return;
    }
    size_t head = half;
    while (head > 0 && ((uint8_t)text[head] & 0xC0) == 0x80) {
        head--;
    }
    snprintf(into, FK_DOTTED_PATH_BYTES, "%.*s...%s", (int)head, text,
             tail(text, path->length, half));
}
