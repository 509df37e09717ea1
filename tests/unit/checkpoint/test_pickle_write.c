#include "golden_pickles.h"
#include "pickle_fixture.h"

/* ---- what torch.save writes */

static void test_none_is_four_bytes(void **state) {
    fixture *f = *state;
    ASSERT_GOLDEN(f, fk_value_none(f->values), golden_none);
}

static void test_numbers_take_the_opcodes_python_takes(void **state) {
    fixture *f = *state;
    static const int64_t numbers[] = {0,
                                      255,
                                      256,
                                      65535,
                                      65536,
                                      -1,
                                      INT32_MAX,
                                      INT32_MIN,
                                      INT64_C(2147483648),
                                      INT64_C(-2147483649),
                                      INT64_MAX,
                                      INT64_MIN};
    fk_value *list = container(f, FK_KIND_LIST);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        append(list, integer(f, numbers[i]));
    }
    append(list, fk_value_big_int(f->values, "\0\0\0\0\0\0\0\x80\0\0\0", 11));
    append(list, fk_value_big_int(f->values, "\0\0\0\0\0\0\0\0\x80\xff", 10));
    append(list, fk_value_bool(f->values, true));
    append(list, fk_value_bool(f->values, false));
    append(list, fk_value_float(f->values, 0.1));
    ASSERT_GOLDEN(f, list, golden_numbers);
}

static void test_a_state_dict_of_two_tensors(void **state) {
    fixture *f = *state;
    fk_value *dict = container(f, FK_KIND_ORDERED_DICT);
    put(f, dict, "w", tensor(f, FK_FLOAT32, 0, 2, (int64_t[]){2, 3}));
    put(f, dict, "b", tensor(f, FK_FLOAT32, 0, 1, (int64_t[]){3}));
    ASSERT_GOLDEN(f, dict, golden_two);
}

static void test_metadata_of_a_state_dict_is_built_on(void **state) {
    fixture *f = *state;
    fk_value *dict = container(f, FK_KIND_ORDERED_DICT);
    fk_value *metadata = container(f, FK_KIND_ORDERED_DICT);
    fk_value *version = container(f, FK_KIND_DICT);
    put(f, dict, "k", integer(f, 1));
    put(f, version, "version", integer(f, 1));
    put(f, metadata, "", version);
    attach(f, dict, "_metadata", metadata);
    ASSERT_GOLDEN(f, dict, golden_meta);
}

static void test_bytes_are_latin1_text(void **state) {
    fixture *f = *state;
    fk_value *list = container(f, FK_KIND_LIST);
    append(list, fk_value_text(f->values, FK_KIND_BYTES, "\0\x80", 2));
    append(list, text(f, FK_KIND_BYTEARRAY, "ab"));
    append(list, text(f, FK_KIND_BYTEARRAY, ""));
    fk_value *a = text(f, FK_KIND_BYTES, "a");
    append(list, a);
    append(list, a);
    ASSERT_GOLDEN(f, list, golden_bytes);
}

static void test_empty_bytes_are_spelled_so_that_weights_only_loads_them(void **state) {
    fixture *f = *state;
    static const char expected[] =
        "\x80\2c_codecs\nencode\nq\0X\0\0\0\0q\1X\6\0\0\0latin1q\2\x86q\3Rq\4.";
    assert_bytes(f, text(f, FK_KIND_BYTES, ""), expected, sizeof expected - 1);
}

static void test_one_byte_texts_are_shared_among_bytes_as_python_shares_them(void **state) {
    fixture *f = *state;
    fk_value *list = container(f, FK_KIND_LIST);
    append(list, text(f, FK_KIND_BYTES, "\xe9"));
    append(list, text(f, FK_KIND_BYTES, "\xe9"));
    static const char expected[] =
        "\x80\2]q\0(c_codecs\nencode\nq\1X\2\0\0\0\303\251q\2X\6\0\0\0latin1q\3\x86q\4Rq\5"
        "h\1h\2h\3\x86q\6Rq\7e.";
    assert_bytes(f, list, expected, sizeof expected - 1);
}

static void test_devices_names_sets_counters_and_tuples(void **state) {
    fixture *f = *state;
    fk_value *list = container(f, FK_KIND_LIST);
    append(list, text(f, FK_KIND_DEVICE, "cuda:1"));
    append(list, text(f, FK_KIND_DEVICE, "cpu"));
    append(list, text(f, FK_KIND_LAYOUT, "strided"));
    append(list, text(f, FK_KIND_LAYOUT, "strided"));
    append(list, text(f, FK_KIND_DTYPE, "float16"));
    append(list, text(f, FK_KIND_DTYPE, "float16"));
    append(list, counted(f, FK_KIND_SIZE, 4));
    append(list, counted(f, FK_KIND_SIZE, 0));
    append(list, text(f, FK_KIND_QSCHEME, "per_tensor_affine"));
    append(list, counted(f, FK_KIND_SET, 1));
    append(list, counted(f, FK_KIND_SET, 0));
    append(list, fk_value_complex(f->values, 1, 2));
    fk_value *counter = container(f, FK_KIND_COUNTER);
    put(f, counter, "a", integer(f, 1));
    append(list, counter);
    append(list, counted(f, FK_KIND_TUPLE, 0));
    append(list, counted(f, FK_KIND_TUPLE, 1));
    append(list, counted(f, FK_KIND_TUPLE, 4));
    append(list, container(f, FK_KIND_DICT));
    ASSERT_GOLDEN(f, list, golden_misc);
}

static void test_a_parameter(void **state) {
    fixture *f = *state;
    fk_value *parameter =
        tensor(f, FK_FLOAT32, FK_TENSOR_PARAMETER | FK_TENSOR_REQUIRES_GRAD, 1, two);
    ASSERT_GOLDEN(f, parameter, golden_param);
    attach(f, parameter, "foo", integer(f, 1));
    ASSERT_GOLDEN(f, parameter, golden_paramstate);
}

static void test_a_tensor_with_attributes(void **state) {
    fixture *f = *state;
    fk_value *value = tensor(f, FK_FLOAT32, 0, 1, two);
    assert_int_equal(fk_value_set_attributes(value, container(f, FK_KIND_DICT)), FK_OK);
    assert_int_equal(write(f, value), FK_OK);
    assert_null(strstr((char *)f->pickle.bytes + 3, "from_type"));
    attach(f, value, "bar", integer(f, 2));
    ASSERT_GOLDEN(f, value, golden_tensorstate);
}

static void test_lazily_conjugated_and_negated_tensors(void **state) {
    fixture *f = *state;
    ASSERT_GOLDEN(f, tensor(f, FK_COMPLEX64, FK_TENSOR_CONJ, 0, NULL), golden_conj);
    ASSERT_GOLDEN(f, tensor(f, FK_COMPLEX64, FK_TENSOR_CONJ | FK_TENSOR_NEG, 1, two),
                  golden_conjneg);
    fk_tensor view = {.dtype = FK_FLOAT32,
                      .flags = FK_TENSOR_NEG,
                      .rank = 4,
                      .shape = (int64_t[]){2, 2, 2, 2},
                      .strides = (int64_t[]){16, 8, 4, 2},
                      .offset = 1,
                      .storage = fk_storage_create(f->values, memory, 128)};
    ASSERT_GOLDEN(f, fk_value_tensor(f->values, &view), golden_neg);
}

static void test_new_dtypes_go_through_untyped_storage(void **state) {
    fixture *f = *state;
    f->untyped = true;
    ASSERT_GOLDEN(f, tensor(f, FK_UINT16, 0, 1, two), golden_u16);
}

static void test_a_list_may_contain_itself(void **state) {
    fixture *f = *state;
    fk_value *list = container(f, FK_KIND_LIST);
    append(list, list);
    ASSERT_GOLDEN(f, list, golden_cycle);
}

/* ---- batches and memo */

static size_t count_opcode(const fixture *f, const char *around) {
    size_t count = 0;
    size_t length = strlen(around);
    for (size_t i = 0; i + length <= f->pickle.length; i++) {
        count += memcmp(f->pickle.bytes + i, around, length) == 0;
    }
    return count;
}

static void assert_ends(const fixture *f, const char *end) {
    size_t length = strlen(end);
    assert_memory_equal(f->pickle.bytes + f->pickle.length - length, end, length);
}

static void test_lists_are_flushed_every_thousand_items(void **state) {
    fixture *f = *state;
    fk_value *list = container(f, FK_KIND_LIST);
    for (int i = 0; i < 1000; i++) {
        append(list, fk_value_none(f->values));
    }
    assert_int_equal(write(f, list), FK_OK);
    assert_ends(f, "Ne.");
    assert_int_equal(count_opcode(f, "("), 1);
    append(list, fk_value_none(f->values));
    assert_int_equal(write(f, list), FK_OK);
    assert_ends(f, "Ne(Ne.");
}

static void test_dicts_end_with_an_empty_batch_behind_a_full_one(void **state) {
    fixture *f = *state;
    assert_int_equal(write(f, dict_of(f, FK_KIND_DICT, 1)), FK_OK);
    assert_ends(f, "Ns.");
    assert_int_equal(write(f, dict_of(f, FK_KIND_DICT, 1000)), FK_OK);
    assert_ends(f, "Nu(u.");
    assert_int_equal(write(f, dict_of(f, FK_KIND_DICT, 1001)), FK_OK);
    assert_ends(f, "Nu.");
    assert_int_equal(count_opcode(f, "Nu(K"), 1);
}

static void test_ordered_dicts_end_with_a_single_item_and_without_empty_batch(void **state) {
    fixture *f = *state;
    assert_int_equal(write(f, dict_of(f, FK_KIND_ORDERED_DICT, 0)), FK_OK);
    assert_ends(f, ")Rq\1.");
    assert_int_equal(write(f, dict_of(f, FK_KIND_ORDERED_DICT, 1000)), FK_OK);
    assert_ends(f, "Nu.");
    assert_int_equal(count_opcode(f, "Nu"), 1);
    assert_int_equal(write(f, dict_of(f, FK_KIND_ORDERED_DICT, 1001)), FK_OK);
    assert_ends(f, "Ns.");
    assert_int_equal(count_opcode(f, "NuK"), 1);
    assert_int_equal(write(f, dict_of(f, FK_KIND_ORDERED_DICT, 1002)), FK_OK);
    assert_ends(f, "Nu.");
    assert_int_equal(count_opcode(f, "Nu(K"), 1);
}

static void test_equal_texts_are_one_object_and_long_memos_take_long_opcodes(void **state) {
    fixture *f = *state;
    fk_value *list = container(f, FK_KIND_LIST);
    for (int i = 0; i < 300; i++) {
        char name[32];
        snprintf(name, sizeof name, "text %d", i);
        append(list, fk_value_string(f->values, name));
    }
    append(list, fk_value_string(f->values, "text 3"));
    append(list, fk_value_string(f->values, "text 299"));
    assert_int_equal(write(f, list), FK_OK);
    /* the list has index 0, so "text 3" has 4 and "text 299" 300 */
    static const char end[] = "text 299r\x2c\1\0\0h\4j\x2c\1\0\0e.";
    assert_memory_equal(f->pickle.bytes + f->pickle.length - (sizeof end - 1), end, sizeof end - 1);
}

static void test_shared_values_are_written_once(void **state) {
    fixture *f = *state;
    fk_value *tuple = counted(f, FK_KIND_TUPLE, 2);
    fk_value *top = container(f, FK_KIND_TUPLE);
    append(top, tuple);
    append(top, tuple);
    static const char expected[] = "\x80\2K\1K\2\x86q\0h\0\x86q\1.";
    assert_bytes(f, top, expected, sizeof expected - 1);
    fk_value *set = container(f, FK_KIND_LIST);
    fk_value *shared = tensor(f, FK_INT8, 0, 1, two);
    append(set, shared);
    append(set, shared);
    assert_int_equal(write(f, set), FK_OK);
    assert_int_equal(count_opcode(f, "storage"), 1);
}

static void test_lone_surrogates_pass(void **state) {
    fixture *f = *state;
    static const char expected[] = "\x80\2X\3\0\0\0\xed\xa0\x80q\0.";
    assert_bytes(f, fk_value_string(f->values, "\xed\xa0\x80"), expected, sizeof expected - 1);
}

static void test_a_pickle_is_appended_behind_what_the_buffer_holds(void **state) {
    fixture *f = *state;
    fk_pickle_spelling spelling = {spell, f};
    assert_true(fk_buffer_append_text(&f->pickle, "front"));
    fk_value *list = container(f, FK_KIND_LIST);
    append(list, fk_value_string(f->values, "a"));
    append(list, fk_value_string(f->values, "a"));
    assert_int_equal(fk_pickle_write(&f->pickle, list, &spelling, &f->err), FK_OK);
    static const char expected[] = "front\x80\2]q\0(X\1\0\0\0aq\1h\1e.";
    assert_int_equal(f->pickle.length, sizeof expected - 1);
    assert_memory_equal(f->pickle.bytes, expected, sizeof expected - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_none_is_four_bytes),
        TEST(test_numbers_take_the_opcodes_python_takes),
        TEST(test_a_state_dict_of_two_tensors),
        TEST(test_metadata_of_a_state_dict_is_built_on),
        TEST(test_bytes_are_latin1_text),
        TEST(test_empty_bytes_are_spelled_so_that_weights_only_loads_them),
        TEST(test_one_byte_texts_are_shared_among_bytes_as_python_shares_them),
        TEST(test_devices_names_sets_counters_and_tuples),
        TEST(test_a_parameter),
        TEST(test_a_tensor_with_attributes),
        TEST(test_lazily_conjugated_and_negated_tensors),
        TEST(test_new_dtypes_go_through_untyped_storage),
        TEST(test_a_list_may_contain_itself),
        TEST(test_lists_are_flushed_every_thousand_items),
        TEST(test_dicts_end_with_an_empty_batch_behind_a_full_one),
        TEST(test_ordered_dicts_end_with_a_single_item_and_without_empty_batch),
        TEST(test_equal_texts_are_one_object_and_long_memos_take_long_opcodes),
        TEST(test_shared_values_are_written_once),
        TEST(test_lone_surrogates_pass),
        TEST(test_a_pickle_is_appended_behind_what_the_buffer_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
