/* What every test of saving stands on: a store of its own under the fake kernel, a run to save. */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>

#include "fontkeep/fontkeep.h"
#include "sample_model.h"

#define NOW_US   INT64_C(1768120200000000) /* 2026-01-11T08:30:00.000000 */
#define NOW_TEXT "2026-01-11T08:30:00.000000"

typedef struct bench {
    char *path;   /* the store */
    char *beside; /* a directory for input files */
    fk_store *store;
    sample_model sample;
    fk_draft *draft; /* of the font 1-fruity, with bench_setup_draft only */
    fk_run_id id;    /* what the last save gave; "untouched" if it gave none */
    fk_error err;
} bench;

int bench_setup(void **state);
int bench_setup_at_now(void **state); /* the clock stands at NOW_US */
int bench_setup_draft(void **state);  /* at NOW_US, with a draft */
int bench_teardown(void **state);

void bench_reopen(bench *it, const fk_store_options *options);
const char *bench_in_store(bench *it, const char *name);
/* Below runs/ of the font 1-fruity. */
const char *bench_in_runs(bench *it, const char *name);

/* Saves the sample into the font 1-fruity. */
fk_code bench_save(bench *it);
void bench_save_well(bench *it, const char *id);
/* Saving fails so, and nothing is there that was not there before. */
void bench_assert_refused(bench *it, fk_code code);
/* There are so many runs, and each verifies. */
void bench_assert_all_verify(bench *it, size_t count);

/* Sets weights, sample and feedback of the draft. */
void bench_set_all(bench *it);
fk_code bench_set_weights(bench *it);
fk_code bench_commit(bench *it);
void bench_assert_whole_run(bench *it); /* commits the draft */

/* What the fake kernel recorded, with "R" for the random part of names. The caller frees it. */
char *bench_record_without_chance(void);

#endif
