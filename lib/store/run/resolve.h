/* From what names a run to the run: ids, twins, "latest". */
#ifndef FK_STORE_RESOLVE_H
#define FK_STORE_RESOLVE_H

#include <stdbool.h>

#include "base/error.h"
#include "fontkeep/run.h"
#include "fontkeep/store.h"
#include "store/handle/runs_directory.h"
#include "store/names/scan.h"

/* A font's runs/ opened and scanned. Zeroed with `runs` -1 is empty; so is one whose runs/ is
 * missing and cannot be made (`warning` says so). */
typedef struct fk_history {
    int runs; /* or -1 */
    fk_scan scan;
    char warning[256];
} fk_history;

fk_code fk_history_open(fk_store *store, const char *font_id, fk_history *ret_history,
                        fk_error *err);
void fk_history_close(fk_history *history); /* also the scope attribute's function */

/* Whether run id NULL or "latest" was meant. */
bool fk_resolve_is_latest(const char *run_id);

/* The run that "latest" means: the highest id, leaving out runs whose intact manifest says failed
 * or interrupted, and directories with neither manifest nor weights. NULL (with FK_OK): none. */
fk_code fk_resolve_latest(fk_store *store, const char *font_id, const fk_history *history,
                          const fk_scan_run **ret_place, fk_error *err);

/* The run of a full id, a twin, "latest" or NULL, in a history that was scanned.
 * FK_E_RUN_NOT_FOUND names the nearest id. */
fk_code fk_resolve_place(fk_store *store, const char *font_id, const fk_history *history,
                         const char *run_id, const fk_scan_run **ret_place, fk_error *err);

/* The same in a runs/ that is open to be changed. Here and below, an id is looked for by its name:
 * runs/ is scanned only when there is no such run. */
fk_code fk_resolve_in(fk_store *store, const fk_runs_directory *where, const char *run_id,
                      fk_scan_run *ret_place, fk_error *err);

/* The same, and opens it: every file of its manifest known, health and problems not yet. */
fk_code fk_resolve_and_open(fk_store *store, const char *font_id, const char *run_id,
                            fk_run **ret_run, fk_error *err);

#endif
