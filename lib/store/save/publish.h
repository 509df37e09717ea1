/* The commit protocol: a draft becomes a run. */
#ifndef FK_STORE_PUBLISH_H
#define FK_STORE_PUBLISH_H

#include "base/error.h"
#include "store/save/draft.h"

/* Makes the draft's files durable and gives its stage a run id. FK_E_NOT_DURABLE sets
 * `*ret_run_id`, too; after every other failure nothing was published, and the stage is still there
 * to be discarded. */
fk_code fk_publish_draft(fk_draft *draft, fk_run_id *ret_run_id, fk_error *err);

/* Makes the names of font and runs/ themselves durable, once per open store: whoever made them may
 * not have synced them yet. */
fk_code fk_publish_sync_font(fk_draft *draft, fk_error *err);

#endif
