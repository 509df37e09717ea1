/* One loaded run at a time, for the tests of loading. */
#ifndef LOAD_FIXTURE_H
#define LOAD_FIXTURE_H

#include "make_run.h"

/* What the last load gave, or NULL. */
extern fk_loaded *loaded;

#define PLAIN                                                                                      \
    (fk_load_options) {                                                                            \
        0                                                                                          \
    }

/* Loads a run in the place of the one before. */
fk_code load(run_bench *it, const char *run_id, fk_load_options options);

/* The sample's one tensor as it was loaded. */
const fk_tensor *load_layer(void);
void load_assert_weights(run_bench *it);

/* The problem that names a tensor, or NULL. */
const fk_problem *load_find_loss(const fk_run_info *info, const char *tensor);

/* For cmocka, with run_bench_setup. */
int load_teardown(void **state);

#endif
