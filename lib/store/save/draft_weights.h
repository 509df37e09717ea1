/* The weights of a draft: planned and checked first, then written. */
#ifndef FK_STORE_DRAFT_WEIGHTS_H
#define FK_STORE_DRAFT_WEIGHTS_H

#include "base/cleanup.h"
#include "base/error.h"
#include "store/save/draft.h"
#include "store/save/staged_file.h"

FK_DEFINE_SCOPED(fk_weights_plan, fk_weights_plan_destroy);

/* fk_draft_set_planned_weights in two steps: begin hands every byte over, and the last of them are
 * digested and written while the caller adds the small files; finish waits for that. The draft must
 * not be committed in between. */
fk_code fk_draft_begin_weights(fk_draft *draft, fk_weights_plan *plan, fk_staged_file **ret_file,
                               fk_error *err);
fk_code fk_draft_finish_weights(fk_draft *draft, const fk_weights_plan *plan, fk_staged_file *file,
                                fk_error *err);

/* The manifest tells dtype and shape of the vector: a copy that outlives the caller's tensor. NULL
 * is fine. */
fk_code fk_draft_note_personality(fk_draft *draft, const fk_tensor *tensor, fk_error *err);

#endif
