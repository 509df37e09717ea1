/* The weights of a draft: planned and checked first, then written. */
#ifndef FK_STORE_DRAFT_WEIGHTS_H
#define FK_STORE_DRAFT_WEIGHTS_H

#include "base/cleanup.h"
#include "base/error.h"
#include "store/save/draft.h"

FK_DEFINE_SCOPED(fk_weights_plan, fk_weights_plan_destroy);

/* The manifest tells dtype and shape of the vector: a copy that outlives the caller's tensor. NULL
 * is fine. */
fk_code fk_draft_note_personality(fk_draft *draft, const fk_tensor *tensor, fk_error *err);

#endif
