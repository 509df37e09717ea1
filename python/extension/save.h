/* A whole run in one call. */
#ifndef FONTKEEP_PYTHON_SAVE_H
#define FONTKEEP_PYTHON_SAVE_H

#include <fontkeep/draft.h>

#include "state.h"

/* save(font_id, about, tree, sample, glyphs, feedback) -> run id: the method of Store. `about` as
 * in draft.h; `tree` holds weights, personality vector and architecture, or is None; `sample` is
 * pixels or None, `glyphs` a list of (label, pixels); `feedback` is a tree or None. */
PyObject *fkpy_save(PyObject *store, fk_store *handle, PyObject *arguments);

#endif
