/* rm, trash, restore and purge: methods of Store. */
#ifndef FONTKEEP_PYTHON_REMOVAL_H
#define FONTKEEP_PYTHON_REMOVAL_H

#include <fontkeep/fontkeep.h>

#include "state.h"

/* `object` is the Store, `arguments` the tuple it was called with. NULL with an exception. */
PyObject *fkpy_rm(PyObject *object, fk_store *store, PyObject *arguments);
PyObject *fkpy_trash(PyObject *object, fk_store *store);
PyObject *fkpy_restore(PyObject *object, fk_store *store, PyObject *arguments);
PyObject *fkpy_purge(PyObject *object, fk_store *store, PyObject *arguments);

#endif
