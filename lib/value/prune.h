/* Taking values out of what they are part of. */
#ifndef FK_VALUE_PRUNE_H
#define FK_VALUE_PRUNE_H

#include <stdbool.h>

#include "base/error.h"
#include "fontkeep/value.h"

typedef bool (*fk_value_test)(const fk_value *value);

/* Takes every value that `is_lost` out of what is below `root`: the entry of a dict goes, and the
 * item of a set; in lists and tuples a None stands in its place, so that every other item keeps its
 * index. `root` itself stays. FK_E_NO_MEMORY. */
fk_code fk_value_prune(fk_values *values, fk_value *root, fk_value_test is_lost, fk_error *err);

#endif
