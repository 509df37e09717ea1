/* A pickle builds values inside out and shares them, so how deep they nest is known only at the
 * end. Shared values are visited once: the work is linear in what the pickle made. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "checkpoint/pickle_machine.h"

/* A container or tensor that was met. */
typedef struct node {
    const fk_value *value; /* NULL: the slot is free */
    uint32_t height;       /* levels below and with it, once left */
    bool open;             /* on the way down: meeting it again is a cycle */
} node;

/* A level of the way down. */
typedef struct level {
    const fk_value *value;
    size_t next; /* child: items, then keys of a dict, then the attributes */
    uint32_t height;
} level;

typedef struct value_graph {
    node *nodes; /* open addressing, capacity a power of two */
    size_t used;
    size_t capacity;
    level way_down[FK_LIMIT_DEPTH];
    size_t depth;
    bool keys; /* are checked */
    uint64_t compared;
} value_graph;

static void graph_finish(value_graph *graph) {
    free(graph->nodes);
}

static uint64_t mix(uint64_t number) {
    number *= UINT64_C(0x9E3779B97F4A7C15);
    return number ^ number >> 29;
}

/* The slot of a value, taken or free. */
static node *find_slot(node *nodes, size_t capacity, const fk_value *value) {
    size_t at = mix((uintptr_t)value) & (capacity - 1);
    while (nodes[at].value != NULL && nodes[at].value != value) {
        at = (at + 1) & (capacity - 1);
    }
    return &nodes[at];
}

static bool make_room(value_graph *graph) {
    if (graph->used * 2 < graph->capacity) {
        return true;
    }
    size_t capacity = graph->capacity == 0 ? 256 : graph->capacity * 2;
    node *nodes = calloc(capacity, sizeof *nodes);
    if (nodes == NULL) {
        return false;
    }
    for (size_t i = 0; i < graph->capacity; i++) {
        if (graph->nodes[i].value != NULL) {
            *find_slot(nodes, capacity, graph->nodes[i].value) = graph->nodes[i];
        }
    }
    free(graph->nodes);
    graph->nodes = nodes;
    graph->capacity = capacity;
    return true;
}

static bool is_dict(const fk_value *value) {
    fk_kind kind = fk_value_kind(value);
    return kind >= FK_KIND_DICT && kind <= FK_KIND_COUNTER;
}

/* Child `index`, or NULL behind the last. The ints of a torch.Size are no level of their own. */
static const fk_value *child_at(const fk_value *value, size_t index) {
    if (fk_value_kind(value) == FK_KIND_SIZE) {
        return NULL;
    }
    size_t count = fk_value_count(value);
    if (index < count) {
        return fk_value_item(value, index);
    }
    index -= count;
    if (is_dict(value)) {
        if (index < count) {
            return fk_value_key(value, index);
        }
        index -= count;
    }
    return index == 0 ? fk_value_attributes(value) : NULL;
}

/* ---- keys */

enum { LONG_KEY_BYTES = 1024 };

/* `compared` counts the bytes of long keys. */
static int compare_keys(const void *one, const void *other, void *compared) {
    const fk_value *a = *(const fk_value *const *)one;
    const fk_value *b = *(const fk_value *const *)other;
    if (a == b) {
        return 0;
    }
    int kinds = (int)fk_value_kind(a) - (int)fk_value_kind(b);
    if (kinds != 0) {
        return kinds;
    }
    if (fk_value_kind(a) == FK_KIND_INT) {
        int64_t x = fk_value_as_int(a);
        int64_t y = fk_value_as_int(b);
        return x < y ? -1 : x > y;
    }
    size_t a_bytes;
    size_t b_bytes;
    const char *x = fk_value_as_text(a, &a_bytes);
    const char *y = fk_value_as_text(b, &b_bytes);
    if (a_bytes != b_bytes) {
        return a_bytes < b_bytes ? -1 : 1;
    }
    uint64_t *count = compared;
    *count += a_bytes >= LONG_KEY_BYTES ? a_bytes : 0;
    return *count > FK_LIMIT_COMPARED_BYTES ? 0 : memcmp(x, y, a_bytes);
}

static fk_code fail_compared(fk_error *err) {
    fk_error_set(err, FK_E_LIMIT, "the long keys of dicts are more than %" PRIu64 " bytes together",
                 FK_LIMIT_COMPARED_BYTES);
    fk_error_hint(err, "use shorter keys");
    return FK_E_LIMIT;
}

/* Python would keep the last of two equal keys; no pickler writes such a file. */
static fk_code check_keys(const fk_value *dict, uint64_t *compared, fk_error *err) {
    size_t count = fk_value_count(dict);
    FK_SCOPED(fk_freep) const fk_value **keys = calloc(count + 1, sizeof *keys);
    if (keys == NULL) {
        return fk_error_no_memory(err);
    }
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const fk_value *key = fk_value_key(dict, i);
        if (fk_value_kind(key) == FK_KIND_INT || fk_value_kind(key) == FK_KIND_STRING) {
            keys[used++] = key;
        }
    }
    qsort_r(keys, used, sizeof *keys, compare_keys, compared);
    for (size_t i = 1; i < used; i++) {
        int order = compare_keys(&keys[i - 1], &keys[i], compared);
        if (*compared > FK_LIMIT_COMPARED_BYTES) {
            return fail_compared(err);
        }
        if (order != 0) {
            continue;
        }
        if (fk_value_kind(keys[i]) == FK_KIND_INT) {
            return fk_error_set(err, FK_E_CORRUPT, "a dict has the key %lld twice",
                                (long long)fk_value_as_int(keys[i]));
        }
        return fk_error_set(err, FK_E_CORRUPT, "a dict has the key '%.100s' twice",
                            fk_value_as_text(keys[i], NULL));
    }
    return FK_OK;
}

/* ---- depth */

static fk_code fail_depth(fk_error *err) {
    fk_error_set(err, FK_E_LIMIT, "values nest deeper than %u levels", FK_LIMIT_DEPTH);
    fk_error_hint(err, "store flatter data");
    return FK_E_LIMIT;
}

/* Goes down into a value, unless it is a leaf, was left, or is on the way down. `*ret_height` is
 * what it adds to its parent when it is not entered. */
static fk_code enter(value_graph *graph, const fk_value *value, uint32_t *ret_height,
                     bool *ret_entered, fk_error *err) {
    *ret_height = 0;
    *ret_entered = false;
    if (child_at(value, 0) == NULL) {
        return FK_OK;
    }
    if (!make_room(graph)) {
        return fk_error_no_memory(err);
    }
    node *slot = find_slot(graph->nodes, graph->capacity, value);
    if (slot->value != NULL) {
        *ret_height = slot->open ? 0 : slot->height;
        return FK_OK;
    }
    if (graph->depth == FK_LIMIT_DEPTH) {
        return fail_depth(err);
    }
    *slot = (node){.value = value, .open = true};
    graph->used++;
    graph->way_down[graph->depth++] = (level){.value = value};
    *ret_entered = true;
    return graph->keys && is_dict(value) ? check_keys(value, &graph->compared, err) : FK_OK;
}

/* Leaves the deepest level; its height counts for the one above. */
static void leave(value_graph *graph) {
    const level *left = &graph->way_down[--graph->depth];
    node *slot = find_slot(graph->nodes, graph->capacity, left->value);
    slot->open = false;
    slot->height = left->height + 1;
    if (graph->depth > 0) {
        level *above = &graph->way_down[graph->depth - 1];
        above->height = above->height > slot->height ? above->height : slot->height;
    }
}

fk_code fk_pickle_check_graph(const fk_value *top, bool keys, fk_error *err) {
    FK_SCOPED(graph_finish) value_graph graph;
    memset(&graph, 0, sizeof graph);
    graph.keys = keys;
    uint32_t height;
    bool entered;
    fk_code code = enter(&graph, top, &height, &entered, err);
    while (code == FK_OK && graph.depth > 0) {
        level *here = &graph.way_down[graph.depth - 1];
        const fk_value *child = child_at(here->value, here->next++);
        if (child == NULL) {
            leave(&graph);
            continue;
        }
        code = enter(&graph, child, &height, &entered, err);
        if (code == FK_OK && !entered && height > here->height) {
            here->height = height;
        }
        if (code == FK_OK && graph.depth + height > FK_LIMIT_DEPTH) {
            return fail_depth(err);
        }
    }
    return code;
}
