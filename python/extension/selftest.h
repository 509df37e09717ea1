/* The test of a disk. */
#ifndef FONTKEEP_PYTHON_SELFTEST_H
#define FONTKEEP_PYTHON_SELFTEST_H

#include "state.h"

/* What fk_selftest tells of the directory `path`, as a dict; NULL with an exception. */
PyObject *fkpy_selftest(fkpy_state *state, const char *path);

#endif
