#include "fontkeep/value.h"

#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "base/limits.h"
#include "value/value_private.h"

enum { SLOTS_MIN = 4 };

bool fk_kind_is_text(fk_kind kind) {
    return kind == FK_KIND_STRING || kind == FK_KIND_BYTES || kind == FK_KIND_BYTEARRAY ||
           (kind >= FK_KIND_DTYPE && kind <= FK_KIND_QSCHEME);
}

bool fk_kind_is_sequence(fk_kind kind) {
    return kind >= FK_KIND_LIST && kind <= FK_KIND_SET;
}

bool fk_kind_is_dict(fk_kind kind) {
    return kind >= FK_KIND_DICT && kind <= FK_KIND_COUNTER;
}

/* ---- constructors */

fk_value *fk_value_allocate(fk_values *values, fk_kind kind) {
    fk_value *value = fk_values_allocate(values, sizeof *value);
    if (value != NULL) {
        *value = (fk_value){.values = values, .kind = kind};
    }
    return value;
}

fk_value *fk_value_none(fk_values *values) {
    return fk_value_allocate(values, FK_KIND_NONE);
}

fk_value *fk_value_bool(fk_values *values, bool truth) {
    fk_value *value = fk_value_allocate(values, FK_KIND_BOOL);
    if (value != NULL) {
        value->truth = truth;
    }
    return value;
}

fk_value *fk_value_int(fk_values *values, int64_t number) {
    fk_value *value = fk_value_allocate(values, FK_KIND_INT);
    if (value != NULL) {
        value->number = number;
    }
    return value;
}

fk_value *fk_value_float(fk_values *values, double number) {
    fk_value *value = fk_value_allocate(values, FK_KIND_FLOAT);
    if (value != NULL) {
        value->real = number;
    }
    return value;
}

void fk_value_become_float(fk_value *value, double number) {
    value->kind = FK_KIND_FLOAT;
    value->real = number;
}

fk_value *fk_value_complex(fk_values *values, double real, double imaginary) {
    fk_value *value = fk_value_allocate(values, FK_KIND_COMPLEX);
    if (value != NULL) {
        value->complex[0] = real;
        value->complex[1] = imaginary;
    }
    return value;
}

static fk_value *make_text(fk_values *values, fk_kind kind, const void *bytes, size_t length) {
    uint64_t with_nul;
    if (!fk_checked_add(length, 1, &with_nul)) {
        return NULL;
    }
    char *copy = fk_values_allocate(values, with_nul);
    fk_value *value = copy == NULL ? NULL : fk_value_allocate(values, kind);
    if (value == NULL) {
        return NULL;
    }
    if (length > 0) {
        memcpy(copy, bytes, length);
    }
    copy[length] = '\0';
    value->text.bytes = copy;
    value->text.length = length;
    return value;
}

fk_value *fk_value_text(fk_values *values, fk_kind kind, const void *bytes, size_t length) {
    assert(fk_kind_is_text(kind));
    return make_text(values, kind, bytes, length);
}

fk_value *fk_value_string(fk_values *values, const char *text) {
    return make_text(values, FK_KIND_STRING, text, strlen(text));
}

fk_value *fk_value_big_int(fk_values *values, const void *bytes, size_t length) {
    const uint8_t *from = bytes;
    if (length > FK_LIMIT_BIG_INT_BYTES) {
        return NULL;
    }
    /* a last byte that only repeats the sign of the one before says nothing */
    while (length > 1 && ((from[length - 1] == 0 && from[length - 2] < 0x80) ||
                          (from[length - 1] == 0xFF && from[length - 2] >= 0x80))) {
        length--;
    }
    if (length > sizeof(int64_t)) {
        return make_text(values, FK_KIND_BIG_INT, bytes, length);
    }
    uint64_t number = length > 0 && from[length - 1] >= 0x80 ? UINT64_MAX : 0;
    for (size_t i = length; i-- > 0;) {
        number = number << 8 | from[i];
    }
    return fk_value_int(values, (int64_t)number);
}

fk_value *fk_value_container(fk_values *values, fk_kind kind) {
    assert(fk_kind_is_sequence(kind) || fk_kind_is_dict(kind));
    fk_items *items = fk_values_allocate(values, sizeof *items);
    fk_value *value = items == NULL ? NULL : fk_value_allocate(values, kind);
    if (value != NULL) {
        *items = (fk_items){0};
        value->items = items;
    }
    return value;
}

/* ---- adding */

/* Makes room for `more` slots. Doubling keeps many appends linear; what the arena loses by moving
 * is at most as much again. */
static fk_code reserve(fk_value *container, size_t more) {
    fk_items *items = container->items;
    if (items->used / more >= FK_LIMIT_ITEMS) {
        return FK_E_LIMIT;
    }
    if (items->capacity - items->used >= more) {
        return FK_OK;
    }
    size_t capacity = items->capacity == 0 ? SLOTS_MIN : items->capacity * 2;
    fk_value **slots = fk_values_allocate(container->values, capacity * sizeof *slots);
    if (slots == NULL) {
        return FK_E_NO_MEMORY;
    }
    if (items->used > 0) {
        memcpy(slots, items->slots, items->used * sizeof *slots);
    }
    items->slots = slots;
    items->capacity = capacity;
    return FK_OK;
}

fk_code fk_value_append(fk_value *sequence, fk_value *item) {
    if (sequence == NULL || item == NULL) {
        return FK_E_NO_MEMORY;
    }
    assert(fk_kind_is_sequence(sequence->kind));
    fk_code code = reserve(sequence, 1);
    if (code == FK_OK) {
        sequence->items->slots[sequence->items->used++] = item;
    }
    return code;
}

fk_code fk_value_put(fk_value *dict, fk_value *key, fk_value *item) {
    if (dict == NULL || key == NULL || item == NULL) {
        return FK_E_NO_MEMORY;
    }
    assert(fk_kind_is_dict(dict->kind));
    fk_code code = reserve(dict, 2);
    if (code == FK_OK) {
        dict->items->slots[dict->items->used++] = key;
        dict->items->slots[dict->items->used++] = item;
    }
    return code;
}

/* The slot of a string key's item, or NULL. */
static fk_value **find(const fk_value *dict, const char *key) {
    size_t length = strlen(key);
    for (size_t i = 0; i < dict->items->used; i += 2) {
        const fk_value *other = dict->items->slots[i];
        if (other->kind == FK_KIND_STRING && other->text.length == length &&
            memcmp(other->text.bytes, key, length) == 0) {
            return &dict->items->slots[i + 1];
        }
    }
    return NULL;
}

fk_code fk_value_set(fk_value *dict, const char *key, fk_value *item) {
    if (dict == NULL || item == NULL) {
        return FK_E_NO_MEMORY;
    }
    assert(fk_kind_is_dict(dict->kind));
    fk_value **slot = find(dict, key);
    if (slot != NULL) {
        *slot = item;
        return FK_OK;
    }
    return fk_value_put(dict, fk_value_string(dict->values, key), item);
}

fk_code fk_value_set_attributes(fk_value *value, fk_value *attributes) {
    if (value == NULL || attributes == NULL) {
        return FK_E_NO_MEMORY;
    }
    assert(attributes->kind == FK_KIND_DICT || attributes->kind == FK_KIND_ORDERED_DICT);
    assert(value->kind == FK_KIND_TENSOR || value->kind == FK_KIND_ORDERED_DICT);
    if (value->kind == FK_KIND_TENSOR) {
        value->view->attributes = attributes;
    } else {
        value->items->attributes = attributes;
    }
    return FK_OK;
}

/* ---- accessors */

fk_kind fk_value_kind(const fk_value *value) {
    return value->kind;
}

const char *fk_kind_name(fk_kind kind) {
    static const char *const names[] = {
        [FK_KIND_NONE] = "None",
        [FK_KIND_BOOL] = "bool",
        [FK_KIND_INT] = "int",
        [FK_KIND_BIG_INT] = "int",
        [FK_KIND_FLOAT] = "float",
        [FK_KIND_COMPLEX] = "complex",
        [FK_KIND_STRING] = "str",
        [FK_KIND_BYTES] = "bytes",
        [FK_KIND_BYTEARRAY] = "bytearray",
        [FK_KIND_LIST] = "list",
        [FK_KIND_TUPLE] = "tuple",
        [FK_KIND_SIZE] = "torch.Size",
        [FK_KIND_SET] = "set",
        [FK_KIND_DICT] = "dict",
        [FK_KIND_ORDERED_DICT] = "OrderedDict",
        [FK_KIND_COUNTER] = "Counter",
        [FK_KIND_DTYPE] = "torch.dtype",
        [FK_KIND_DEVICE] = "torch.device",
        [FK_KIND_LAYOUT] = "torch.layout",
        [FK_KIND_QSCHEME] = "torch.qscheme",
        [FK_KIND_TENSOR] = "tensor",
    };
    return (unsigned)kind < sizeof names / sizeof names[0] ? names[kind] : "unknown";
}

bool fk_value_as_bool(const fk_value *value) {
    assert(value->kind == FK_KIND_BOOL);
    return value->truth;
}

int64_t fk_value_as_int(const fk_value *value) {
    assert(value->kind == FK_KIND_INT);
    return value->number;
}

double fk_value_as_float(const fk_value *value) {
    assert(value->kind == FK_KIND_FLOAT || value->kind == FK_KIND_INT);
    return value->kind == FK_KIND_FLOAT ? value->real : (double)value->number;
}

void fk_value_as_complex(const fk_value *value, double *ret_real, double *ret_imaginary) {
    assert(value->kind == FK_KIND_COMPLEX);
    *ret_real = value->complex[0];
    *ret_imaginary = value->complex[1];
}

const char *fk_value_as_text(const fk_value *value, size_t *ret_length) {
    assert(fk_kind_is_text(value->kind) || value->kind == FK_KIND_BIG_INT);
    if (ret_length != NULL) {
        *ret_length = value->text.length;
    }
    return value->text.bytes;
}

size_t fk_value_count(const fk_value *value) {
    if (fk_kind_is_sequence(value->kind)) {
        return value->items->used;
    }
    return fk_kind_is_dict(value->kind) ? value->items->used / 2 : 0;
}

fk_value *fk_value_item(const fk_value *container, size_t index) {
    assert(index < fk_value_count(container));
    bool dict = fk_kind_is_dict(container->kind);
    return container->items->slots[dict ? 2 * index + 1 : index];
}

fk_value *fk_value_key(const fk_value *dict, size_t index) {
    assert(fk_kind_is_dict(dict->kind) && index < fk_value_count(dict));
    return dict->items->slots[2 * index];
}

fk_value *fk_value_get(const fk_value *dict, const char *key) {
    if (dict == NULL || !fk_kind_is_dict(dict->kind)) {
        return NULL;
    }
    fk_value **slot = find(dict, key);
    return slot == NULL ? NULL : *slot;
}

fk_value *fk_value_attributes(const fk_value *value) {
    if (value->kind == FK_KIND_TENSOR) {
        return value->view->attributes;
    }
    return value->kind == FK_KIND_ORDERED_DICT ? value->items->attributes : NULL;
}
