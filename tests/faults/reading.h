/* Faults in the calls that only look: they fail and say so, or mark the rows concerned; what they
 * do not mark is right; and nothing changes. */
#ifndef READING_H
#define READING_H

#include <stdbool.h>

#include "changing.h"

/* Prints its promise, and tells whether it holds. */
bool reading_try(faults_extent size);

#endif
