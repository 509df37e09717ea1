/* A run that is being written. */
#ifndef FONTKEEP_PYTHON_DRAFT_H
#define FONTKEEP_PYTHON_DRAFT_H

#include <fontkeep/draft.h>

#include "state.h"

/* draft(font_id, status, started_at_us, ended_at_us, training, parent_run_id, create_font): the
 * method of Store. `training` is a tree or None; times are 0 for their default. */
PyObject *fkpy_draft_create(PyObject *store, fk_store *handle, PyObject *arguments);

/* check_weights(tree): whether weights could be written, known before anything is made; the method
 * of Store. */
PyObject *fkpy_check_weights(PyObject *store, fk_store *handle, PyObject *tree);

#endif
