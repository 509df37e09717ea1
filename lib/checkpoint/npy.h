/* One array in NumPy's .npy format (versions 1 to 3; written as 1.0), to and from bytes. */
#ifndef FK_CHECKPOINT_NPY_H
#define FK_CHECKPOINT_NPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "fontkeep/value.h"

bool fk_npy_recognise(const uint8_t *bytes, size_t length);

/* The array as a tensor whose bytes are copied to the arena; Fortran order becomes strides,
 * big-endian data is swapped. FK_E_UNSUPPORTED for dtypes without a torch counterpart (objects,
 * strings, structures, longdouble). */
fk_code fk_npy_read(const uint8_t *bytes, size_t length, fk_values *values, fk_value **ret_tensor,
                    fk_error *err);

/* Appends the file of a tensor in C order. FK_E_UNSUPPORTED for dtypes NumPy does not know
 * (bfloat16, float8). */
fk_code fk_npy_write(fk_buffer *buffer, const fk_tensor *tensor, fk_error *err);

#endif
