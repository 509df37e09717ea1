#include "snapshot.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <fontkeep/fontkeep.h>

#include "errors.h"

enum { ALIGNMENT = 64, HUGE_PAGE = 2 << 20 };

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

static bool is_copied(const fkpy_span *span) {
    return !span->ours && span->begin < span->end;
}

/* Where the copy of a span begins, behind `used` bytes: aligned as in the storage. */
static size_t place_of(const fkpy_span *span, size_t used) {
    return (used + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT + span->begin % ALIGNMENT;
}

static size_t bytes_of(const fkpy_snapshot *snapshot) {
    size_t bytes = 0;
    for (size_t i = 0; i < snapshot->count; i++) {
        const fkpy_span *span = &snapshot->spans[i];
        if (is_copied(span)) {
            bytes = place_of(span, bytes) + (span->end - span->begin);
        }
    }
    return bytes;
}

/* In huge pages: a page fault for each 4 KiB takes longer than the copying. */
static char *allocate(size_t bytes) {
    size_t whole = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    if (bytes < HUGE_PAGE) {
        return malloc(bytes);
    }
    char *memory = aligned_alloc(HUGE_PAGE, whole);
    if (memory != NULL) {
        (void)madvise(memory, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
    }
    return memory;
}

static bool copy_all(fkpy_snapshot *snapshot) {
    size_t bytes = bytes_of(snapshot);
    if (bytes == 0) {
        return true;
    }
    snapshot->copies = allocate(bytes);
    if (snapshot->copies == NULL) {
        return false;
    }
    size_t used = 0;
    for (size_t i = 0; i < snapshot->count; i++) {
        fkpy_span *span = &snapshot->spans[i];
        if (!is_copied(span)) {
            continue;
        }
        size_t length = span->end - span->begin;
        char *copy = snapshot->copies + place_of(span, used);
        memcpy(copy, (const char *)span->storage->data + span->begin, length);
        span->storage->data = (void *)((uintptr_t)copy - span->begin);
        used = place_of(span, used) + length;
    }
    return true;
}

PyObject *fkpy_snapshot_take(fkpy_snapshot *snapshot) {
    PyThreadState *thread = PyEval_SaveThread();
    bool good = copy_all(snapshot);
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
    free(snapshot->copies);
    free(snapshot->spans);
    *snapshot = (fkpy_snapshot){0};
}
