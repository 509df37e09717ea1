/* Tensors as torch.save pickles them. */
#ifndef FK_CHECKPOINT_WRITE_TENSOR_H
#define FK_CHECKPOINT_WRITE_TENSOR_H

#include "checkpoint/pickle_write.h"
#include "checkpoint/write_emit.h"

/* The class of a storage of this dtype ("FloatStorage"), or NULL: a dtype of PyTorch 2.2 and later,
 * whose storages are UntypedStorage. */
const char *fk_write_tensor_storage_class(fk_dtype dtype);

/* Writes a tensor that has no attributes, up to the object to be memoised. */
void fk_write_tensor(fk_write_emit *emit, const fk_tensor *tensor,
                     const fk_pickle_storage *storage);

/* A tensor with attributes: begin, then the attributes' dict, then end. */
void fk_write_tensor_begin(fk_write_emit *emit, const fk_tensor *tensor,
                           const fk_pickle_storage *storage);
void fk_write_tensor_end(fk_write_emit *emit);

#endif
