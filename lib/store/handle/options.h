/* Options that callers pass by structs whose first member is their size, so that a struct may grow
 * without breaking programs that were compiled before. */
#ifndef FK_STORE_OPTIONS_H
#define FK_STORE_OPTIONS_H

#include <stddef.h>

#include "base/error.h"

/* Copies the caller's struct `from` over `into` of `into_bytes` (zeroed, the struct as we know it).
 * NULL is all defaults. FK_E_USAGE when its `size` member is not set, or a member that only a newer
 * fontkeep knows is. `name` is the struct's, for the message. */
fk_code fk_options_copy(void *into, size_t into_bytes, const void *from, const char *name,
                        fk_error *err);

#endif
