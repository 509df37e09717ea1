#include "checkpoint/inspection.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "value/values.h"

typedef struct owned_inspection {
    fk_inspection shown; /* first: what the caller holds */
    fk_tensor_info *tensors;
    size_t tensor_capacity;
    fk_problem *findings;
    size_t finding_capacity;
    fk_values *arena;          /* texts and shapes */
    uint64_t listed_bytes;     /* names and shapes of tensors */
    uint64_t listed_bytes_max; /* beyond it no tensor is added */
} owned_inspection;

static owned_inspection *owned(fk_inspection *inspection) {
    return (owned_inspection *)inspection;
}

fk_inspection *fk_inspection_create(const char *format, uint64_t file_bytes) {
    owned_inspection *made = calloc(1, sizeof *made);
    fk_values *arena = fk_values_create();
    if (made == NULL || arena == NULL) {
        fk_values_destroy(arena);
        free(made);
        return NULL;
    }
    made->arena = arena;
    made->listed_bytes_max = FK_LIMIT_LISTED_BYTES + file_bytes;
    made->shown.format = format;
    return &made->shown;
}

void fk_inspection_destroy(fk_inspection *inspection) {
    if (inspection == NULL) {
        return;
    }
    owned_inspection *own = owned(inspection);
    fk_values_destroy(own->arena);
    free(own->tensors);
    free(own->findings);
    free(own);
}

static void *copy(owned_inspection *own, const void *from, size_t bytes) {
    void *copied = fk_values_allocate(own->arena, bytes);
    if (copied != NULL && bytes > 0) {
        memcpy(copied, from, bytes);
    }
    return copied;
}

/* Makes room for one more row; gives the array, or NULL. */
static void *grow(void *rows, size_t count, size_t *capacity, size_t row_bytes) {
    if (count < *capacity) {
        return rows;
    }
    size_t larger = *capacity == 0 ? 16 : *capacity * 2;
    void *grown = realloc(rows, larger * row_bytes);
    if (grown != NULL) {
        *capacity = larger;
    }
    return grown;
}

fk_code fk_inspection_add_tensor(fk_inspection *inspection, const char *name,
                                 const fk_tensor *tensor, fk_error *err) {
    owned_inspection *own = owned(inspection);
    if (own->listed_bytes > own->listed_bytes_max) {
        return FK_OK;
    }
    own->listed_bytes += strlen(name) + sizeof *own->tensors + tensor->rank * sizeof(int64_t);
    if (own->listed_bytes > own->listed_bytes_max) {
        return fk_inspection_add_finding(inspection, "limit", FK_NO_OFFSET, 0, err,
                                         "there are further tensors, which are left out");
    }
    fk_tensor_info *rows =
        grow(own->tensors, inspection->tensor_count, &own->tensor_capacity, sizeof *rows);
    if (rows == NULL) {
        return fk_error_no_memory(err);
    }
    own->tensors = rows;
    inspection->tensors = rows;
    fk_tensor_info info = {
        .name = copy(own, name, strlen(name) + 1),
        .dtype = fk_dtype_name(tensor->dtype),
        .rank = tensor->rank,
        .shape = copy(own, tensor->shape, tensor->rank * sizeof tensor->shape[0]),
        .bytes = fk_tensor_elements(tensor) * fk_dtype_bytes(tensor->dtype),
    };
    if (info.name == NULL || info.shape == NULL) {
        return fk_error_no_memory(err);
    }
    rows[inspection->tensor_count++] = info;
    return FK_OK;
}

fk_code fk_inspection_add_finding(fk_inspection *inspection, const char *code, uint64_t offset,
                                  uint64_t length, fk_error *err, const char *format, ...) {
    owned_inspection *own = owned(inspection);
    char message[512];
    if (inspection->finding_count > FK_LIMIT_FINDINGS) {
        return FK_OK;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (inspection->finding_count == FK_LIMIT_FINDINGS) {
        code = "limit";
        offset = FK_NO_OFFSET;
        length = 0;
        snprintf(message, sizeof message, "there are further findings, which are left out");
    }
    fk_problem *rows =
        grow(own->findings, inspection->finding_count, &own->finding_capacity, sizeof *rows);
    if (rows == NULL) {
        return fk_error_no_memory(err);
    }
    own->findings = rows;
    inspection->findings = rows;
    fk_problem finding = {
        .code = code,
        .offset = offset,
        .length = length,
        .message = copy(own, message, strlen(message) + 1),
    };
    if (finding.message == NULL) {
        return fk_error_no_memory(err);
    }
    rows[inspection->finding_count++] = finding;
    return FK_OK;
}
