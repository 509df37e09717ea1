/* Memory of a loaded storage as a Python buffer. */
#ifndef FONTKEEP_PYTHON_MEMORY_H
#define FONTKEEP_PYTHON_MEMORY_H

#include <fontkeep/value.h>

#include "state.h"

/* A writable buffer over the storage, which keeps `owner` (what the memory belongs to) alive. */
PyObject *fkpy_memory_create(fkpy_state *state, PyObject *owner, const fk_storage *storage);

#endif
