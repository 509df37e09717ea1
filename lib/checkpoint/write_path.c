#include "checkpoint/write_path.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"

static void append_key(fk_buffer *path, const fk_value *key) {
    char number[FK_TEXT_DOUBLE_BYTES];
    switch (fk_value_kind(key)) {
    case FK_KIND_STRING:
    case FK_KIND_BYTES:
    case FK_KIND_DTYPE:
    case FK_KIND_DEVICE:
    case FK_KIND_LAYOUT:
    case FK_KIND_QSCHEME:
        fk_buffer_append_text(path, fk_value_as_text(key, NULL));
        break;
    case FK_KIND_INT:
        fk_buffer_append_format(path, "%" PRId64, fk_value_as_int(key));
        break;
    case FK_KIND_FLOAT:
        fk_text_from_double(fk_value_as_float(key), number);
        fk_buffer_append_text(path, number);
        break;
    case FK_KIND_BOOL:
        fk_buffer_append_text(path, fk_value_as_bool(key) ? "True" : "False");
        break;
    case FK_KIND_NONE:
        fk_buffer_append_text(path, "None");
        break;
    default:
        fk_buffer_append_format(path, "<%s>", fk_kind_name(fk_value_kind(key)));
        break;
    }
}

static void append_step(fk_buffer *path, const fk_write_path_step *step) {
    if (step->next == 0 || step->attributes) {
        return; /* not yet among the items; the attributes' own keys say enough */
    }
    if (path->length != 0) {
        fk_buffer_append_byte(path, '.');
    }
    size_t index = step->next - 1;
    fk_kind kind = fk_value_kind(step->value);
    if (kind != FK_KIND_DICT && kind != FK_KIND_ORDERED_DICT && kind != FK_KIND_COUNTER) {
        fk_buffer_append_format(path, "%zu", index);
    } else {
        append_key(path, fk_value_key(step->value, index / 2));
    }
}

/* The last `capacity` bytes at most, from a character's start on. */
static const char *tail(const char *text, size_t length, size_t capacity) {
    const char *from = text + (length > capacity ? length - capacity : 0);
    while (((uint8_t)*from & 0xC0) == 0x80) {
        from++;
    }
    return from;
}

void fk_write_path_text(const fk_write_path_step *steps, size_t count,
                        char into[FK_WRITE_PATH_BYTES]) {
    FK_SCOPED(fk_buffer_finish) fk_buffer path = {0};
    for (size_t i = 0; i < count; i++) {
        append_step(&path, &steps[i]);
    }
    for (size_t i = 0; i < path.length; i++) {
        if (path.bytes[i] < 0x20 || path.bytes[i] == 0x7F) {
            path.bytes[i] = '?';
        }
    }
    const char *text = path.length == 0 ? "(top)" : (const char *)path.bytes;
    size_t half = (FK_WRITE_PATH_BYTES - sizeof "...") / 2;
    if (path.length < FK_WRITE_PATH_BYTES) {
        fk_text_copy(into, FK_WRITE_PATH_BYTES, text);
        return;
    }
    size_t head = half;
    while (head > 0 && ((uint8_t)text[head] & 0xC0) == 0x80) {
        head--;
    }
    snprintf(into, FK_WRITE_PATH_BYTES, "%.*s...%s", (int)head, text,
             tail(text, path.length, half));
}
