#include <string.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "value/dotted_path.h"
#include "value/seen.h"
#include "value/value_private.h"

typedef struct walker {
    fk_value_visitor visit;
    void *user;
    fk_buffer path;
    uint64_t repeated;  /* visits within what was visited before */
    size_t repeating;   /* levels of the way down that were */
    fk_seen containers; /* that were visited */
    size_t depth;
    /* containers and tensors that are being walked; the last may be a torch.Size, which is no level
     * of its own */
    const fk_value *way_down[FK_LIMIT_DEPTH + 1];
    fk_error *err;
} walker;

static fk_code walk_value(walker *walk, const fk_value *value);

/* Walks one child; the path is as long as before when it returns. `key` NULL: item `index`. */
static fk_code walk_child(walker *walk, const fk_value *key, size_t index, const fk_value *child) {
    fk_buffer *path = &walk->path;
    size_t length = path->length;
    if (key != NULL ? !fk_dotted_path_add_key(path, key) : !fk_dotted_path_add_index(path, index)) {
        return fk_error_no_memory(walk->err);
    }
    fk_code code = walk_value(walk, child);
    path->length = length;
    if (path->bytes != NULL) {
        path->bytes[length] = '\0';
    }
    return code;
}

static fk_code walk_children(walker *walk, const fk_value *value) {
    bool dict = fk_kind_is_dict(value->kind);
    for (size_t i = 0; i < fk_value_count(value); i++) {
        fk_code code =
            walk_child(walk, dict ? fk_value_key(value, i) : NULL, i, fk_value_item(value, i));
        if (code != FK_OK) {
            return code;
        }
    }
    const fk_value *attributes = fk_value_attributes(value);
    for (size_t i = 0; attributes != NULL && i < fk_value_count(attributes); i++) {
        fk_code code =
            walk_child(walk, fk_value_key(attributes, i), i, fk_value_item(attributes, i));
        if (code != FK_OK) {
            return code;
        }
    }
    return FK_OK;
}

static const char *path_text(const walker *walk) {
    return walk->path.bytes == NULL ? "" : (const char *)walk->path.bytes;
}

/* What is there once is walked once; how often shared parts occur can double with every level. */
static fk_code count_visit(walker *walk) {
    walk->repeated += walk->repeating > 0;
    if (walk->repeated <= FK_LIMIT_REPEATS) {
        return FK_OK;
    }
    fk_error_set(walk->err, FK_E_LIMIT,
                 "more than %u values in containers that occur again, reached at '%s'",
                 FK_LIMIT_REPEATS, path_text(walk));
    fk_error_hint(walk->err, "store large data as tensors");
    return FK_E_LIMIT;
}

static fk_code walk_value(walker *walk, const fk_value *value) {
    fk_code code = count_visit(walk);
    if (code != FK_OK) {
        return code;
    }
    code = walk->visit(walk->user, path_text(walk), value, walk->err);
    if (code != FK_OK || (fk_value_count(value) == 0 && fk_value_attributes(value) == NULL)) {
        return code;
    }
    for (size_t i = 0; i < walk->depth; i++) {
        if (walk->way_down[i] == value) {
            return FK_OK;
        }
    }
    if (walk->depth == FK_LIMIT_DEPTH && value->kind != FK_KIND_SIZE) {
        code = fk_error_set(walk->err, FK_E_LIMIT, "nesting deeper than %u levels at '%s'",
                            FK_LIMIT_DEPTH, path_text(walk));
        fk_error_hint(walk->err, "store flatter data");
        return code;
    }
    bool again = false;
    if (!fk_seen_add(&walk->containers, value, &again)) {
        return fk_error_no_memory(walk->err);
    }
    walk->way_down[walk->depth++] = value;
    walk->repeating += again;
    code = walk_children(walk, value);
    walk->repeating -= again;
    walk->depth--;
    return code;
}

static void walk_finish(walker *walk) {
    fk_buffer_finish(&walk->path);
    fk_seen_finish(&walk->containers);
}

fk_code fk_value_walk(const fk_value *root, const char *root_path, fk_value_visitor visit,
                      void *user, fk_error *err) {
    FK_SCOPED(walk_finish) walker walk;
    memset(&walk, 0, offsetof(walker, way_down));
    walk.visit = visit;
    walk.user = user;
    walk.err = err;
    if (!fk_buffer_append_text(&walk.path, root_path)) {
        return fk_error_no_memory(err);
    }
    return walk_value(&walk, root);
}
