#include "value/compare.h"

#include <inttypes.h>
#include <string.h>

#include "base/limits.h"

/* Two containers that are being compared, and which of their items. */
typedef struct level {
    const fk_value *one;
    const fk_value *other;
    size_t index; /* their count: none of them, the attributes */
} level;

typedef struct comparison {
    size_t visited;
    bool limit;
    size_t depth; /* once a difference is found, it stays: the way to it */
    level way_down[FK_LIMIT_DEPTH];
} comparison;

/* ---- tensors ------------------------------------------------------------------------------ */

static bool same_shape(const fk_tensor *one, const fk_tensor *other) {
    if (one->dtype != other->dtype || one->flags != other->flags || one->rank != other->rank) {
        return false;
    }
    for (uint32_t i = 0; i < one->rank; i++) {
        if (one->shape[i] != other->shape[i]) {
            return false;
        }
    }
    return true;
}

static int64_t place_of(const fk_tensor *tensor, const int64_t *index) {
    int64_t at = 0;
    for (uint32_t d = 0; d < tensor->rank; d++) {
        at += index[d] * tensor->strides[d];
    }
    return at;
}

static bool same_elements(const fk_tensor *one, const fk_tensor *other) {
    size_t width = fk_dtype_bytes(one->dtype);
    uint64_t elements = fk_tensor_elements(one);
    const uint8_t *a = fk_tensor_data(one);
    const uint8_t *b = fk_tensor_data(other);
    int64_t index[FK_LIMIT_RANK] = {0};
    if (elements == 0) {
        return true;
    }
    if (fk_tensor_is_contiguous(one) && fk_tensor_is_contiguous(other)) {
        return memcmp(a, b, (size_t)elements * width) == 0;
    }
    for (uint64_t i = 0; i < elements; i++) {
        if (memcmp(a + place_of(one, index) * (int64_t)width,
                   b + place_of(other, index) * (int64_t)width, width) != 0) {
            return false;
        }
        for (uint32_t d = one->rank; d-- > 0;) {
            if (++index[d] < one->shape[d]) {
                break;
            }
            index[d] = 0;
        }
    }
    return true;
}

static bool same_tensor(const fk_value *one, const fk_value *other) {
    const fk_tensor *a = fk_value_as_tensor(one);
    const fk_tensor *b = fk_value_as_tensor(other);
    return same_shape(a, b) && same_elements(a, b);
}

/* ---- values ------------------------------------------------------------------------------- */

static bool same_text(const fk_value *one, const fk_value *other) {
    size_t a_length = 0;
    size_t b_length = 0;
    const char *a = fk_value_as_text(one, &a_length);
    const char *b = fk_value_as_text(other, &b_length);
    return a_length == b_length && memcmp(a, b, a_length) == 0;
}

/* NaNs and zeros count by their bits. */
static bool same_bits(double one, double other) {
    uint64_t a;
    uint64_t b;
    memcpy(&a, &one, sizeof a);
    memcpy(&b, &other, sizeof b);
    return a == b;
}

static bool same_complex(const fk_value *one, const fk_value *other) {
    double a[2];
    double b[2];
    fk_value_as_complex(one, &a[0], &a[1]);
    fk_value_as_complex(other, &b[0], &b[1]);
    return same_bits(a[0], b[0]) && same_bits(a[1], b[1]);
}

/* All of a value but what is below it. */
static bool same_top(const fk_value *one, const fk_value *other) {
    if (fk_value_kind(one) != fk_value_kind(other) ||
        fk_value_count(one) != fk_value_count(other)) {
        return false;
    }
    switch (fk_value_kind(one)) {
    case FK_KIND_BOOL:
        return fk_value_as_bool(one) == fk_value_as_bool(other);
    case FK_KIND_INT:
        return fk_value_as_int(one) == fk_value_as_int(other);
    case FK_KIND_FLOAT:
        return same_bits(fk_value_as_float(one), fk_value_as_float(other));
    case FK_KIND_COMPLEX:
        return same_complex(one, other);
    case FK_KIND_TENSOR:
        return same_tensor(one, other);
    case FK_KIND_BIG_INT:
    case FK_KIND_STRING:
    case FK_KIND_BYTES:
    case FK_KIND_BYTEARRAY:
    case FK_KIND_DTYPE:
    case FK_KIND_DEVICE:
    case FK_KIND_LAYOUT:
    case FK_KIND_QSCHEME:
        return same_text(one, other);
    default:
        return true;
    }
}

static bool is_dict(const fk_value *value) {
    fk_kind kind = fk_value_kind(value);
    return kind == FK_KIND_DICT || kind == FK_KIND_ORDERED_DICT || kind == FK_KIND_COUNTER;
}

static bool same(comparison *it, const fk_value *one, const fk_value *other);

static bool same_children(comparison *it, level *here) {
    const fk_value *one = here->one;
    const fk_value *other = here->other;
    bool dict = is_dict(one);
    for (here->index = 0; here->index < fk_value_count(one); here->index++) {
        size_t i = here->index;
        bool keys = !dict || same(it, fk_value_key(one, i), fk_value_key(other, i));
        if (!keys || !same(it, fk_value_item(one, i), fk_value_item(other, i))) {
            return false;
        }
    }
    const fk_value *a = fk_value_attributes(one);
    const fk_value *b = fk_value_attributes(other);
    return (a == NULL) == (b == NULL) && (a == NULL || same(it, a, b));
}

/* Of two that come back to themselves, both must do so at the same height. */
static bool same_below(comparison *it, const fk_value *one, const fk_value *other) {
    for (size_t i = 0; i < it->depth; i++) {
        const level *above = &it->way_down[i];
        if (above->one == one || above->other == other) {
            return above->one == one && above->other == other;
        }
    }
    if (it->depth == FK_LIMIT_DEPTH) {
        it->limit = true;
        return false;
    }
    level *here = &it->way_down[it->depth++];
    *here = (level){.one = one, .other = other};
    bool equal = same_children(it, here);
    it->depth -= equal;
    return equal;
}

static bool same(comparison *it, const fk_value *one, const fk_value *other) {
    if (++it->visited > FK_LIMIT_COMPARED_VALUES) {
        it->limit = true;
        return false;
    }
    if (!same_top(one, other)) {
        return false;
    }
    bool has_children = fk_value_count(one) > 0 || fk_value_attributes(one) != NULL ||
                        fk_value_attributes(other) != NULL;
    return !has_children || same_below(it, one, other);
}

static void append_way(const comparison *it, fk_buffer *path) {
    for (size_t i = 0; i < it->depth; i++) {
        const level *at = &it->way_down[i];
        if (at->index == fk_value_count(at->one)) {
            continue;
        }
        const fk_value *key = is_dict(at->one) ? fk_value_key(at->one, at->index) : NULL;
        fk_buffer_append_text(path, path->length > 0 ? "." : "");
        if (key != NULL && fk_value_kind(key) == FK_KIND_STRING) {
            fk_buffer_append_text(path, fk_value_as_text(key, NULL));
        } else {
            fk_buffer_append_format(path, "%zu", at->index);
        }
    }
}

fk_code fk_value_compare(const fk_value *one, const fk_value *other, bool *ret_equal,
                         fk_buffer *path, fk_error *err) {
    comparison it;
    it.depth = 0;
    it.visited = 0;
    it.limit = false;
    bool equal = same(&it, one, other);
    if (it.limit) {
        fk_error_set(err, FK_E_LIMIT, "the values are too deep, or too many, to be compared");
        fk_error_hint(err, "store flatter data");
        return FK_E_LIMIT;
    }
    append_way(&it, path);
    if (!fk_buffer_append_byte(path, '\0')) {
        return fk_error_no_memory(err);
    }
    path->length--;
    *ret_equal = equal;
    return FK_OK;
}
