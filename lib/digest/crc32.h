#ifndef FK_DIGEST_CRC32_H
#define FK_DIGEST_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32 of zip and PNG (polynomial 0xEDB88320) of `bytes`, going on from `crc` (0 at the start).
 */
uint32_t fk_crc32_update(uint32_t crc, const void *from, size_t bytes);

#endif
