/* Metadata of a run as a dict with the fields of RunMetadata, which fontkeep/metadata.py makes of
 * it. */
#ifndef FONTKEEP_PYTHON_INFO_H
#define FONTKEEP_PYTHON_INFO_H

#include <fontkeep/run.h>

#include "state.h"

/* The names of the fields, for the module's state. */
PyObject *fkpy_info_fields(void);
/* NULL with an exception. */
PyObject *fkpy_info(fkpy_state *state, const fk_run_info *info);
/* A list of such dicts. */
PyObject *fkpy_info_list(fkpy_state *state, const fk_run_list *runs);
/* A problem as the tuple (code, path, tensor, offset, length, message). */
PyObject *fkpy_problem(const fk_problem *problem);
/* Microseconds, or None for FK_NO_TIME. */
PyObject *fkpy_time(int64_t us);
/* A tuple of ints. */
PyObject *fkpy_shape(const int64_t *shape, size_t rank);

#endif
