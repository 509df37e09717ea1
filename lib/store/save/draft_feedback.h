/* The feedback of a draft. */
#ifndef FK_STORE_DRAFT_FEEDBACK_H
#define FK_STORE_DRAFT_FEEDBACK_H

#include "base/buffer.h"
#include "base/error.h"
#include "fontkeep/value.h"

/* Checks feedback and appends the file it becomes, which is known to read back. */
fk_code fk_feedback_prepare(const fk_value *feedback, fk_values *values, fk_buffer *buffer,
                            fk_value **ret_read, fk_error *err);

#endif
