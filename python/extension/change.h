/* adopt, migrate and regenerate: methods of Store. */
#ifndef FONTKEEP_PYTHON_CHANGE_H
#define FONTKEEP_PYTHON_CHANGE_H

#include <fontkeep/fontkeep.h>

#include "state.h"

/* `object` is the Store, `arguments` the tuple it was called with. A list of dicts, or NULL with an
 * exception. */
PyObject *fkpy_adopt(PyObject *object, fk_store *store, PyObject *arguments);
PyObject *fkpy_migrate(PyObject *object, fk_store *store, PyObject *arguments);
PyObject *fkpy_regenerate(PyObject *object, fk_store *store, PyObject *arguments);

/* What such a call answers. Takes over `changes`. */
PyObject *fkpy_changes(PyObject *object, fk_code code, fk_change_list *changes,
                       const fk_error *err);

#endif
