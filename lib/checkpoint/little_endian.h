/* Unaligned little-endian numbers of a file in memory. */
#ifndef FK_CHECKPOINT_LITTLE_ENDIAN_H
#define FK_CHECKPOINT_LITTLE_ENDIAN_H

#include <stdint.h>

static inline uint16_t fk_little_u16(const uint8_t *at) {
    return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t fk_little_u32(const uint8_t *at) {
    return (uint32_t)fk_little_u16(at) | (uint32_t)fk_little_u16(at + 2) << 16;
}

static inline uint64_t fk_little_u64(const uint8_t *at) {
    return (uint64_t)fk_little_u32(at) | (uint64_t)fk_little_u32(at + 4) << 32;
}

#endif
