#include "checkpoint/npy.h"

#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "checkpoint/npy_header.h"
#include "value/dtype.h"
#include "value/values.h"

bool fk_npy_recognise(const uint8_t *bytes, size_t length) {
    static const char magic[] = "\x93NUMPY";
    return length >= sizeof magic - 1 && memcmp(bytes, magic, sizeof magic - 1) == 0;
}

/* Bytes of the parts that are numbers of their own: half of a complex element. */
static size_t part_bytes(fk_dtype dtype) {
    return fk_dtype_bytes(dtype) / (fk_dtype_is_complex(dtype) ? 2 : 1);
}

static void swap_bytes(uint8_t *data, uint64_t bytes, size_t part) {
    for (uint64_t at = 0; at < bytes; at += part) {
        for (size_t i = 0; i < part / 2; i++) {
            uint8_t byte = data[at + i];
            data[at + i] = data[at + part - 1 - i];
            data[at + part - 1 - i] = byte;
        }
    }
}

/* The bytes that the array takes; false when they wrap. */
static bool array_bytes(const fk_npy_header *header, uint64_t *ret_bytes) {
    uint64_t bytes = fk_dtype_bytes(header->dtype);
    for (uint32_t i = 0; i < header->rank; i++) {
        if (header->shape[i] == 0) {
            *ret_bytes = 0;
            return true;
        }
    }
    for (uint32_t i = 0; i < header->rank; i++) {
        if (!fk_checked_multiply(bytes, (uint64_t)header->shape[i], &bytes)) {
            return false;
        }
    }
    *ret_bytes = bytes;
    return true;
}

/* The array must fill the rest of the file, and bools must be 0 or 1. */
static fk_code check_array(const uint8_t *bytes, size_t length, const fk_npy_header *header,
                           fk_error *err) {
    uint64_t there = length - header->data;
    uint64_t wanted = UINT64_MAX;
    if (!array_bytes(header, &wanted) || wanted != there) {
        fk_error_set(err, FK_E_CORRUPT, "npy array has %" PRIu64 " bytes, its header says %" PRIu64,
                     there, wanted);
        fk_error_offset(err, wanted > there ? length : header->data + wanted);
        fk_error_hint(err, "copy the file again from where it came from");
        return FK_E_CORRUPT;
    }
    for (size_t i = header->data; header->dtype == FK_BOOL && i < length; i++) {
        if (bytes[i] > 1) {
            fk_error_set(err, FK_E_CORRUPT, "npy array of bools holds a byte of %u", bytes[i]);
            fk_error_offset(err, i);
            fk_error_hint(err, "write the array again with numpy.save");
            return FK_E_CORRUPT;
        }
    }
    return FK_OK;
}

static void fortran_strides(const fk_npy_header *header, int64_t *ret_strides) {
    int64_t stride = 1;
    for (uint32_t i = 0; i < header->rank; i++) {
        ret_strides[i] = stride;
        /* wraps only for an array without elements, where any stride will do */
        if (__builtin_mul_overflow(stride, header->shape[i] > 0 ? header->shape[i] : 1, &stride)) {
            stride = 1;
        }
    }
}

static fk_code make_tensor(const fk_npy_header *header, const uint8_t *from, size_t bytes,
                           fk_values *values, fk_value **ret_tensor, fk_error *err) {
    uint8_t *data = fk_values_allocate(values, bytes);
    fk_storage *storage = data == NULL ? NULL : fk_storage_create(values, data, bytes);
    if (storage == NULL) {
        return fk_error_no_memory(err);
    }
    if (bytes != 0) {
        memcpy(data, from, bytes);
    }
    if (header->big_endian) {
        swap_bytes(data, bytes, part_bytes(header->dtype));
    }
    int64_t strides[FK_LIMIT_RANK];
    if (header->fortran_order) {
        fortran_strides(header, strides);
    } else if (!fk_tensor_c_strides(header->rank, header->shape, strides)) {
        memset(strides, 0, sizeof strides); /* no elements: any stride will do */
    }
    fk_tensor tensor = {.dtype = header->dtype,
                        .rank = header->rank,
                        .shape = header->shape,
                        .strides = strides,
                        .storage = storage};
    fk_value *value = fk_value_tensor(values, &tensor);
    if (value == NULL) {
        return fk_error_no_memory(err);
    }
    *ret_tensor = value;
    return FK_OK;
}

fk_code fk_npy_read(const uint8_t *bytes, size_t length, fk_values *values, fk_value **ret_tensor,
                    fk_error *err) {
    fk_npy_header header;
    fk_code code = fk_npy_header_read(bytes, length, &header, err);
    if (code == FK_OK) {
        code = check_array(bytes, length, &header, err);
    }
    if (code != FK_OK) {
        return code;
    }
    return make_tensor(&header, bytes + header.data, length - header.data, values, ret_tensor, err);
}

/* Copies the elements in C order: odometer over all dimensions, the last one fastest. */
static void gather(const fk_tensor *tensor, uint8_t *into) {
    size_t size = fk_dtype_bytes(tensor->dtype);
    const uint8_t *data = fk_tensor_data(tensor);
    uint64_t elements = fk_tensor_elements(tensor);
    if (fk_tensor_is_contiguous(tensor)) {
        memcpy(into, data, elements * size);
        return;
    }
    int64_t at[FK_LIMIT_RANK] = {0};
    uint64_t offset = 0;
    for (uint64_t i = 0; i < elements; i++) {
        memcpy(into + i * size, data + offset * size, size);
        for (uint32_t d = tensor->rank; d-- > 0;) {
            offset += (uint64_t)tensor->strides[d];
            if (++at[d] < tensor->shape[d]) {
                break;
            }
            offset -= (uint64_t)(tensor->strides[d] * tensor->shape[d]);
            at[d] = 0;
        }
    }
}

/* -x of one part: floats by their sign bit, integers in two's complement. */
static void negate(uint8_t *part, size_t bytes, bool is_integer) {
    if (!is_integer) {
        part[bytes - 1] ^= 0x80;
        return;
    }
    unsigned carry = 1;
    for (size_t i = 0; i < bytes; i++) {
        carry += (uint8_t)~part[i];
        part[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

/* NumPy has no lazy conjugation and negation: the values are resolved. */
static void resolve(const fk_tensor *tensor, uint8_t *data, uint64_t bytes) {
    bool conj = (tensor->flags & FK_TENSOR_CONJ) != 0;
    bool neg = (tensor->flags & FK_TENSOR_NEG) != 0;
    bool is_float = fk_dtype_is_complex(tensor->dtype) || tensor->dtype == FK_FLOAT16 ||
                    tensor->dtype == FK_FLOAT32 || tensor->dtype == FK_FLOAT64;
    size_t part = part_bytes(tensor->dtype);
    for (uint64_t i = 0; (conj || neg) && i < bytes / part; i++) {
        bool imaginary = fk_dtype_is_complex(tensor->dtype) && i % 2 == 1;
        if (neg != (conj && imaginary)) {
            negate(data + i * part, part, !is_float);
        }
    }
}

fk_code fk_npy_write(fk_buffer *buffer, const fk_tensor *tensor, fk_error *err) {
    fk_code code = fk_npy_header_write(buffer, tensor->dtype, tensor->rank, tensor->shape, err);
    if (code != FK_OK) {
        return code;
    }
    /* cannot wrap: a value's logical size fits 63 bits */
    uint64_t bytes = fk_tensor_elements(tensor) * fk_dtype_bytes(tensor->dtype);
    if (bytes == 0) {
        return FK_OK;
    }
    uint8_t *into = fk_buffer_extend(buffer, bytes);
    if (into == NULL) {
        return fk_error_no_memory(err);
    }
    gather(tensor, into);
    resolve(tensor, into, bytes);
    return FK_OK;
}
