/* Writing PyTorch checkpoints: torch.load opens them from PyTorch 1.6 on (dtypes beyond
 * complex128: 2.2 on), with weights_only=True from 2.6 on. Of each storage only the span that
 * tensors use is written; sharing stays. */
#ifndef FK_CHECKPOINT_TORCH_WRITE_H
#define FK_CHECKPOINT_TORCH_WRITE_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "digest/sink.h"
#include "fontkeep/value.h"

typedef struct fk_torch_writer fk_torch_writer;

/* Plans the file of `top`, which must stay as it is until the writer is destroyed (the bytes of its
 * storages may change). FK_E_UNSUPPORTED (subject data) names the dotted path of what weights_only
 * would not load (a cycle through a tuple, ...); FK_E_LIMIT. */
fk_code fk_torch_writer_create(const fk_value *top, fk_torch_writer **ret_writer, fk_error *err);
void fk_torch_writer_destroy(fk_torch_writer *writer);
FK_DEFINE_SCOPED(fk_torch_writer, fk_torch_writer_destroy);

/* The size of the file, exactly, before a byte of it is written. */
uint64_t fk_torch_writer_bytes(const fk_torch_writer *writer);

/* Writes the file. `progress` (may be NULL) gets bytes done and in all. */
fk_code fk_torch_writer_write(fk_torch_writer *writer, const fk_sink *sink, fk_progress progress,
                              void *progress_user, fk_error *err);

#endif
