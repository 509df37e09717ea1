#include "checkpoint/torch_storage.h"

#include <string.h>

#include "value/dtype.h"
#include "value/values.h"

static void swap(uint8_t *bytes, uint64_t count, size_t unit) {
    for (uint64_t i = 0; i + unit <= count; i += unit) {
        for (size_t low = 0; low < unit / 2; low++) {
            uint8_t kept = bytes[i + low];
            bytes[i + low] = bytes[i + unit - 1 - low];
            bytes[i + unit - 1 - low] = kept;
        }
    }
}

/* The unit that changes places in another byte order: the element, or half a complex one. */
static size_t swap_unit(fk_dtype dtype) {
    return fk_dtype_bytes(dtype) / (fk_dtype_is_complex(dtype) ? 2 : 1);
}

/* Bytes may be looked at as any of the dtypes that have no class of their own. */
static size_t alignment_of(fk_dtype dtype) {
    return dtype == FK_DTYPE_NONE || dtype == FK_UINT8 ? 16 : fk_dtype_bytes(dtype);
}

size_t fk_torch_counted_bytes(fk_dtype dtype) {
    return dtype == FK_DTYPE_NONE ? 1 : fk_dtype_bytes(dtype);
}

static bool counts_bytes(fk_dtype dtype) {
    return dtype == FK_DTYPE_NONE || dtype == FK_UINT8;
}

fk_code fk_torch_check_again(const fk_torch_record *record, const char *name, fk_dtype dtype,
                             const char *location, fk_error *err) {
    if (record->dtype != dtype && !(counts_bytes(record->dtype) && counts_bytes(dtype))) {
        fk_error_set(err, FK_E_CORRUPT, "the storage '%s' is used as %s and as %s", name,
                     fk_dtype_name(record->dtype), fk_dtype_name(dtype));
        return FK_E_CORRUPT;
    }
    if (strcmp(record->location, location) != 0) {
        return fk_error_set(err, FK_E_CORRUPT, "the storage '%s' has two locations", name);
    }
    return FK_OK;
}

fk_code fk_torch_check_location(const char *location, fk_error *err) {
    if (strcmp(location, "meta") != 0) {
        return FK_OK;
    }
    fk_error_set(err, FK_E_UNSUPPORTED, "a storage is on the device 'meta'");
    fk_error_subject(err, FK_SUBJECT_DATA);
    fk_error_hint(err, "materialise the tensor before saving: a meta tensor has no data");
    return FK_E_UNSUPPORTED;
}

uint8_t *fk_torch_storage_memory(fk_values *values, uint8_t *data, uint64_t bytes, fk_dtype dtype,
                                 bool big_endian) {
    bool swapped = big_endian && swap_unit(dtype) > 1;
    if (!swapped && (uintptr_t)data % alignment_of(dtype) == 0) {
        return data;
    }
    uint8_t *copy = fk_values_allocate(values, (size_t)bytes);
    if (copy != NULL) {
        memcpy(copy, data, (size_t)bytes);
    }
    if (copy != NULL && swapped) {
        swap(copy, bytes, swap_unit(dtype));
    }
    return copy;
}
