/* JSON inside the library: the public calls, and writing piece by piece with layout. */
#ifndef FK_JSON_JSON_H
#define FK_JSON_JSON_H

#include "base/buffer.h"
#include "base/error.h"
#include "fontkeep/json.h"

/* Appends a value on one line ({"a": 1, "b": [1, 2]}), as fk_json_write. `path` is the dotted path
 * of the value, for errors. */
fk_code fk_json_append(fk_buffer *buffer, const fk_value *value, const char *path, fk_error *err);

/* Appends a JSON string with its quotes. */
bool fk_json_append_string(fk_buffer *buffer, const char *text, size_t length);

/* "NaN", "Infinity", "-Infinity" as strings become floats, everywhere below `value`. */
void fk_json_revive_numbers(fk_value *value);

#endif
