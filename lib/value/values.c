#include "value/values.h"

#include <stdlib.h>

#include "base/checked.h"

enum {
    ALIGNMENT = 16,
    CHUNK_BYTES_MIN = 4096,
    CHUNK_BYTES_MAX = 1 << 20,
};

/* A run of memory that allocations are cut from, front to back. */
typedef struct chunk {
    struct chunk *next;
    size_t used;
    size_t capacity;
    _Alignas(ALIGNMENT) unsigned char bytes[];
} chunk;

typedef struct release_call {
    struct release_call *next;
    void (*release)(void *user);
    void *user;
} release_call;

struct fk_values {
    chunk *chunks; /* the first is the one that is cut from */
    size_t next_capacity;
    release_call *releases; /* last added first */
};

fk_values *fk_values_create(void) {
    fk_values *values = calloc(1, sizeof *values);
    if (values != NULL) {
        values->next_capacity = CHUNK_BYTES_MIN - sizeof(chunk);
    }
    return values;
}

void fk_values_destroy(fk_values *values) {
    if (values == NULL) {
        return;
    }
    for (release_call *call = values->releases; call != NULL; call = call->next) {
        call->release(call->user);
    }
    chunk *next;
    for (chunk *one = values->chunks; one != NULL; one = next) {
        next = one->next;
        free(one);
    }
    free(values);
}

static chunk *chunk_create(size_t capacity) {
    uint64_t bytes;
    if (!fk_checked_add(sizeof(chunk), capacity, &bytes)) {
        return NULL;
    }
    chunk *created = malloc(bytes);
    if (created != NULL) {
        created->next = NULL;
        created->used = 0;
        created->capacity = capacity;
    }
    return created;
}

/* A chunk of its own for something large, behind the first, whose rest stays in use. */
static void *allocate_alone(fk_values *values, size_t bytes) {
    chunk *alone = chunk_create(bytes);
    if (alone == NULL) {
        return NULL;
    }
    alone->used = bytes;
    if (values->chunks == NULL) {
        values->chunks = alone;
    } else {
        alone->next = values->chunks->next;
        values->chunks->next = alone;
    }
    return alone->bytes;
}

void *fk_values_allocate(fk_values *values, size_t bytes) {
    uint64_t rounded;
    if (!fk_checked_add(bytes, ALIGNMENT - 1, &rounded)) {
        return NULL;
    }
    rounded &= ~(uint64_t)(ALIGNMENT - 1);
    chunk *first = values->chunks;
    if (first == NULL || first->capacity - first->used < rounded) {
        if (rounded > values->next_capacity / 4) {
            return allocate_alone(values, rounded);
        }
        first = chunk_create(values->next_capacity);
        if (first == NULL) {
            return NULL;
        }
        first->next = values->chunks;
        values->chunks = first;
        if (values->next_capacity < CHUNK_BYTES_MAX / 2) {
            values->next_capacity *= 2;
        }
    }
    void *given = first->bytes + first->used;
    first->used += rounded;
    return given;
}

fk_code fk_values_on_destroy(fk_values *values, void (*release)(void *user), void *user) {
    release_call *call = fk_values_allocate(values, sizeof *call);
    if (call == NULL) {
        return FK_E_NO_MEMORY;
    }
    *call = (release_call){values->releases, release, user};
    values->releases = call;
    return FK_OK;
}
