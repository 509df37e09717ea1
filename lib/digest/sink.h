/* Where a writer of bytes writes to. */
#ifndef FK_DIGEST_SINK_H
#define FK_DIGEST_SINK_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Writes `bytes` behind what was written before. The sink copies them, at most 1 MiB at a time, and
 * works on its copy alone, so that memory which another thread changes meanwhile still gives one
 * consistent file; `crc32` (may be NULL) is updated from that copy. */
typedef struct fk_sink {
    fk_code (*write)(void *user, const void *from, size_t bytes, uint32_t *crc32, fk_error *err);
    void *user;
} fk_sink;

static inline fk_code fk_sink_write(const fk_sink *sink, const void *from, size_t bytes,
                                    uint32_t *crc32, fk_error *err) {
    return sink->write(sink->user, from, bytes, crc32, err);
}

#endif
