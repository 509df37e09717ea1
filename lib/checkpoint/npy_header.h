/* The header of an .npy file: a Python dict literal, read by a parser that knows nothing else. */
#ifndef FK_CHECKPOINT_NPY_HEADER_H
#define FK_CHECKPOINT_NPY_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/limits.h"
#include "fontkeep/dtype.h"

typedef struct fk_npy_header {
    fk_dtype dtype;
    bool big_endian;
    bool fortran_order;
    uint32_t rank;
    int64_t shape[FK_LIMIT_RANK];
    size_t data; /* offset of the array */
} fk_npy_header;

/* FK_E_CORRUPT with the offset, FK_E_UNSUPPORTED (subject data) for other versions and dtypes,
 * FK_E_LIMIT. */
fk_code fk_npy_header_read(const uint8_t *bytes, size_t length, fk_npy_header *ret_header,
                           fk_error *err);

/* Appends the header of a little-endian array in C order, as NumPy writes it, version 1.0. */
fk_code fk_npy_header_write(fk_buffer *buffer, fk_dtype dtype, uint32_t rank, const int64_t *shape,
                            fk_error *err);

#endif
