/* Run ids: UTC instants with microseconds, and a number where an instant is taken. Plain string
 * order is chronological. The `:`-free twin names a directory where the file system refuses `:`. */
#ifndef FK_STORE_RUN_ID_H
#define FK_STORE_RUN_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "fontkeep/run.h"

enum { FK_SEQUENCE_MAX = 9999 };

/* The id of an instant; `sequence` 0: no suffix, else "-0001" to "-9999". False outside the years
 * 0001 to 9999. */
bool fk_run_id_make(int64_t time_us, unsigned sequence, fk_run_id *ret_id);

/* Reads a full id or its twin, and gives the `:` form. False for anything else. `ret_time_us` and
 * `ret_sequence` may be NULL. */
bool fk_run_id_parse(const char *text, fk_run_id *ret_id, int64_t *ret_time_us,
                     unsigned *ret_sequence);

/* The `:`-free twin of an id in `:` form. */
void fk_run_id_twin(const fk_run_id *id, fk_run_id *ret_twin);

/* The id for a save: of `now_us` when that is later than `newest` (may be NULL), else `newest`'s
 * instant with the next number; behind -9999 the instant moves on by a microsecond, without suffix.
 * FK_E_INVALID beyond the year 9999 or before 0001. */
fk_code fk_run_id_next(int64_t now_us, const fk_run_id *newest, fk_run_id *ret_id, fk_error *err);

#endif
