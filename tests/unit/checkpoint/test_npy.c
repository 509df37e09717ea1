#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "checkpoint/npy.h"
#include "value/values.h"

/* ---- support */

typedef struct fixture {
    fk_values *values;
    fk_buffer file;
    fk_error err;
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->values = fk_values_create();
    *state = f;
    return f->values == NULL;
}

static int tear_down(void **state) {
    fixture *f = *state;
    fk_values_destroy(f->values);
    fk_buffer_finish(&f->file);
    free(f);
    return 0;
}

/* A file of a version with this header and array. */
static void make(fixture *f, uint8_t version, const char *header, const void *array, size_t bytes) {
    f->file.length = 0;
    fk_buffer_append(&f->file, "\x93NUMPY", 6);
    fk_buffer_append_byte(&f->file, version);
    fk_buffer_append_byte(&f->file, 0);
    if (version == 1) {
        fk_buffer_append_u16(&f->file, (uint16_t)strlen(header));
    } else {
        fk_buffer_append_u32(&f->file, (uint32_t)strlen(header));
    }
    fk_buffer_append_text(&f->file, header);
    assert_true(fk_buffer_append(&f->file, array, bytes));
}

static fk_code read(fixture *f, const fk_tensor **ret_tensor) {
    fk_value *value = NULL;
    fk_code code = fk_npy_read(f->file.bytes, f->file.length, f->values, &value, &f->err);
    if (code == FK_OK) {
        *ret_tensor = fk_value_as_tensor(value);
    } else {
        assert_null(value);
        assert_int_equal(f->err.code, code);
        assert_int_not_equal(f->err.message[0], 0);
    }
    return code;
}

static const fk_tensor *read_good(fixture *f) {
    const fk_tensor *tensor = NULL;
    if (read(f, &tensor) != FK_OK) {
        fail_msg("%s", f->err.message);
    }
    return tensor;
}

static void assert_refused(fixture *f, fk_code code, uint64_t offset, const char *part) {
    const fk_tensor *tensor = NULL;
    assert_int_equal(read(f, &tensor), code);
    assert_int_equal(f->err.offset, offset);
    if (strstr(f->err.message, part) == NULL) {
        fail_msg("'%s' is not in '%s'", part, f->err.message);
    }
}

static fk_tensor tensor_of(fixture *f, fk_dtype dtype, void *data, uint64_t bytes, uint32_t rank,
                           const int64_t *shape) {
    return (fk_tensor){.dtype = dtype,
                       .rank = rank,
                       .shape = shape,
                       .storage = fk_storage_create(f->values, data, bytes)};
}

static void write(fixture *f, const fk_tensor *tensor) {
    fk_value *value = fk_value_tensor(f->values, tensor);
    assert_non_null(value);
    f->file.length = 0;
    assert_int_equal(fk_npy_write(&f->file, fk_value_as_tensor(value), &f->err), FK_OK);
}

/* The array behind the header of a file just written. */
static const uint8_t *array_of(const fixture *f) {
    return f->file.bytes + 10 + f->file.bytes[8] + 256 * f->file.bytes[9];
}

/* ---- reading */

static void test_an_npy_file_is_recognised_by_its_first_bytes(void **state) {
    (void)state;
    assert_true(fk_npy_recognise((const uint8_t *)"\x93NUMPY", 6));
    assert_false(fk_npy_recognise((const uint8_t *)"\x93NUMPY", 5));
    assert_false(fk_npy_recognise((const uint8_t *)"PK\003\004  ", 6));
}

static void test_all_three_versions_are_read(void **state) {
    fixture *f = *state;
    for (uint8_t version = 1; version <= 3; version++) {
        make(f, version, "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }   \n",
             "\1\0\2\0\3\0\4\0\5\0\6\0", 12);
        const fk_tensor *tensor = read_good(f);
        assert_int_equal(tensor->dtype, FK_INT16);
        assert_int_equal(tensor->rank, 2);
        assert_int_equal(tensor->shape[0], 2);
        assert_int_equal(tensor->shape[1], 3);
        assert_int_equal(tensor->strides[0], 3);
        assert_memory_equal(fk_tensor_data(tensor), "\1\0\2\0\3\0\4\0\5\0\6\0", 12);
    }
}

static void test_every_numeric_dtype_is_read(void **state) {
    fixture *f = *state;
    static const struct {
        const char *descr;
        fk_dtype dtype;
    } dtypes[] = {{"<f4", FK_FLOAT32},     {"=f8", FK_FLOAT64}, {"<f2", FK_FLOAT16},
                  {"|b1", FK_BOOL},        {"|i1", FK_INT8},    {"|u1", FK_UINT8},
                  {"i4", FK_INT32},        {"<i8", FK_INT64},   {"<u2", FK_UINT16},
                  {"<u4", FK_UINT32},      {"<u8", FK_UINT64},  {"<c8", FK_COMPLEX64},
                  {"<c16", FK_COMPLEX128}, {"|u4", FK_UINT32},  {">i1", FK_INT8}};
    static const uint8_t zeros[16];
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++) {
        char header[80];
        snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': ()}\n",
                 dtypes[i].descr);
        make(f, 1, header, zeros, fk_dtype_bytes(dtypes[i].dtype));
        const fk_tensor *tensor = read_good(f);
        assert_int_equal(tensor->dtype, dtypes[i].dtype);
        assert_int_equal(tensor->rank, 0);
    }
}

static void test_big_endian_data_is_swapped(void **state) {
    fixture *f = *state;
    make(f, 1, "{'descr': '>i4', 'fortran_order': False, 'shape': (2,)}\n", "\1\2\3\4\5\6\7\10", 8);
    assert_memory_equal(fk_tensor_data(read_good(f)), "\4\3\2\1\10\7\6\5", 8);
    make(f, 1, "{'descr': '>c8', 'fortran_order': False, 'shape': (1,)}\n", "\1\2\3\4\5\6\7\10", 8);
    assert_memory_equal(fk_tensor_data(read_good(f)), "\4\3\2\1\10\7\6\5", 8);
}

static void test_fortran_order_becomes_strides(void **state) {
    fixture *f = *state;
    make(f, 1, "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 1)}\n", "abcdef", 6);
    const fk_tensor *tensor = read_good(f);
    assert_int_equal(tensor->strides[0], 1);
    assert_int_equal(tensor->strides[1], 2);
    assert_int_equal(tensor->strides[2], 6);
    assert_memory_equal(fk_tensor_data(tensor), "abcdef", 6);
}

static void test_arrays_without_elements_are_read(void **state) {
    fixture *f = *state;
    static const char *const shapes[] = {"(0,)", "(0, 3)",
                                         "(9223372036854775807, 0, 9223372036854775807)"};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        for (int fortran = 0; fortran < 2; fortran++) {
            char header[120];
            snprintf(header, sizeof header, "{'descr': '<f4', 'fortran_order': %s, 'shape': %s}",
                     fortran ? "True" : "False", shapes[i]);
            make(f, 2, header, "", 0);
            assert_int_equal(fk_tensor_elements(read_good(f)), 0);
        }
    }
}

static void test_the_header_may_be_spelled_like_any_python_dict(void **state) {
    fixture *f = *state;
    static const char *const headers[] = {
        "{\"shape\":(2L,),\"fortran_order\":False,\"descr\":\"|u1\"}",
        " { 'fortran_order' : False , 'shape' : ( 2 , ) ,\t'descr' : '|u1' , } \n\n",
        "{'descr':'|u1','fortran_order':False,'shape':(1,2)}",
        "{'descr':'|u1','fortran_order':False,'shape':(1,2,)}",
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        make(f, 1, headers[i], "ab", 2);
        assert_int_equal(fk_tensor_elements(read_good(f)), 2);
    }
}

static void test_a_malformed_header_is_refused_where_it_goes_wrong(void **state) {
    fixture *f = *state;
    static const struct {
        const char *header;
        uint64_t at;
        const char *part;
    } cases[] = {
        {"", 0, "dict expected"},
        {"[]", 0, "dict expected"},
        {"{", 1, "string expected"},
        {"{}", 2, "'descr', 'fortran_order' and 'shape' expected"},
        {"{'descr': '<f4'}", 16, "'descr', 'fortran_order' and 'shape' expected"},
        {"{'descr' '<f4'}", 9, "colon"},
        {"{'descr': <f4}", 10, "string"},
        {"{'descr': '<f4", 14, "closing quote"},
        {"{'des\\x63r': '<f4'}", 5, "plain string"},
        {"{'descr': '<f444444444444444444'}", 26, "plain string"},
        {"{'descr': '|u1' 'shape': ()}", 16, "comma"},
        {"{'descr': '|u1', 'descr': '|u1'}", 24, "each once"},
        {"{'other': 1}", 8, "each once"},
        {"{'fortran_order': 1}", 18, "True or False"},
        {"{'shape': 3}", 10, "tuple"},
        {"{'shape': (3)}", 13, "tuple of one"},
        {"{'shape': (3 4)}", 13, "comma"},
        {"{'shape': (-3,)}", 11, "dimension"},
        {"{'shape': (,)}", 11, "dimension"},
        {"{'shape': (9223372036854775808,)}", 29, "below 2^63"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': ()} x", 54, "end of the header"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        make(f, 1, cases[i].header, "abc", 3);
        assert_refused(f, FK_E_CORRUPT, 10 + cases[i].at, cases[i].part);
        make(f, 2, cases[i].header, "abc", 3);
        assert_refused(f, FK_E_CORRUPT, 12 + cases[i].at, cases[i].part);
    }
}

static void test_dtypes_without_a_counterpart_are_refused_by_name(void **state) {
    fixture *f = *state;
    static const char *const descrs[] = {"|O",  "|S5", "<U3", "<f16", "<c32", "<M8[ns]",
                                         "<m8", "|V2", "",    "<",    "f3",   "float32"};
    for (size_t i = 0; i < sizeof descrs / sizeof descrs[0]; i++) {
        char header[80];
        snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (1,)}",
                 descrs[i]);
        make(f, 1, header, "        ", 8);
        char quoted[32];
        snprintf(quoted, sizeof quoted, "'%s'", descrs[i]);
        assert_refused(f, FK_E_UNSUPPORTED, 10 + 12 + strlen(descrs[i]), quoted);
        assert_int_equal(f->err.subject, FK_SUBJECT_DATA);
    }
    make(f, 1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "    ", 4);
    assert_refused(f, FK_E_UNSUPPORTED, FK_NO_OFFSET, "structures");
}

static void test_other_versions_and_other_files_are_refused(void **state) {
    fixture *f = *state;
    make(f, 4, "{'descr': '|u1', 'fortran_order': False, 'shape': ()}", "a", 1);
    assert_refused(f, FK_E_UNSUPPORTED, FK_NO_OFFSET, "version 4.0");
    f->file.bytes[6] = 1;
    f->file.bytes[7] = 1;
    assert_refused(f, FK_E_UNSUPPORTED, FK_NO_OFFSET, "version 1.1");
    f->file.bytes[0] = 'P';
    assert_refused(f, FK_E_UNSUPPORTED, FK_NO_OFFSET, "no npy file");
}

static void test_a_truncated_file_is_refused_at_its_end(void **state) {
    fixture *f = *state;
    make(f, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}\n", "12345678", 8);
    size_t whole = f->file.length;
    for (size_t length = 6; length < whole; length++) {
        f->file.length = length;
        assert_refused(f, FK_E_CORRUPT, length, "npy");
    }
}

static void test_bytes_behind_the_array_and_impossible_sizes_are_refused(void **state) {
    fixture *f = *state;
    make(f, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}\n", "123456789", 9);
    assert_refused(f, FK_E_CORRUPT, f->file.length - 1, "9 bytes, its header says 8");
    make(f, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
         "1234", 4);
    assert_refused(f, FK_E_CORRUPT, f->file.length, "npy array");
}

static void test_bools_other_than_0_and_1_are_refused(void **state) {
    fixture *f = *state;
    make(f, 1, "{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}\n", "\0\1\2", 3);
    assert_refused(f, FK_E_CORRUPT, f->file.length - 1, "byte of 2");
}

static void test_too_many_dimensions_are_refused(void **state) {
    fixture *f = *state;
    FK_SCOPED(fk_buffer_finish) fk_buffer header = {0};
    fk_buffer_append_text(&header, "{'descr': '|b1', 'fortran_order': False, 'shape': (");
    for (int i = 0; i < 65; i++) {
        fk_buffer_append_text(&header, "1, ");
    }
    assert_true(fk_buffer_append_text(&header, ")}"));
    make(f, 1, (char *)header.bytes, "\1", 1);
    assert_refused(f, FK_E_LIMIT, FK_NO_OFFSET, "64 dimensions");
}

/* ---- writing */

static void test_a_file_is_written_as_numpy_writes_it(void **state) {
    fixture *f = *state;
    float numbers[] = {1, 2, 3, 4, 5, 6};
    fk_tensor tensor = tensor_of(f, FK_FLOAT32, numbers, sizeof numbers, 2, (int64_t[]){2, 3});
    write(f, &tensor);
    static const char front[] =
        "\x93NUMPY\1\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    assert_memory_equal(f->file.bytes, front, sizeof front - 1);
    assert_int_equal(f->file.length, 128 + sizeof numbers);
    for (size_t i = sizeof front - 1; i < 127; i++) {
        assert_int_equal(f->file.bytes[i], ' ');
    }
    assert_int_equal(f->file.bytes[127], '\n');
    assert_memory_equal(array_of(f), numbers, sizeof numbers);
}

static void test_every_rank_has_an_aligned_header(void **state) {
    fixture *f = *state;
    uint8_t byte = 7;
    int64_t shape[64];
    for (uint32_t rank = 0; rank <= 64; rank++) {
        shape[rank > 0 ? rank - 1 : 0] = 1;
        fk_tensor tensor = tensor_of(f, FK_UINT8, &byte, 1, rank, shape);
        write(f, &tensor);
        assert_int_equal((f->file.length - 1) % 64, 0);
        const fk_tensor *again = read_good(f);
        assert_int_equal(again->rank, rank);
        assert_int_equal(*(uint8_t *)fk_tensor_data(again), 7);
    }
}

static void test_strided_tensors_are_written_in_c_order(void **state) {
    fixture *f = *state;
    uint16_t numbers[24];
    for (uint16_t i = 0; i < 24; i++) {
        numbers[i] = i;
    }
    fk_tensor tensor = tensor_of(f, FK_UINT16, numbers, sizeof numbers, 3, (int64_t[]){2, 3, 2});
    tensor.strides = (int64_t[]){1, 8, 0};
    tensor.offset = 2;
    write(f, &tensor);
    static const uint16_t expected[] = {2, 2, 10, 10, 18, 18, 3, 3, 11, 11, 19, 19};
    assert_memory_equal(array_of(f), expected, sizeof expected);
    assert_int_equal(f->file.length, 128 + sizeof expected);
}

static void test_empty_tensors_are_a_header_alone(void **state) {
    fixture *f = *state;
    fk_tensor tensor = tensor_of(f, FK_INT64, NULL, 0, 2, (int64_t[]){0, 5});
    write(f, &tensor);
    assert_int_equal(f->file.length, 128);
    assert_int_equal(read_good(f)->shape[1], 5);
}

static void test_lazy_conjugation_and_negation_are_resolved(void **state) {
    fixture *f = *state;
    float numbers[] = {1, 2, -3, 0};
    fk_tensor tensor = tensor_of(f, FK_COMPLEX64, numbers, sizeof numbers, 1, (int64_t[]){2});
    tensor.flags = FK_TENSOR_CONJ;
    write(f, &tensor);
    static const float conjugated[] = {1, -2, -3, -0.0f};
    assert_memory_equal(array_of(f), conjugated, sizeof conjugated);
    tensor.flags = FK_TENSOR_NEG;
    write(f, &tensor);
    static const float negated[] = {-1, -2, 3, -0.0f};
    assert_memory_equal(array_of(f), negated, sizeof negated);
    tensor.flags = FK_TENSOR_NEG | FK_TENSOR_CONJ;
    write(f, &tensor);
    static const float both[] = {-1, 2, 3, 0};
    assert_memory_equal(array_of(f), both, sizeof both);
    int32_t integers[] = {0, 1, -256, INT32_MIN};
    tensor = tensor_of(f, FK_INT32, integers, sizeof integers, 1, (int64_t[]){4});
    tensor.flags = FK_TENSOR_NEG;
    write(f, &tensor);
    static const int32_t opposite[] = {0, -1, 256, INT32_MIN};
    assert_memory_equal(array_of(f), opposite, sizeof opposite);
}

static void test_dtypes_numpy_does_not_know_are_refused(void **state) {
    fixture *f = *state;
    uint64_t number = 0;
    static const fk_dtype dtypes[] = {FK_BFLOAT16, FK_COMPLEX32, FK_FLOAT8_E5M2};
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++) {
        fk_tensor tensor = tensor_of(f, dtypes[i], &number, sizeof number, 0, NULL);
        assert_int_equal(fk_npy_write(&f->file, &tensor, &f->err), FK_E_UNSUPPORTED);
        assert_non_null(strstr(f->err.message, fk_dtype_name(dtypes[i])));
        assert_int_equal(f->err.subject, FK_SUBJECT_DATA);
        assert_int_equal(f->file.length, 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_an_npy_file_is_recognised_by_its_first_bytes),
        TEST(test_all_three_versions_are_read),
        TEST(test_every_numeric_dtype_is_read),
        TEST(test_big_endian_data_is_swapped),
        TEST(test_fortran_order_becomes_strides),
        TEST(test_arrays_without_elements_are_read),
        TEST(test_the_header_may_be_spelled_like_any_python_dict),
        TEST(test_a_malformed_header_is_refused_where_it_goes_wrong),
        TEST(test_dtypes_without_a_counterpart_are_refused_by_name),
        TEST(test_other_versions_and_other_files_are_refused),
        TEST(test_a_truncated_file_is_refused_at_its_end),
        TEST(test_bytes_behind_the_array_and_impossible_sizes_are_refused),
        TEST(test_bools_other_than_0_and_1_are_refused),
        TEST(test_too_many_dimensions_are_refused),
        TEST(test_a_file_is_written_as_numpy_writes_it),
        TEST(test_every_rank_has_an_aligned_header),
        TEST(test_strided_tensors_are_written_in_c_order),
        TEST(test_empty_tensors_are_a_header_alone),
        TEST(test_lazy_conjugation_and_negation_are_resolved),
        TEST(test_dtypes_numpy_does_not_know_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
