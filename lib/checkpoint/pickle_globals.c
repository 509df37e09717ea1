#include "checkpoint/pickle_globals.h"

#include <stdbool.h>
#include <string.h>

#define HINT_QUANTISED "convert it with tensor.dequantize() and save again"
#define HINT_DENSE     "convert it with tensor.to_dense() and save again"
#define HINT_NUMPY     "convert it with float(), int() or torch.from_numpy() and save again"
#define HINT_META      "materialise the tensor before saving: a meta tensor has no data"
#define HINT_DEVICE    "move it with tensor.cpu() and save again"
#define HINT_SHARDED   "gather it, as DTensor.full_tensor() does, and save again"
#define HINT_NESTED    "convert it with torch.nested.to_padded_tensor() and save again"
#define HINT_PLAIN     "convert it to a dict, list or set and save again"

#define CALL(module, name, call)                                                                   \
    { module, name, FK_GLOBAL_CALL, call, FK_DTYPE_NONE, 0, NULL }
#define TYPE(module, name)                                                                         \
    { module, name, FK_GLOBAL_TYPE, FK_CALL_NONE, FK_DTYPE_NONE, 0, NULL }
#define REFUSED(module, name, hint)                                                                \
    { module, name, FK_GLOBAL_REFUSED, FK_CALL_NONE, FK_DTYPE_NONE, 0, hint }
#define QUANTISED_STORAGE(name, bytes)                                                             \
    { "torch", name, FK_GLOBAL_REFUSED, FK_CALL_NONE, FK_DTYPE_NONE, bytes, HINT_QUANTISED }

static const fk_global table[] = {
    CALL("collections", "OrderedDict", FK_CALL_ORDERED_DICT),
    CALL("collections", "Counter", FK_CALL_COUNTER),
    CALL("__builtin__", "set", FK_CALL_SET),
    CALL("builtins", "set", FK_CALL_SET),
    CALL("__builtin__", "complex", FK_CALL_COMPLEX),
    CALL("builtins", "complex", FK_CALL_COMPLEX),
    CALL("__builtin__", "bytearray", FK_CALL_BYTEARRAY),
    CALL("builtins", "bytearray", FK_CALL_BYTEARRAY),
    CALL("__builtin__", "bytes", FK_CALL_BYTES),
    CALL("builtins", "bytes", FK_CALL_BYTES),
    CALL("_codecs", "encode", FK_CALL_ENCODE),
    CALL("torch", "Size", FK_CALL_SIZE),
    CALL("torch", "device", FK_CALL_DEVICE),
    CALL("torch.serialization", "_get_layout", FK_CALL_LAYOUT),
    CALL("torch.nn.parameter", "Parameter", FK_CALL_PARAMETER),
    CALL("torch._utils", "_rebuild_tensor", FK_CALL_TENSOR),
    CALL("torch._utils", "_rebuild_tensor_v2", FK_CALL_TENSOR_V2),
    CALL("torch._utils", "_rebuild_tensor_v3", FK_CALL_TENSOR_V3),
    CALL("torch._utils", "_rebuild_parameter", FK_CALL_REBUILD_PARAMETER),
    CALL("torch._utils", "_rebuild_parameter_with_state", FK_CALL_PARAMETER_WITH_STATE),
    CALL("torch._tensor", "_rebuild_from_type_v2", FK_CALL_FROM_TYPE),
    TYPE("torch", "Tensor"),
    REFUSED("torch._utils", "_rebuild_qtensor", HINT_QUANTISED),
    REFUSED("torch._utils", "_rebuild_sparse_tensor", HINT_DENSE),
    REFUSED("torch._utils", "_rebuild_sparse_csr_tensor", HINT_DENSE),
    REFUSED("torch._utils", "_rebuild_nested_tensor", HINT_NESTED),
    REFUSED("torch._utils", "_rebuild_meta_tensor_no_storage", HINT_META),
    REFUSED("torch._utils", "_rebuild_device_tensor_from_numpy", HINT_DEVICE),
    REFUSED("torch._utils", "_rebuild_device_tensor_from_cpu_tensor", HINT_DEVICE),
    REFUSED("torch._utils", "_rebuild_xla_tensor", HINT_DEVICE),
    REFUSED("torch._utils", "_rebuild_wrapper_subclass", HINT_SHARDED),
    QUANTISED_STORAGE("QInt8Storage", 1),
    QUANTISED_STORAGE("QUInt8Storage", 1),
    QUANTISED_STORAGE("QInt32Storage", 4),
    QUANTISED_STORAGE("QUInt4x2Storage", 1),
    QUANTISED_STORAGE("QUInt2x4Storage", 1),
    REFUSED("__builtin__", "frozenset", HINT_PLAIN),
    REFUSED("builtins", "frozenset", HINT_PLAIN),
    REFUSED("collections", "defaultdict", HINT_PLAIN),
    REFUSED("collections", "deque", HINT_PLAIN),
    REFUSED("numpy.core.multiarray", "scalar", HINT_NUMPY),
    REFUSED("numpy._core.multiarray", "scalar", HINT_NUMPY),
    REFUSED("numpy.core.multiarray", "_reconstruct", HINT_NUMPY),
    REFUSED("numpy._core.multiarray", "_reconstruct", HINT_NUMPY),
    REFUSED("numpy", "dtype", HINT_NUMPY),
    REFUSED("numpy", "ndarray", HINT_NUMPY),
};

/* Storage classes; those of CUDA tensors have the same names in the module torch.cuda. */
#define STORAGE(module, name, dtype)                                                               \
    { module, name, FK_GLOBAL_STORAGE, FK_CALL_NONE, dtype, 0, NULL }
#define STORAGES(module)                                                                           \
    STORAGE(module, "FloatStorage", FK_FLOAT32), STORAGE(module, "DoubleStorage", FK_FLOAT64),     \
        STORAGE(module, "HalfStorage", FK_FLOAT16),                                                \
        STORAGE(module, "BFloat16Storage", FK_BFLOAT16), STORAGE(module, "ByteStorage", FK_UINT8), \
        STORAGE(module, "CharStorage", FK_INT8), STORAGE(module, "ShortStorage", FK_INT16),        \
        STORAGE(module, "IntStorage", FK_INT32), STORAGE(module, "LongStorage", FK_INT64),         \
        STORAGE(module, "BoolStorage", FK_BOOL),                                                   \
        STORAGE(module, "ComplexFloatStorage", FK_COMPLEX64),                                      \
        STORAGE(module, "ComplexDoubleStorage", FK_COMPLEX128)

static const fk_global storages[] = {
    STORAGES("torch"),
    STORAGES("torch.cuda"),
    STORAGE("torch.storage", "UntypedStorage", FK_DTYPE_NONE),
};

#define NAMED(name, kind)                                                                          \
    { "torch", name, kind, FK_CALL_NONE, FK_DTYPE_NONE, 0, NULL }
#define DTYPE(name)   NAMED(name, FK_GLOBAL_DTYPE)
#define QSCHEME(name) NAMED(name, FK_GLOBAL_QSCHEME)

/* Values. A dtype object may be stored even where a tensor of it may not. */
static const fk_global values[] = {
    DTYPE("float32"),
    DTYPE("float64"),
    DTYPE("float16"),
    DTYPE("bfloat16"),
    DTYPE("uint8"),
    DTYPE("int8"),
    DTYPE("int16"),
    DTYPE("int32"),
    DTYPE("int64"),
    DTYPE("bool"),
    DTYPE("complex32"),
    DTYPE("complex64"),
    DTYPE("complex128"),
    DTYPE("uint16"),
    DTYPE("uint32"),
    DTYPE("uint64"),
    DTYPE("float8_e4m3fn"),
    DTYPE("float8_e5m2"),
    DTYPE("float8_e4m3fnuz"),
    DTYPE("float8_e5m2fnuz"),
    DTYPE("float8_e8m0fnu"),
    DTYPE("float4_e2m1fn_x2"),
    DTYPE("bits8"),
    DTYPE("bits16"),
    DTYPE("bits1x8"),
    DTYPE("bits2x4"),
    DTYPE("bits4x2"),
    DTYPE("qint8"),
    DTYPE("quint8"),
    DTYPE("qint32"),
    DTYPE("quint4x2"),
    DTYPE("quint2x4"),
    DTYPE("uint1"),
    DTYPE("uint2"),
    DTYPE("uint3"),
    DTYPE("uint4"),
    DTYPE("uint5"),
    DTYPE("uint6"),
    DTYPE("uint7"),
    DTYPE("int1"),
    DTYPE("int2"),
    DTYPE("int3"),
    DTYPE("int4"),
    DTYPE("int5"),
    DTYPE("int6"),
    DTYPE("int7"),
    QSCHEME("per_tensor_affine"),
    QSCHEME("per_channel_affine"),
    QSCHEME("per_tensor_symmetric"),
    QSCHEME("per_channel_symmetric"),
    QSCHEME("per_channel_affine_float_qparams"),
};

static bool same(const char *text, const uint8_t *bytes, size_t length) {
    return strlen(text) == length && memcmp(text, bytes, length) == 0;
}

const fk_global *fk_global_find(const uint8_t *module, size_t module_bytes, const uint8_t *name,
                                size_t name_bytes) {
    static const struct {
        const fk_global *rows;
        size_t count;
    } tables[] = {
        {table, sizeof table / sizeof table[0]},
        {storages, sizeof storages / sizeof storages[0]},
        {values, sizeof values / sizeof values[0]},
    };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        for (size_t j = 0; j < tables[i].count; j++) {
            const fk_global *global = &tables[i].rows[j];
            if (same(global->name, name, name_bytes) &&
                same(global->module, module, module_bytes)) {
                return global;
            }
        }
    }
    return NULL;
}
