#include "pickle_fixture.h"

/* ---- what is refused, and where */

/* {"model": [None, value]} */
static fk_value *below(fixture *f, fk_value *value) {
    fk_value *top = container(f, FK_KIND_DICT);
    fk_value *list = container(f, FK_KIND_LIST);
    append(list, fk_value_none(f->values));
    append(list, value);
    put(f, top, "model", list);
    return top;
}

static void test_a_cycle_through_a_tuple_is_refused(void **state) {
    fixture *f = *state;
    fk_value *list = container(f, FK_KIND_LIST);
    fk_value *tuple = container(f, FK_KIND_TUPLE);
    append(tuple, list);
    append(list, tuple);
    /* from the list's side the list is there first: no cycle for a reader */
    assert_int_equal(write(f, list), FK_OK);
    assert_refused(f, below(f, tuple), FK_E_UNSUPPORTED,
                   "tuple, set, Counter or tensor that contains itself at 'model.1.0.0'");
    assert_refused(f, tuple, FK_E_UNSUPPORTED,
                   "tuple, set, Counter or tensor that contains itself at '0.0'");
}

static void test_a_cycle_through_a_counter_or_attributes_is_refused(void **state) {
    fixture *f = *state;
    fk_value *counter = container(f, FK_KIND_COUNTER);
    put(f, counter, "x", counter);
    assert_refused(f, below(f, counter), FK_E_UNSUPPORTED,
                   "tuple, set, Counter or tensor that contains itself at 'model.1.x'");
    fk_value *value = tensor(f, FK_FLOAT32, 0, 1, two);
    attach(f, value, "self", value);
    assert_refused(f, below(f, value), FK_E_UNSUPPORTED,
                   "tuple, set, Counter or tensor that contains itself at 'model.1.self'");
    fk_value *set = container(f, FK_KIND_SET);
    fk_value *tuple = container(f, FK_KIND_TUPLE);
    append(tuple, set);
    append(set, tuple);
    assert_refused(f, set, FK_E_UNSUPPORTED,
                   "tuple, set, Counter or tensor that contains itself at '0.0'");
}

static void test_attributes_of_an_ordered_dict_may_point_back(void **state) {
    fixture *f = *state;
    fk_value *dict = container(f, FK_KIND_ORDERED_DICT);
    attach(f, dict, "self", dict);
    static const char expected[] =
        "\x80\2ccollections\nOrderedDict\nq\0)Rq\1}q\2X\4\0\0\0selfq\3h\1sb.";
    assert_bytes(f, dict, expected, sizeof expected - 1);
}

static fk_value *nested(fixture *f, size_t depth) {
    fk_value *value = container(f, FK_KIND_LIST);
    for (size_t i = 1; i < depth; i++) {
        fk_value *outer = container(f, FK_KIND_LIST);
        append(outer, value);
        value = outer;
    }
    return value;
}

static void test_nesting_up_to_the_limit_is_written_and_beyond_it_refused(void **state) {
    fixture *f = *state;
    assert_int_equal(write(f, nested(f, FK_LIMIT_DEPTH)), FK_OK);
    assert_int_equal(write(f, nested(f, FK_LIMIT_DEPTH + 1)), FK_E_LIMIT);
    static const char start[] = "values nested more than 1000 deep at '0.0.0.";
    assert_memory_equal(f->err.message, start, sizeof start - 1);
    assert_non_null(strstr(f->err.message, "..."));
    assert_true(strlen(f->err.message) < 600);
}

static void test_names_that_pytorch_does_not_know_are_refused(void **state) {
    fixture *f = *state;
    assert_refused(f, below(f, text(f, FK_KIND_DTYPE, "save")), FK_E_UNSUPPORTED,
                   "dtype of a name that PyTorch does not know at 'model.1'");
    assert_refused(f, below(f, text(f, FK_KIND_DTYPE, "per_tensor_affine")), FK_E_UNSUPPORTED,
                   "dtype of a name that PyTorch does not know at 'model.1'");
    assert_refused(f, text(f, FK_KIND_QSCHEME, "float32"), FK_E_UNSUPPORTED,
                   "qscheme of a name that PyTorch does not know at '(top)'");
    assert_refused(f, text(f, FK_KIND_LAYOUT, "float32"), FK_E_UNSUPPORTED,
                   "layout of a name that PyTorch does not know at '(top)'");
    assert_refused(f, fk_value_text(f->values, FK_KIND_DTYPE, "int8\0x", 6), FK_E_UNSUPPORTED,
                   "name with a NUL in it at '(top)'");
    static const char *const devices[] = {"",        ":0",        "cuda:", "cuda:x",
                                          "cuda:1x", "cuda:1234", "CPU",   "cpu\nq"};
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
        assert_refused(f, text(f, FK_KIND_DEVICE, devices[i]), FK_E_UNSUPPORTED,
                       "device that is spelled like none at '(top)'");
    }
}

static void test_texts_that_are_no_utf8_are_refused(void **state) {
    fixture *f = *state;
    static const char *const bad[] = {"\xff",         "\xc3",     "\xed\xa0",
                                      "\xed\xa0\x7f", "\xc0\x80", "a\xf5\x80\x80\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_refused(f, below(f, text(f, FK_KIND_STRING, bad[i])), FK_E_UNSUPPORTED,
                       "string that is no UTF-8 at 'model.1'");
    }
}

static void test_texts_beyond_their_limit_are_refused(void **state) {
    fixture *f = *state;
    size_t length = FK_LIMIT_STRING_BYTES / 2 + 1;
    uint8_t *bytes = malloc(2 * length);
    memset(bytes, 0xE9, 2 * length);
    /* two bytes each as text */
    assert_refused(f, below(f, fk_value_text(f->values, FK_KIND_BYTES, bytes, length)), FK_E_LIMIT,
                   "text of more than 16 MiB at 'model.1'");
    assert_int_equal(write(f, fk_value_text(f->values, FK_KIND_BYTES, bytes, length - 1)), FK_OK);
    memset(bytes, 'a', 2 * length);
    assert_refused(f, fk_value_text(f->values, FK_KIND_STRING, bytes, 2 * length), FK_E_LIMIT,
                   "text of more than 16 MiB at '(top)'");
    free(bytes);
}

static void test_what_a_reader_could_not_take_is_refused(void **state) {
    fixture *f = *state;
    fk_value *none = fk_value_none(f->values);
    fk_value *wide = container(f, FK_KIND_TUPLE);
    for (size_t i = 0; i <= FK_LIMIT_PICKLE_STACK; i++) {
        append(wide, none);
    }
    assert_refused(f, wide, FK_E_LIMIT,
                   "more values at once than a reader's stack holds at '999969'");
    fk_value *many = container(f, FK_KIND_LIST);
    for (size_t i = 0; i < 17; i++) {
        fk_value *list = container(f, FK_KIND_LIST);
        for (size_t j = 0; j < 1000000; j++) {
            append(list, none);
        }
        append(many, list);
    }
    assert_int_equal(write(f, many), FK_E_LIMIT);
    assert_memory_equal(f->err.message, "more than 16000000 pickle opcodes at '15.", 41);
}

static void test_pickles_beyond_their_limit_are_refused(void **state) {
    fixture *f = *state;
    size_t length = FK_LIMIT_STRING_BYTES - 64;
    char *bytes = malloc(length);
    memset(bytes, 'a', length);
    fk_value *list = container(f, FK_KIND_LIST);
    for (char first = 'a'; first < 'f'; first++) {
        bytes[0] = first;
        append(list, fk_value_text(f->values, FK_KIND_STRING, bytes, length));
    }
    free(bytes);
    assert_refused(f, list, FK_E_LIMIT, "pickle of more than 64 MiB at '4'");
}

static void test_keys_and_set_items_that_cannot_be_hashed_are_refused(void **state) {
    fixture *f = *state;
    fk_value *dict = container(f, FK_KIND_DICT);
    assert_int_equal(fk_value_put(dict, container(f, FK_KIND_LIST), integer(f, 1)), FK_OK);
    assert_refused(f, below(f, dict), FK_E_UNSUPPORTED,
                   "dict with a key that is not hashable at 'model.1.<list>'");
    fk_value *set = container(f, FK_KIND_SET);
    append(set, text(f, FK_KIND_BYTEARRAY, "x"));
    assert_refused(f, below(f, set), FK_E_UNSUPPORTED,
                   "set with an item that is not hashable at 'model.1.0'");
    /* through a tuple, also one that is written already */
    fk_value *tuple = container(f, FK_KIND_TUPLE);
    append(tuple, container(f, FK_KIND_SET));
    fk_value *by_tuple = container(f, FK_KIND_DICT);
    put(f, by_tuple, "first", tuple);
    assert_int_equal(write(f, by_tuple), FK_OK);
    assert_int_equal(fk_value_put(by_tuple, tuple, integer(f, 1)), FK_OK);
    assert_refused(f, by_tuple, FK_E_UNSUPPORTED,
                   "dict with a key that is not hashable at '<tuple>'");
}

static void test_every_kind_of_key_has_a_place_in_the_path(void **state) {
    fixture *f = *state;
    fk_value *keys[] = {integer(f, -7),
                        fk_value_float(f->values, 0.5),
                        fk_value_bool(f->values, true),
                        fk_value_bool(f->values, false),
                        fk_value_none(f->values),
                        text(f, FK_KIND_DEVICE, "cuda:0"),
                        text(f, FK_KIND_STRING, "two\nlines"),
                        counted(f, FK_KIND_TUPLE, 1)};
    static const char *const paths[] = {"-7",   "0.5",    "True",      "False",
                                        "None", "cuda:0", "two?lines", "<tuple>"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        fk_value *dict = container(f, FK_KIND_DICT);
        assert_int_equal(fk_value_put(dict, keys[i], text(f, FK_KIND_LAYOUT, "none")), FK_OK);
        char message[128];
        snprintf(message, sizeof message, "layout of a name that PyTorch does not know at '%s'",
                 paths[i]);
        assert_refused(f, dict, FK_E_UNSUPPORTED, message);
    }
}

static void test_long_paths_lose_their_middle_between_characters(void **state) {
    fixture *f = *state;
    for (size_t length = 500; length < 530; length++) {
        char key[2 * 530 + 1] = "";
        for (size_t i = 0; i < length; i++) {
            memcpy(key + 2 * i, "\303\251", 3);
        }
        fk_value *dict = container(f, FK_KIND_DICT);
        fk_value *inner = container(f, FK_KIND_DICT);
        put(f, inner, "end", text(f, FK_KIND_LAYOUT, "none"));
        put(f, dict, key + (length % 2 == 0 ? 0 : 2), inner);
        assert_int_equal(write(f, dict), FK_E_UNSUPPORTED);
        assert_int_equal(write(f, fk_value_string(f->values, f->err.message)), FK_OK); /* UTF-8 */
        assert_int_equal(write(f, dict), FK_E_UNSUPPORTED);
        assert_non_null(strstr(f->err.message, "...\303\251"));
        assert_non_null(strstr(f->err.message, "\303\251.end'"));
    }
}

static void test_a_size_holds_64_bit_integers_only(void **state) {
    fixture *f = *state;
    fk_value *size = container(f, FK_KIND_SIZE);
    append(size, fk_value_float(f->values, 1));
    assert_refused(f, below(f, size), FK_E_UNSUPPORTED,
                   "torch.Size with an item that is no 64-bit integer at 'model.1'");
}

static void test_flags_that_pytorch_would_refuse_are_refused(void **state) {
    fixture *f = *state;
    for (fk_dtype dtype = FK_FLOAT32; dtype < FK_DTYPE_COUNT; dtype++) {
        bool integral = strstr(fk_dtype_name(dtype), "int") != NULL || dtype == FK_BOOL;
        f->untyped = dtype >= FK_COMPLEX32;
        fk_value *value = tensor(f, dtype, FK_TENSOR_REQUIRES_GRAD, 1, two);
        if (integral) {
            assert_refused(f, below(f, value), FK_E_UNSUPPORTED,
                           "integer tensor that requires gradients at 'model.1'");
        } else {
            assert_int_equal(write(f, value), FK_OK);
        }
    }
    f->untyped = false;
    fk_value *real = tensor(f, FK_FLOAT32, FK_TENSOR_CONJ, 1, two);
    attach(f, real, "a", integer(f, 1));
    assert_refused(f, below(f, real), FK_E_UNSUPPORTED,
                   "conjugated tensor that is not complex at 'model.1'");
}

static void test_an_error_of_the_spelling_is_passed_on(void **state) {
    fixture *f = *state;
    fk_value *list = container(f, FK_KIND_LIST);
    for (int i = 0; i < 9; i++) {
        append(list, tensor(f, FK_INT64, 0, 1, two));
    }
    assert_int_equal(write(f, list), FK_E_LIMIT);
    assert_string_equal(f->err.message, "too many storages");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_cycle_through_a_tuple_is_refused),
        TEST(test_a_cycle_through_a_counter_or_attributes_is_refused),
        TEST(test_attributes_of_an_ordered_dict_may_point_back),
        TEST(test_nesting_up_to_the_limit_is_written_and_beyond_it_refused),
        TEST(test_names_that_pytorch_does_not_know_are_refused),
        TEST(test_texts_that_are_no_utf8_are_refused),
        TEST(test_texts_beyond_their_limit_are_refused),
        TEST(test_what_a_reader_could_not_take_is_refused),
        TEST(test_pickles_beyond_their_limit_are_refused),
        TEST(test_keys_and_set_items_that_cannot_be_hashed_are_refused),
        TEST(test_every_kind_of_key_has_a_place_in_the_path),
        TEST(test_long_paths_lose_their_middle_between_characters),
        TEST(test_a_size_holds_64_bit_integers_only),
        TEST(test_flags_that_pytorch_would_refuse_are_refused),
        TEST(test_an_error_of_the_spelling_is_passed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
