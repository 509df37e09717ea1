/* Weights that no manifest vouches for: their CRCs are all there is to check. */
#ifndef FK_STORE_WEIGHTS_CHECK_H
#define FK_STORE_WEIGHTS_CHECK_H

#include "base/error.h"
#include "store/run.h"
#include "store/watch.h"

/* Reads the file as a checkpoint, CRCs included; what is wrong becomes problems of the run's
 * findings. */
fk_code fk_weights_check_unverified(fk_run *run, fk_watch *watch, fk_error *err);

#endif
