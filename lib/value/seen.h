/* The values that were met. Zeroed memory is an empty set. For the files of lib/value alone. */
#ifndef FK_VALUE_SEEN_H
#define FK_VALUE_SEEN_H

#include <stdbool.h>
#include <stddef.h>

#include "fontkeep/value.h"

typedef struct fk_seen {
    const fk_value **slots; /* open addressing, never more than half full; NULL where free */
    size_t count;
    size_t capacity; /* a power of two */
} fk_seen;

void fk_seen_finish(fk_seen *seen);

/* Adds a value; `*ret_again` tells whether it was there. False when memory is short. */
bool fk_seen_add(fk_seen *seen, const fk_value *value, bool *ret_again);

#endif
