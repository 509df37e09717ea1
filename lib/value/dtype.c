#include "value/dtype.h"

#include <string.h>

typedef enum number_kind { INTEGER, FLOAT, COMPLEX } number_kind;

static const struct {
    const char *name;
    size_t bytes;
    number_kind kind;
} dtypes[FK_DTYPE_COUNT] = {
    [FK_DTYPE_NONE] = {"none", 0, INTEGER},
    [FK_FLOAT32] = {"float32", 4, FLOAT},
    [FK_FLOAT64] = {"float64", 8, FLOAT},
    [FK_FLOAT16] = {"float16", 2, FLOAT},
    [FK_BFLOAT16] = {"bfloat16", 2, FLOAT},
    [FK_UINT8] = {"uint8", 1, INTEGER},
    [FK_INT8] = {"int8", 1, INTEGER},
    [FK_INT16] = {"int16", 2, INTEGER},
    [FK_INT32] = {"int32", 4, INTEGER},
    [FK_INT64] = {"int64", 8, INTEGER},
    [FK_BOOL] = {"bool", 1, INTEGER},
    [FK_COMPLEX64] = {"complex64", 8, COMPLEX},
    [FK_COMPLEX128] = {"complex128", 16, COMPLEX},
    [FK_COMPLEX32] = {"complex32", 4, COMPLEX},
    [FK_UINT16] = {"uint16", 2, INTEGER},
    [FK_UINT32] = {"uint32", 4, INTEGER},
    [FK_UINT64] = {"uint64", 8, INTEGER},
    [FK_FLOAT8_E4M3FN] = {"float8_e4m3fn", 1, FLOAT},
    [FK_FLOAT8_E5M2] = {"float8_e5m2", 1, FLOAT},
    [FK_FLOAT8_E4M3FNUZ] = {"float8_e4m3fnuz", 1, FLOAT},
    [FK_FLOAT8_E5M2FNUZ] = {"float8_e5m2fnuz", 1, FLOAT},
    [FK_FLOAT8_E8M0FNU] = {"float8_e8m0fnu", 1, FLOAT},
};

static bool is_known(fk_dtype dtype) {
    return (unsigned)dtype < FK_DTYPE_COUNT;
}

const char *fk_dtype_name(fk_dtype dtype) {
    return is_known(dtype) ? dtypes[dtype].name : dtypes[FK_DTYPE_NONE].name;
}

fk_dtype fk_dtype_from_name(const char *name) {
    for (unsigned i = FK_DTYPE_NONE + 1; i < FK_DTYPE_COUNT; i++) {
        if (strcmp(dtypes[i].name, name) == 0) {
            return (fk_dtype)i;
        }
    }
    return FK_DTYPE_NONE;
}

size_t fk_dtype_bytes(fk_dtype dtype) {
    return is_known(dtype) ? dtypes[dtype].bytes : 0;
}

bool fk_dtype_is_complex(fk_dtype dtype) {
    return is_known(dtype) && dtypes[dtype].kind == COMPLEX;
}

bool fk_dtype_has_gradient(fk_dtype dtype) {
    return is_known(dtype) && dtypes[dtype].kind != INTEGER;
}
