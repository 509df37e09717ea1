/* The end of a zip archive: where its directory stands. */
#ifndef FK_CHECKPOINT_ZIP_TRAILER_H
#define FK_CHECKPOINT_ZIP_TRAILER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct fk_zip_trailer {
    uint64_t count;            /* of directory entries */
    uint64_t directory_offset; /* the directory fills the file from here ... */
    uint64_t directory_bytes;  /* ... to the trailer */
} fk_zip_trailer;

/* Reads the end records, which must be the file's last bytes, agree with each other and with the
 * file's length. FK_E_CORRUPT with the offset. */
fk_code fk_zip_trailer_read(const uint8_t *bytes, size_t length, fk_zip_trailer *ret_trailer,
                            fk_error *err);

#endif
