/* Sinks for tests of writers: one keeps everything, one only counts (and keeps small writes), one
 * fails. The CRC is computed plainly, independent of the library's. */
#ifndef FK_TEST_MEMORY_SINK_H
#define FK_TEST_MEMORY_SINK_H

#include "base/buffer.h"
#include "digest/sink.h"

typedef struct memory_sink {
    fk_buffer bytes;
    uint64_t total;
    uint64_t keep_below; /* larger writes are only counted; 0: all are kept */
    uint64_t fail_from;  /* a write that would reach beyond it fails; 0: none does */
    uint64_t largest_write;
} memory_sink;

static inline uint32_t plain_crc32(uint32_t crc, const uint8_t *from, size_t bytes) {
    crc = ~crc;
    for (size_t i = 0; i < bytes; i++) {
        crc ^= from[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (0xEDB88320u & (0u - (crc & 1u)));
        }
    }
    return ~crc;
}

static inline fk_code memory_sink_write(void *user, const void *from, size_t bytes, uint32_t *crc32,
                                        fk_error *err) {
    memory_sink *sink = user;
    if (sink->fail_from != 0 && sink->total + bytes > sink->fail_from) {
        return fk_error_set(err, FK_E_NO_SPACE, "disk is full");
    }
    sink->total += bytes;
    sink->largest_write = bytes > sink->largest_write ? bytes : sink->largest_write;
    if (sink->keep_below != 0 && bytes >= sink->keep_below) {
        return FK_OK;
    }
    if (crc32 != NULL) {
        *crc32 = plain_crc32(*crc32, from, bytes);
    }
    if (!fk_buffer_append(&sink->bytes, from, bytes)) {
        return fk_error_no_memory(err);
    }
    return FK_OK;
}

static inline void memory_sink_finish(memory_sink *sink) {
    fk_buffer_finish(&sink->bytes);
}

#endif
