/* Element types of tensors, named as PyTorch names them. */
#ifndef FONTKEEP_DTYPE_H
#define FONTKEEP_DTYPE_H

#include <stddef.h>

#include "fontkeep/export.h"

FK_BEGIN_DECLS

typedef enum fk_dtype {
    FK_DTYPE_NONE = 0,
    FK_FLOAT32,
    FK_FLOAT64,
    FK_FLOAT16,
    FK_BFLOAT16,
    FK_UINT8,
    FK_INT8,
    FK_INT16,
    FK_INT32,
    FK_INT64,
    FK_BOOL,
    FK_COMPLEX64,
    FK_COMPLEX128,
    /* the rest needs PyTorch 2.2 or newer */
    FK_COMPLEX32,
    FK_UINT16,
    FK_UINT32,
    FK_UINT64,
    FK_FLOAT8_E4M3FN,
    FK_FLOAT8_E5M2,
    FK_FLOAT8_E4M3FNUZ,
    FK_FLOAT8_E5M2FNUZ,
    FK_FLOAT8_E8M0FNU,
    FK_DTYPE_COUNT,
} fk_dtype;

/* "float32", "complex64", ...: torch's name without "torch.". Static text; "none" for anything
 * else. */
FK_PUBLIC const char *fk_dtype_name(fk_dtype dtype);

/* The dtype of such a name, or FK_DTYPE_NONE. */
FK_PUBLIC fk_dtype fk_dtype_from_name(const char *name);

/* Bytes per element: 1, 2, 4, 8 or 16; 0 for FK_DTYPE_NONE. */
FK_PUBLIC size_t fk_dtype_bytes(fk_dtype dtype);

FK_END_DECLS

#endif
