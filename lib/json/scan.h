/* A strict look at JSON text before it is read: everything that is no JSON, and what other readers
 * change or skip silently (integers beyond 64 bits, duplicate keys, lone surrogates, NULs in keys),
 * is refused here. */
#ifndef FK_JSON_SCAN_H
#define FK_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* FK_OK when `text` is one document that fk_json_read may take; else the error with its byte
 * offset, line and column. */
fk_code fk_json_scan(const char *text, size_t length, fk_error *err);

/* White space of JSON. */
static inline bool fk_json_is_space(char byte) {
    return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
}

/* Whether a number's text (of JSON's grammar) is an integer's, without fraction and exponent. */
bool fk_json_is_integer(const char *text, size_t length);

#endif
