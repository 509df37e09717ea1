/* Values to and from JSON text. */
#ifndef FONTKEEP_JSON_H
#define FONTKEEP_JSON_H

#include "fontkeep/value.h"

FK_BEGIN_DECLS

/* Reads one JSON document (RFC 8259, UTF-8) of `length` bytes; NaN, Infinity and -Infinity are
 * accepted as Python's json.dumps writes them. Refused with their byte offset: integers beyond 64
 * bits, numbers beyond a double, lone surrogates, duplicate keys, invalid UTF-8, anything behind
 * the document (FK_E_INVALID); a depth of more than 64 or more than 16 MiB (FK_E_LIMIT). Values go
 * to `values`. */
FK_PUBLIC fk_code fk_json_read(const char *text, size_t length, fk_values *values,
                               fk_value **ret_value, fk_error *err);

/* Writes a value as JSON on one line. Floats are the shortest text that reads back as the same
 * double and always look like floats (1.0); non-finite floats are the strings "NaN", "Infinity",
 * "-Infinity". Tuples, sizes and sets become arrays. FK_E_UNSUPPORTED (subject data) names the
 * dotted path of anything JSON has no form for (bytes, tensors, keys that are no strings);
 * FK_E_INVALID a duplicate key; FK_E_LIMIT a depth of more than 64. The
 * caller frees `*ret_text` with free(); it ends with a NUL that `ret_length` (may be NULL) does not
 * count. */
FK_PUBLIC fk_code fk_json_write(const fk_value *value, char **ret_text, size_t *ret_length,
                                fk_error *err);

FK_END_DECLS

#endif
