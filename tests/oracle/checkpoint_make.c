/* Writes a checkpoint of values that torch.save does not make: one memory viewed as several dtypes,
 * slices of large storages, empty bytes, a dict within itself. test_write_torch.py says what must
 * come out. Usage: checkpoint_make OUT */
#include <string.h>

#include "base/limits.h"
#include "checkpoint_file.h"
#include "value/values.h"

static fk_values *values;

static void set(fk_value *dict, const char *key, fk_value *item) {
    if (fk_value_set(dict, key, item) != FK_OK) {
        abort();
    }
}

static fk_value *view(fk_storage *storage, fk_dtype dtype, uint64_t offset, int64_t count,
                      int64_t stride) {
    fk_tensor tensor = {.dtype = dtype,
                        .rank = 1,
                        .shape = &count,
                        .strides = &stride,
                        .offset = offset,
                        .storage = storage};
    return fk_value_tensor(values, &tensor);
}

/* Lists within lists, as deep as the writer goes below the top. */
static fk_value *nest(void) {
    fk_value *inner = fk_value_container(values, FK_KIND_LIST);
    for (unsigned i = 0; i + 2 < FK_LIMIT_DEPTH; i++) {
        fk_value *outer = fk_value_container(values, FK_KIND_LIST);
        if (fk_value_append(outer, inner) != FK_OK) {
            abort();
        }
        inner = outer;
    }
    return inner;
}

int main(int count, char **arguments) {
    static _Alignas(16) uint8_t memory[1 << 16];
    static fk_error err;
    if (count != 2) {
        return 2;
    }
    for (size_t i = 0; i < sizeof memory; i++) {
        memory[i] = (uint8_t)(i % 64);
    }
    values = fk_values_create();
    fk_storage *large = fk_storage_create(values, memory, sizeof memory);
    fk_storage *mixed = fk_storage_create(values, memory, sizeof memory);
    fk_value *top = fk_value_container(values, FK_KIND_DICT);
    set(top, "slice", view(large, FK_INT32, 1001, 5, 3));
    set(top, "same", view(large, FK_INT32, 1004, 2, 1));
    set(top, "empty_view", view(large, FK_INT32, 9000, 0, 1));
    set(top, "as_int16", view(mixed, FK_INT16, 100, 8, 1));
    set(top, "as_float64", view(mixed, FK_FLOAT64, 25, 2, 1));
    set(top, "as_bytes", view(mixed, FK_UINT8, 203, 3, 2));
    set(top, "empty_bytes", fk_value_text(values, FK_KIND_BYTES, "", 0));
    set(top, "deep", nest());
    set(top, "self", top);
    fk_code code = write_checkpoint(arguments[1], top, &err);
    if (code != FK_OK) {
        fprintf(stderr, "%s\n", err.message);
    }
    fk_values_destroy(values);
    return code == FK_OK ? 0 : 1;
}
