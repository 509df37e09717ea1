/* Filling in an fk_error. Every function here returns `code`, so that a failure is one statement:
 *     return fk_error_set(err, FK_E_INVALID, "width %u is no power of two", width);
 * `err` may be NULL everywhere. */
#ifndef FK_BASE_ERROR_H
#define FK_BASE_ERROR_H

#include <stddef.h>

#include "fontkeep/error.h"

/* Starts an error afresh: everything but code and message is cleared. */
fk_code fk_error_set(fk_error *err, fk_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Hands on an error that was looked at first. */
fk_code fk_error_pass(fk_error *err, const fk_error *error);

/* Adds to an error that is set; the first to its message. */
void fk_error_add(fk_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
void fk_error_subject(fk_error *err, fk_subject subject);
void fk_error_offset(fk_error *err, uint64_t offset);
void fk_error_path(fk_error *err, const char *path);        /* replaces */
void fk_error_path_join(fk_error *err, const char *parent); /* path becomes parent/path */
void fk_error_hint(fk_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Memory is short; the shared wording. */
fk_code fk_error_no_memory(fk_error *err);

#endif
