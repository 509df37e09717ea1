#include "snapshot.h"

#include <stdlib.h>
#include <string.h>

#include <fontkeep/fontkeep.h>

#include "errors.h"

bool fkpy_snapshot_add(fkpy_snapshot *snapshot, fk_storage *storage, PyObject *owner, bool ours) {
    if (snapshot->count == snapshot->capacity) {
        size_t capacity = snapshot->capacity == 0 ? 64 : 2 * snapshot->capacity;
        fkpy_span *spans = reallocarray(snapshot->spans, capacity, sizeof *spans);
        if (spans == NULL) {
            return false;
        }
        snapshot->spans = spans;
        snapshot->capacity = capacity;
    }
    snapshot->spans[snapshot->count++] =
        (fkpy_span){.storage = storage, .owner = owner, .ours = ours, .begin = UINT64_MAX};
    return true;
}

void fkpy_snapshot_use(fkpy_snapshot *snapshot, size_t number, const fk_tensor *tensor) {
    /* The view fits its storage (fk_value_tensor checked it), so nothing here overflows. */
    uint64_t last = tensor->offset;
    for (uint32_t i = 0; i < tensor->rank; i++) {
        if (tensor->shape[i] == 0) {
            return;
        }
        last += (uint64_t)(tensor->shape[i] - 1) * (uint64_t)tensor->strides[i];
    }
    uint64_t size = fk_dtype_bytes(tensor->dtype);
    fkpy_span *span = &snapshot->spans[number];
    uint64_t begin = tensor->offset * size;
    uint64_t end = (last + 1) * size;
    span->begin = begin < span->begin ? begin : span->begin;
    span->end = end > span->end ? end : span->end;
}

static bool copy_span(fkpy_span *span) {
    if (span->ours || span->begin >= span->end) {
        return true;
    }
    span->copy = malloc(span->storage->bytes);
    if (span->copy == NULL) {
        return false;
    }
    memcpy((char *)span->copy + span->begin, (const char *)span->storage->data + span->begin,
           span->end - span->begin);
    span->storage->data = span->copy;
    return true;
}

PyObject *fkpy_snapshot_take(fkpy_snapshot *snapshot) {
    bool good = true;
    PyThreadState *thread = PyEval_SaveThread();
    for (size_t i = 0; good && i < snapshot->count; i++) {
        good = copy_span(&snapshot->spans[i]);
    }
    PyEval_RestoreThread(thread);
    if (!good) {
        return fkpy_raise_no_memory();
    }
    PyObject *owners = PyList_New(0);
    for (size_t i = 0; owners != NULL && i < snapshot->count; i++) {
        const fkpy_span *span = &snapshot->spans[i];
        if (span->ours && PyList_Append(owners, span->owner) < 0) {
            Py_CLEAR(owners);
        }
    }
    return owners;
}

void fkpy_snapshot_finish(fkpy_snapshot *snapshot) {
    for (size_t i = 0; i < snapshot->count; i++) {
        free(snapshot->spans[i].copy);
    }
    free(snapshot->spans);
    *snapshot = (fkpy_snapshot){0};
}
