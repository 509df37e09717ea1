/* The personality vector of a load. */
#ifndef FK_STORE_VECTOR_H
#define FK_STORE_VECTOR_H

#include "base/error.h"
#include "store/load/load.h"

/* Copies the vector of `loaded->weights`, where there is one, to contiguous memory of its own:
 * `loaded->personality_vector`. */
fk_code fk_vector_own(fk_loaded *loaded, fk_error *err);

#endif
