/* REDUCE, NEWOBJ and BUILD: the opcodes that make objects. Only what the table of
 * globals allows is made; in inspection everything else becomes an opaque item. */
#include <string.h>

#include "base/checked.h"
#include "base/limits.h"
#include "checkpoint/pickle_handlers.h"
#include "value/values.h"

/* ---- opaque items */

fk_code fk_opaque_put(fk_machine *machine, fk_opaque *opaque, fk_value *key, fk_value *item) {
    if (opaque->dict == NULL) {
        opaque->dict = fk_value_container(machine->values, FK_KIND_DICT);
    }
    return fk_value_put(opaque->dict, key, item);
}

/* What calling `module.name` gives: an opaque item that holds the arguments. */
static fk_code push_opaque_call(fk_machine *machine, const char *module, const char *name,
                                const fk_item *tuple) {
    fk_code code = machine->host->unknown(machine->host->user, module, name, true,
                                          machine->base + machine->at, machine->err);
    fk_opaque *made = fk_values_allocate(machine->values, sizeof *made);
    if (code == FK_OK && made == NULL) {
        return fk_error_no_memory(machine->err);
    }
    fk_value *arguments = machine->none;
    if (code == FK_OK) {
        *made = (fk_opaque){.module = module, .name = name};
        made->dict = fk_value_container(machine->values, FK_KIND_DICT);
        code = fk_machine_value_of(machine, tuple, &arguments);
    }
    size_t count = code == FK_OK ? fk_value_count(arguments) : 0;
    if (code == FK_OK) {
        code = fk_machine_charge(machine, count);
    }
    for (size_t i = 0; code == FK_OK && i < count; i++) {
        code = fk_opaque_put(machine, made, fk_value_int(machine->values, (int64_t)i),
                             fk_value_item(arguments, i));
    }
    if (code != FK_OK) {
        return code;
    }
    return fk_machine_push(machine, (fk_item){.kind = FK_ITEM_OPAQUE, .opaque = made});
}

/* Whether a call of the table gets something that only inspection lets through. */
static bool has_opaque(const fk_item *tuple) {
    if (tuple->kind == FK_ITEM_OPAQUE) {
        return true;
    }
    for (size_t i = 0; tuple->kind == FK_ITEM_MIXED && i < tuple->mixed->count; i++) {
        if (tuple->mixed->items[i].kind == FK_ITEM_OPAQUE) {
            return true;
        }
    }
    return false;
}

/* ---- calls */

static fk_code call(fk_machine *machine, const fk_item *callee, const fk_item *tuple) {
    if (callee->kind == FK_ITEM_OPAQUE) {
        return push_opaque_call(machine, callee->opaque->module, callee->opaque->name, tuple);
    }
    if (callee->kind != FK_ITEM_GLOBAL) {
        return fk_error_set(machine->err, FK_E_CORRUPT, "something that is no function is called");
    }
    const fk_global *global = callee->global;
    bool through =
        fk_machine_inspects(machine) && (global->kind != FK_GLOBAL_CALL ||
                                         (has_opaque(tuple) && global->call != FK_CALL_FROM_TYPE));
    if (through) {
        return push_opaque_call(machine, global->module, global->name, tuple);
    }
    fk_item arguments[FK_ARGUMENTS_MAX];
    size_t count;
    fk_value *value = NULL;
    fk_code code = fk_machine_arguments(machine, tuple, arguments, &count);
    if (code == FK_OK) {
        code = fk_pickle_call(machine, global, arguments, count, &value);
    }
    return code == FK_OK ? fk_machine_push_value(machine, value) : code;
}

static fk_code pop_call(fk_machine *machine, fk_item *ret_callee, fk_item *ret_tuple) {
    fk_code code = fk_machine_pop(machine, ret_tuple);
    return code == FK_OK ? fk_machine_pop(machine, ret_callee) : code;
}

fk_code fk_pickle_reduce(fk_machine *machine, const fk_pickle_step *step) {
    (void)step;
    fk_item callee;
    fk_item tuple;
    fk_code code = pop_call(machine, &callee, &tuple);
    return code == FK_OK ? call(machine, &callee, &tuple) : code;
}

/* cls.__new__(cls, *arguments): for containers that is an empty one, whatever the arguments. */
fk_code fk_pickle_newobj(fk_machine *machine, const fk_pickle_step *step) {
    (void)step;
    fk_item callee;
    fk_item tuple;
    fk_code code = pop_call(machine, &callee, &tuple);
    if (code != FK_OK) {
        return code;
    }
    if (callee.kind == FK_ITEM_GLOBAL) {
        fk_call made = callee.global->call;
        bool container =
            made == FK_CALL_ORDERED_DICT || made == FK_CALL_COUNTER || made == FK_CALL_SET;
        bool empty = tuple.kind == FK_ITEM_VALUE && fk_value_count(tuple.value) == 0;
        bool allowed = made == FK_CALL_SIZE || made == FK_CALL_PARAMETER || (container && empty);
        if (!allowed && !fk_machine_inspects(machine)) {
            return fk_error_set(machine->err, FK_E_UNSUPPORTED, "NEWOBJ makes a '%s.%s'",
                                callee.global->module, callee.global->name);
        }
        if (!allowed) {
            return push_opaque_call(machine, callee.global->module, callee.global->name, &tuple);
        }
    }
    return call(machine, &callee, &tuple);
}

/* ---- state */

static fk_code build_opaque(fk_machine *machine, fk_opaque *opaque, const fk_item *state_item) {
    fk_value *state;
    fk_code code = fk_machine_value_of(machine, state_item, &state);
    if (code != FK_OK) {
        return code;
    }
    if (state == opaque->dict) { /* itself, by way of the memo */
        return FK_OK;
    }
    fk_kind kind = fk_value_kind(state);
    if (kind != FK_KIND_DICT && kind != FK_KIND_ORDERED_DICT) {
        return fk_opaque_put(machine, opaque, fk_value_string(machine->values, "state"), state);
    }
    code = fk_machine_charge(machine, fk_value_count(state));
    for (size_t i = 0; code == FK_OK && i < fk_value_count(state); i++) {
        code = fk_opaque_put(machine, opaque, fk_value_key(state, i), fk_value_item(state, i));
    }
    return code;
}

/* An OrderedDict's attributes ("_metadata" of a state dict); nothing else is built. */
fk_code fk_pickle_build(fk_machine *machine, const fk_pickle_step *step) {
    (void)step;
    fk_item state;
    fk_item *built = NULL;
    fk_code code = fk_machine_pop(machine, &state);
    if (code == FK_OK) {
        code = fk_machine_top(machine, &built);
    }
    if (code != FK_OK) {
        return code;
    }
    if (built->kind == FK_ITEM_OPAQUE) {
        return build_opaque(machine, built->opaque, &state);
    }
    bool ordered =
        built->kind == FK_ITEM_VALUE && fk_value_kind(built->value) == FK_KIND_ORDERED_DICT;
    if (!ordered) {
        return fk_error_set(machine->err, FK_E_UNSUPPORTED,
                            "BUILD gives state to something that is no OrderedDict");
    }
    if (state.kind != FK_ITEM_VALUE || (fk_value_kind(state.value) != FK_KIND_DICT &&
                                        fk_value_kind(state.value) != FK_KIND_ORDERED_DICT)) {
        return fk_error_set(machine->err, FK_E_UNSUPPORTED,
                            "the attributes of an OrderedDict are no dict");
    }
    if (fk_value_attributes(built->value) != NULL) {
        return fk_error_set(machine->err, FK_E_CORRUPT, "an OrderedDict gets its attributes twice");
    }
    return fk_value_set_attributes(built->value, state.value);
}
