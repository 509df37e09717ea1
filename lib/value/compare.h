/* Whether two values are the same, bit by bit. */
#ifndef FK_VALUE_COMPARE_H
#define FK_VALUE_COMPARE_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "fontkeep/value.h"

/* Compares kinds, numbers (NaNs by their bits), texts, keys in their order, attributes, and tensors
 * by dtype, flags, shape and every element; how storages are shared, and strides, do not count. Of
 * two that differ, `path` (appended to) gets the dotted path of the first difference. FK_E_LIMIT
 * beyond FK_LIMIT_DEPTH or FK_LIMIT_COMPARED_VALUES. */
fk_code fk_value_compare(const fk_value *one, const fk_value *other, bool *ret_equal,
                         fk_buffer *path, fk_error *err);

#endif
