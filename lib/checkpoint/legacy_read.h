/* Reading and inspecting checkpoints of the format before PyTorch 1.6: see torch_read.h, whose
 * contracts hold here, too. */
#ifndef FK_CHECKPOINT_LEGACY_READ_H
#define FK_CHECKPOINT_LEGACY_READ_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "fontkeep/checkpoint.h"
#include "fontkeep/value.h"

fk_code fk_legacy_read(uint8_t *bytes, size_t length, fk_values *values, fk_value **ret_top,
                       fk_error *err);
fk_code fk_legacy_inspect(const uint8_t *bytes, size_t length, fk_inspection **ret_inspection,
                          fk_error *err);

#endif
