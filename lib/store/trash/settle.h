/* What a killed change of one run left behind, put right before the next change. */
#ifndef FK_STORE_SETTLE_H
#define FK_STORE_SETTLE_H

#include "base/error.h"
#include "store/handle/run_lock.h"
#include "store/handle/runs_directory.h"
#include "store/names/scan.h"

/* Takes the lock of a run that stands, or stood, at `place`, and ends or undoes what a change of it
 * left: an exchange that was cut off, generations that were never published. FK_E_BUSY. */
fk_code fk_settle_run(fk_store *store, const fk_runs_directory *where, const fk_scan_run *place,
                      fk_run_lock *ret_lock, fk_error *err);

#endif
