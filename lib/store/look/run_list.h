/* Lists of runs: what fk_list_runs and fk_verify give. */
#ifndef FK_STORE_RUN_LIST_H
#define FK_STORE_RUN_LIST_H

#include "base/cleanup.h"
#include "base/error.h"
#include "fontkeep/run.h"
#include "fontkeep/store.h"
#include "store/run/run.h"

/* An empty list with room for `capacity` rows. */
fk_code fk_run_list_create(size_t capacity, fk_run_list **ret_runs, fk_error *err);
FK_DEFINE_SCOPED(fk_run_list, fk_run_list_destroy);

/* The arena of the rows. */
fk_values *fk_run_list_values(fk_run_list *runs);
/* `count` arenas that the list owns, for as many threads; the first is the one above. */
fk_code fk_run_list_arenas(fk_run_list *runs, size_t count, fk_values *ret_arenas[], fk_error *err);
/* Adds a row; it borrows from the list's arena. There must be room. */
void fk_run_list_add(fk_run_list *runs, const fk_run_info *info);

/* Opens a run for a row: as fk_run_init, but a directory that cannot be opened gives a marked run,
 * and one that is gone (`*ret_gone`) none. */
fk_code fk_run_list_open(fk_store *store, int runs, const char *font_id, const fk_scan_run *place,
                         bool with_files, fk_values *values, fk_run *ret_run, bool *ret_gone,
                         fk_error *err);

#endif
