/* What the writer writes, the reader reads as it was. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "checkpoint/torch_read.h"
#include "checkpoint/torch_write.h"
#include "memory_sink.h"
#include "value/values.h"

typedef struct fixture {
    fk_values *values;
    fk_values *loaded;
    memory_sink sink;
    uint8_t *file;
    fk_error err;
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->values = fk_values_create();
    f->loaded = fk_values_create();
    *state = f;
    return f->loaded == NULL;
}

static int tear_down(void **state) {
    fixture *f = *state;
    fk_values_destroy(f->values);
    fk_values_destroy(f->loaded);
    memory_sink_finish(&f->sink);
    free(f->file);
    free(f);
    return 0;
}

/* Writes the value and reads the file. */
static fk_code send(fixture *f, const fk_value *top, fk_value **ret_loaded) {
    FK_SCOPED(fk_torch_writer_destroyp) fk_torch_writer *writer = NULL;
    fk_sink sink = {memory_sink_write, &f->sink};
    fk_code code = fk_torch_writer_create(top, &writer, &f->err);
    if (code == FK_OK) {
        code = fk_torch_writer_write(writer, &sink, NULL, NULL, &f->err);
    }
    if (code != FK_OK) {
        return code;
    }
    f->file = aligned_alloc(64, (f->sink.bytes.length + 63) / 64 * 64);
    memcpy(f->file, f->sink.bytes.bytes, f->sink.bytes.length);
    return fk_torch_read(f->file, f->sink.bytes.length, FK_READ_CHECK_CRC, f->loaded, ret_loaded,
                         &f->err);
}

static fk_value *survivor(fixture *f, const fk_value *top) {
    fk_value *loaded = NULL;
    if (send(f, top, &loaded) != FK_OK) {
        fail_msg("%s", f->err.message);
    }
    return loaded;
}

static _Alignas(16) uint8_t memory[160000];

static fk_value *view(fixture *f, fk_storage *storage, fk_dtype dtype, uint32_t flags,
                      uint64_t offset, int64_t count, int64_t stride) {
    const fk_tensor tensor = {.dtype = dtype,
                              .flags = flags,
                              .rank = 1,
                              .shape = &count,
                              .strides = &stride,
                              .offset = offset,
                              .storage = storage};
    return fk_value_tensor(f->values, &tensor);
}

static fk_value *list_of(fixture *f, fk_value *item) {
    fk_value *list = fk_value_container(f->values, FK_KIND_LIST);
    assert_int_equal(fk_value_append(list, item), FK_OK);
    return list;
}

static fk_value *item(const fk_value *list, size_t index) {
    fk_value *found = fk_value_item(list, index);
    assert_non_null(found);
    return found;
}

static fk_code pass(void *user, const char *path, const fk_value *value, fk_error *err) {
    (void)user, (void)path, (void)value, (void)err;
    return FK_OK;
}

/* Leaves in as many lists as there may be. */
static fk_value *deepest(fixture *f) {
    fk_storage *storage = fk_storage_create(f->values, memory, 16);
    fk_value *size = fk_value_container(f->values, FK_KIND_SIZE);
    assert_int_equal(fk_value_append(size, fk_value_int(f->values, 2)), FK_OK);
    fk_value *value = list_of(f, size);
    assert_int_equal(fk_value_append(value, fk_value_container(f->values, FK_KIND_TUPLE)), FK_OK);
    assert_int_equal(fk_value_append(value, view(f, storage, FK_UINT8, 0, 0, 4, 1)), FK_OK);
    for (size_t depth = 1; depth < FK_LIMIT_DEPTH; depth++) {
        value = list_of(f, value);
    }
    return value;
}

/* Leaves are no level, whatever they are made of. */
static void test_every_leaf_survives_in_the_deepest_list(void **state) {
    const fk_value *loaded = survivor(*state, deepest(*state));
    for (size_t depth = 1; depth < FK_LIMIT_DEPTH; depth++) {
        loaded = item(loaded, 0);
    }
    assert_int_equal(fk_value_count(item(loaded, 0)), 1);
    assert_int_equal(fk_value_kind(item(loaded, 1)), FK_KIND_TUPLE);
    assert_int_equal(fk_value_kind(item(loaded, 2)), FK_KIND_TENSOR);
}

typedef struct journey {
    fixture *f;
    const fk_value *top;
    fk_code code;
    const fk_value *copy;
} journey;

static void *travel(void *user) {
    journey *one = user;
    fk_value *loaded = NULL;
    one->code = send(one->f, one->top, &loaded);
    if (one->code == FK_OK) {
        one->code = fk_value_walk(loaded, "", pass, NULL, NULL);
    }
    if (one->code == FK_OK) {
        one->copy = fk_value_copy(one->f->values, loaded);
    }
    return NULL;
}

static void test_the_deepest_values_need_little_stack(void **state) {
#ifdef __SANITIZE_ADDRESS__
    enum { STACK_BYTES = 2 << 20 }; /* its frames are larger */
#else
    enum { STACK_BYTES = 512 << 10 };
#endif
    journey one = {.f = *state, .top = deepest(*state)};
    pthread_attr_t attributes;
    pthread_t thread;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, STACK_BYTES), 0);
    assert_int_equal(pthread_create(&thread, &attributes, travel, &one), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
    assert_int_equal(one.code, FK_OK);
    assert_non_null(one.copy);
}

/* A cost that grows with the square would take hours. */
static void test_a_million_entries_and_a_hundred_thousand_storages_survive(void **state) {
    fixture *f = *state;
    enum { ENTRIES = 1000000, TENSORS = 100000 };
    fk_value *dict = fk_value_container(f->values, FK_KIND_DICT);
    fk_value *tensors = fk_value_container(f->values, FK_KIND_LIST);
    for (int64_t i = 0; i < ENTRIES; i++) {
        fk_value *small = fk_value_int(f->values, i);
        assert_int_equal(fk_value_put(dict, small, small), FK_OK);
    }
    for (size_t i = 0; i < TENSORS; i++) {
        fk_storage *storage = fk_storage_create(f->values, memory + i, 1);
        assert_int_equal(fk_value_append(tensors, view(f, storage, FK_UINT8, 0, 0, 1, 1)), FK_OK);
    }
    fk_value *both = list_of(f, dict);
    assert_int_equal(fk_value_append(both, tensors), FK_OK);
    const fk_value *loaded = survivor(f, both);
    assert_int_equal(fk_value_count(item(loaded, 0)), ENTRIES);
    assert_int_equal(fk_value_as_int(fk_value_key(item(loaded, 0), ENTRIES - 1)), ENTRIES - 1);
    assert_int_equal(fk_value_count(item(loaded, 1)), TENSORS);
    assert_int_equal(fk_value_as_tensor(item(item(loaded, 1), TENSORS - 1))->storage->bytes, 1);
}

/* _rebuild_tensor_v3 fails when a tensor requires gradients: they are set behind it. */
static void test_newer_dtypes_may_require_gradients_and_have_attributes(void **state) {
    fixture *f = *state;
    fk_storage *storage = fk_storage_create(f->values, memory, 16);
    fk_value *list = list_of(f, view(f, storage, FK_FLOAT8_E5M2, FK_TENSOR_REQUIRES_GRAD, 0, 4, 1));
    fk_value *noted =
        view(f, storage, FK_COMPLEX32, FK_TENSOR_REQUIRES_GRAD | FK_TENSOR_CONJ, 0, 2, 1);
    fk_value *attributes = fk_value_container(f->values, FK_KIND_DICT);
    assert_int_equal(fk_value_set(attributes, "note", fk_value_int(f->values, 7)), FK_OK);
    assert_int_equal(fk_value_set_attributes(noted, attributes), FK_OK);
    assert_int_equal(fk_value_append(list, noted), FK_OK);
    const fk_value *loaded = survivor(f, list);
    const fk_tensor *first = fk_value_as_tensor(item(loaded, 0));
    const fk_tensor *second = fk_value_as_tensor(item(loaded, 1));
    assert_int_equal(first->dtype, FK_FLOAT8_E5M2);
    assert_int_equal(first->flags, FK_TENSOR_REQUIRES_GRAD);
    assert_null(fk_value_attributes(item(loaded, 0)));
    assert_int_equal(second->flags, FK_TENSOR_REQUIRES_GRAD | FK_TENSOR_CONJ);
    assert_ptr_equal(first->storage, second->storage);
    const fk_value *kept = fk_value_attributes(item(loaded, 1));
    assert_int_equal(fk_value_count(kept), 1);
    assert_int_equal(fk_value_as_int(fk_value_get(kept, "note")), 7);
}

static void test_every_dtype_survives_as_tensor_parameter_and_name(void **state) {
    fixture *f = *state;
    fk_value *list = fk_value_container(f->values, FK_KIND_LIST);
    for (int i = FK_DTYPE_NONE + 1; i < FK_DTYPE_COUNT; i++) {
        fk_storage *storage = fk_storage_create(f->values, memory, 64);
        const char *name = fk_dtype_name((fk_dtype)i);
        fk_value *made[] = {
            view(f, storage, (fk_dtype)i, 0, 1, 2, 1),
            view(f, storage, (fk_dtype)i, FK_TENSOR_PARAMETER, 0, 3, 1),
            fk_value_text(f->values, FK_KIND_DTYPE, name, strlen(name)),
        };
        for (size_t j = 0; j < 3; j++) {
            assert_int_equal(fk_value_append(list, made[j]), FK_OK);
        }
    }
    const fk_value *loaded = survivor(f, list);
    for (int i = FK_DTYPE_NONE + 1; i < FK_DTYPE_COUNT; i++) {
        size_t at = 3 * ((size_t)i - 1);
        const fk_tensor *plain = fk_value_as_tensor(item(loaded, at));
        const fk_tensor *parameter = fk_value_as_tensor(item(loaded, at + 1));
        assert_int_equal(plain->dtype, i);
        assert_int_equal(plain->offset, 1);
        assert_int_equal(parameter->flags, FK_TENSOR_PARAMETER);
        assert_ptr_equal(plain->storage, parameter->storage);
        assert_string_equal(fk_value_as_text(item(loaded, at + 2), NULL),
                            fk_dtype_name((fk_dtype)i));
    }
}

static void test_an_expanded_tensor_larger_than_any_memory_survives(void **state) {
    fixture *f = *state;
    fk_storage *storage = fk_storage_create(f->values, memory, 4096);
    fk_value *list = list_of(f, view(f, storage, FK_FLOAT32, 0, 4, INT64_C(1) << 60, 0));
    const fk_tensor *loaded = fk_value_as_tensor(item(survivor(f, list), 0));
    assert_int_equal(loaded->shape[0], INT64_C(1) << 60);
    assert_int_equal(loaded->strides[0], 0);
    assert_int_equal(loaded->storage->bytes, 4);
    assert_true(f->sink.bytes.length < 4096);
}

static void test_thousands_of_views_share_one_storage(void **state) {
    fixture *f = *state;
    enum { VIEWS = 10000 };
    fk_storage *storage = fk_storage_create(f->values, memory, sizeof memory);
    fk_value *list = fk_value_container(f->values, FK_KIND_LIST);
    for (uint64_t i = 0; i < VIEWS; i++) {
        assert_int_equal(fk_value_append(list, view(f, storage, FK_FLOAT32, 0, 1000 + i, 8, 2)),
                         FK_OK);
    }
    const fk_value *loaded = survivor(f, list);
    const fk_tensor *first = fk_value_as_tensor(item(loaded, 0));
    for (uint64_t i = 0; i < VIEWS; i++) {
        const fk_tensor *tensor = fk_value_as_tensor(item(loaded, i));
        assert_ptr_equal(tensor->storage, first->storage);
        assert_int_equal(tensor->offset - first->offset, i);
    }
    assert_int_equal(first->storage->bytes, (VIEWS + 14) * 4);
}

static void test_containers_that_hold_themselves_by_every_way_survive(void **state) {
    fixture *f = *state;
    fk_value *dict = fk_value_container(f->values, FK_KIND_ORDERED_DICT);
    fk_value *tuple = fk_value_container(f->values, FK_KIND_TUPLE);
    fk_value *attributes = fk_value_container(f->values, FK_KIND_DICT);
    assert_int_equal(fk_value_append(tuple, dict), FK_OK);
    assert_int_equal(fk_value_set(dict, "list", list_of(f, dict)), FK_OK);
    assert_int_equal(fk_value_set(dict, "tuple", tuple), FK_OK);
    assert_int_equal(fk_value_set(attributes, "owner", dict), FK_OK);
    assert_int_equal(fk_value_set_attributes(dict, attributes), FK_OK);
    const fk_value *loaded = survivor(f, dict);
    assert_ptr_equal(item(fk_value_get(loaded, "list"), 0), loaded);
    assert_ptr_equal(item(fk_value_get(loaded, "tuple"), 0), loaded);
    assert_ptr_equal(fk_value_get(fk_value_attributes(loaded), "owner"), loaded);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_leaf_survives_in_the_deepest_list, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_the_deepest_values_need_little_stack, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_million_entries_and_a_hundred_thousand_storages_survive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_newer_dtypes_may_require_gradients_and_have_attributes,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_every_dtype_survives_as_tensor_parameter_and_name,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_expanded_tensor_larger_than_any_memory_survives,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_thousands_of_views_share_one_storage, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_containers_that_hold_themselves_by_every_way_survive,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
