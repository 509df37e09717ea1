/* Values to a protocol 2 pickle, as Python's pickler and torch.save write them. */
#ifndef FK_CHECKPOINT_PICKLE_WRITE_H
#define FK_CHECKPOINT_PICKLE_WRITE_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "fontkeep/value.h"

/* How a tensor's storage is spelled in the file. */
typedef struct fk_pickle_storage {
    const char *key;        /* "0", "1", ... by first appearance */
    fk_dtype dtype;         /* of the storage class; FK_DTYPE_NONE: UntypedStorage */
    uint64_t elements;      /* of that class; bytes for UntypedStorage */
    uint64_t tensor_offset; /* of this tensor, in elements of its own dtype, within the record */
} fk_pickle_storage;

typedef struct fk_pickle_spelling {
    /* Asked once per tensor, in the order of the stream. */
    fk_code (*storage)(void *user, const fk_tensor *tensor, fk_pickle_storage *ret_storage,
                       fk_error *err);
    void *user;
} fk_pickle_spelling;

/* Appends the pickle of `top`. Shared values become memo references, lists and dicts may contain
 * themselves. FK_E_UNSUPPORTED (subject data) and FK_E_LIMIT name the dotted path. */
fk_code fk_pickle_write(fk_buffer *buffer, const fk_value *top, const fk_pickle_spelling *spelling,
                        fk_error *err);

#endif
