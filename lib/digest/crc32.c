#include "digest/crc32.h"

#include <isa-l/crc.h>

uint32_t fk_crc32_update(uint32_t crc, const void *from, size_t bytes) {
    return bytes == 0 ? crc : crc32_gzip_refl(crc, from, bytes);
}
