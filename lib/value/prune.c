#include "value/prune.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "value/seen.h"
#include "value/value_private.h"

/* Containers and tensors to look into; each once, in any order, so that neither depth nor cycles
 * matter. */
typedef struct pruning {
    fk_value_test is_lost;
    fk_value *none; /* stands for what was lost; made when first needed */
    fk_values *values;
    fk_seen seen;
    fk_value **open; /* [count], from malloc */
    size_t count;
    size_t capacity;
} pruning;

static void pruning_finish(pruning *it) {
    fk_seen_finish(&it->seen);
    free(it->open);
}

static bool push(pruning *it, fk_value *value) {
    bool again = false;
    if (value == NULL || (fk_value_count(value) == 0 && fk_value_attributes(value) == NULL)) {
        return true;
    }
    if (!fk_seen_add(&it->seen, value, &again)) {
        return false;
    }
    if (again) {
        return true;
    }
    if (it->count == it->capacity) {
        size_t capacity = it->capacity == 0 ? 64 : 2 * it->capacity;
        fk_value **open = reallocarray(it->open, capacity, sizeof *open);
        if (open == NULL) {
            return false;
        }
        it->open = open;
        it->capacity = capacity;
    }
    it->open[it->count++] = value;
    return true;
}

static bool prune_dict(pruning *it, fk_items *items) {
    size_t kept = 0;
    for (size_t i = 0; i < items->used; i += 2) {
        fk_value *key = items->slots[i];
        fk_value *item = items->slots[i + 1];
        if (it->is_lost(item)) {
            continue;
        }
        items->slots[kept++] = key;
        items->slots[kept++] = item;
        if (!push(it, key) || !push(it, item)) {
            return false;
        }
    }
    items->used = kept;
    return true;
}

static bool prune_sequence(pruning *it, fk_kind kind, fk_items *items) {
    size_t kept = 0;
    for (size_t i = 0; i < items->used; i++) {
        fk_value *item = items->slots[i];
        bool lost = it->is_lost(item);
        if (lost && kind == FK_KIND_SET) {
            continue;
        }
        if (lost && it->none == NULL) {
            it->none = fk_value_none(it->values);
        }
        items->slots[kept++] = lost ? it->none : item;
        if (lost ? it->none == NULL : !push(it, item)) {
            return false;
        }
    }
    items->used = kept;
    return true;
}

static bool prune_one(pruning *it, fk_value *value) {
    if (fk_kind_is_dict(value->kind) && !prune_dict(it, value->items)) {
        return false;
    }
    if (fk_kind_is_sequence(value->kind) && !prune_sequence(it, value->kind, value->items)) {
        return false;
    }
    return push(it, fk_value_attributes(value));
}

fk_code fk_value_prune(fk_values *values, fk_value *root, fk_value_test is_lost, fk_error *err) {
    FK_SCOPED(pruning_finish) pruning it = {.is_lost = is_lost, .values = values};
    bool good = push(&it, root);
    while (good && it.count > 0) {
        good = prune_one(&it, it.open[--it.count]);
    }
    return good ? FK_OK : fk_error_no_memory(err);
}
