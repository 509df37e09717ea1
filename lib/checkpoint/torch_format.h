/* Files that are no checkpoint, or of a format that is not read, told apart by how they start. */
#ifndef FK_CHECKPOINT_TORCH_FORMAT_H
#define FK_CHECKPOINT_TORCH_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Refuses a file that fk_torch_recognise does not know, by name: FK_E_UNSUPPORTED (subject data),
 * or FK_E_CORRUPT when it is what a damaged checkpoint leaves. */
fk_code fk_torch_format_refuse(const uint8_t *bytes, size_t length, fk_error *err);

#endif
