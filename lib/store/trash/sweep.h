/* Dead stages: what a killed process left in a runs/, or in the store itself. */
#ifndef FK_STORE_SWEEP_H
#define FK_STORE_SWEEP_H

#include <stdbool.h>

#include "base/error.h"

/* Hears of every stage, and every lock file without one: removed, or kept for a reason. */
typedef fk_code (*fk_sweep_visitor)(void *user, const char *name, bool removed, const char *reason,
                                    fk_error *err);

/* Removes the stages in the open directory `parent` (`path` for messages) whose writer is dead: its
 * lock can be had, and the file system is local or the lock file was made since this machine was
 * started; else when nothing in the stage changed for 24 hours by the file system's clock. A stage
 * by the name of a run is a generation whose exchange was cut off (exchange.h): where the run is
 * missing it gets its place. Never touches anything but stages and their lock files. `visit` may be
 * NULL. What cannot be removed is kept. */
fk_code fk_sweep(int parent, const char *path, fk_sweep_visitor visit, void *user, fk_error *err);

#endif
