/* Salvage: what is left of weights that do not verify. */
#ifndef FK_STORE_SALVAGE_H
#define FK_STORE_SALVAGE_H

#include <stdbool.h>

#include "base/error.h"
#include "store/load/load.h"
#include "store/run/watch.h"

/* Whether what is left may be looked for behind such a failure of a load. */
bool fk_salvage_may_help(fk_code code);

/* Reads the weights of `loaded->run`, whose load failed because of `why`, past what is damaged.
 * Sets what fk_load_weights does, but for the lost tensors, and `loaded->lost`. When nothing is
 * left, the error is `why`, with the reason. */
fk_code fk_salvage_weights(fk_loaded *loaded, fk_watch *watch, const fk_error *why, fk_error *err);

/* Writes what was salvaged as a checkpoint to the file that is open as `fd`. `path` is for
 * messages. */
fk_code fk_salvage_write(const fk_loaded *loaded, int fd, const char *path, fk_error *err);

#endif
