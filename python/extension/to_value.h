/* One Python object to one value: containers, numbers and texts here, everything else as `adapt`
 * tells.
 *
 * adapt(object) answers None (it cannot be stored), a text (why it cannot), or a tuple:
 *   ("refuse", (str, str))      it cannot: why, and what to do instead
 *   ("value", object)           store this instead: a module's state dict, a scalar's number
 *   ("text", kind, str)         kind is "dtype", "device", "layout" or "qscheme"
 *   ("size", tuple)             torch.Size
 *   ("tensor", dtype, flags, shape, strides or None, offset, address, bytes, owner, ours,
 *       attributes)
 *       elements are counted by offset and strides; address and bytes are the storage's; owner
 *       keeps that memory alive; ours: it was made by adapt, so nobody writes to it; attributes is
 *       a dict or None
 */
#ifndef FONTKEEP_PYTHON_TO_VALUE_H
#define FONTKEEP_PYTHON_TO_VALUE_H

#include <stdbool.h>

#include <fontkeep/value.h>

#include "snapshot.h"
#include "state.h"

/* One conversion, of any number of objects into one arena. Everything is borrowed. */
typedef struct fkpy_writer {
    fkpy_state *state;
    fk_values *values;
    PyObject *adapt;
    PyObject *owners;   /* list: keeps every object with a memo entry, and all memory, alive */
    PyObject *memo;     /* dict: id of an object -> address of its value */
    PyObject *storages; /* dict: (address, bytes) -> number in the snapshot */
    fkpy_snapshot *snapshot;
    unsigned depth;
} fkpy_writer;

/* Where an object stands in what is being stored. */
typedef struct fkpy_place {
    const struct fkpy_place *outer;
    const char *name; /* of the outermost, or NULL */
    PyObject *key;    /* dict key or attribute, or NULL */
    Py_ssize_t index; /* in a sequence, when `name` and `key` are NULL */
} fkpy_place;

/* NULL with an exception: UnsupportedDataError with dotted path and type of what cannot be stored.
 */
fk_value *fkpy_to_value(fkpy_writer *writer, const char *name, PyObject *object);

/* For to_tensor.c. */
fk_value *fkpy_to_value_at(fkpy_writer *writer, PyObject *object, const fkpy_place *place);
/* Raises UnsupportedDataError for `object`; `reason`: why it cannot be stored, as str or as tuple
 * of str with what to do, or NULL (then its type says enough). */
fk_value *fkpy_refuse(fkpy_writer *writer, PyObject *object, PyObject *reason,
                      const fkpy_place *place);
/* The value itself, or MemoryError for NULL. */
fk_value *fkpy_checked(fk_value *value);

#endif
