/* Generations in the trash that were never published: their writer was killed between the rename to
 * the trash and the exchange with the run. */
#ifndef FK_STORE_UNPUBLISHED_H
#define FK_STORE_UNPUBLISHED_H

#include <stdbool.h>

#include "base/error.h"
#include "fontkeep/store.h"
#include "store/names/trash_name.h"

/* Whether the entry `name` of a run, in the open directory `runs`, was never published: the run is
 * there, and the entry's generation is higher than the run's. Of a run without an intact manifest
 * the generation is not known: then the entry must have the number that its writer would choose
 * (its generation), and share a file with the run. */
fk_code fk_unpublished_judge(fk_store *store, int runs, const char *font_id,
                             const fk_trash_name *name, bool *ret_is, fk_error *err);

/* Removes the entry if it was never published; the lock of its run is held. */
fk_code fk_unpublished_remove(fk_store *store, int runs, const char *path, const char *font_id,
                              const fk_trash_name *name, bool *ret_removed, fk_error *err);

#endif
