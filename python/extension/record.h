/* Dicts with text keys, filled member by member: how C structs go to Python. */
#ifndef FONTKEEP_PYTHON_RECORD_H
#define FONTKEEP_PYTHON_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "state.h"

/* Puts `member` in and drops the caller's reference. A NULL member (its making failed) or a short
 * memory destroys the dict: `*record` becomes NULL, the exception stays, and further calls only
 * drop their member. */
void fkpy_record_put(PyObject **record, const char *name, PyObject *member);

/* Likewise for a list. */
void fkpy_list_add(PyObject **list, PyObject *item);
/* A list of `count` texts. */
PyObject *fkpy_list_of_texts(const char *const *texts, size_t count);
/* A list of `count` paths. */
PyObject *fkpy_list_of_paths(const char *const *paths, size_t count);

#endif
