/* Values of the library as Python objects. */
#ifndef FONTKEEP_PYTHON_FROM_VALUE_H
#define FONTKEEP_PYTHON_FROM_VALUE_H

#include <fontkeep/value.h>

#include "state.h"

/* The object of `value`; what the value shares is shared by the objects, too. Tensors, sizes and
 * names are made by `builder` (NULL where there can be none):
 *   builder.storage(memory)                                            one per fk_storage
 *   builder.tensor(storage, dtype, flags, shape, strides, offset, attributes or None)
 *   builder.text(kind, str)     kind is "dtype", "device", "layout" or "qscheme"
 *   builder.size(tuple)
 * `owner` is what the memory of the storages belongs to. NULL with an exception. */
PyObject *fkpy_from_value(fkpy_state *state, const fk_value *value, PyObject *builder,
                          PyObject *owner);

/* Several values with one memory of what is shared. Zeroed behind `owner` to begin with. */
typedef struct fkpy_reader {
    fkpy_state *state;
    PyObject *builder; /* borrowed */
    PyObject *owner;   /* borrowed */
    PyObject *memo;    /* dict: address of a value or storage -> its object */
    unsigned depth;    /* of the value that is being read */
} fkpy_reader;

/* NULL with an exception; None for a NULL value. */
PyObject *fkpy_reader_read(fkpy_reader *reader, const fk_value *value);
PyObject *fkpy_reader_tensor(fkpy_reader *reader, const fk_tensor *tensor,
                             const fk_value *attributes);
void fkpy_reader_finish(fkpy_reader *reader);

#endif
