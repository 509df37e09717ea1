/* Reading PyTorch checkpoints (torch.save files) from memory into values. Nothing is executed: the
 * pickle is interpreted into the closed set of fk_value; what is outside it is refused by name and
 * offset. Facts: the zip container since PyTorch 1.6, and the format before it. */
#ifndef FK_CHECKPOINT_TORCH_READ_H
#define FK_CHECKPOINT_TORCH_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "checkpoint/zip_read.h"
#include "fontkeep/checkpoint.h"
#include "fontkeep/value.h"

enum {
    FK_READ_CHECK_CRC = 1 << 0, /* every record's CRC-32 is checked: for files that no manifest
                                   vouches for (there are none before PyTorch 1.6) */
};

/* Whether the bytes start like a checkpoint that is read. */
bool fk_torch_recognise(const uint8_t *bytes, size_t length);

/* Whether they are of a format that records CRCs. */
bool fk_torch_has_crcs(const uint8_t *bytes, size_t length);

/* Reads the checkpoint in `bytes`, which must outlive `values`, be 16-byte aligned at its start,
 * and may be written to through the tensors (their storages look into it; storages misaligned for
 * their dtype are copied to the arena, empty ones made anew, big-endian ones swapped in a copy).
 * Errors carry the byte offset in the file: FK_E_UNSUPPORTED (subject data) no checkpoint, a global
 * that is not allowed, a compressed record, an older or foreign format, each by name; FK_E_CORRUPT
 * damaged; FK_E_LIMIT. */
fk_code fk_torch_read(uint8_t *bytes, size_t length, unsigned flags, fk_values *values,
                      fk_value **ret_top, fk_error *err);
/* The same of a mapped file: `peek` (or NULL) is told which bytes among the storages of a zip
 * checkpoint are about to be looked at. */
fk_code fk_torch_read_mapped(uint8_t *bytes, size_t length, unsigned flags, const fk_zip_peek *peek,
                             fk_values *values, fk_value **ret_top, fk_error *err);

/* What is in a checkpoint, and all that is suspicious about it, as far as it can be read: unknown
 * globals, calls, CRC mismatches and surplus records become findings. The caller destroys the
 * result. */
fk_code fk_torch_inspect(const uint8_t *bytes, size_t length, fk_inspection **ret_inspection,
                         fk_error *err);

#endif
