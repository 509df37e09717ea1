/* The weights of a draft: planned and checked first, then written. */
#ifndef FK_STORE_DRAFT_WEIGHTS_H
#define FK_STORE_DRAFT_WEIGHTS_H

#include "base/cleanup.h"
#include "base/error.h"
#include "store/save/draft.h"

/* A weights file that is ready to be written: from values, or the bytes of a file kept as it is. */
typedef struct fk_weights_plan fk_weights_plan;

/* Checks everything that can be checked without writing: kinds, what PyTorch could load, the limit
 * of the store. The arguments must outlive the plan. */
fk_code fk_weights_plan_create(const fk_store *store, const fk_value *weights,
                               const fk_value *personality_vector, const fk_value *architecture,
                               fk_weights_plan **ret_plan, fk_error *err);
/* The same for a checkpoint file. */
fk_code fk_weights_plan_create_from_file(const fk_store *store, const char *path,
                                         const fk_value *personality_vector,
                                         const fk_value *architecture, fk_weights_plan **ret_plan,
                                         fk_error *err);
void fk_weights_plan_destroy(fk_weights_plan *plan);
FK_DEFINE_SCOPED(fk_weights_plan, fk_weights_plan_destroy);

/* Writes the file; FK_E_NO_SPACE before the first byte where it can be known. */
fk_code fk_draft_write_weights(fk_draft *draft, fk_weights_plan *plan, fk_error *err);

/* The manifest tells dtype and shape of the vector: a copy that outlives the caller's tensor. NULL
 * is fine. */
fk_code fk_draft_note_personality(fk_draft *draft, const fk_tensor *tensor, fk_error *err);

#endif
