/* The memory that the tensors of a tree look at, and a copy of it for a save in the background.
 *
 * Of each storage only the span that tensors use is copied. */
#ifndef FONTKEEP_PYTHON_SNAPSHOT_H
#define FONTKEEP_PYTHON_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fontkeep/value.h>

#include "state.h"

typedef struct fkpy_span {
    fk_storage *storage;
    PyObject *owner; /* keeps the storage's memory alive; borrowed */
    bool ours;       /* the memory was made for the tree: nobody else writes to it */
    uint64_t begin;  /* bytes of the storage that tensors use: from here */
    uint64_t end;    /* to here */
    size_t place;    /* where their copy begins */
} fkpy_span;

/* Zeroed memory is an empty one. */
typedef struct fkpy_snapshot {
    fkpy_span *spans;
    size_t count;
    size_t capacity;
    char *copies; /* of all spans, or NULL */
    size_t copied_bytes;
} fkpy_snapshot;

/* Notes a storage; false when memory is short. Its number is the count before. */
bool fkpy_snapshot_add(fkpy_snapshot *snapshot, fk_storage *storage, PyObject *owner, bool ours);
/* Notes that a tensor looks at the storage of that number. */
void fkpy_snapshot_use(fkpy_snapshot *snapshot, size_t number, const fk_tensor *tensor);

/* Copies what is not ours, without the interpreter's lock, and has the storages look at the copies
 * (only the bytes from `begin` to `end` are memory then).
 * Returns a list of the owners that are needed still, or NULL with MemoryError. */
PyObject *fkpy_snapshot_take(fkpy_snapshot *snapshot);

void fkpy_snapshot_finish(fkpy_snapshot *snapshot);

#endif
