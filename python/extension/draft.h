/* A run that is being written. */
#ifndef FONTKEEP_PYTHON_DRAFT_H
#define FONTKEEP_PYTHON_DRAFT_H

#include <fontkeep/draft.h>

#include "progress.h"
#include "state.h"

/* `about`, a tuple: (status, started_at_us, ended_at_us, training, parent_run_id, create_font).
 * `training` is a tree or None; times are 0 for their default. What is returned borrows from it. */
bool fkpy_metadata_parse(fkpy_state *state, PyObject *about, fkpy_progress *progress,
                         fk_run_metadata *ret_metadata);
/* `pixels`, a tuple: (buffer, width, height, channels). The caller releases the buffer. */
bool fkpy_image_parse(PyObject *pixels, Py_buffer *ret_buffer, fk_image *ret_image);

/* draft(font_id, about): the method of Store. */
PyObject *fkpy_draft_create(PyObject *store, fk_store *handle, PyObject *arguments);

/* check_weights(tree): whether weights could be written, known before anything is made; the method
 * of Store. */
PyObject *fkpy_check_weights(PyObject *store, fk_store *handle, PyObject *tree);

#endif
