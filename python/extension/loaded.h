/* What was loaded of a run: its memory, from which the Python objects are made. */
#ifndef FONTKEEP_PYTHON_LOADED_H
#define FONTKEEP_PYTHON_LOADED_H

#include <fontkeep/run.h>

#include "state.h"

/* Takes `loaded` over, also when it fails. */
PyObject *fkpy_loaded_create(fkpy_state *state, fk_loaded *loaded);

#endif
