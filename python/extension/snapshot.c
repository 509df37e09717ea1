#include "snapshot.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fontkeep/fontkeep.h>

#include "errors.h"

enum { ALIGNMENT = 64, PAGE = 4096, BLOCK_BYTES = 1 << 20, THREADS_MAX = 4 };

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

/* Where its copy ends. */
static size_t end_of(const fkpy_span *span) {
    return span->place + (span->end - span->begin);
}

/* Gives each copy its place, aligned as in the storage; how much memory that takes. */
static size_t lay_out(fkpy_snapshot *snapshot) {
    size_t bytes = 0;
    for (size_t i = 0; i < snapshot->count; i++) {
        fkpy_span *span = &snapshot->spans[i];
        if (is_copied(span)) {
            size_t aligned = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
            span->place = aligned + span->begin % ALIGNMENT;
            bytes = end_of(span);
        }
    }
    return bytes;
}

/* ---- copying, by several threads ---- */

typedef struct copying {
    const fkpy_snapshot *snapshot;
    atomic_size_t next_block;
} copying;

/* The part of a span's copy that lies in a block. */
static void copy_part(const fkpy_span *span, char *copies, size_t begin, size_t end) {
    size_t from = span->place > begin ? span->place : begin;
    size_t to = end_of(span) < end ? end_of(span) : end;
    if (from < to) {
        const char *source = (const char *)span->storage->data + span->begin;
        memcpy(copies + from, source + (from - span->place), to - from);
    }
}

/* From span `first` on, up to the first that begins behind the block. */
static void copy_block(const fkpy_snapshot *snapshot, size_t first, size_t begin, size_t end) {
    for (size_t i = first; i < snapshot->count; i++) {
        const fkpy_span *span = &snapshot->spans[i];
        if (is_copied(span)) {
            if (span->place >= end) {
                return;
            }
            copy_part(span, snapshot->copies, begin, end);
        }
    }
}

/* Takes block after block. Its pages are asked for at once: a fault for each would take longer than
 * the copying. */
static void *copy_blocks(void *user) {
    copying *all = user;
    const fkpy_snapshot *snapshot = all->snapshot;
    size_t first = 0; /* no span before it reaches into the block */
    for (;;) {
        size_t begin = atomic_fetch_add(&all->next_block, 1) * BLOCK_BYTES;
        if (begin >= snapshot->copied_bytes) {
            return NULL;
        }
        size_t rest = snapshot->copied_bytes - begin;
        size_t end = begin + (rest < BLOCK_BYTES ? rest : BLOCK_BYTES);
        const fkpy_span *spans = snapshot->spans;
        while (first < snapshot->count &&
               (!is_copied(&spans[first]) || end_of(&spans[first]) <= begin)) {
            first++;
        }
        (void)madvise(snapshot->copies + begin, end - begin, MADV_POPULATE_WRITE);
        copy_block(snapshot, first, begin, end);
    }
}

static void copy_by_threads(const fkpy_snapshot *snapshot) {
    copying all = {.snapshot = snapshot};
    pthread_t threads[THREADS_MAX];
    size_t started = 0;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t wanted = snapshot->copied_bytes / BLOCK_BYTES;
    wanted = processors > 0 && wanted > (size_t)processors ? (size_t)processors : wanted;
    wanted = wanted < THREADS_MAX ? wanted : THREADS_MAX;
    atomic_init(&all.next_block, 0);
    while (started + 1 < wanted &&
           pthread_create(&threads[started], NULL, copy_blocks, &all) == 0) {
        started++;
    }
    (void)copy_blocks(&all);
    for (size_t i = 0; i < started; i++) {
        (void)pthread_join(threads[i], NULL);
    }
}

static bool copy_all(fkpy_snapshot *snapshot) {
    size_t bytes = lay_out(snapshot);
    if (bytes == 0) {
        return true;
    }
    snapshot->copies = aligned_alloc(PAGE, (bytes + PAGE - 1) / PAGE * PAGE);
    if (snapshot->copies == NULL) {
        return false;
    }
    snapshot->copied_bytes = bytes;
    copy_by_threads(snapshot);
    for (size_t i = 0; i < snapshot->count; i++) {
        fkpy_span *span = &snapshot->spans[i];
        if (is_copied(span)) {
            uintptr_t copy = (uintptr_t)snapshot->copies + span->place;
            span->storage->data = (void *)(copy - span->begin);
        }
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

/* Giving back hundreds of megabytes takes a while: nobody need wait for it. */
static void free_copies(fkpy_snapshot *snapshot) {
    if (snapshot->copied_bytes < BLOCK_BYTES) {
        free(snapshot->copies);
        return;
    }
    PyThreadState *thread = PyEval_SaveThread();
    free(snapshot->copies);
    PyEval_RestoreThread(thread);
}

void fkpy_snapshot_finish(fkpy_snapshot *snapshot) {
    free_copies(snapshot);
    free(snapshot->spans);
    *snapshot = (fkpy_snapshot){0};
}
