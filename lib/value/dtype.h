/* What a dtype's elements are, for the library. */
#ifndef FK_VALUE_DTYPE_H
#define FK_VALUE_DTYPE_H

#include <stdbool.h>

#include "fontkeep/dtype.h"

bool fk_dtype_is_complex(fk_dtype dtype);

/* Whether PyTorch has gradients of it: floating point and complex numbers. */
bool fk_dtype_has_gradient(fk_dtype dtype);

#endif
