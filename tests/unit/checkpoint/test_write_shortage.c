/* Every allocation of the writers fails in turn: the error is told, nothing leaks, nothing crashes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "checkpoint/npy.h"
#include "checkpoint/torch_write.h"
#include "memory_sink.h"
#include "value/values.h"

static long allocations_left = -1; /* -1: all succeed */

static bool short_of_memory(void) {
    if (allocations_left > 0) {
        allocations_left--;
    }
    return allocations_left == 0;
}

void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void *__real_reallocarray(void *memory, size_t count, size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
void *__wrap_reallocarray(void *memory, size_t count, size_t bytes);

void *__wrap_calloc(size_t count, size_t bytes) {
    return short_of_memory() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *memory, size_t bytes) {
    return short_of_memory() ? NULL : __real_realloc(memory, bytes);
}

void *__wrap_reallocarray(void *memory, size_t count, size_t bytes) {
    return short_of_memory() ? NULL : __real_reallocarray(memory, count, bytes);
}

static _Alignas(16) uint8_t memory[64];

static fk_value *tensor(fk_values *values) {
    int64_t shape = 4;
    fk_tensor view = {.dtype = FK_FLOAT32,
                      .rank = 1,
                      .shape = &shape,
                      .storage = fk_storage_create(values, memory, sizeof memory)};
    return fk_value_tensor(values, &view);
}

/* Enough of everything that every table grows. */
static fk_value *make_top(fk_values *values) {
    static const fk_kind kinds[] = {FK_KIND_LAYOUT, FK_KIND_BYTES, FK_KIND_DEVICE, FK_KIND_DTYPE};
    static const char *const texts[] = {"strided", "two bytes", "cuda:0", "int8"};
    fk_value *top = fk_value_container(values, FK_KIND_LIST);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        fk_value_append(top, fk_value_text(values, kinds[i], texts[i], strlen(texts[i])));
    }
    for (int i = 0; i < 100; i++) {
        char name[32];
        snprintf(name, sizeof name, "name %d", i);
        fk_value_append(top, fk_value_string(values, name));
        fk_value_append(top, tensor(values));
    }
    fk_value *big = fk_value_big_int(values, "0123456789abcdef", 16);
    assert_int_equal(fk_value_append(top, big), FK_OK);
    return top;
}

static fk_code write_torch(const fk_value *top, fk_error *err) {
    FK_SCOPED(memory_sink_finish) memory_sink into = {.keep_below = 1};
    fk_sink sink = {memory_sink_write, &into};
    FK_SCOPED(fk_torch_writer_destroyp) fk_torch_writer *writer = NULL;
    fk_code code = fk_torch_writer_create(top, &writer, err);
    return code == FK_OK ? fk_torch_writer_write(writer, &sink, NULL, NULL, err) : code;
}

static fk_code write_npy(const fk_value *top, fk_error *err) {
    FK_SCOPED(fk_buffer_finish) fk_buffer file = {0};
    return fk_npy_write(&file, fk_value_as_tensor(top), err);
}

/* A refusal writes a path, too. */
static fk_code write_cycle(const fk_value *top, fk_error *err) {
    fk_code code = write_torch(top, err);
    return code == FK_E_UNSUPPORTED ? FK_OK : code;
}

static void assert_every_shortage_is_told(fk_code (*write)(const fk_value *top, fk_error *err),
                                          const fk_value *top, long allocations_min) {
    fk_error err;
    fk_code code = FK_E_NO_MEMORY;
    long allowed = 0;
    while (code != FK_OK) {
        memset(&err, 0, sizeof err);
        allocations_left = ++allowed;
        code = write(top, &err);
        allocations_left = -1;
        if (code != FK_OK) {
            assert_int_equal(code, FK_E_NO_MEMORY);
            assert_int_equal(err.code, FK_E_NO_MEMORY);
        }
    }
    assert_true(allowed > allocations_min);
}

static void test_a_checkpoint_tells_every_shortage_of_memory(void **state) {
    (void)state;
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    assert_every_shortage_is_told(write_torch, make_top(values), 20);
}

static void test_a_refusal_survives_a_shortage_of_memory(void **state) {
    (void)state;
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    fk_value *tuple = fk_value_container(values, FK_KIND_TUPLE);
    assert_int_equal(fk_value_append(tuple, tuple), FK_OK);
    assert_every_shortage_is_told(write_cycle, tuple, 3);
}

static void test_an_npy_file_tells_every_shortage_of_memory(void **state) {
    (void)state;
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    assert_every_shortage_is_told(write_npy, tensor(values), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_checkpoint_tells_every_shortage_of_memory),
        cmocka_unit_test(test_a_refusal_survives_a_shortage_of_memory),
        cmocka_unit_test(test_an_npy_file_tells_every_shortage_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
