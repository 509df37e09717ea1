/* Weights that no manifest vouches for: their CRCs are all there is to check. */
#ifndef FK_STORE_WEIGHTS_CHECK_H
#define FK_STORE_WEIGHTS_CHECK_H

#include "base/error.h"
#include "os/map.h"
#include "store/run/run.h"
#include "store/run/watch.h"

/* Reads the file as a checkpoint, CRCs included; what is wrong becomes problems of the run's
 * findings. */
fk_code fk_weights_check_unverified(fk_run *run, fk_watch *watch, fk_error *err);

/* The same for a file that was read: a finding where it has no CRCs that could tell of damage. */
void fk_weights_note_format(fk_run *run, const fk_map *map);

#endif
