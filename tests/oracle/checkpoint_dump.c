/* Reads checkpoints and prints them for the tests of oracle/: one JSON line per value in the order
 * of the file, so that Python can hold it against what torch.load gives, and an empty line behind
 * each file. Usage: checkpoint_dump FILE ... */
#include <inttypes.h>
#include <string.h>

#include "base/buffer.h"
#include "checkpoint/torch_read.h"
#include "checkpoint_file.h"
#include "value/values.h"

static void print_hex(const char *name, const void *bytes, size_t length) {
    printf(", \"%s\": \"", name);
    for (size_t i = 0; i < length; i++) {
        printf("%02x", ((const unsigned char *)bytes)[i]);
    }
    printf("\"");
}

static void print_numbers(const char *name, const int64_t *numbers, size_t count) {
    printf(", \"%s\": [", name);
    for (size_t i = 0; i < count; i++) {
        printf("%s%" PRId64, i == 0 ? "" : ", ", numbers[i]);
    }
    printf("]");
}

/* The elements in C order, whatever the strides. */
static void gather(const fk_tensor *tensor, fk_buffer *elements) {
    size_t bytes = fk_dtype_bytes(tensor->dtype);
    const uint8_t *data = fk_tensor_data(tensor);
    uint64_t count = fk_tensor_elements(tensor);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t rest = i;
        uint64_t at = 0;
        for (uint32_t d = tensor->rank; d-- > 0;) {
            at += rest % (uint64_t)tensor->shape[d] * (uint64_t)tensor->strides[d];
            rest /= (uint64_t)tensor->shape[d];
        }
        fk_buffer_append(elements, data + at * bytes, bytes);
    }
}

static void print_tensor(const fk_value *value) {
    const fk_tensor *tensor = fk_value_as_tensor(value);
    FK_SCOPED(fk_buffer_finish) fk_buffer elements = {0};
    char sha256[FK_SHA256_HEX_BYTES];
    gather(tensor, &elements);
    if (fk_sha256_hex(elements.bytes, elements.length, sha256, NULL) != FK_OK || elements.failed) {
        abort();
    }
    printf(", \"dtype\": \"%s\"", fk_dtype_name(tensor->dtype));
    print_numbers("shape", tensor->shape, tensor->rank);
    print_numbers("strides", tensor->strides, tensor->rank);
    printf(", \"offset\": %" PRIu64 ", \"flags\": %u, \"storage_bytes\": %" PRIu64
           ", \"storage\": \"%p\", \"aligned\": %s, \"sha256\": \"%s\"",
           tensor->offset, tensor->flags, tensor->storage->bytes, (void *)tensor->storage,
           (uintptr_t)tensor->storage->data % fk_dtype_bytes(tensor->dtype) == 0 ? "true" : "false",
           sha256);
    printf(", \"object\": \"%p\"", (const void *)value);
}

static fk_code print_value(void *user, const char *path, const fk_value *value, fk_error *err) {
    (void)user;
    (void)err;
    fk_kind kind = fk_value_kind(value);
    printf("{\"kind\": \"%s\"", fk_kind_name(kind));
    print_hex("path", path, strlen(path));
    size_t length = 0;
    double numbers[2];
    switch (kind) {
    case FK_KIND_NONE:
        break;
    case FK_KIND_BOOL:
        printf(", \"bool\": %s", fk_value_as_bool(value) ? "true" : "false");
        break;
    case FK_KIND_INT:
        printf(", \"int\": %" PRId64, fk_value_as_int(value));
        break;
    case FK_KIND_FLOAT:
        numbers[0] = fk_value_as_float(value);
        print_hex("bits", numbers, sizeof numbers[0]);
        break;
    case FK_KIND_COMPLEX:
        fk_value_as_complex(value, &numbers[0], &numbers[1]);
        print_hex("bits", numbers, sizeof numbers);
        break;
    case FK_KIND_STRING:
    case FK_KIND_BYTES:
    case FK_KIND_BYTEARRAY:
    case FK_KIND_BIG_INT:
    case FK_KIND_DTYPE:
    case FK_KIND_DEVICE:
    case FK_KIND_LAYOUT:
    case FK_KIND_QSCHEME: {
        const char *text = fk_value_as_text(value, &length);
        print_hex("text", text, length);
        break;
    }
    case FK_KIND_TENSOR:
        print_tensor(value);
        break;
    default:
        printf(", \"count\": %zu, \"attributes\": %s, \"object\": \"%p\"", fk_value_count(value),
               fk_value_attributes(value) != NULL ? "true" : "false", (const void *)value);
        break;
    }
    printf("}\n");
    return FK_OK;
}

static int dump(const char *path) {
    static fk_error err;
    size_t length = 0;
    FK_SCOPED(fk_freep) uint8_t *bytes = read_file(path, &length);
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    fk_value *top = NULL;
    fk_code code = fk_torch_read(bytes, length, FK_READ_CHECK_CRC, values, &top, &err);
    if (code == FK_OK) {
        code = fk_value_walk(top, "", print_value, NULL, &err);
    }
    if (code != FK_OK) {
        printf("{\"error\": \"%s\", \"offset\": %" PRId64 "}\n", fk_code_name(code),
               (int64_t)err.offset);
        fprintf(stderr, "%s (%s)\n", err.message, err.hint);
    }
    return code == FK_OK ? 0 : 1;
}

int main(int count, char **arguments) {
    int status = count < 2 ? 2 : 0;
    for (int i = 1; i < count; i++) {
        status |= dump(arguments[i]);
        printf("\n");
    }
    return status;
}
