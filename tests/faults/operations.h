/* Every call that changes a store, to be done with faults: those whose power cuts are tried, and
 * those that differ from them only on the way. */
#ifndef OPERATIONS_H
#define OPERATIONS_H

#include "operation.h"

enum { OPERATIONS_MAX = 64 };

/* How many were put there. */
size_t operations_all(const operation *into[OPERATIONS_MAX]);

#endif
