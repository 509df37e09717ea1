/* Filling in an fk_inspection. Texts are copied. */
#ifndef FK_CHECKPOINT_INSPECTION_H
#define FK_CHECKPOINT_INSPECTION_H

#include "base/cleanup.h"
#include "base/error.h"
#include "fontkeep/checkpoint.h"

FK_DEFINE_SCOPED(fk_inspection, fk_inspection_destroy);

/* An inspection of a file of so many bytes, without tensors and findings, or NULL when memory is
 * short. `format` is static text. */
fk_inspection *fk_inspection_create(const char *format, uint64_t file_bytes);

/* Beyond FK_LIMIT_LISTED_BYTES and the file's size nothing is added but a finding that says so. */
fk_code fk_inspection_add_tensor(fk_inspection *inspection, const char *name,
                                 const fk_tensor *tensor, fk_error *err);

/* `code` is static text. Beyond FK_LIMIT_FINDINGS nothing is added but one line that says so. */
fk_code fk_inspection_add_finding(fk_inspection *inspection, const char *code, uint64_t offset,
                                  uint64_t length, fk_error *err, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

#endif
