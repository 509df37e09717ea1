#include "checkpoint/pickle_handlers.h"

#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "value/values.h"

/* ---- numbers and constants */

static fk_code run_none(fk_machine *machine, const fk_pickle_step *step) {
    (void)step;
    return fk_machine_push_value(machine, machine->none);
}

static fk_code run_true(fk_machine *machine, const fk_pickle_step *step) {
    (void)step;
    return fk_machine_push_value(machine, machine->truths[1]);
}

static fk_code run_false(fk_machine *machine, const fk_pickle_step *step) {
    (void)step;
    return fk_machine_push_value(machine, machine->truths[0]);
}

static fk_code run_unsigned(fk_machine *machine, const fk_pickle_step *step) {
    return fk_machine_push_value(machine, fk_value_int(machine->values, (int64_t)step->number));
}

static fk_code run_binint(fk_machine *machine, const fk_pickle_step *step) {
    int32_t number = (int32_t)(uint32_t)step->number;
    return fk_machine_push_value(machine, fk_value_int(machine->values, number));
}

static fk_code run_long1(fk_machine *machine, const fk_pickle_step *step) {
    return fk_machine_push_value(machine,
                                 fk_value_big_int(machine->values, step->bytes, step->length));
}

static fk_code run_binfloat(fk_machine *machine, const fk_pickle_step *step) {
    uint64_t bits = __builtin_bswap64(step->number); /* the operand is big endian */
    double number;
    memcpy(&number, &bits, sizeof number);
    return fk_machine_push_value(machine, fk_value_float(machine->values, number));
}

/* ---- texts */

/* UTF-8, with lone surrogates as Python's surrogatepass writes them: ED A0..BF 80..BF. */
static bool is_text(const uint8_t *bytes, size_t length) {
    for (size_t at = 0; at < length;) {
        uint32_t character;
        if (bytes[at] < 0x80) {
            at++;
            continue;
        }
        size_t taken = fk_text_decode_utf8((const char *)bytes + at, length - at, &character);
        bool surrogate = taken == 0 && length - at >= 3 && bytes[at] == 0xED &&
                         bytes[at + 1] >= 0xA0 && bytes[at + 1] <= 0xBF && bytes[at + 2] >= 0x80 &&
                         bytes[at + 2] <= 0xBF;
        if (taken == 0 && !surrogate) {
            return false;
        }
        at += surrogate ? 3 : taken;
    }
    return true;
}

static fk_code push_text(fk_machine *machine, const fk_pickle_step *step, fk_kind kind) {
    if (step->length > FK_LIMIT_STRING_BYTES) {
        return fk_error_set(machine->err, FK_E_LIMIT, "a text of %zu bytes is longer than %u",
                            step->length, FK_LIMIT_STRING_BYTES);
    }
    if (kind == FK_KIND_STRING && !is_text(step->bytes, step->length)) {
        return fk_error_set(machine->err, FK_E_CORRUPT, "a str is not UTF-8");
    }
    return fk_machine_push_value(machine,
                                 fk_value_text(machine->values, kind, step->bytes, step->length));
}

static fk_code run_unicode(fk_machine *machine, const fk_pickle_step *step) {
    return push_text(machine, step, FK_KIND_STRING);
}

/* A str of Python 2; only ASCII means the same to everybody. */
static fk_code run_short_binstring(fk_machine *machine, const fk_pickle_step *step) {
    for (size_t i = 0; i < step->length; i++) {
        if (step->bytes[i] >= 0x80) {
            return fk_error_set(machine->err, FK_E_UNSUPPORTED,
                                "a str of Python 2 is not ASCII: its encoding is not known");
        }
    }
    return push_text(machine, step, FK_KIND_STRING);
}

static fk_code run_binbytes(fk_machine *machine, const fk_pickle_step *step) {
    return push_text(machine, step, FK_KIND_BYTES);
}

static fk_code run_bytearray8(fk_machine *machine, const fk_pickle_step *step) {
    return push_text(machine, step, FK_KIND_BYTEARRAY);
}

/* ---- tuples */

/* Makes a tuple of the items from `first` up and puts it in their place. */
static fk_code make_tuple(fk_machine *machine, size_t first) {
    size_t count = machine->height - first;
    /* an empty tuple may come before the stack has memory */
    const fk_item *items = count > 0 ? &machine->stack[first] : NULL;
    bool plain = true;
    for (size_t i = 0; i < count; i++) {
        plain = plain && items[i].kind == FK_ITEM_VALUE;
    }
    machine->height = first;
    if (!plain) {
        fk_mixed *mixed =
            fk_values_allocate(machine->values, sizeof *mixed + count * sizeof mixed->items[0]);
        if (mixed == NULL) {
            return fk_error_no_memory(machine->err);
        }
        mixed->count = count;
        memcpy(mixed->items, items, count * sizeof mixed->items[0]);
        return fk_machine_push(machine, (fk_item){.kind = FK_ITEM_MIXED, .mixed = mixed});
    }
    fk_value *tuple = fk_value_container(machine->values, FK_KIND_TUPLE);
    for (size_t i = 0; i < count; i++) {
        fk_code code = fk_value_append(tuple, items[i].value);
        if (code != FK_OK) {
            return code;
        }
    }
    return fk_machine_push_value(machine, tuple);
}

static fk_code run_tuple(fk_machine *machine, const fk_pickle_step *step) {
    (void)step;
    size_t first;
    fk_code code = fk_machine_unmark(machine, &first);
    return code == FK_OK ? make_tuple(machine, first) : code;
}

static fk_code run_empty_tuple(fk_machine *machine, const fk_pickle_step *step) {
    (void)step;
    return make_tuple(machine, machine->height);
}

static fk_code run_tuple_of(fk_machine *machine, const fk_pickle_step *step) {
    size_t count = (size_t)step->opcode - 0x84; /* TUPLE1 is 0x85 */
    size_t floor = machine->mark_count > 0 ? machine->marks[machine->mark_count - 1] : 0;
    if (machine->height - floor < count) {
        return fk_error_set(machine->err, FK_E_CORRUPT, "the pickle takes more items than it has");
    }
    return make_tuple(machine, machine->height - count);
}

/* ---- containers */

static fk_code push_container(fk_machine *machine, fk_kind kind) {
    return fk_machine_push_value(machine, fk_value_container(machine->values, kind));
}

static fk_code run_empty_list(fk_machine *machine, const fk_pickle_step *step) {
    (void)step;
    return push_container(machine, FK_KIND_LIST);
}

static fk_code run_empty_dict(fk_machine *machine, const fk_pickle_step *step) {
    (void)step;
    return push_container(machine, FK_KIND_DICT);
}

static fk_code run_empty_set(fk_machine *machine, const fk_pickle_step *step) {
    (void)step;
    return push_container(machine, FK_KIND_SET);
}

static bool is_opaque(const fk_item *item) {
    return item->kind == FK_ITEM_OPAQUE;
}

/* Adds one item to a list or set (`kind`), or to what stands for one in inspection. */
static fk_code add_item(fk_machine *machine, const fk_item *into, fk_kind kind,
                        const fk_item *item) {
    fk_value *value;
    fk_code code = fk_machine_value_of(machine, item, &value);
    if (code != FK_OK) {
        return code;
    }
    if (is_opaque(into)) {
        size_t count = into->opaque->dict != NULL ? fk_value_count(into->opaque->dict) : 0;
        return fk_opaque_put(machine, into->opaque, fk_value_int(machine->values, (int64_t)count),
                             value);
    }
    if (into->kind != FK_ITEM_VALUE || fk_value_kind(into->value) != kind) {
        return fk_error_set(machine->err, FK_E_CORRUPT,
                            "items are added to something that is no %s", fk_kind_name(kind));
    }
    if (kind == FK_KIND_SET) {
        code = fk_machine_check_hashable(machine, value);
    }
    return code == FK_OK ? fk_value_append(into->value, value) : code;
}

static bool is_dict(const fk_item *item) {
    if (item->kind != FK_ITEM_VALUE) {
        return false;
    }
    fk_kind kind = fk_value_kind(item->value);
    return kind == FK_KIND_DICT || kind == FK_KIND_ORDERED_DICT || kind == FK_KIND_COUNTER;
}

static fk_code add_entry(fk_machine *machine, const fk_item *into, const fk_item *key_item,
                         const fk_item *item) {
    fk_value *key;
    fk_value *value;
    fk_code code = fk_machine_value_of(machine, key_item, &key);
    if (code == FK_OK) {
        code = fk_machine_check_hashable(machine, key);
    }
    if (code == FK_OK) {
        code = fk_machine_value_of(machine, item, &value);
    }
    if (code != FK_OK) {
        return code;
    }
    if (is_opaque(into)) {
        return fk_opaque_put(machine, into->opaque, key, value);
    }
    if (!is_dict(into)) {
        return fk_error_set(machine->err, FK_E_CORRUPT,
                            "entries are added to something that is no dict");
    }
    return fk_value_put(into->value, key, value);
}

/* What stands above the last mark goes into the item below it: `adder` gets one item, or two. */
static fk_code add_from_mark(fk_machine *machine, fk_kind kind) {
    size_t first;
    fk_code code = fk_machine_unmark(machine, &first);
    if (code != FK_OK) {
        return code;
    }
    size_t height = machine->height;
    machine->height = first;
    fk_item *top;
    code = fk_machine_top(machine, &top);
    if (code != FK_OK) {
        return code;
    }
    const fk_item into = *top;
    if (kind == FK_KIND_DICT && (height - first) % 2 != 0) {
        return fk_error_set(machine->err, FK_E_CORRUPT, "a dict entry has a key without a value");
    }
    for (size_t i = first; code == FK_OK && i < height; i++) {
        if (kind == FK_KIND_DICT) {
            code = add_entry(machine, &into, &machine->stack[i], &machine->stack[i + 1]);
            i++;
        } else {
            code = add_item(machine, &into, kind, &machine->stack[i]);
        }
    }
    return code;
}

static fk_code run_appends(fk_machine *machine, const fk_pickle_step *step) {
    (void)step;
    return add_from_mark(machine, FK_KIND_LIST);
}

static fk_code run_additems(fk_machine *machine, const fk_pickle_step *step) {
    (void)step;
    return add_from_mark(machine, FK_KIND_SET);
}

static fk_code run_setitems(fk_machine *machine, const fk_pickle_step *step) {
    (void)step;
    return add_from_mark(machine, FK_KIND_DICT);
}

static fk_code run_append(fk_machine *machine, const fk_pickle_step *step) {
    (void)step;
    fk_item item;
    fk_item *into = NULL;
    fk_code code = fk_machine_pop(machine, &item);
    if (code == FK_OK) {
        code = fk_machine_top(machine, &into);
    }
    return code == FK_OK ? add_item(machine, into, FK_KIND_LIST, &item) : code;
}

static fk_code run_setitem(fk_machine *machine, const fk_pickle_step *step) {
    (void)step;
    fk_item item;
    fk_item key;
    fk_item *into = NULL;
    fk_code code = fk_machine_pop(machine, &item);
    if (code == FK_OK) {
        code = fk_machine_pop(machine, &key);
    }
    if (code == FK_OK) {
        code = fk_machine_top(machine, &into);
    }
    return code == FK_OK ? add_entry(machine, into, &key, &item) : code;
}

/* ---- stack, memo, globals */

static fk_code run_mark(fk_machine *machine, const fk_pickle_step *step) {
    (void)step;
    return fk_machine_mark(machine);
}

static fk_code run_put(fk_machine *machine, const fk_pickle_step *step) {
    return fk_machine_memo_put(machine, step->number);
}

static fk_code run_memoize(fk_machine *machine, const fk_pickle_step *step) {
    (void)step;
    return fk_machine_memo_put(machine, machine->memo_used);
}

static fk_code run_get(fk_machine *machine, const fk_pickle_step *step) {
    return fk_machine_memo_get(machine, step->number);
}

static fk_code run_global(fk_machine *machine, const fk_pickle_step *step) {
    return fk_machine_push_global(machine, step->bytes, step->length, step->second,
                                  step->second_length);
}

static fk_code run_stack_global(fk_machine *machine, const fk_pickle_step *step) {
    (void)step;
    fk_item name;
    fk_item module;
    fk_code code = fk_machine_pop(machine, &name);
    if (code == FK_OK) {
        code = fk_machine_pop(machine, &module);
    }
    if (code != FK_OK) {
        return code;
    }
    if (name.kind != FK_ITEM_VALUE || fk_value_kind(name.value) != FK_KIND_STRING ||
        module.kind != FK_ITEM_VALUE || fk_value_kind(module.value) != FK_KIND_STRING) {
        return fk_error_set(machine->err, FK_E_CORRUPT, "STACK_GLOBAL names a global by no str");
    }
    size_t name_bytes;
    size_t module_bytes;
    const char *name_text = fk_value_as_text(name.value, &name_bytes);
    const char *module_text = fk_value_as_text(module.value, &module_bytes);
    return fk_machine_push_global(machine, (const uint8_t *)module_text, module_bytes,
                                  (const uint8_t *)name_text, name_bytes);
}

static const fk_pickle_handler handlers[256] = {
    ['('] = run_mark,          [')'] = run_empty_tuple,
    ['B'] = run_binbytes,      ['C'] = run_binbytes,
    ['G'] = run_binfloat,      ['J'] = run_binint,
    ['K'] = run_unsigned,      ['M'] = run_unsigned,
    ['N'] = run_none,          ['Q'] = fk_pickle_binpersid,
    ['R'] = fk_pickle_reduce,  ['U'] = run_short_binstring,
    ['X'] = run_unicode,       ['a'] = run_append,
    ['b'] = fk_pickle_build,   ['c'] = run_global,
    ['e'] = run_appends,       ['h'] = run_get,
    ['j'] = run_get,           ['q'] = run_put,
    ['r'] = run_put,           ['s'] = run_setitem,
    ['t'] = run_tuple,         ['u'] = run_setitems,
    ['}'] = run_empty_dict,    [']'] = run_empty_list,
    [0x81] = fk_pickle_newobj, [0x85] = run_tuple_of,
    [0x86] = run_tuple_of,     [0x87] = run_tuple_of,
    [0x88] = run_true,         [0x89] = run_false,
    [0x8A] = run_long1,        [0x8C] = run_unicode,
    [0x8D] = run_unicode,      [0x8E] = run_binbytes,
    [0x8F] = run_empty_set,    [0x90] = run_additems,
    [0x93] = run_stack_global, [0x94] = run_memoize,
    [0x96] = run_bytearray8,
};

fk_pickle_handler fk_pickle_handler_of(uint8_t opcode) {
    return handlers[opcode];
}
