#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "base/limits.h"
#include "checkpoint/pickle_machine.h"
#include "value/dtype.h"
#include "value/values.h"

/* What the tensor rebuilders of torch._utils take:
 *   _rebuild_tensor     storage, offset, size, stride
 *   _rebuild_tensor_v2  storage, offset, size, stride, requires_grad, hooks [, metadata]
 *   _rebuild_tensor_v3  storage, offset, size, stride, requires_grad, hooks, dtype [, metadata]
 */
enum {
    STORAGE,
    OFFSET,
    SIZE,
    STRIDE,
    REQUIRES_GRAD,
    HOOKS,
    V2_METADATA,
    V3_DTYPE = 6,
    V3_METADATA
};

static fk_code fail(fk_machine *machine, const char *what) {
    return fk_error_set(machine->err, FK_E_CORRUPT, "a tensor's %s", what);
}

static bool is_kind(const fk_item *item, fk_kind kind) {
    return item->kind == FK_ITEM_VALUE && fk_value_kind(item->value) == kind;
}

/* Sizes or strides: a tuple of non-negative ints into room for FK_LIMIT_RANK. */
static fk_code read_extents(fk_machine *machine, const fk_item *item, const char *what,
                            int64_t *ret_extents, uint32_t *ret_rank) {
    if (!is_kind(item, FK_KIND_TUPLE) && !is_kind(item, FK_KIND_SIZE)) {
        return fk_error_set(machine->err, FK_E_CORRUPT, "a tensor's %s is no tuple", what);
    }
    size_t rank = fk_value_count(item->value);
    if (rank > FK_LIMIT_RANK) {
        return fk_error_set(machine->err, FK_E_LIMIT, "a tensor has %zu dimensions, more than %u",
                            rank, FK_LIMIT_RANK);
    }
    for (size_t i = 0; i < rank; i++) {
        const fk_value *extent = fk_value_item(item->value, i);
        if (fk_value_kind(extent) != FK_KIND_INT || fk_value_as_int(extent) < 0) {
            return fk_error_set(machine->err, FK_E_CORRUPT,
                                "a tensor's %s holds something else than whole numbers from 0",
                                what);
        }
        ret_extents[i] = fk_value_as_int(extent);
    }
    *ret_rank = (uint32_t)rank;
    return FK_OK;
}

/* The hooks that a file can hold are none: None, {} or an empty OrderedDict. */
static bool hooks_are_empty(const fk_item *hooks) {
    return is_kind(hooks, FK_KIND_NONE) ||
           ((is_kind(hooks, FK_KIND_DICT) || is_kind(hooks, FK_KIND_ORDERED_DICT)) &&
            fk_value_count(hooks->value) == 0 && fk_value_attributes(hooks->value) == NULL);
}

static fk_code read_flags(fk_machine *machine, const fk_item *requires_grad, const fk_item *hooks,
                          fk_tensor *tensor) {
    if (!is_kind(requires_grad, FK_KIND_BOOL)) {
        return fail(machine, "requires_grad is no bool");
    }
    if (!hooks_are_empty(hooks)) {
        return fail(machine, "hooks are not empty");
    }
    tensor->flags &= ~(uint32_t)FK_TENSOR_REQUIRES_GRAD;
    if (fk_value_as_bool(requires_grad->value)) {
        tensor->flags |= FK_TENSOR_REQUIRES_GRAD;
    }
    return FK_OK;
}

/* {"conj": True, "neg": True}, either, none, or None. */
static fk_code read_metadata(fk_machine *machine, const fk_item *metadata, fk_tensor *tensor) {
    if (is_kind(metadata, FK_KIND_NONE)) {
        return FK_OK;
    }
    if (!is_kind(metadata, FK_KIND_DICT)) {
        return fail(machine, "metadata is no dict");
    }
    for (size_t i = 0; i < fk_value_count(metadata->value); i++) {
        const fk_value *key = fk_value_key(metadata->value, i);
        const fk_value *item = fk_value_item(metadata->value, i);
        if (fk_value_kind(key) != FK_KIND_STRING || fk_value_kind(item) != FK_KIND_BOOL) {
            return fail(machine, "metadata is not understood");
        }
        const char *name = fk_value_as_text(key, NULL);
        uint32_t flag = strcmp(name, "conj") == 0  ? FK_TENSOR_CONJ
                        : strcmp(name, "neg") == 0 ? FK_TENSOR_NEG
                                                   : 0;
        if (flag == 0) {
            return fk_error_set(machine->err, FK_E_UNSUPPORTED,
                                "a tensor has the unknown metadata '%.80s'", name);
        }
        if (fk_value_as_bool(item)) {
            tensor->flags |= flag;
        }
    }
    return FK_OK;
}

/* Makes the value once everything about a tensor is known; its view must lie in its storage. */
static fk_code make_tensor(fk_machine *machine, fk_tensor *tensor, fk_value **ret_value) {
    uint64_t elements = 1;
    for (uint32_t i = 0; i < tensor->rank; i++) {
        if (tensor->shape[i] != 0 &&
            !fk_checked_multiply(elements, (uint64_t)tensor->shape[i], &elements)) {
            return fail(machine, "size overflows");
        }
    }
    uint64_t bytes;
    if (!fk_checked_multiply(elements, fk_dtype_bytes(tensor->dtype), &bytes) ||
        bytes > INT64_MAX) {
        return fail(machine, "size overflows");
    }
    uint64_t first;
    uint64_t end;
    if (!fk_tensor_span(tensor, &first, &end)) {
        return fail(machine, "size, stride and offset overflow");
    }
    if (end > tensor->storage->bytes) {
        return fk_error_set(machine->err, FK_E_CORRUPT,
                            "a tensor ends at byte %" PRIu64 " of a storage of %" PRIu64 " bytes",
                            end, tensor->storage->bytes);
    }
    if ((tensor->flags & FK_TENSOR_REQUIRES_GRAD) != 0 && !fk_dtype_has_gradient(tensor->dtype)) {
        return fail(machine, "dtype has no gradients, but requires_grad is set");
    }
    if ((tensor->flags & FK_TENSOR_CONJ) != 0 && !fk_dtype_is_complex(tensor->dtype)) {
        return fail(machine, "dtype is not complex, but its conj bit is set");
    }
    fk_code code = fk_machine_charge(machine, tensor->rank * sizeof(int64_t));
    if (code != FK_OK) {
        return code;
    }
    fk_value *value = fk_value_tensor(machine->values, tensor);
    if (value == NULL && end == 0) {
        tensor->offset = 0; /* a view without elements may start behind its storage */
        value = fk_value_tensor(machine->values, tensor);
    }
    if (value == NULL) {
        return fk_error_no_memory(machine->err);
    }
    *ret_value = value;
    return FK_OK;
}

/* The dtype argument of v3 must be one that has tensors here. */
static fk_code read_dtype(fk_machine *machine, const fk_item *item, fk_dtype *ret_dtype) {
    if (!is_kind(item, FK_KIND_DTYPE)) {
        return fail(machine, "dtype is no dtype");
    }
    const char *name = fk_value_as_text(item->value, NULL);
    *ret_dtype = fk_dtype_from_name(name);
    if (*ret_dtype == FK_DTYPE_NONE) {
        fk_error_set(machine->err, FK_E_UNSUPPORTED, "a tensor has the dtype %s, which is not read",
                     name);
        fk_error_hint(machine->err, "convert it with tensor.view(torch.uint8) and save again");
        return FK_E_UNSUPPORTED;
    }
    return FK_OK;
}

/* A tensor of a part looks at the whole storage, from the part's offset on. */
static fk_code enter_part(fk_machine *machine, const fk_part *part, fk_tensor *tensor) {
    uint64_t first;
    uint64_t end;
    if (!fk_tensor_span(tensor, &first, &end) ||
        end > part->elements * fk_dtype_bytes(tensor->dtype)) {
        return fail(machine, "elements exceed the part of a storage that it looks at");
    }
    tensor->offset += part->offset; /* both are within the storage, unless there are no elements */
    tensor->offset = end == 0 ? part->offset : tensor->offset;
    return FK_OK;
}

static fk_code rebuild_tensor(fk_machine *machine, fk_call call, const fk_item *arguments,
                              size_t count, fk_value **ret_value) {
    bool is_part = arguments[STORAGE].kind == FK_ITEM_PART;
    if (arguments[STORAGE].kind != FK_ITEM_STORAGE && !is_part) {
        return fail(machine, "storage is none");
    }
    if (is_part && call == FK_CALL_TENSOR_V3) {
        return fail(machine, "storage is a part, which newer dtypes never look at");
    }
    if (!is_kind(&arguments[OFFSET], FK_KIND_INT) || fk_value_as_int(arguments[OFFSET].value) < 0) {
        return fail(machine, "offset is no whole number from 0");
    }
    int64_t shape[FK_LIMIT_RANK];
    int64_t strides[FK_LIMIT_RANK];
    uint32_t stride_rank = 0;
    fk_tensor tensor = {
        .dtype = arguments[STORAGE].dtype == FK_DTYPE_NONE ? FK_UINT8 : arguments[STORAGE].dtype,
        .shape = shape,
        .strides = strides,
        .offset = (uint64_t)fk_value_as_int(arguments[OFFSET].value),
        .storage = is_part ? arguments[STORAGE].part->storage : arguments[STORAGE].storage,
    };
    fk_code code = read_extents(machine, &arguments[SIZE], "size", shape, &tensor.rank);
    if (code == FK_OK) {
        code = read_extents(machine, &arguments[STRIDE], "stride", strides, &stride_rank);
    }
    if (code == FK_OK && stride_rank != tensor.rank) {
        code = fail(machine, "size and stride have different ranks");
    }
    if (code == FK_OK && call != FK_CALL_TENSOR) {
        code = read_flags(machine, &arguments[REQUIRES_GRAD], &arguments[HOOKS], &tensor);
    }
    if (code == FK_OK && call == FK_CALL_TENSOR_V3) {
        code = read_dtype(machine, &arguments[V3_DTYPE], &tensor.dtype);
    }
    size_t metadata = call == FK_CALL_TENSOR_V3 ? V3_METADATA : V2_METADATA;
    if (code == FK_OK && count > metadata) {
        code = read_metadata(machine, &arguments[metadata], &tensor);
    }
    if (code == FK_OK && is_part) {
        code = enter_part(machine, arguments[STORAGE].part, &tensor);
    }
    return code == FK_OK ? make_tensor(machine, &tensor, ret_value) : code;
}

/* Attributes: {} is none. */
static fk_code set_state(fk_machine *machine, fk_value *tensor, const fk_item *state) {
    if (is_kind(state, FK_KIND_NONE)) {
        return FK_OK;
    }
    if (!is_kind(state, FK_KIND_DICT) && !is_kind(state, FK_KIND_ORDERED_DICT)) {
        return fk_error_set(machine->err, FK_E_UNSUPPORTED, "a tensor's attributes are no dict");
    }
    if (fk_value_count(state->value) == 0) {
        return FK_OK;
    }
    return fk_value_set_attributes(tensor, state->value);
}

/* Parameter(tensor, requires_grad), and the two rebuilders (tensor, requires_grad, hooks [,
 * state]): a tensor of its own over the same memory. */
static fk_code rebuild_parameter(fk_machine *machine, const fk_item *arguments, size_t count,
                                 fk_value **ret_value) {
    if (!is_kind(&arguments[0], FK_KIND_TENSOR)) {
        return fail(machine, "Parameter holds something else than a tensor");
    }
    const fk_item yes = {.kind = FK_ITEM_VALUE, .value = machine->truths[1]};
    const fk_item none = {.kind = FK_ITEM_VALUE, .value = machine->none};
    fk_tensor tensor = *fk_value_as_tensor(arguments[0].value);
    fk_code code = read_flags(machine, count > 1 ? &arguments[1] : &yes,
                              count > 2 ? &arguments[2] : &none, &tensor);
    if (code != FK_OK) {
        return code;
    }
    tensor.flags |= FK_TENSOR_PARAMETER;
    fk_value *value = NULL;
    code = make_tensor(machine, &tensor, &value);
    if (code == FK_OK && count > 3) {
        code = set_state(machine, value, &arguments[3]);
    }
    if (code == FK_OK) {
        *ret_value = value;
    }
    return code;
}

/* A state may hold requires_grad, which is no attribute then (_rebuild_tensor_v3 cannot set it):
 * sets it, and leaves the rest of the state. */
static fk_code take_gradient(fk_machine *machine, fk_item *state, fk_tensor *tensor) {
    if (!is_kind(state, FK_KIND_DICT)) {
        return FK_OK;
    }
    size_t count = fk_value_count(state->value);
    fk_code code = fk_machine_charge(machine, count);
    fk_value *gradient = code == FK_OK ? fk_value_get(state->value, "requires_grad") : NULL;
    if (gradient == NULL) {
        return code;
    }
    const fk_item none = {.kind = FK_ITEM_VALUE, .value = machine->none};
    const fk_item truth = {.kind = FK_ITEM_VALUE, .value = gradient};
    code = read_flags(machine, &truth, &none, tensor);
    fk_value *rest = fk_value_container(machine->values, FK_KIND_DICT);
    for (size_t i = 0; code == FK_OK && i < count; i++) {
        fk_value *item = fk_value_item(state->value, i);
        if (item != gradient) {
            code = fk_value_put(rest, fk_value_key(state->value, i), item);
        }
    }
    state->value = rest;
    return code;
}

/* Sets what an object of a type has beyond the tensor it was made from. */
static fk_code finish_type(fk_machine *machine, bool parameter, fk_item state, fk_value **value) {
    fk_tensor tensor = *fk_value_as_tensor(*value);
    tensor.flags |= parameter ? FK_TENSOR_PARAMETER : 0;
    fk_code code = take_gradient(machine, &state, &tensor);
    if (code == FK_OK && tensor.flags != fk_value_as_tensor(*value)->flags) {
        code = make_tensor(machine, &tensor, value);
    }
    return code == FK_OK ? set_state(machine, *value, &state) : code;
}

/* (function, type, arguments, state): function(*arguments) as a Tensor or Parameter, with state.
 * The function may be this one once more, for a state of requires_grad alone: `nested`. */
static fk_code rebuild_from_type(fk_machine *machine, const fk_item *arguments, bool nested,
                                 fk_value **ret_value) {
    const fk_item *function = &arguments[0];
    const fk_item *type = &arguments[1];
    fk_call call = function->kind == FK_ITEM_GLOBAL ? function->global->call : FK_CALL_NONE;
    bool parameter = type->kind == FK_ITEM_GLOBAL && type->global->call == FK_CALL_PARAMETER;
    bool known =
        parameter || (type->kind == FK_ITEM_GLOBAL && type->global->kind == FK_GLOBAL_TYPE);
    if (call < FK_CALL_TENSOR || (call == FK_CALL_FROM_TYPE && nested)) {
        return fail(machine, "rebuilder is none");
    }
    if (!known && type->kind != FK_ITEM_OPAQUE) {
        return fail(machine, "type is neither Tensor nor Parameter");
    }
    fk_item inner[FK_ARGUMENTS_MAX];
    size_t count = 0;
    fk_value *value = NULL;
    fk_code code = fk_machine_arguments(machine, &arguments[2], inner, &count);
    if (code == FK_OK && call == FK_CALL_FROM_TYPE && count != 4) {
        code = fail(machine, "rebuilder gets too few or too many arguments");
    } else if (code == FK_OK && call == FK_CALL_FROM_TYPE) {
        code = rebuild_from_type(machine, inner, true, &value);
    } else if (code == FK_OK) {
        code = fk_pickle_rebuild(machine, function->global, inner, count, &value);
    }
    if (code == FK_OK && known) {
        code = finish_type(machine, parameter, arguments[3], &value);
    }
    if (code == FK_OK && nested && fk_value_attributes(value) != NULL) {
        code = fail(machine, "state stands within a state");
    }
    if (code == FK_OK) {
        *ret_value = value;
    }
    return code;
}

fk_code fk_pickle_rebuild(fk_machine *machine, const fk_global *global, const fk_item *arguments,
                          size_t count, fk_value **ret_value) {
    static const struct {
        size_t least;
        size_t most;
    } counts[] = {
        [FK_CALL_PARAMETER] = {1, 2},         [FK_CALL_TENSOR] = {4, 4},
        [FK_CALL_TENSOR_V2] = {6, 7},         [FK_CALL_TENSOR_V3] = {7, 8},
        [FK_CALL_REBUILD_PARAMETER] = {3, 3}, [FK_CALL_PARAMETER_WITH_STATE] = {4, 4},
        [FK_CALL_FROM_TYPE] = {4, 4},
    };
    if (count < counts[global->call].least || count > counts[global->call].most) {
        return fk_error_set(machine->err, FK_E_CORRUPT, "'%s.%s' is called with %zu arguments",
                            global->module, global->name, count);
    }
    switch (global->call) {
    case FK_CALL_TENSOR:
    case FK_CALL_TENSOR_V2:
    case FK_CALL_TENSOR_V3:
        return rebuild_tensor(machine, global->call, arguments, count, ret_value);
    case FK_CALL_FROM_TYPE:
        return rebuild_from_type(machine, arguments, false, ret_value);
    default:
        return rebuild_parameter(machine, arguments, count, ret_value);
    }
}
