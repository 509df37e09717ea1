#include "checkpoint/pickle_machine.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "value/values.h"

/* What calls may copy, beyond what stands in the pickle itself. */
enum { CHARGE_FACTOR = 16, CHARGE_FREE_BYTES = 1 << 20 };

fk_code fk_machine_init(fk_machine *machine, const fk_pickle_host *host, fk_values *values,
                        fk_error *err) {
    *machine = (fk_machine){.host = host, .values = values, .err = err};
    machine->none = fk_value_none(values);
    machine->truths[0] = fk_value_bool(values, false);
    machine->truths[1] = fk_value_bool(values, true);
    if (machine->none == NULL || machine->truths[0] == NULL || machine->truths[1] == NULL) {
        return fk_error_no_memory(err);
    }
    return FK_OK;
}

void fk_machine_finish(fk_machine *machine) {
    free(machine->stack);
    free(machine->marks);
    free(machine->memo);
}

/* Grows an array to hold `needed` items at least, zeroing what is new. */
static bool grow(void **array, size_t *capacity, size_t needed, size_t item_bytes) {
    if (needed <= *capacity) {
        return true;
    }
    size_t larger = *capacity < 64 ? 64 : *capacity;
    while (larger < needed) {
        larger *= 2;
    }
    char *grown = realloc(*array, larger * item_bytes);
    if (grown == NULL) {
        return false;
    }
    memset(grown + *capacity * item_bytes, 0, (larger - *capacity) * item_bytes);
    *array = grown;
    *capacity = larger;
    return true;
}

/* ---- stack and marks */

static fk_code fail_stack_limit(fk_machine *machine) {
    return fk_error_set(machine->err, FK_E_LIMIT,
                        "the pickle keeps more than %u items on its stack", FK_LIMIT_PICKLE_STACK);
}

fk_code fk_machine_push(fk_machine *machine, fk_item item) {
    if (machine->height >= FK_LIMIT_PICKLE_STACK) {
        return fail_stack_limit(machine);
    }
    if (!grow((void **)&machine->stack, &machine->capacity, machine->height + 1,
              sizeof machine->stack[0])) {
        return fk_error_no_memory(machine->err);
    }
    machine->stack[machine->height++] = item;
    return FK_OK;
}

fk_code fk_machine_push_value(fk_machine *machine, fk_value *value) {
    if (value == NULL) {
        return fk_error_no_memory(machine->err);
    }
    return fk_machine_push(machine, (fk_item){.kind = FK_ITEM_VALUE, .value = value});
}

fk_code fk_machine_top(fk_machine *machine, fk_item **ret_item) {
    size_t floor = machine->mark_count > 0 ? machine->marks[machine->mark_count - 1] : 0;
    if (machine->height <= floor) {
        return fk_error_set(machine->err, FK_E_CORRUPT, "the pickle takes more items than it has");
    }
    *ret_item = &machine->stack[machine->height - 1];
    return FK_OK;
}

fk_code fk_machine_pop(fk_machine *machine, fk_item *ret_item) {
    fk_item *top;
    fk_code code = fk_machine_top(machine, &top);
    if (code == FK_OK) {
        *ret_item = *top;
        machine->height--;
    }
    return code;
}

fk_code fk_machine_mark(fk_machine *machine) {
    if (machine->mark_count >= FK_LIMIT_PICKLE_STACK) {
        return fail_stack_limit(machine);
    }
    if (!grow((void **)&machine->marks, &machine->mark_capacity, machine->mark_count + 1,
              sizeof machine->marks[0])) {
        return fk_error_no_memory(machine->err);
    }
    machine->marks[machine->mark_count++] = machine->height;
    return FK_OK;
}

fk_code fk_machine_unmark(fk_machine *machine, size_t *ret_first) {
    if (machine->mark_count == 0) {
        return fk_error_set(machine->err, FK_E_CORRUPT,
                            "the pickle needs a MARK that is not there");
    }
    *ret_first = machine->marks[--machine->mark_count];
    return FK_OK;
}

/* ---- memo */

static bool is_unset(const fk_item *item) {
    return item->kind == FK_ITEM_VALUE && item->value == NULL;
}

fk_code fk_machine_memo_put(fk_machine *machine, uint64_t index) {
    fk_item *top;
    fk_code code = fk_machine_top(machine, &top);
    if (code != FK_OK) {
        return code;
    }
    if (index > machine->opcodes) {
        return fk_error_set(machine->err, FK_E_CORRUPT,
                            "memo index %llu is higher than the number of opcodes",
                            (unsigned long long)index);
    }
    if (!grow((void **)&machine->memo, &machine->memo_capacity, (size_t)index + 1,
              sizeof machine->memo[0])) {
        return fk_error_no_memory(machine->err);
    }
    machine->memo_used += is_unset(&machine->memo[index]);
    machine->memo[index] = *top;
    return FK_OK;
}

fk_code fk_machine_memo_get(fk_machine *machine, uint64_t index) {
    if (index >= machine->memo_capacity || is_unset(&machine->memo[index])) {
        return fk_error_set(machine->err, FK_E_CORRUPT, "memo index %llu was never set",
                            (unsigned long long)index);
    }
    return fk_machine_push(machine, machine->memo[index]);
}

/* ---- items */

static fk_code fail_not_a_value(fk_machine *machine, const fk_item *item) {
    if (item->kind == FK_ITEM_GLOBAL) {
        fk_error_set(machine->err, FK_E_UNSUPPORTED, "'%s.%s' itself is stored as a value",
                     item->global->module, item->global->name);
    } else if (item->kind == FK_ITEM_STORAGE || item->kind == FK_ITEM_PART) {
        fk_error_set(machine->err, FK_E_UNSUPPORTED, "a storage itself is stored as a value");
        fk_error_hint(machine->err, "store a tensor that looks at it instead");
    } else {
        fk_error_set(machine->err, FK_E_UNSUPPORTED, "a tuple with a class or storage is stored");
    }
    return FK_E_UNSUPPORTED;
}

/* In inspection, the values among the items of a mixed tuple. */
static fk_code list_mixed(fk_machine *machine, const fk_mixed *mixed, fk_value **ret_value) {
    fk_value *tuple = fk_value_container(machine->values, FK_KIND_TUPLE);
    fk_code code = fk_machine_charge(machine, mixed->count);
    for (size_t i = 0; code == FK_OK && i < mixed->count; i++) {
        const fk_item *item = &mixed->items[i];
        fk_value *value = machine->none;
        if (item->kind == FK_ITEM_VALUE) {
            value = item->value;
        } else if (item->kind == FK_ITEM_OPAQUE && item->opaque->dict != NULL) {
            value = item->opaque->dict;
        }
        code = fk_value_append(tuple, value);
    }
    *ret_value = tuple;
    return code;
}

fk_code fk_machine_value_of(fk_machine *machine, const fk_item *item, fk_value **ret_value) {
    if (item->kind == FK_ITEM_VALUE) {
        *ret_value = item->value;
        return FK_OK;
    }
    if (!fk_machine_inspects(machine)) {
        return fail_not_a_value(machine, item);
    }
    if (item->kind == FK_ITEM_MIXED) {
        return list_mixed(machine, item->mixed, ret_value);
    }
    bool filled = item->kind == FK_ITEM_OPAQUE && item->opaque->dict != NULL;
    *ret_value = filled ? item->opaque->dict : machine->none;
    return FK_OK;
}

fk_code fk_machine_check_hashable(fk_machine *machine, const fk_value *value) {
    fk_kind kind = fk_value_kind(value);
    bool hashable = kind != FK_KIND_LIST && kind != FK_KIND_SET && kind != FK_KIND_BYTEARRAY &&
                    kind != FK_KIND_DICT && kind != FK_KIND_ORDERED_DICT && kind != FK_KIND_COUNTER;
    if (hashable || fk_machine_inspects(machine)) {
        return FK_OK;
    }
    return fk_error_set(machine->err, FK_E_CORRUPT, "a %s is used as a key or set item",
                        fk_kind_name(kind));
}

fk_code fk_machine_charge(fk_machine *machine, uint64_t bytes) {
    /* neither can wrap: the pickle has at most FK_LIMIT_PICKLE_BYTES, a copy FK_LIMIT_STRING_BYTES
     */
    machine->copied += bytes;
    if (machine->copied > machine->length * (uint64_t)CHARGE_FACTOR + CHARGE_FREE_BYTES) {
        return fk_error_set(machine->err, FK_E_LIMIT,
                            "the pickle copies its values again and again, %llu bytes in all",
                            (unsigned long long)machine->copied);
    }
    return FK_OK;
}

fk_code fk_machine_arguments(fk_machine *machine, const fk_item *tuple,
                             fk_item ret_items[FK_ARGUMENTS_MAX], size_t *ret_count) {
    bool is_tuple = tuple->kind == FK_ITEM_MIXED ||
                    (tuple->kind == FK_ITEM_VALUE && fk_value_kind(tuple->value) == FK_KIND_TUPLE);
    if (!is_tuple) {
        return fk_error_set(machine->err, FK_E_CORRUPT, "the arguments of a call are no tuple");
    }
    size_t count =
        tuple->kind == FK_ITEM_MIXED ? tuple->mixed->count : fk_value_count(tuple->value);
    if (count > FK_ARGUMENTS_MAX) {
        return fk_error_set(machine->err, FK_E_CORRUPT, "a call has %zu arguments", count);
    }
    for (size_t i = 0; i < count; i++) {
        ret_items[i] =
            tuple->kind == FK_ITEM_MIXED
                ? tuple->mixed->items[i]
                : (fk_item){.kind = FK_ITEM_VALUE, .value = fk_value_item(tuple->value, i)};
    }
    *ret_count = count;
    return FK_OK;
}

/* ---- globals */

/* Copies a name into the arena, what is not printable ASCII as '?'. */
static const char *copy_name(fk_machine *machine, const uint8_t *name, size_t bytes) {
    enum { NAME_BYTES_MAX = 200 };
    size_t kept = bytes < NAME_BYTES_MAX ? bytes : NAME_BYTES_MAX;
    char *copy = fk_values_allocate(machine->values, kept + 1);
    if (copy != NULL) {
        for (size_t i = 0; i < kept; i++) {
            copy[i] = name[i] > 0x20 && name[i] < 0x7F ? (char)name[i] : '?';
        }
        copy[kept] = '\0';
    }
    return copy;
}

/* A global that is not read: refused, or an opaque item in inspection. */
static fk_code push_refused(fk_machine *machine, const fk_global *refused, const char *module,
                            const char *name) {
    if (module == NULL || name == NULL) {
        return fk_error_no_memory(machine->err);
    }
    if (fk_machine_inspects(machine)) {
        fk_opaque *opaque = fk_values_allocate(machine->values, sizeof *opaque);
        if (opaque == NULL) {
            return fk_error_no_memory(machine->err);
        }
        *opaque = (fk_opaque){.module = module, .name = name, .refused = refused};
        fk_code code = machine->host->unknown(machine->host->user, module, name, false,
                                              machine->base + machine->at, machine->err);
        if (code != FK_OK) {
            return code;
        }
        return fk_machine_push(machine, (fk_item){.kind = FK_ITEM_OPAQUE, .opaque = opaque});
    }
    fk_error_set(machine->err, FK_E_UNSUPPORTED, "the file holds a '%s.%s', which is not read",
                 module, name);
    if (refused != NULL) {
        fk_error_hint(machine->err, "%s", refused->hint);
    } else {
        fk_error_hint(machine->err, "save only tensors and plain values; load this file with "
                                    "torch.load(..., weights_only=False) only if you trust it");
    }
    return FK_E_UNSUPPORTED;
}

fk_code fk_machine_push_global(fk_machine *machine, const uint8_t *module, size_t module_bytes,
                               const uint8_t *name, size_t name_bytes) {
    const fk_global *global = fk_global_find(module, module_bytes, name, name_bytes);
    if (global == NULL) {
        return push_refused(machine, NULL, copy_name(machine, module, module_bytes),
                            copy_name(machine, name, name_bytes));
    }
    switch (global->kind) {
    case FK_GLOBAL_REFUSED:
        return push_refused(machine, global, global->module, global->name);
    case FK_GLOBAL_DTYPE:
        return fk_machine_push_value(machine, fk_value_text(machine->values, FK_KIND_DTYPE,
                                                            global->name, strlen(global->name)));
    case FK_GLOBAL_QSCHEME:
        return fk_machine_push_value(machine, fk_value_text(machine->values, FK_KIND_QSCHEME,
                                                            global->name, strlen(global->name)));
    default:
        return fk_machine_push(machine, (fk_item){.kind = FK_ITEM_GLOBAL, .global = global});
    }
}
