/* One chunk of a PNG file. Within lib/png only.
 *
 *     +--------+--------+------------------+--------+
 *     | length |  type  | data             | CRC-32 |     numbers are big endian; the CRC is of
 *     | 4      |  4     | `length` bytes   | 4      |     type and data
 *     +--------+--------+------------------+--------+
 */
#ifndef FK_PNG_PNG_CHUNK_H
#define FK_PNG_PNG_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct fk_png_chunk {
    char type[5];
    const uint8_t *data; /* within the file */
    uint32_t length;     /* of data */
    size_t offset;       /* of the chunk in the file */
    size_t end;          /* behind the CRC */
} fk_png_chunk;

uint32_t fk_png_chunk_number(const uint8_t *bytes); /* 4 bytes, big endian */

/* Takes the chunk at `offset` of the file apart and checks its length, type and CRC. */
fk_code fk_png_chunk_read(const uint8_t *file, size_t bytes, size_t offset, fk_png_chunk *ret_chunk,
                          fk_error *err);
bool fk_png_chunk_is(const fk_png_chunk *chunk, const char *type);

#endif
