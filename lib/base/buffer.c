#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"

enum { CAPACITY_MIN = 64 };

void fk_buffer_finish(fk_buffer *buffer) {
    free(buffer->bytes);
    *buffer = (fk_buffer){0};
}

/* Makes room for `more` bytes and the NUL. */
static bool reserve(fk_buffer *buffer, size_t more) {
    uint64_t needed;
    if (buffer->failed || !fk_checked_add(buffer->length, more, &needed) ||
        !fk_checked_add(needed, 1, &needed)) {
        buffer->failed = true;
        return false;
    }
    if (needed <= buffer->capacity) {
        return true;
    }
    size_t capacity = buffer->capacity < CAPACITY_MIN ? CAPACITY_MIN : buffer->capacity;
    while (capacity < needed) {
        capacity = capacity > SIZE_MAX / 2 ? (size_t)needed : capacity * 2;
    }
    uint8_t *bytes = realloc(buffer->bytes, capacity);
    if (bytes == NULL) {
        buffer->failed = true;
        return false;
    }
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return true;
}

uint8_t *fk_buffer_extend(fk_buffer *buffer, size_t length) {
    if (!reserve(buffer, length)) {
        return NULL;
    }
    uint8_t *added = buffer->bytes + buffer->length;
    buffer->length += length;
    buffer->bytes[buffer->length] = 0;
    return added;
}

bool fk_buffer_append(fk_buffer *buffer, const void *bytes, size_t length) {
    uint8_t *into = fk_buffer_extend(buffer, length);
    if (into != NULL && length > 0) {
        memcpy(into, bytes, length);
    }
    return into != NULL;
}

bool fk_buffer_append_text(fk_buffer *buffer, const char *text) {
    return fk_buffer_append(buffer, text, strlen(text));
}

bool fk_buffer_append_format(fk_buffer *buffer, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0 || !reserve(buffer, (size_t)length)) {
        buffer->failed = true;
        return false;
    }
    va_start(arguments, format);
    vsnprintf((char *)buffer->bytes + buffer->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buffer->length += (size_t)length;
    return true;
}

bool fk_buffer_append_byte(fk_buffer *buffer, uint8_t byte) {
    return fk_buffer_append(buffer, &byte, 1);
}

static bool append_little_endian(fk_buffer *buffer, uint64_t number, size_t length) {
    uint8_t *into = fk_buffer_extend(buffer, length);
    for (size_t i = 0; into != NULL && i < length; i++) {
        into[i] = (uint8_t)(number >> (8 * i));
    }
    return into != NULL;
}

bool fk_buffer_append_u16(fk_buffer *buffer, uint16_t number) {
    return append_little_endian(buffer, number, 2);
}

bool fk_buffer_append_u32(fk_buffer *buffer, uint32_t number) {
    return append_little_endian(buffer, number, 4);
}

bool fk_buffer_append_u64(fk_buffer *buffer, uint64_t number) {
    return append_little_endian(buffer, number, 8);
}

void *fk_buffer_take(fk_buffer *buffer, size_t *ret_length) {
    if (!reserve(buffer, 0)) {
        return NULL;
    }
    buffer->bytes[buffer->length] = 0;
    if (ret_length != NULL) {
        *ret_length = buffer->length;
    }
    void *bytes = buffer->bytes;
    *buffer = (fk_buffer){0};
    return bytes;
}
