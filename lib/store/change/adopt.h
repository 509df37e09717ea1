/* A manifest for a run that has none. */
#ifndef FK_STORE_ADOPT_H
#define FK_STORE_ADOPT_H

#include <stdbool.h>

#include "base/error.h"
#include "store/change/change.h"

/* Checks the files of a run without a manifest, carries them into its next generation, lists them
 * with their digests, and says about the run what they tell. `weights` false: all but the weights,
 * which the caller writes. FK_E_INCOMPLETE: there is none of the four files. */
fk_code fk_adopt_fill(fk_generation *it, bool weights, fk_change_list *changes, fk_error *err);

#endif
