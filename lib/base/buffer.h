/* A growing run of bytes. Zeroed memory is an empty buffer. A failed append sticks: later ones fail
 * too, so a caller may append many times and check once. */
#ifndef FK_BASE_BUFFER_H
#define FK_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

typedef struct fk_buffer {
    uint8_t *bytes; /* NULL while empty; a NUL stands behind the last byte otherwise */
    size_t length;
    size_t capacity;
    bool failed; /* memory was short */
} fk_buffer;

void fk_buffer_finish(
    fk_buffer *buffer); /* frees; the buffer is empty again. Also the scope attribute's function */

bool fk_buffer_append(fk_buffer *buffer, const void *bytes, size_t length);
bool fk_buffer_append_text(fk_buffer *buffer, const char *text);
bool fk_buffer_append_format(fk_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool fk_buffer_append_byte(fk_buffer *buffer, uint8_t byte);
/* Little endian. */
bool fk_buffer_append_u16(fk_buffer *buffer, uint16_t number);
bool fk_buffer_append_u32(fk_buffer *buffer, uint32_t number);
bool fk_buffer_append_u64(fk_buffer *buffer, uint64_t number);
/* Adds `length` bytes of unknown content and gives their address, or NULL. */
uint8_t *fk_buffer_extend(fk_buffer *buffer, size_t length);
/* Hands the memory over (free() it); NULL when an append failed. An empty buffer gives one NUL. */
void *fk_buffer_take(fk_buffer *buffer, size_t *ret_length);

#endif
