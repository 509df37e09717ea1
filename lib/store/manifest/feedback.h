/* feedback.json, schema 1.0: an object; known members are checked for type, unknown ones kept. */
#ifndef FK_STORE_FEEDBACK_H
#define FK_STORE_FEEDBACK_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "fontkeep/value.h"

/* FK_E_INVALID names the member: `metrics` a dict of numbers, `epochs` an integer not negative,
 * `loss_history` a list of numbers, `ratings` a dict, `notes` a string, `feedback_schema` a string.
 * Numbers may be "NaN", "Infinity",
 * "-Infinity". `*ret_newer` (may be NULL): the schema's major version is higher than ours (known
 * members are then not checked). */
fk_code fk_feedback_check(const fk_value *feedback, bool *ret_newer, fk_error *err);

/* Appends the file: the members in their order, one a line, `feedback_schema` "1.0" added in front
 * when it is missing. */
fk_code fk_feedback_write(const fk_value *feedback, fk_buffer *buffer, fk_error *err);

/* Reads the file; non-finite numbers in `metrics` and `loss_history` come back as floats. */
fk_code fk_feedback_read(const char *text, size_t length, fk_values *values,
                         fk_value **ret_feedback, fk_error *err);

/* The numbers of `metrics` as a dict (empty when there are none). NULL when memory is short. */
fk_value *fk_feedback_metrics(const fk_value *feedback, fk_values *values);

#endif
