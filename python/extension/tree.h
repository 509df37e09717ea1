/* Python objects as values of the library, ready to be written without the interpreter's lock. */
#ifndef FONTKEEP_PYTHON_TREE_H
#define FONTKEEP_PYTHON_TREE_H

#include <stdbool.h>

#include <fontkeep/value.h>

#include "state.h"

/* Converts `items`, a tuple of (name, object) tuples, into one arena, in which what the objects
 * share stays shared. None becomes no value. Tensors look at the memory of their Python objects,
 * which the tree keeps alive, or with `copy` at a copy. `adapt` says what an object of a type that
 * is not Python's own is (to_value.h). */
PyObject *fkpy_tree_create(fkpy_state *state, PyObject *items, PyObject *adapt, bool copy);

/* The value of an item, or NULL. `tree` is a tree or None. */
const fk_value *fkpy_tree_value(fkpy_state *state, PyObject *tree, Py_ssize_t index);

#endif
