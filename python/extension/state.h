/* What the extension module keeps: its types and the Python objects it calls. One per interpreter.
 */
#ifndef FONTKEEP_PYTHON_STATE_H
#define FONTKEEP_PYTHON_STATE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

typedef struct fkpy_state {
    PyTypeObject *store_type;
    PyTypeObject *draft_type;
    PyTypeObject *run_type;
    PyTypeObject *loaded_type;
    PyTypeObject *memory_type;
    PyTypeObject *tree_type;
    PyObject *ordered_dict; /* collections.OrderedDict */
    PyObject *counter;      /* collections.Counter */
    PyObject *nan;          /* math.nan: one object, so that what holds it equals its like */
    PyObject *info_fields;  /* tuple of str: info.h */
    PyObject *make_error;   /* fontkeep.errors.from_native */
    PyObject *make_refusal; /* fontkeep.errors.refused */
} fkpy_state;

/* The state of the module that made `self`, an object of one of its types. */
fkpy_state *fkpy_state_of(PyObject *self);

/* An empty object of one of the types, zeroed behind its head. */
PyObject *fkpy_new(PyTypeObject *type);
/* Frees an object of one of the types; its members are released already. */
void fkpy_free(PyObject *self);

#endif
