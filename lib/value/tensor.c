#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "base/limits.h"
#include "value/value_private.h"

#define KNOWN_FLAGS                                                                                \
    ((uint32_t)(FK_TENSOR_REQUIRES_GRAD | FK_TENSOR_PARAMETER | FK_TENSOR_CONJ | FK_TENSOR_NEG))

fk_storage *fk_storage_create(fk_values *values, void *data, uint64_t bytes) {
    fk_storage *storage = fk_values_allocate(values, sizeof *storage);
    if (storage != NULL) {
        *storage = (fk_storage){data, bytes};
    }
    return storage;
}

bool fk_tensor_c_strides(uint32_t rank, const int64_t *shape, int64_t *ret_strides) {
    /* a dimension of none counts as one, as in PyTorch */
    int64_t stride = 1;
    int64_t strides[FK_LIMIT_RANK];
    if (rank > FK_LIMIT_RANK) {
        return false;
    }
    for (uint32_t i = rank; i-- > 0;) {
        strides[i] = stride;
        if (shape[i] < 0 || __builtin_mul_overflow(stride, shape[i] > 0 ? shape[i] : 1, &stride)) {
            return false;
        }
    }
    if (rank > 0) {
        memcpy(ret_strides, strides, rank * sizeof *strides);
    }
    return true;
}

/* Elements, where the logical size in bytes fits 63 bits too (expanded tensors can be larger than
 * any memory). */
static bool count_elements(const fk_tensor *tensor, uint64_t *ret_elements) {
    uint64_t elements = 1;
    bool fits = true;
    for (uint32_t i = 0; i < tensor->rank; i++) {
        if (tensor->shape[i] < 0) {
            return false;
        }
        if (tensor->shape[i] == 0) {
            elements = 0;
        }
    }
    for (uint32_t i = 0; elements > 0 && fits && i < tensor->rank; i++) {
        fits = fk_checked_multiply(elements, (uint64_t)tensor->shape[i], &elements);
    }
    uint64_t bytes;
    fits = fits && fk_checked_multiply(elements, fk_dtype_bytes(tensor->dtype), &bytes) &&
           bytes <= INT64_MAX;
    if (fits) {
        *ret_elements = elements;
    }
    return fits;
}

bool fk_tensor_span(const fk_tensor *tensor, uint64_t *ret_first_byte, uint64_t *ret_end_byte) {
    int64_t strides[FK_LIMIT_RANK];
    uint64_t elements;
    if (tensor->rank > FK_LIMIT_RANK || !count_elements(tensor, &elements)) {
        return false;
    }
    if (tensor->strides != NULL) {
        memcpy(strides, tensor->strides, tensor->rank * sizeof *strides);
    } else if (!fk_tensor_c_strides(tensor->rank, tensor->shape, strides)) {
        return false;
    }
    uint64_t last = tensor->offset;
    for (uint32_t i = 0; i < tensor->rank; i++) {
        if (strides[i] < 0) {
            return false;
        }
        uint64_t reach;
        if (elements > 0 &&
            (!fk_checked_multiply((uint64_t)strides[i], (uint64_t)tensor->shape[i] - 1, &reach) ||
             !fk_checked_add(last, reach, &last))) {
            return false;
        }
    }
    uint64_t first_byte = 0;
    uint64_t end_byte = 0;
    uint64_t size = fk_dtype_bytes(tensor->dtype);
    /* the first byte cannot wrap where the end does not */
    if (elements > 0 &&
        (!fk_checked_add(last, 1, &last) || !fk_checked_multiply(last, size, &end_byte))) {
        return false;
    }
    if (elements > 0) {
        first_byte = tensor->offset * size;
    }
    *ret_first_byte = first_byte;
    *ret_end_byte = end_byte;
    return true;
}

fk_value *fk_value_tensor(fk_values *values, const fk_tensor *tensor) {
    uint64_t first_byte;
    uint64_t end_byte;
    if (tensor->storage == NULL || fk_dtype_bytes(tensor->dtype) == 0 ||
        (tensor->flags & ~KNOWN_FLAGS) != 0 || !fk_tensor_span(tensor, &first_byte, &end_byte) ||
        end_byte > tensor->storage->bytes) {
        return NULL; /* V2 */
    }
    size_t sizes_bytes = tensor->rank * sizeof(int64_t);
    int64_t *sizes = fk_values_allocate(values, 2 * sizes_bytes);
    fk_tensor_view *view = fk_values_allocate(values, sizeof *view);
    fk_value *value = fk_value_allocate(values, FK_KIND_TENSOR);
    if (sizes == NULL || view == NULL || value == NULL) {
        return NULL;
    }
    if (tensor->rank > 0) {
        memcpy(sizes, tensor->shape, sizes_bytes);
    }
    if (tensor->strides == NULL) {
        if (!fk_tensor_c_strides(tensor->rank, tensor->shape, sizes + tensor->rank)) {
            return NULL;
        }
    } else if (tensor->rank > 0) {
        memcpy(sizes + tensor->rank, tensor->strides, sizes_bytes);
    }
    *view = (fk_tensor_view){.tensor = *tensor};
    view->tensor.shape = sizes;
    view->tensor.strides = sizes + tensor->rank;
    value->view = view;
    return value;
}

const fk_tensor *fk_value_as_tensor(const fk_value *value) {
    assert(value->kind == FK_KIND_TENSOR);
    return &value->view->tensor;
}

uint64_t fk_tensor_elements(const fk_tensor *tensor) {
    uint64_t elements = 0;
    return count_elements(tensor, &elements) ? elements : 0;
}

void *fk_tensor_data(const fk_tensor *tensor) {
    if (tensor->storage->data == NULL || fk_tensor_elements(tensor) == 0) {
        return NULL;
    }
    return (uint8_t *)tensor->storage->data + tensor->offset * fk_dtype_bytes(tensor->dtype);
}

bool fk_tensor_is_contiguous(const fk_tensor *tensor) {
    if (tensor->strides == NULL || fk_tensor_elements(tensor) == 0) {
        return true;
    }
    int64_t stride = 1;
    for (uint32_t i = tensor->rank; i-- > 0;) {
        /* the stride of a dimension of one element is never used */
        if (tensor->shape[i] != 1 && tensor->strides[i] != stride) {
            return false;
        }
        stride *= tensor->shape[i];
    }
    return true;
}
