/* What stands around the payload of a zip record: the local header before it, and the descriptor
 * that may follow. */
#ifndef FK_CHECKPOINT_ZIP_LOCAL_H
#define FK_CHECKPOINT_ZIP_LOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { FK_ZIP_LOCAL_BYTES = 30 };
enum { FK_ZIP_FLAG_DESCRIPTOR = 0x0008, FK_ZIP_FLAG_UTF8 = 0x0800 };

/* A zip64 extra field; `bytes` NULL when there is none. */
typedef struct fk_zip64 {
    const uint8_t *bytes;
    size_t length;
} fk_zip64;

typedef struct fk_zip_local {
    uint16_t flags;
    uint16_t method;
    uint32_t crc32;
    uint32_t packed_bytes;
    uint32_t bytes;
    const uint8_t *name; /* with the prefix */
    size_t name_bytes;
    uint64_t extra;   /* offset of the extra fields */
    uint64_t payload; /* offset behind them */
} fk_zip_local;

typedef struct fk_zip_descriptor {
    uint32_t crc32;
    uint64_t packed_bytes;
    uint64_t bytes;
} fk_zip_descriptor;

/* Finds the zip64 extra field among others. `offset` is theirs, for the error: FK_E_CORRUPT. */
fk_code fk_zip64_find(const uint8_t *extra, size_t length, uint64_t offset, fk_zip64 *ret_zip64,
                      fk_error *err);

/* Whether a local header begins at `at`, of which all but name and extra fields lies before
 * `end`. */
bool fk_zip_local_begins(const uint8_t *bytes, uint64_t end, uint64_t at);

/* Reads the local header that begins at `at`. FK_E_CORRUPT when it does not lie before `end`. */
fk_code fk_zip_local_read(const uint8_t *bytes, uint64_t end, uint64_t at, fk_zip_local *ret_local,
                          fk_error *err);

/* Finds the zip64 field among its extra fields. FK_E_CORRUPT. */
fk_code fk_zip_local_widen(const uint8_t *bytes, const fk_zip_local *local, fk_zip64 *ret_zip64,
                           fk_error *err);

/* Bytes of the descriptor behind a payload that has one. */
size_t fk_zip_descriptor_bytes(const fk_zip64 *wide);

/* Reads the descriptor that begins at `at`; false where there is none before `end`. */
bool fk_zip_descriptor_read(const uint8_t *bytes, uint64_t end, uint64_t at, const fk_zip64 *wide,
                            fk_zip_descriptor *ret_descriptor);

#endif
