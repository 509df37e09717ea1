/* A change of the run of a bench: its sample is replaced, in a new generation. */
#ifndef REGENERATE_H
#define REGENERATE_H

#include "bench.h"

#define RUN   NOW_TEXT
#define ENTRY ".trash-" RUN ".2" /* where the first change leaves what was there */

/* Replaces the sample of the run by pixels. */
fk_code bench_regenerate(bench *it);
uint64_t bench_generation(bench *it, const char *run_id);
/* The numbers in the trash: "2, 3". */
void bench_assert_trash(bench *it, const char *numbers);
/* Recovers; so many paths are told, and no stage is left. */
void bench_recover(bench *it, size_t removed, size_t kept);
size_t bench_sample_bytes(bench *it);

#endif
