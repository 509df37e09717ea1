#include "checkpoint/write_tensor.h"

#include <string.h>

#include "value/dtype.h"

#define REBUILDERS "torch._utils"
#define SUBCLASSES "torch._tensor"

const char *fk_write_tensor_storage_class(fk_dtype dtype) {
    static const char *const classes[FK_DTYPE_COUNT] = {
        [FK_FLOAT32] = "FloatStorage",
        [FK_FLOAT64] = "DoubleStorage",
        [FK_FLOAT16] = "HalfStorage",
        [FK_BFLOAT16] = "BFloat16Storage",
        [FK_UINT8] = "ByteStorage",
        [FK_INT8] = "CharStorage",
        [FK_INT16] = "ShortStorage",
        [FK_INT32] = "IntStorage",
        [FK_INT64] = "LongStorage",
        [FK_BOOL] = "BoolStorage",
        [FK_COMPLEX64] = "ComplexFloatStorage",
        [FK_COMPLEX128] = "ComplexDoubleStorage",
    };
    return classes[dtype];
}

/* ("storage", class, key, "cpu", elements) BINPERSID */
static void write_storage(fk_write_emit *emit, const fk_pickle_storage *storage) {
    fk_write_emit_opcode(emit, FK_WRITE_MARK);
    fk_write_emit_text(emit, FK_WRITE_STRING, "storage", strlen("storage"));
    if (storage->dtype == FK_DTYPE_NONE) {
        fk_write_emit_global(emit, "torch.storage", "UntypedStorage");
    } else {
        fk_write_emit_global(emit, "torch", fk_write_tensor_storage_class(storage->dtype));
    }
    fk_write_emit_text(emit, FK_WRITE_STORAGE_KEY, storage->key, strlen(storage->key));
    fk_write_emit_text(emit, FK_WRITE_STRING, "cpu", strlen("cpu"));
    fk_write_emit_int(emit, (int64_t)storage->elements);
    fk_write_emit_tuple(emit, 5);
    fk_write_emit_opcode(emit, FK_WRITE_BINPERSID);
}

static void write_extent(fk_write_emit *emit, const int64_t *extent, uint32_t rank) {
    if (rank == 0) {
        fk_write_emit_opcode(emit, FK_WRITE_EMPTY_TUPLE);
        return;
    }
    if (rank > 3) {
        fk_write_emit_opcode(emit, FK_WRITE_MARK);
    }
    for (uint32_t i = 0; i < rank; i++) {
        fk_write_emit_int(emit, extent[i]);
    }
    fk_write_emit_tuple(emit, rank);
}

/* A dict of its own: {"neg": True, "conj": True}, one or both, in the order PyTorch happens to use.
 */
static void write_metadata(fk_write_emit *emit, bool conj, bool neg) {
    fk_write_emit_opcode(emit, FK_WRITE_EMPTY_DICT);
    fk_write_emit_put(emit);
    if (conj && neg) {
        fk_write_emit_opcode(emit, FK_WRITE_MARK);
    }
    if (neg) {
        fk_write_emit_text(emit, FK_WRITE_STRING, "neg", strlen("neg"));
        fk_write_emit_bool(emit, true);
    }
    if (conj) {
        fk_write_emit_text(emit, FK_WRITE_STRING, "conj", strlen("conj"));
        fk_write_emit_bool(emit, true);
    }
    fk_write_emit_opcode(emit, conj && neg ? FK_WRITE_SETITEMS : FK_WRITE_SETITEM);
}

static void write_hooks(fk_write_emit *emit) {
    fk_write_emit_empty_call(emit, "collections", "OrderedDict");
    fk_write_emit_put(emit);
}

static void write_rebuilder(fk_write_emit *emit, const fk_pickle_storage *storage) {
    fk_write_emit_global(emit, REBUILDERS,
                         storage->dtype == FK_DTYPE_NONE ? "_rebuild_tensor_v3"
                                                         : "_rebuild_tensor_v2");
}

/* v2: (storage, offset, size, stride, requires_grad, hooks [, metadata]); v3 has the dtype behind
 * the hooks. */
static void write_arguments(fk_write_emit *emit, const fk_tensor *tensor,
                            const fk_pickle_storage *storage, bool requires_grad) {
    bool conj = (tensor->flags & FK_TENSOR_CONJ) != 0;
    bool neg = (tensor->flags & FK_TENSOR_NEG) != 0;
    fk_write_emit_opcode(emit, FK_WRITE_MARK);
    write_storage(emit, storage);
    fk_write_emit_int(emit, (int64_t)storage->tensor_offset);
    write_extent(emit, tensor->shape, tensor->rank);
    write_extent(emit, tensor->strides, tensor->rank);
    fk_write_emit_bool(emit, requires_grad);
    write_hooks(emit);
    if (storage->dtype == FK_DTYPE_NONE) {
        fk_write_emit_global(emit, "torch", fk_dtype_name(tensor->dtype));
    }
    if (conj || neg) {
        write_metadata(emit, conj, neg);
    }
    fk_write_emit_tuple(emit, 6 + (storage->dtype == FK_DTYPE_NONE) + (conj || neg));
}

static void check(fk_write_emit *emit, const fk_tensor *tensor) {
    if ((tensor->flags & FK_TENSOR_REQUIRES_GRAD) != 0 && !fk_dtype_has_gradient(tensor->dtype)) {
        fk_write_emit_refuse(emit, FK_E_UNSUPPORTED, "integer tensor that requires gradients");
    }
    if ((tensor->flags & FK_TENSOR_CONJ) != 0 && !fk_dtype_is_complex(tensor->dtype)) {
        fk_write_emit_refuse(emit, FK_E_UNSUPPORTED, "conjugated tensor that is not complex");
    }
}

/* PyTorch's _rebuild_tensor_v3 fails when it is told that gradients are required. */
static bool has_late_gradient(const fk_tensor *tensor, const fk_pickle_storage *storage) {
    return storage->dtype == FK_DTYPE_NONE && (tensor->flags & FK_TENSOR_REQUIRES_GRAD) != 0;
}

/* (_rebuild_tensor_v3, Tensor, its arguments, {"requires_grad": True}): the arguments of
 * _rebuild_from_type_v2, which sets attributes once the tensor is there. */
static void write_late_gradient(fk_write_emit *emit, const fk_tensor *tensor,
                                const fk_pickle_storage *storage) {
    fk_write_emit_opcode(emit, FK_WRITE_MARK);
    write_rebuilder(emit, storage);
    fk_write_emit_global(emit, "torch", "Tensor");
    write_arguments(emit, tensor, storage, false);
    fk_write_emit_opcode(emit, FK_WRITE_EMPTY_DICT);
    fk_write_emit_put(emit);
    fk_write_emit_text(emit, FK_WRITE_STRING, "requires_grad", strlen("requires_grad"));
    fk_write_emit_bool(emit, true);
    fk_write_emit_opcode(emit, FK_WRITE_SETITEM);
    fk_write_emit_tuple(emit, 4);
}

/* The function that makes a tensor, and its arguments. */
static void write_function(fk_write_emit *emit, const fk_tensor *tensor,
                           const fk_pickle_storage *storage) {
    if (has_late_gradient(tensor, storage)) {
        fk_write_emit_global(emit, SUBCLASSES, "_rebuild_from_type_v2");
    } else {
        write_rebuilder(emit, storage);
    }
}

static void write_function_arguments(fk_write_emit *emit, const fk_tensor *tensor,
                                     const fk_pickle_storage *storage) {
    if (has_late_gradient(tensor, storage)) {
        write_late_gradient(emit, tensor, storage);
    } else {
        bool requires_grad = (tensor->flags & FK_TENSOR_REQUIRES_GRAD) != 0;
        write_arguments(emit, tensor, storage, requires_grad);
    }
}

/* Behind a parameter's rebuilder: its data, a tensor of its own, whether it requires gradients, and
 * hooks. */
static void write_parameter(fk_write_emit *emit, const fk_tensor *tensor,
                            const fk_pickle_storage *storage) {
    write_rebuilder(emit, storage);
    write_arguments(emit, tensor, storage, false);
    fk_write_emit_opcode(emit, FK_WRITE_REDUCE);
    fk_write_emit_put(emit);
    fk_write_emit_bool(emit, (tensor->flags & FK_TENSOR_REQUIRES_GRAD) != 0);
    write_hooks(emit);
}

void fk_write_tensor(fk_write_emit *emit, const fk_tensor *tensor,
                     const fk_pickle_storage *storage) {
    check(emit, tensor);
    if ((tensor->flags & FK_TENSOR_PARAMETER) != 0) {
        fk_write_emit_global(emit, REBUILDERS, "_rebuild_parameter");
        write_parameter(emit, tensor, storage);
        fk_write_emit_tuple(emit, 3);
    } else {
        write_function(emit, tensor, storage);
        write_function_arguments(emit, tensor, storage);
    }
    fk_write_emit_opcode(emit, FK_WRITE_REDUCE);
}

/* _rebuild_parameter_with_state(data, requires_grad, hooks, attributes), or
 * _rebuild_from_type_v2(function, Tensor, its arguments, attributes) */
void fk_write_tensor_begin(fk_write_emit *emit, const fk_tensor *tensor,
                           const fk_pickle_storage *storage) {
    check(emit, tensor);
    if ((tensor->flags & FK_TENSOR_PARAMETER) != 0) {
        fk_write_emit_global(emit, REBUILDERS, "_rebuild_parameter_with_state");
        fk_write_emit_opcode(emit, FK_WRITE_MARK);
        write_parameter(emit, tensor, storage);
        return;
    }
    fk_write_emit_global(emit, SUBCLASSES, "_rebuild_from_type_v2");
    fk_write_emit_opcode(emit, FK_WRITE_MARK);
    write_function(emit, tensor, storage);
    fk_write_emit_global(emit, "torch", "Tensor");
    write_function_arguments(emit, tensor, storage);
}

void fk_write_tensor_end(fk_write_emit *emit) {
    fk_write_emit_tuple(emit, 4);
    fk_write_emit_opcode(emit, FK_WRITE_REDUCE);
}
