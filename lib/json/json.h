/* JSON inside the library: the public calls, and writing piece by piece with layout. */
#ifndef FK_JSON_JSON_H
#define FK_JSON_JSON_H

#include "base/buffer.h"
#include "base/error.h"
#include "fontkeep/json.h"

/* Appends a value on one line ({"a": 1, "b": [1, 2]}), as fk_json_write. `path` is the dotted path
 * of the value, for errors. What fk_json_read would refuse is refused here: FK_E_UNSUPPORTED as
 * there, FK_E_INVALID for a duplicate key, FK_E_LIMIT for a depth of more than 64 (a value that
 * contains itself) or more than FK_LIMIT_JSON_WRITTEN_BYTES in the buffer. */
fk_code fk_json_append(fk_buffer *buffer, const fk_value *value, const char *path, fk_error *err);

/* Appends a member of a top object: the key, a colon, the value, which is one level deep and whose
 * path is the key. */
fk_code fk_json_append_member(fk_buffer *buffer, const char *key, const fk_value *value,
                              fk_error *err);

/* Whether the keys of a dict can be those of a JSON object: distinct strings of UTF-8 without NUL.
 * Errors as fk_json_append's. */
fk_code fk_json_check_keys(const fk_value *dict, const char *path, fk_error *err);

/* Appends a JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD. */
bool fk_json_append_string(fk_buffer *buffer, const char *text, size_t length);

/* "NaN", "Infinity", "-Infinity" as strings become floats, everywhere at and below `value`
 * (at most FK_LIMIT_JSON_DEPTH deep; keys stay). NULL is fine. */
void fk_json_revive_numbers(fk_value *value);

#endif
