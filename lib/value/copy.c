#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "value/value_private.h"

/* Originals and their copies: open addressing, never more than half full. */
typedef struct copy_map {
    const void **originals; /* [capacity], NULL where free */
    void **copies;
    size_t count;
    size_t capacity; /* a power of two */
} copy_map;

typedef struct copier {
    fk_values *into;
    copy_map map;
    size_t depth;
} copier;

static fk_value *copy_value(copier *copy, const fk_value *value);

static void copy_finish(copier *copy) {
    free(copy->map.originals);
    free(copy->map.copies);
}

/* Where an original stands, or the free place for it. */
static size_t map_find(const copy_map *map, const void *original) {
    uint64_t mixed = (uint64_t)(uintptr_t)original * UINT64_C(0x9E3779B97F4A7C15);
    size_t i = (size_t)(mixed >> 20) & (map->capacity - 1);
    while (map->originals[i] != NULL && map->originals[i] != original) {
        i = (i + 1) & (map->capacity - 1);
    }
    return i;
}

static void *map_get(const copy_map *map, const void *original) {
    return map->capacity == 0 ? NULL : map->copies[map_find(map, original)];
}

static bool map_grow(copy_map *map) {
    copy_map grown = {.capacity = map->capacity == 0 ? 64 : map->capacity * 2};
    grown.originals = calloc(grown.capacity, sizeof *grown.originals);
    grown.copies = calloc(grown.capacity, sizeof *grown.copies);
    if (grown.originals == NULL || grown.copies == NULL) {
        free(grown.originals);
        free(grown.copies);
        return false;
    }
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->originals[i] != NULL) {
            size_t place = map_find(&grown, map->originals[i]);
            grown.originals[place] = map->originals[i];
            grown.copies[place] = map->copies[i];
        }
    }
    grown.count = map->count;
    free(map->originals);
    free(map->copies);
    *map = grown;
    return true;
}

static bool map_put(copy_map *map, const void *original, void *copied) {
    if (map->count >= map->capacity / 2 && !map_grow(map)) {
        return false;
    }
    size_t place = map_find(map, original);
    map->originals[place] = original;
    map->copies[place] = copied;
    map->count++;
    return true;
}

static fk_storage *copy_storage(copier *copy, const fk_storage *storage) {
    fk_storage *copied = map_get(&copy->map, storage);
    if (copied == NULL) {
        copied = fk_storage_create(copy->into, storage->data, storage->bytes);
        if (copied != NULL && !map_put(&copy->map, storage, copied)) {
            return NULL;
        }
    }
    return copied;
}

static fk_value *copy_tensor(copier *copy, const fk_value *value) {
    fk_tensor tensor = value->view->tensor;
    tensor.storage = copy_storage(copy, tensor.storage);
    fk_value *copied = tensor.storage == NULL ? NULL : fk_value_tensor(copy->into, &tensor);
    return copied != NULL && map_put(&copy->map, value, copied) ? copied : NULL;
}

static fk_value *copy_container(copier *copy, const fk_value *value) {
    fk_value *copied = fk_value_container(copy->into, value->kind);
    /* known before its items are copied, so that one which contains itself ends */
    if (copied == NULL || !map_put(&copy->map, value, copied)) {
        return NULL;
    }
    bool dict = fk_kind_is_dict(value->kind);
    for (size_t i = 0; i < fk_value_count(value); i++) {
        fk_value *key = dict ? copy_value(copy, fk_value_key(value, i)) : NULL;
        fk_value *item = copy_value(copy, fk_value_item(value, i));
        fk_code code = dict ? fk_value_put(copied, key, item) : fk_value_append(copied, item);
        if (code != FK_OK) {
            return NULL;
        }
    }
    return copied;
}

/* Whether a value's copy goes deeper than itself. */
static bool is_level(const fk_value *value) {
    return value->kind != FK_KIND_SIZE &&
           (fk_value_count(value) != 0 || fk_value_attributes(value) != NULL);
}

/* Values that are a thing of their own: where they are shared, their copies are too. */
static fk_value *copy_shared(copier *copy, const fk_value *value) {
    fk_value *known = map_get(&copy->map, value);
    if (known != NULL) {
        return known;
    }
    if (copy->depth == FK_LIMIT_DEPTH && is_level(value)) {
        return NULL;
    }
    copy->depth++;
    fk_value *copied =
        value->kind == FK_KIND_TENSOR ? copy_tensor(copy, value) : copy_container(copy, value);
    const fk_value *attributes = fk_value_attributes(value);
    if (copied != NULL && attributes != NULL) {
        fk_value *copied_attributes = copy_value(copy, attributes);
        copied = fk_value_set_attributes(copied, copied_attributes) == FK_OK ? copied : NULL;
    }
    copy->depth--;
    return copied;
}

static fk_value *copy_value(copier *copy, const fk_value *value) {
    if (value->kind == FK_KIND_TENSOR || fk_kind_is_sequence(value->kind) ||
        fk_kind_is_dict(value->kind)) {
        return copy_shared(copy, value);
    }
    fk_value *copied = fk_value_allocate(copy->into, value->kind);
    if (copied == NULL) {
        return NULL;
    }
    if (!fk_kind_is_text(value->kind) && value->kind != FK_KIND_BIG_INT) {
        fk_values *into = copied->values;
        *copied = *value;
        copied->values = into;
        return copied;
    }
    char *bytes = fk_values_allocate(copy->into, value->text.length + 1);
    if (bytes == NULL) {
        return NULL;
    }
    memcpy(bytes, value->text.bytes, value->text.length + 1);
    copied->text.bytes = bytes;
    copied->text.length = value->text.length;
    return copied;
}

fk_value *fk_value_copy(fk_values *into, const fk_value *value) {
    FK_SCOPED(copy_finish) copier copy = {.into = into};
    return copy_value(&copy, value);
}
