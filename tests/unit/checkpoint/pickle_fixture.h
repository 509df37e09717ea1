/* What tests of the pickle writer share: values made in one line, storages spelled plainly. */
#ifndef FK_TEST_PICKLE_FIXTURE_H
#define FK_TEST_PICKLE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "checkpoint/pickle_write.h"
#include "value/values.h"

typedef struct fixture {
    fk_values *values;
    fk_buffer pickle;
    fk_error err;
    const fk_storage *storages[8];
    size_t storage_count;
    bool untyped;
} fixture;

static inline int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->values = fk_values_create();
    *state = f;
    return f->values == NULL;
}

static inline int tear_down(void **state) {
    fixture *f = *state;
    fk_values_destroy(f->values);
    fk_buffer_finish(&f->pickle);
    free(f);
    return 0;
}

/* Every storage whole, keys by first appearance. */
static inline fk_code spell(void *user, const fk_tensor *tensor, fk_pickle_storage *ret_storage,
                            fk_error *err) {
    static const char *const keys[] = {"0", "1", "2", "3", "4", "5", "6", "7"};
    fixture *f = user;
    size_t i = 0;
    while (i < f->storage_count && f->storages[i] != tensor->storage) {
        i++;
    }
    if (i == sizeof keys / sizeof keys[0]) {
        return fk_error_set(err, FK_E_LIMIT, "too many storages");
    }
    f->storages[i] = tensor->storage;
    f->storage_count = i == f->storage_count ? i + 1 : f->storage_count;
    *ret_storage = (fk_pickle_storage){
        .key = keys[i],
        .dtype = f->untyped ? FK_DTYPE_NONE : tensor->dtype,
        .elements = f->untyped ? tensor->storage->bytes
                               : tensor->storage->bytes / fk_dtype_bytes(tensor->dtype),
        .tensor_offset = tensor->offset,
    };
    return FK_OK;
}

static inline fk_code write(fixture *f, const fk_value *top) {
    fk_pickle_spelling spelling = {spell, f};
    f->pickle.length = 0;
    f->storage_count = 0;
    return fk_pickle_write(&f->pickle, top, &spelling, &f->err);
}

static inline void assert_bytes(fixture *f, const fk_value *top, const char *bytes, size_t length) {
    assert_int_equal(write(f, top), FK_OK);
    assert_int_equal(f->pickle.length, length);
    assert_memory_equal(f->pickle.bytes, bytes, length);
}
#define ASSERT_GOLDEN(f, top, golden) assert_bytes(f, top, golden, sizeof(golden) - 1)

static inline void assert_refused(fixture *f, const fk_value *top, fk_code code,
                                  const char *message) {
    memset(&f->err, 0, sizeof f->err);
    assert_int_equal(write(f, top), code);
    assert_int_equal(f->err.code, code);
    assert_string_equal(f->err.message, message);
    assert_int_equal(f->err.subject, code == FK_E_UNSUPPORTED ? FK_SUBJECT_DATA : FK_SUBJECT_NONE);
    assert_int_not_equal(f->err.hint[0], 0);
}

static inline fk_value *container(fixture *f, fk_kind kind) {
    fk_value *value = fk_value_container(f->values, kind);
    assert_non_null(value);
    return value;
}

static inline fk_value *integer(fixture *f, int64_t number) {
    return fk_value_int(f->values, number);
}

static inline fk_value *text(fixture *f, fk_kind kind, const char *of) {
    return fk_value_text(f->values, kind, of, strlen(of));
}

static inline void append(fk_value *to, fk_value *item) {
    assert_int_equal(fk_value_append(to, item), FK_OK);
}

static inline void put(fixture *f, fk_value *dict, const char *key, fk_value *item) {
    assert_int_equal(fk_value_put(dict, fk_value_string(f->values, key), item), FK_OK);
}

/* A sequence of 1, 2, ..., count. */
static inline fk_value *counted(fixture *f, fk_kind kind, int64_t count) {
    fk_value *value = container(f, kind);
    for (int64_t i = 1; i <= count; i++) {
        append(value, integer(f, i));
    }
    return value;
}

static inline fk_value *dict_of(fixture *f, fk_kind kind, int64_t count) {
    fk_value *value = container(f, kind);
    for (int64_t i = 0; i < count; i++) {
        assert_int_equal(fk_value_put(value, integer(f, i % 256), fk_value_none(f->values)), FK_OK);
    }
    return value;
}

static _Alignas(16) uint8_t memory[512];

static inline fk_value *tensor(fixture *f, fk_dtype dtype, uint32_t flags, uint32_t rank,
                               const int64_t *shape) {
    fk_tensor view = {.dtype = dtype, .flags = flags, .rank = rank, .shape = shape};
    uint64_t bytes = fk_dtype_bytes(dtype);
    for (uint32_t i = 0; i < rank; i++) {
        bytes *= (uint64_t)shape[i];
    }
    view.storage = fk_storage_create(f->values, memory, bytes);
    fk_value *value = fk_value_tensor(f->values, &view);
    assert_non_null(value);
    return value;
}

static inline void attach(fixture *f, fk_value *to, const char *key, fk_value *item) {
    fk_value *attributes = container(f, FK_KIND_DICT);
    put(f, attributes, key, item);
    assert_int_equal(fk_value_set_attributes(to, attributes), FK_OK);
}

static const int64_t two[] = {2};

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
