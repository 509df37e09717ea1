/* The manifest of a draft. */
#ifndef FK_STORE_DRAFT_MANIFEST_H
#define FK_STORE_DRAFT_MANIFEST_H

#include <stdint.h>

#include "base/error.h"
#include "store/save/draft.h"

/* Writes run.json, which must not be there yet, for the id. `now_us` is when the run ended, unless
 * the draft says so itself. FK_E_LIMIT. */
fk_code fk_draft_write_manifest(fk_draft *draft, const fk_run_id *id, int64_t now_us,
                                fk_error *err);
/* The same for another id. Always a new file: one that was synced is not written again. */
fk_code fk_draft_replace_manifest(fk_draft *draft, const fk_run_id *id, int64_t now_us,
                                  fk_error *err);

#endif
