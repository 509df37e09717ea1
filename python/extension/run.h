/* A run that is open. */
#ifndef FONTKEEP_PYTHON_RUN_H
#define FONTKEEP_PYTHON_RUN_H

#include <fontkeep/run.h>

#include "state.h"

/* Takes `run` over, also when it fails; keeps `store` alive. */
PyObject *fkpy_run_create(fkpy_state *state, PyObject *store, fk_run *run);

#endif
