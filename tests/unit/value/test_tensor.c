#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/limits.h"
#include "value/values.h"

/* 24 floats, told by their index. */
typedef struct tensor_fixture {
    fk_values *values;
    fk_storage *storage;
    float numbers[24];
} tensor_fixture;

static int make_fixture(void **state) {
    static tensor_fixture fixture;
    fixture.values = fk_values_create();
    fixture.storage = fk_storage_create(fixture.values, fixture.numbers, sizeof fixture.numbers);
    *state = &fixture;
    return fixture.storage == NULL;
}

static int drop_fixture(void **state) {
    fk_values_destroy(((tensor_fixture *)*state)->values);
    return 0;
}

/* A tensor of float32 over the fixture's storage; strides NULL: C order. */
static fk_value *make(tensor_fixture *fixture, uint32_t rank, const int64_t *shape,
                      const int64_t *strides, uint64_t offset) {
    fk_tensor tensor = {.dtype = FK_FLOAT32,
                        .rank = rank,
                        .shape = shape,
                        .strides = strides,
                        .offset = offset,
                        .storage = fixture->storage};
    return fk_value_tensor(fixture->values, &tensor);
}

static void test_a_tensor_without_strides_is_in_c_order(void **state) {
    tensor_fixture *fixture = *state;
    int64_t shape[] = {2, 3, 4};
    const fk_tensor *tensor = fk_value_as_tensor(make(fixture, 3, shape, NULL, 0));
    shape[0] = 99; /* it was copied */
    assert_int_equal(tensor->shape[0], 2);
    assert_int_equal(tensor->strides[0], 12);
    assert_int_equal(tensor->strides[1], 4);
    assert_int_equal(tensor->strides[2], 1);
    assert_int_equal(fk_tensor_elements(tensor), 24);
    assert_true(fk_tensor_is_contiguous(tensor));
    assert_ptr_equal(fk_tensor_data(tensor), fixture->numbers);
    assert_ptr_equal(tensor->storage, fixture->storage);
}

static void test_views_know_their_span(void **state) {
    tensor_fixture *fixture = *state;
    static const struct {
        uint32_t rank;
        int64_t shape[3];
        int64_t strides[3];
        uint64_t offset;
        uint64_t first_byte;
        uint64_t end_byte;
        bool contiguous;
    } views[] = {
        {0, {0}, {0}, 5, 20, 24, true},                 /* a scalar */
        {2, {4, 3}, {1, 4}, 0, 0, 48, false},           /* transposed */
        {2, {5, 3}, {0, 1}, 2, 8, 20, false},           /* expanded */
        {1, {3}, {8}, 7, 28, 96, false},                /* every eighth, to the end */
        {2, {1, 4}, {77, 1}, 4, 16, 32, true},          /* a stride that is never used */
        {3, {2, 0, 4}, {1, 1, 1}, 1000000, 0, 0, true}, /* nothing: offsets do not matter */
        {2, {6, 4}, {4, 1}, 0, 0, 96, true},
    };
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
        fk_value *value =
            make(fixture, views[i].rank, views[i].shape, views[i].strides, views[i].offset);
        assert_non_null(value);
        uint64_t first_byte;
        uint64_t end_byte;
        assert_true(fk_tensor_span(fk_value_as_tensor(value), &first_byte, &end_byte));
        assert_int_equal(first_byte, views[i].first_byte);
        assert_int_equal(end_byte, views[i].end_byte);
        assert_int_equal(fk_tensor_is_contiguous(fk_value_as_tensor(value)), views[i].contiguous);
    }
}

static void test_an_offset_moves_the_data(void **state) {
    tensor_fixture *fixture = *state;
    int64_t shape[] = {2};
    const fk_tensor *tensor = fk_value_as_tensor(make(fixture, 1, shape, NULL, 3));
    assert_ptr_equal(fk_tensor_data(tensor), fixture->numbers + 3);
    int64_t none[] = {0};
    assert_null(fk_tensor_data(fk_value_as_tensor(make(fixture, 1, none, NULL, 3))));
}

static void test_a_view_that_leaves_its_storage_is_refused(void **state) {
    tensor_fixture *fixture = *state;
    static const struct {
        int64_t shape[2];
        int64_t strides[2];
        uint64_t offset;
    } views[] = {
        {{5, 5}, {5, 1}, 0},                 /* one element too many */
        {{2, 3}, {3, 1}, 19},                /* moved out at the end */
        {{2, 3}, {3, 1}, UINT64_MAX},        /* the offset wraps */
        {{2, 3}, {3, 1}, UINT64_MAX / 4},    /* its bytes wrap */
        {{2, 3}, {INT64_MAX, 1}, 0},         /* the stride reaches too far */
        {{3, 3}, {INT64_MAX, INT64_MAX}, 0}, /* the reach wraps */
        {{2, 2}, {-1, 1}, 4},                /* a negative stride */
        {{-2, 2}, {2, 1}, 0},                /* a negative size */
        {{0, -1}, {1, 1}, 0},                /* one beside a size of none */
        {{INT64_MAX, INT64_MAX}, {0, 0}, 0}, /* more elements than can be counted */
        {{INT64_C(1) << 62, 1}, {0, 0}, 0},  /* elements, but not bytes, can be counted */
    };
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
        if (make(fixture, 2, views[i].shape, views[i].strides, views[i].offset) != NULL) {
            fail_msg("view %zu was taken", i);
        }
    }
    static const int64_t huge[] = {INT64_MAX / 2, INT64_MAX / 2, 0};
    assert_null(make(fixture, 3, huge, NULL, 0)); /* nothing, but its strides wrap */
}

static void test_a_tensor_that_makes_no_sense_is_refused(void **state) {
    tensor_fixture *fixture = *state;
    int64_t shape[FK_LIMIT_RANK + 1];
    for (size_t i = 0; i < FK_LIMIT_RANK + 1; i++) {
        shape[i] = 1;
    }
    assert_non_null(make(fixture, FK_LIMIT_RANK, shape, NULL, 0));
    assert_null(make(fixture, FK_LIMIT_RANK + 1, shape, NULL, 0));
    assert_null(make(fixture, FK_LIMIT_RANK + 1, shape, shape, 0));
    fk_tensor tensor = {.dtype = FK_DTYPE_NONE, .storage = fixture->storage};
    assert_null(fk_value_tensor(fixture->values, &tensor));
    tensor.dtype = FK_INT8;
    tensor.flags = 1 << 4;
    assert_null(fk_value_tensor(fixture->values, &tensor));
    tensor.flags = FK_TENSOR_REQUIRES_GRAD | FK_TENSOR_PARAMETER | FK_TENSOR_CONJ | FK_TENSOR_NEG;
    assert_non_null(fk_value_tensor(fixture->values, &tensor));
    tensor.storage = NULL;
    assert_null(fk_value_tensor(fixture->values, &tensor));
}

static void test_c_strides_count_an_empty_dimension_as_one(void **state) {
    (void)state;
    int64_t strides[3] = {-1, -1, -1};
    assert_true(fk_tensor_c_strides(3, (int64_t[]){2, 0, 4}, strides));
    assert_int_equal(strides[0], 4);
    assert_int_equal(strides[1], 4);
    assert_int_equal(strides[2], 1);
    assert_false(fk_tensor_c_strides(2, (int64_t[]){2, -1}, strides));
    assert_false(fk_tensor_c_strides(3, (int64_t[]){4, INT64_MAX, 2}, strides));
    assert_false(fk_tensor_c_strides(FK_LIMIT_RANK + 1, NULL, strides));
    assert_true(fk_tensor_c_strides(0, NULL, NULL));
}

static void test_a_tensor_of_ones_own_may_leave_its_strides_out(void **state) {
    tensor_fixture *fixture = *state;
    fk_tensor tensor = {
        .dtype = FK_FLOAT32, .rank = 2, .shape = (int64_t[]){2, 3}, .storage = fixture->storage};
    uint64_t first_byte;
    uint64_t end_byte;
    assert_true(fk_tensor_span(&tensor, &first_byte, &end_byte));
    assert_int_equal(end_byte, 24);
    assert_true(fk_tensor_is_contiguous(&tensor));
    tensor.shape = (int64_t[]){-1, 3};
    assert_false(fk_tensor_span(&tensor, &first_byte, &end_byte));
    assert_int_equal(fk_tensor_elements(&tensor), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_tensor_without_strides_is_in_c_order, make_fixture,
                                        drop_fixture),
        cmocka_unit_test_setup_teardown(test_views_know_their_span, make_fixture, drop_fixture),
        cmocka_unit_test_setup_teardown(test_an_offset_moves_the_data, make_fixture, drop_fixture),
        cmocka_unit_test_setup_teardown(test_a_view_that_leaves_its_storage_is_refused,
                                        make_fixture, drop_fixture),
        cmocka_unit_test_setup_teardown(test_a_tensor_that_makes_no_sense_is_refused, make_fixture,
                                        drop_fixture),
        cmocka_unit_test(test_c_strides_count_an_empty_dimension_as_one),
        cmocka_unit_test_setup_teardown(test_a_tensor_of_ones_own_may_leave_its_strides_out,
                                        make_fixture, drop_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
