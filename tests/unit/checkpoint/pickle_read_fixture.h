/* What tests of the pickle reader share: a host with one storage, pieces of pickles, values as
 * text. */
#ifndef PICKLE_READ_FIXTURE_H
#define PICKLE_READ_FIXTURE_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "checkpoint/pickle_read.h"
#include "value/values.h"

/* One storage of 16 float32 under the key "0"; whoever asks for another is refused. */
typedef struct fake_host {
    fk_values *values;
    fk_storage *storage;
    size_t globals;
    size_t calls;
    size_t opcodes;
    char last[64];
} fake_host;

static inline fk_code give_storage(void *user, const char *key, fk_dtype dtype,
                                   const char *location, uint64_t elements,
                                   fk_storage **ret_storage, fk_error *err) {
    static double memory[8];
    fake_host *fake = user;
    (void)location;
    uint64_t bytes = elements * (dtype == FK_DTYPE_NONE ? 1 : fk_dtype_bytes(dtype));
    if (strcmp(key, "0") != 0 || bytes != sizeof memory) {
        return fk_error_set(err, FK_E_CORRUPT, "no such storage");
    }
    if (fake->storage == NULL) {
        fake->storage = fk_storage_create(fake->values, memory, sizeof memory);
    }
    *ret_storage = fake->storage;
    return FK_OK;
}

static inline fk_code count_global(void *user, const char *module, const char *name, bool call,
                                   uint64_t offset, fk_error *err) {
    fake_host *fake = user;
    (void)offset, (void)err;
    fake->globals += !call;
    fake->calls += call;
    snprintf(fake->last, sizeof fake->last, "%s.%s", module, name);
    return FK_OK;
}

static inline fk_code count_opcode(void *user, const char *opcode, uint64_t offset, fk_error *err) {
    fake_host *fake = user;
    (void)opcode, (void)offset, (void)err;
    fake->opcodes++;
    return FK_OK;
}

/* ---- values as text */

static inline void show(fk_buffer *text, const fk_value *value);

static inline void show_items(fk_buffer *text, const fk_value *value, bool dict) {
    fk_buffer_append_format(text, "%s(", fk_kind_name(fk_value_kind(value)));
    for (size_t i = 0; i < fk_value_count(value); i++) {
        fk_buffer_append_text(text, i > 0 ? ", " : "");
        if (dict) {
            show(text, fk_value_key(value, i));
            fk_buffer_append_text(text, ": ");
        }
        show(text, fk_value_item(value, i));
    }
    fk_buffer_append_text(text, ")");
}

static inline void show_tensor(fk_buffer *text, const fk_tensor *tensor) {
    fk_buffer_append_format(text, "%s[", fk_dtype_name(tensor->dtype));
    for (uint32_t i = 0; i < tensor->rank; i++) {
        fk_buffer_append_format(text, "%" PRId64 "/%" PRId64 " ", tensor->shape[i],
                                tensor->strides[i]);
    }
    fk_buffer_append_format(text, "+%" PRIu64 " f%u]", tensor->offset, tensor->flags);
}

static inline void show(fk_buffer *text, const fk_value *value) {
    double real;
    double imaginary;
    size_t length;
    switch (fk_value_kind(value)) {
    case FK_KIND_NONE:
        fk_buffer_append_text(text, "None");
        break;
    case FK_KIND_BOOL:
        fk_buffer_append_text(text, fk_value_as_bool(value) ? "True" : "False");
        break;
    case FK_KIND_INT:
        fk_buffer_append_format(text, "%" PRId64, fk_value_as_int(value));
        break;
    case FK_KIND_FLOAT:
        fk_buffer_append_format(text, "%.17g", fk_value_as_float(value));
        break;
    case FK_KIND_COMPLEX:
        fk_value_as_complex(value, &real, &imaginary);
        fk_buffer_append_format(text, "%g+%gj", real, imaginary);
        break;
    case FK_KIND_TENSOR:
        show_tensor(text, fk_value_as_tensor(value));
        break;
    case FK_KIND_LIST:
    case FK_KIND_TUPLE:
    case FK_KIND_SIZE:
    case FK_KIND_SET:
        show_items(text, value, false);
        break;
    case FK_KIND_DICT:
    case FK_KIND_ORDERED_DICT:
    case FK_KIND_COUNTER:
        show_items(text, value, true);
        break;
    default:
        fk_value_as_text(value, &length);
        fk_buffer_append_format(text, "%s:%zu'", fk_kind_name(fk_value_kind(value)), length);
        fk_buffer_append(text, fk_value_as_text(value, NULL), length);
        fk_buffer_append_text(text, "'");
        break;
    }
    if (fk_value_attributes(value) != NULL) {
        fk_buffer_append_text(text, "@");
        show(text, fk_value_attributes(value));
    }
}

/* ---- pickles */

#define BYTES(text)              text, sizeof text - 1
#define SIZED_CODE(module, name) "c" module "\n" name "\n"
#define U(length, text)          "X" length "\0\0\0" text
#define STORAGE_OF(class)        "(" U("\7", "storage") class U("\1", "0") U("\3", "cpu")
#define STORAGE                  STORAGE_OF(SIZED_CODE("torch", "FloatStorage")) "K\x10tQ"
#define V2                       SIZED_CODE("torch._utils", "_rebuild_tensor_v2") "(" STORAGE
#define HOOKS                    SIZED_CODE("collections", "OrderedDict") ")R"
#define TENSOR                   V2 "K\1K\2K\3\x86K\3K\1\x86\x89" HOOKS "tR"

static inline fk_code read_pickle(fake_host *fake, const char *pickle, size_t length, bool inspect,
                                  fk_value **ret_value, fk_error *err) {
    fk_pickle_host host = {.storage = give_storage, .user = fake};
    size_t used;
    if (inspect) {
        host.unknown = count_global;
        host.foreign = count_opcode;
    }
    /* memory of its own, so that a read beyond it is seen */
    FK_SCOPED(fk_freep) uint8_t *bytes = malloc(length + 1);
    memcpy(bytes, pickle, length);
    return fk_pickle_read(bytes, length, 1000, &host, fake->values, ret_value,
                          inspect ? &used : NULL, err);
}

#endif
