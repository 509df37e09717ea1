/* A store with runs in it, and ways to damage them. */
#ifndef MAKE_RUN_H
#define MAKE_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fontkeep/fontkeep.h"
#include "sample_model.h"

#define RUN_FONT "1-fruity"

typedef struct run_bench {
    char *path; /* of the store */
    fk_store *store;
    sample_model sample;
    unsigned saved;
    fk_run_id ids[16];
    fk_error err;
} run_bench;

/* For cmocka: a new store, empty; the fake kernel installed. */
int run_bench_setup(void **state);
int run_bench_teardown(void **state);

/* Saves a run of the sample a second behind the one before: 2026-01-11T08:30:01.000000 and on. The
 * id is good until teardown. */
const char *run_bench_save(run_bench *it);
/* Makes a run by hand, without a manifest: the files of the run `from`, its weights named so. */
void run_bench_make_unverified(run_bench *it, const char *from, const char *run_id,
                               const char *weights_name);

/* A file of a run (or, with name "", its directory); good until the eighth call behind this one. */
const char *run_bench_file(run_bench *it, const char *run_id, const char *name);

void run_damage_flip(const char *path, size_t offset);
/* Where these bytes stand in the file, first. */
void run_damage_flip_bytes(const char *path, const void *bytes, size_t count);
void run_damage_truncate(const char *path, size_t bytes);
void run_damage_append(const char *path, const char *text);
void run_damage_fifo(const char *path); /* a FIFO in its place */
void run_damage_link(const char *path); /* a symbolic link to the same bytes in its place */
/* Replaces a text in run.json, once, and makes `self` right again. */
void run_damage_rewrite(run_bench *it, const char *run_id, const char *text, const char *by);
/* Makes run.json say so of the size of a file, all through. */
void run_damage_list_bytes(run_bench *it, const char *run_id, const char *name, uint64_t bytes);
/* The offset of the sample's floats in a weights file. */
size_t run_weights_offset(run_bench *it, const char *path);

const fk_problem *run_find_problem(const fk_run_info *info, const char *code, const char *path);

#endif
