/* Results of the library as Python exceptions; fontkeep/errors.py has the table. */
#ifndef FONTKEEP_PYTHON_ERRORS_H
#define FONTKEEP_PYTHON_ERRORS_H

#include <fontkeep/error.h>

#include "state.h"

/* Raises what `code` means and returns NULL. `run_id`: of a run that is there all the same, or
 * NULL. An exception that is set already, by a signal during a call that was cancelled, stays. */
PyObject *fkpy_raise(fkpy_state *state, fk_code code, const fk_error *err, const char *run_id);

/* Raises MemoryError and returns NULL. */
PyObject *fkpy_raise_no_memory(void);

/* `text` as str, or None when it is NULL. Text that was cut or is damaged gets replacement
 * characters. */
PyObject *fkpy_text(const char *text);
/* The same for the path of a file. */
PyObject *fkpy_path(const char *path);

#endif
