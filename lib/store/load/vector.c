#include "store/load/vector.h"

#include <string.h>

#include "base/limits.h"
#include "value/dtype.h"
#include "value/values.h"

/* Copies the elements of a strided view in C order. */
static void gather(const fk_tensor *tensor, uint8_t *into) {
    size_t width = fk_dtype_bytes(tensor->dtype);
    const uint8_t *from = fk_tensor_data(tensor);
    uint64_t elements = fk_tensor_elements(tensor);
    int64_t index[64] = {0};
    for (uint64_t i = 0; i < elements; i++) {
        int64_t at = 0;
        for (uint32_t d = 0; d < tensor->rank; d++) {
            at += index[d] * tensor->strides[d];
        }
        memcpy(into + i * width, from + at * (int64_t)width, width);
        for (uint32_t d = tensor->rank; d-- > 0;) {
            if (++index[d] < tensor->shape[d]) {
                break;
            }
            index[d] = 0;
        }
    }
}

fk_code fk_vector_own(fk_loaded *loaded, fk_error *err) {
    if (loaded->weights.personality_vector == NULL) {
        return FK_OK;
    }
    const fk_tensor *vector = fk_value_as_tensor(loaded->weights.personality_vector);
    /* of every tensor that is less than 2^63 (V2) */
    uint64_t bytes = fk_tensor_elements(vector) * fk_dtype_bytes(vector->dtype);
    if (bytes > loaded->map.bytes && bytes > FK_LIMIT_EXPANDED_BYTES) {
        /* an expanded view takes any number of bytes to write out */
        return fk_error_set(err, FK_E_LIMIT, "the personality vector is larger than its file");
    }
    void *data = fk_values_allocate(loaded->values, (size_t)bytes);
    fk_storage *storage = data == NULL ? NULL : fk_storage_create(loaded->values, data, bytes);
    if (storage == NULL) {
        return fk_error_no_memory(err);
    }
    gather(vector, data);
    fk_tensor own = *vector;
    own.strides = NULL;
    own.offset = 0;
    own.storage = storage;
    fk_value *value = fk_value_tensor(loaded->values, &own);
    if (value == NULL) {
        return fk_error_no_memory(err);
    }
    loaded->personality_vector = fk_value_as_tensor(value);
    return FK_OK;
}
