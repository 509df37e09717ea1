/* Loading: a run's weights, checked, as values over one block of memory. */
#ifndef FK_STORE_LOAD_H
#define FK_STORE_LOAD_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "fontkeep/run.h"
#include "fontkeep/store.h"
#include "os/map.h"
#include "store/manifest/weights.h"
#include "store/run/run.h"
#include "store/run/watch.h"

/* L1 `values` look into `map`: they are destroyed first. */
struct fk_loaded {
    fk_run *run;       /* its info is ours */
    fk_values *values; /* what was read, and the vector's own memory */
    fk_map map;        /* the weights file */
    fk_weights weights;
    const fk_tensor *personality_vector; /* or NULL */
    /* of a salvage only: */
    const fk_value *top; /* the whole object of the file, less what was lost; else NULL */
    fk_findings lost;    /* of the run's arena: what was damaged, and so left out */
};

FK_DEFINE_SCOPED(fk_loaded, fk_loaded_destroy);

/* Reads and checks the weights of `loaded->run`, whose manifest was read. Sets everything but the
 * findings of the run. */
fk_code fk_load_weights(fk_loaded *loaded, const fk_load_options *options, fk_watch *watch,
                        fk_error *err);

/* Adds to the hint of an error about a run that cannot be loaded which run to take instead. */
void fk_load_name_newest(const fk_run *run, fk_error *err);

#endif
