#include "pickle_read_fixture.h"

/* ---- what is refused */

typedef struct refused {
    const char *pickle;
    size_t length;
    fk_code code;
    uint64_t offset; /* in the pickle */
    const char *word;
} refused;

static const refused values_refused[] = {
    /* the stream */
    {BYTES(""), FK_E_CORRUPT, 0, "without STOP"},
    {BYTES("N"), FK_E_CORRUPT, 1, "without STOP"},
    {BYTES("\xFF."), FK_E_CORRUPT, 0, "0xFF is no pickle opcode"},
    {BYTES("."), FK_E_CORRUPT, 0, "0 items"},
    {BYTES("NN."), FK_E_CORRUPT, 2, "2 items"},
    {BYTES("N(."), FK_E_CORRUPT, 2, "stops with"},
    {BYTES("N.N"), FK_E_CORRUPT, 2, "1 bytes follow"},
    {BYTES("\x80\6N."), FK_E_UNSUPPORTED, 0, "protocol 6"},
    {BYTES("\x80\2\x80\2N."), FK_E_CORRUPT, 2, "PROTO"},
    {BYTES("\x80\4\x95\1\0\0\0\0\0\0\0K\1."), FK_E_CORRUPT, 11, "beyond its frame"},
    {BYTES("\x80\4\x95\xFF\0\0\0\0\0\0\0N."), FK_E_CORRUPT, 2, "exceeds"},
    {BYTES("\x80\4\x95\0\0\0\0\0\0\0\0N."), FK_E_CORRUPT, 2, "exceeds"},
    {BYTES("\x95\x0B\0\0\0\0\0\0\0\x95\2\0\0\0\0\0\0\0N."), FK_E_CORRUPT, 9, "within a frame"},
    {BYTES("X\xFF\xFF\xFF\xFFz."), FK_E_CORRUPT, 0, "operand of BINUNICODE"},
    {BYTES("\x8D\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFz."), FK_E_CORRUPT, 0, "BINUNICODE8"},
    {BYTES("ctorch\nSize"), FK_E_CORRUPT, 0, "GLOBAL"},
    {BYTES("X\1\0\0\0\xFF."), FK_E_CORRUPT, 0, "not UTF-8"},
    {BYTES("U\1\xFF."), FK_E_UNSUPPORTED, 0, "Python 2"},
    /* opcodes that weights_only refuses too */
    {BYTES("N0."), FK_E_UNSUPPORTED, 1, "POP"},
    {BYTES("I1\n."), FK_E_UNSUPPORTED, 0, "INT"},
    {BYTES("(ios\nsystem\n."), FK_E_UNSUPPORTED, 1, "INST"},
    {BYTES("\x8B\1\0\0\0\1."), FK_E_UNSUPPORTED, 0, "LONG4"},
    {BYTES("(\x91."), FK_E_UNSUPPORTED, 1, "FROZENSET"},
    {BYTES("\x82\1."), FK_E_UNSUPPORTED, 0, "EXT1"},
    {BYTES("Pid\n."), FK_E_UNSUPPORTED, 0, "PERSID"},
    /* stack and memo */
    {BYTES("t."), FK_E_CORRUPT, 0, "MARK"},
    {BYTES("\x85."), FK_E_CORRUPT, 0, "more items"},
    {BYTES("N(\x85."), FK_E_CORRUPT, 2, "more items"},
    {BYTES("(q\0."), FK_E_CORRUPT, 1, "more items"},
    {BYTES("Nq\x63."), FK_E_CORRUPT, 1, "memo index 99"},
    {BYTES("h\0."), FK_E_CORRUPT, 0, "memo index 0 was never set"},
    {BYTES("]q\1h\0a."), FK_E_CORRUPT, 3, "memo index 0"},
    {BYTES("K\1K\2a."), FK_E_CORRUPT, 4, "no list"},
    {BYTES("K\1(K\2\x90."), FK_E_CORRUPT, 5, "no set"},
    {BYTES("]K\1K\2s."), FK_E_CORRUPT, 5, "no dict"},
    {BYTES("}(K\1u."), FK_E_CORRUPT, 4, "without a value"},
    {BYTES("}]Ns."), FK_E_CORRUPT, 3, "a list is used as a key"},
    {BYTES("\x8F(]\x90."), FK_E_CORRUPT, 3, "a list is used"},
    {BYTES("}K\1NsK\1Ns."), FK_E_CORRUPT, 9, "key 1 twice"},
    {BYTES("}U\1aNsU\1aNs."), FK_E_CORRUPT, 11, "key 'a' twice"},
    {BYTES("]K\1b."), FK_E_UNSUPPORTED, 3, "BUILD"},
    {BYTES(HOOKS "K\1b."), FK_E_UNSUPPORTED, 29, "no dict"},
    {BYTES(HOOKS "}b}b."), FK_E_CORRUPT, 30, "twice"},
    {BYTES("K\1K\2\x93."), FK_E_CORRUPT, 4, "no str"},
    /* globals */
    {BYTES("cposix\nsystem\nX\2\0\0\0id\x85R."), FK_E_UNSUPPORTED, 0, "posix.system"},
    {BYTES("\x8C\2os\x8C\6system\x93."), FK_E_UNSUPPORTED, 12, "os.system"},
    {BYTES("ctorch\nload\n."), FK_E_UNSUPPORTED, 0, "torch.load"},
    {BYTES("ctorch\nSize.x\n."), FK_E_UNSUPPORTED, 0, "torch.Size.x"},
    {BYTES("c\xFF\n\1\n."), FK_E_UNSUPPORTED, 0, "'?.?'"},
    {BYTES("c__builtin__\nfrozenset\n."), FK_E_UNSUPPORTED, 0, "frozenset"},
    {BYTES("cnumpy\ndtype\n."), FK_E_UNSUPPORTED, 0, "numpy.dtype"},
    {BYTES("ctorch\nSize\n."), FK_E_UNSUPPORTED, 12, "itself is stored"},
    {BYTES("]ctorch\nFloatStorage\na."), FK_E_UNSUPPORTED, 21, "itself is stored"},
    {BYTES(STORAGE "."), FK_E_UNSUPPORTED, 51, "a storage itself"},
    {BYTES("]ctorch\nSize\n\x85"
           "a."),
     FK_E_UNSUPPORTED, 14, "a tuple with a class"},
    {BYTES("ctorch\nFloatStorage\n)R."), FK_E_UNSUPPORTED, 21, "is called"},
    {BYTES("ctorch\nTensor\n)\x81."), FK_E_UNSUPPORTED, 15, "NEWOBJ"},
    {BYTES("N)R."), FK_E_CORRUPT, 2, "no function"},
    {BYTES("ctorch\nSize\nNR."), FK_E_CORRUPT, 13, "no tuple"},
    {BYTES("ctorch\nSize\n(NNNNNNNNNtR."), FK_E_CORRUPT, 23, "9 arguments"},
    /* arguments */
    {BYTES("ctorch\nSize\nU\1a\x85\x85R."), FK_E_CORRUPT, 17, "does not take"},
    {BYTES("ctorch\nSize\nNN\x86R."), FK_E_CORRUPT, 15, "does not take"},
    {BYTES("ctorch\ndevice\nU\3CPU\x85R."), FK_E_CORRUPT, 20, "does not take"},
    {BYTES("ctorch\ndevice\nU\3cpuU\1x\x86R."), FK_E_CORRUPT, 23, "does not take"},
    {BYTES("ctorch\ndevice\n)R."), FK_E_CORRUPT, 15, "does not take"},
    {BYTES("ctorch.serialization\n_get_layout\nU\5dense\x85R."), FK_E_CORRUPT, 41, "does not"},
    {BYTES("ctorch.serialization\n_get_layout\n)R."), FK_E_CORRUPT, 34, "does not"},
    {BYTES("c__builtin__\ncomplex\nNN\x86R."), FK_E_CORRUPT, 24, "does not take"},
    {BYTES("c__builtin__\nbytes\nN\x85R."), FK_E_CORRUPT, 21, "does not take"},
    {BYTES("c__builtin__\nset\n]]a\x85R."), FK_E_CORRUPT, 21, "a list is used"},
    {BYTES("ccollections\nCounter\n]\x85R."), FK_E_CORRUPT, 23, "does not take"},
    {BYTES("ccollections\nOrderedDict\n]Na\x85R."), FK_E_CORRUPT, 29, "does not take"},
    {BYTES("c_codecs\nencode\nU\1xU\5utf-8\x86R."), FK_E_CORRUPT, 27, "does not take"},
    {BYTES("c_codecs\nencode\nX\3\0\0\0\xE2\x82\xACU\6latin1\x86R."), FK_E_CORRUPT, 33, "latin-1"},
    {BYTES("c_codecs\nencode\nctorch\nSize\nU\6latin1\x86R."), FK_E_CORRUPT, 37, "does not"},
    /* storages and tensors */
    {BYTES("NQ."), FK_E_CORRUPT, 1, "persistent id"},
    {BYTES("(" U("\7", "storagf") "ctorch\nFloatStorage\n" U("\1", "0") U("\3", "cpu") "K\x10tQ."),
     FK_E_CORRUPT, 50, "persistent id"},
    {BYTES("(" U("\7", "storage") "ctorch\nSize\n" U("\1", "0") U("\3", "cpu") "K\x10tQ."),
     FK_E_CORRUPT, 42, "persistent id"},
    {BYTES(STORAGE_OF("ctorch\nFloatStorage\n") "J\xFF\xFF\xFF\xFFtQ."), FK_E_CORRUPT, 53,
     "persistent id"},
    {BYTES(STORAGE_OF("ctorch\nFloatStorage\n") "K\x11tQ."), FK_E_CORRUPT, 50, "no such storage"},
    {BYTES("ctorch\nQInt8Storage\n."), FK_E_UNSUPPORTED, 0, "QInt8Storage"},
};

static void expect_refusal(size_t row, const refused *wanted) {
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    fake_host fake = {.values = values};
    fk_value *value = NULL;
    fk_error err = {0};
    fk_code code = read_pickle(&fake, wanted->pickle, wanted->length, false, &value, &err);
    bool offset_fits = wanted->offset == FK_NO_OFFSET || err.offset == 1000 + wanted->offset;
    if (code != wanted->code || strstr(err.message, wanted->word) == NULL || !offset_fits) {
        fail_msg("row %zu, wanted '%s': code %d at %" PRIu64 ", '%s'", row, wanted->word, code,
                 err.offset - 1000, err.message);
    }
    assert_true(err.hint[0] != '\0');
    assert_int_equal(err.subject, code == FK_E_UNSUPPORTED ? FK_SUBJECT_DATA : FK_SUBJECT_NONE);
    assert_null(value);
}

static void test_everything_else_is_refused_by_name_and_offset(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof values_refused / sizeof values_refused[0]; i++) {
        expect_refusal(i, &values_refused[i]);
    }
}

/* Malformed tensors; their offset is that of the REDUCE. */
#define TENSOR_ROW(arguments, code, word)                                                          \
    { BYTES(V2 arguments "tR."), code, FK_NO_OFFSET, word }
/* Calls of _rebuild_from_type_v2, and the arguments of one that makes a tensor with a state. */
#define FROM_TYPE        SIZED_CODE("torch._tensor", "_rebuild_from_type_v2")
#define OF_TENSOR        SIZED_CODE("torch", "Tensor")
#define TYPED(arguments) FROM_TYPE "(" arguments "tR"
#define V2_TYPED(state)                                                                            \
    SIZED_CODE("torch._utils", "_rebuild_tensor_v2") OF_TENSOR "(" STORAGE "K\0))\x89Nt" state

static const refused tensors_refused[] = {
    TENSOR_ROW("K\0))\x89", FK_E_CORRUPT, "5 arguments"),
    TENSOR_ROW("K\0))\x89NNN", FK_E_CORRUPT, "8 arguments"),
    TENSOR_ROW("NK\1\x85K\1\x85\x89N", FK_E_CORRUPT, "offset"),
    TENSOR_ROW("J\xFF\xFF\xFF\xFF))\x89N", FK_E_CORRUPT, "offset"),
    TENSOR_ROW("K\0N)\x89N", FK_E_CORRUPT, "size is no tuple"),
    TENSOR_ROW("K\0)]\x89N", FK_E_CORRUPT, "stride is no tuple"),
    TENSOR_ROW("K\0K\1\x85)\x89N", FK_E_CORRUPT, "different ranks"),
    TENSOR_ROW("K\0J\xFF\xFF\xFF\xFF\x85K\1\x85\x89N", FK_E_CORRUPT, "size holds"),
    TENSOR_ROW("K\0K\1\x85J\xFF\xFF\xFF\xFF\x85\x89N", FK_E_CORRUPT, "stride holds"),
    TENSOR_ROW("K\0U\1a\x85K\1\x85\x89N", FK_E_CORRUPT, "size holds"),
    TENSOR_ROW("K\0K\x11\x85K\1\x85\x89N", FK_E_CORRUPT, "ends at byte 68 of a storage of 64"),
    TENSOR_ROW("K\x10))\x89N", FK_E_CORRUPT, "ends at byte 68"),
    TENSOR_ROW("K\0K\2\x85K\x10\x85\x89N", FK_E_CORRUPT, "ends at byte 68"),
    TENSOR_ROW("K\0\x8A\5\0\0\0\0\1h\x63\x86K\0K\0\x86\x89N", FK_E_CORRUPT, "memo"),
    TENSOR_ROW("K\0\x8A\5\0\0\0\0\1\x8A\5\0\0\0\0\1\x86K\0K\0\x86\x89N", FK_E_CORRUPT, "overflow"),
    TENSOR_ROW("K\0\x8A\x08\0\0\0\0\0\0\0\x40\x85K\0\x85\x89N", FK_E_CORRUPT, "overflow"),
    TENSOR_ROW("\x8A\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7FK\2\x85"
               "\x8A\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F\x85\x89N",
               FK_E_CORRUPT, "overflow"),
    TENSOR_ROW("K\0))NN", FK_E_CORRUPT, "requires_grad is no bool"),
    TENSOR_ROW("K\0))\x89}K\1K\1s", FK_E_CORRUPT, "hooks"),
    TENSOR_ROW("K\0))\x89]", FK_E_CORRUPT, "hooks"),
    TENSOR_ROW("K\0))\x89N]", FK_E_CORRUPT, "metadata is no dict"),
    TENSOR_ROW("K\0))\x89N}K\1\x88s", FK_E_CORRUPT, "metadata is not understood"),
    TENSOR_ROW("K\0))\x89N}U\1x\x88s", FK_E_UNSUPPORTED, "metadata 'x'"),
    TENSOR_ROW("K\0))\x89N}U\4conj\x88s", FK_E_CORRUPT, "not complex"),
    {BYTES(SIZED_CODE("torch._utils", "_rebuild_tensor_v2") "(NK\0))\x89NtR."), FK_E_CORRUPT,
     FK_NO_OFFSET, "storage is none"},
    {BYTES(SIZED_CODE("torch._utils", "_rebuild_tensor_v2") "(" STORAGE_OF(
         SIZED_CODE("torch", "LongStorage")) "K\x08tQK\0))\x88NtR."),
     FK_E_CORRUPT, FK_NO_OFFSET, "no gradients"},
    {BYTES(SIZED_CODE("torch._utils", "_rebuild_tensor_v3") "(" STORAGE "K\0))\x89NNtR."),
     FK_E_CORRUPT, FK_NO_OFFSET, "dtype is no dtype"},
    {BYTES(SIZED_CODE("torch._utils", "_rebuild_tensor_v3") "(" STORAGE "K\0))\x89N" SIZED_CODE(
         "torch", "bits8") "tR."),
     FK_E_UNSUPPORTED, FK_NO_OFFSET, "bits8"},
    {BYTES(SIZED_CODE("torch._utils", "_rebuild_parameter") "N\x88N\x87R."), FK_E_CORRUPT,
     FK_NO_OFFSET, "something else than a tensor"},
    {BYTES(SIZED_CODE("torch._utils", "_rebuild_parameter_with_state") "(" TENSOR "\x89NK\1tR."),
     FK_E_UNSUPPORTED, FK_NO_OFFSET, "attributes are no dict"},
    {BYTES(SIZED_CODE("torch._tensor", "_rebuild_from_type_v2") "(NNNNtR."), FK_E_CORRUPT,
     FK_NO_OFFSET, "rebuilder is none"},
    {BYTES(SIZED_CODE("torch._tensor", "_rebuild_from_type_v2") "(" SIZED_CODE(
         "torch._utils", "_rebuild_tensor_v2") "NNNtR."),
     FK_E_CORRUPT, FK_NO_OFFSET, "neither Tensor nor Parameter"},
    {BYTES(TYPED(V2_TYPED("}U\x0Drequires_grad"
                          "Ns")) "."),
     FK_E_CORRUPT, FK_NO_OFFSET, "requires_grad is no bool"},
    {BYTES(TYPED(FROM_TYPE OF_TENSOR "(" V2_TYPED("}U\1aNs") "t}") "."), FK_E_CORRUPT, FK_NO_OFFSET,
     "state stands within a state"},
    {BYTES(TYPED(FROM_TYPE OF_TENSOR "(" FROM_TYPE OF_TENSOR "(" V2_TYPED("}") "t}t}") "."),
     FK_E_CORRUPT, FK_NO_OFFSET, "rebuilder is none"},
    {BYTES(TYPED(FROM_TYPE OF_TENSOR ")}") "."), FK_E_CORRUPT, FK_NO_OFFSET, "too few or too many"},
};

static void test_malformed_tensors_are_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof tensors_refused / sizeof tensors_refused[0]; i++) {
        expect_refusal(i, &tensors_refused[i]);
    }
}

static void test_a_tensor_of_too_many_dimensions_is_refused(void **state) {
    (void)state;
    FK_SCOPED(fk_buffer_finish) fk_buffer pickle = {0};
    fk_buffer_append(&pickle, BYTES(V2 "K\0("));
    for (size_t i = 0; i <= FK_LIMIT_RANK; i++) {
        fk_buffer_append(&pickle, "K\1", 2);
    }
    fk_buffer_append(&pickle, BYTES("tq\0h\0\x89NtR."));
    const refused row = {(const char *)pickle.bytes, pickle.length, FK_E_LIMIT, FK_NO_OFFSET,
                         "65 dimensions"};
    expect_refusal(0, &row);
}

/* ---- bombs */

static void repeat(fk_buffer *pickle, const char *bytes, size_t length, size_t count) {
    for (size_t i = 0; i < count; i++) {
        fk_buffer_append(pickle, bytes, length);
    }
}

static fk_code read_buffer(const fk_buffer *pickle, fk_error *err) {
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    fake_host fake = {.values = values};
    fk_value *value = NULL;
    return read_pickle(&fake, (const char *)pickle->bytes, pickle->length, false, &value, err);
}

static void test_nesting_up_to_the_limit_is_read_and_beyond_refused(void **state) {
    (void)state;
    for (size_t depth = FK_LIMIT_DEPTH - 1; depth <= FK_LIMIT_DEPTH + 1; depth++) {
        FK_SCOPED(fk_buffer_finish) fk_buffer outside_in = {0};
        FK_SCOPED(fk_buffer_finish) fk_buffer inside_out = {0};
        fk_error err = {0};
        repeat(&outside_in, BYTES("]"), depth);
        repeat(&outside_in, BYTES("a"), depth - 1);
        fk_buffer_append_text(&outside_in, ".");
        fk_buffer_append_text(&inside_out, "N");
        repeat(&inside_out, BYTES("\x85"), depth);
        fk_buffer_append_text(&inside_out, ".");
        /* the innermost list is empty: a leaf */
        assert_int_equal(read_buffer(&outside_in, &err),
                         depth - 1 <= FK_LIMIT_DEPTH ? FK_OK : FK_E_LIMIT);
        assert_int_equal(read_buffer(&inside_out, &err),
                         depth <= FK_LIMIT_DEPTH ? FK_OK : FK_E_LIMIT);
    }
}

static void test_very_deep_nesting_overflows_no_stack(void **state) {
    (void)state;
    FK_SCOPED(fk_buffer_finish) fk_buffer pickle = {0};
    fk_error err = {0};
    fk_buffer_append_text(&pickle, "N");
    repeat(&pickle, BYTES("\x85"), 300000);
    fk_buffer_append_text(&pickle, ".");
    assert_int_equal(read_buffer(&pickle, &err), FK_E_LIMIT);
    assert_non_null(strstr(err.message, "deeper than 1000"));
}

static void test_depth_counts_shared_parts_below_every_path(void **state) {
    (void)state;
    /* a chain of 600, seen first at the top, then below another chain of 600 */
    FK_SCOPED(fk_buffer_finish) fk_buffer pickle = {0};
    fk_error err = {0};
    fk_buffer_append_text(&pickle, "N");
    repeat(&pickle, BYTES("\x85"), 600);
    fk_buffer_append(&pickle, BYTES("q\0h\0"));
    repeat(&pickle, BYTES("\x85"), 600);
    fk_buffer_append(&pickle, BYTES("\x86."));
    assert_int_equal(read_buffer(&pickle, &err), FK_E_LIMIT);
}

static void test_doubling_by_memo_stays_small(void **state) {
    (void)state;
    /* 2 to the 60 paths, 60 lists */
    FK_SCOPED(fk_buffer_finish) fk_buffer pickle = {0};
    fk_error err = {0};
    fk_buffer_append(&pickle, BYTES("]q\0"));
    repeat(&pickle, BYTES("h\0\x86q\0"), 60);
    fk_buffer_append_text(&pickle, ".");
    assert_int_equal(read_buffer(&pickle, &err), FK_OK);
}

static void test_copying_the_same_text_again_and_again_is_refused(void **state) {
    (void)state;
    FK_SCOPED(fk_buffer_finish) fk_buffer pickle = {0};
    fk_error err = {0};
    fk_buffer_append(&pickle, BYTES("](c_codecs\nencode\nq\0X\0\0\4\0"));
    repeat(&pickle, BYTES("x"), 0x40000);
    fk_buffer_append(&pickle, BYTES("q\1U\6latin1q\2\x86R"));
    repeat(&pickle, BYTES("h\0h\1h\2\x86R"), 100);
    fk_buffer_append_text(&pickle, "e.");
    assert_int_equal(read_buffer(&pickle, &err), FK_E_LIMIT);
    assert_non_null(strstr(err.message, "again and again"));
}

static void test_a_text_beyond_its_limit_is_refused(void **state) {
    (void)state;
    FK_SCOPED(fk_buffer_finish) fk_buffer pickle = {0};
    fk_error err = {0};
    fk_buffer_append_text(&pickle, "X");
    fk_buffer_append_u32(&pickle, FK_LIMIT_STRING_BYTES + 1);
    memset(fk_buffer_extend(&pickle, FK_LIMIT_STRING_BYTES + 1), 'x', FK_LIMIT_STRING_BYTES + 1);
    fk_buffer_append_text(&pickle, ".");
    assert_int_equal(read_buffer(&pickle, &err), FK_E_LIMIT);
}

/* An id can be fetched from the memo millions of times, and is read each time. */
static void test_a_location_beyond_its_limit_is_refused(void **state) {
    (void)state;
    FK_SCOPED(fk_buffer_finish) fk_buffer pickle = {0};
    fk_buffer_append(&pickle, BYTES("(U\7storagectorch\nFloatStorage\nU\1"
                                    "0X\1\2\0\0"));
    repeat(&pickle, BYTES("c"), 513);
    fk_buffer_append(&pickle, BYTES("K\4tQ."));
    const refused wanted = {(const char *)pickle.bytes, pickle.length, FK_E_CORRUPT,
                            pickle.length - 2, "persistent id"};
    expect_refusal(0, &wanted);
}

static void test_a_stack_beyond_its_limit_is_refused(void **state) {
    (void)state;
    const char *const pushes[] = {"N", "("};
    for (size_t i = 0; i < 2; i++) {
        FK_SCOPED(fk_buffer_finish) fk_buffer pickle = {0};
        fk_error err = {0};
        repeat(&pickle, pushes[i], 1, FK_LIMIT_PICKLE_STACK + 1);
        assert_int_equal(read_buffer(&pickle, &err), FK_E_LIMIT);
        assert_int_equal(err.offset, 1000 + FK_LIMIT_PICKLE_STACK);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_else_is_refused_by_name_and_offset),
        cmocka_unit_test(test_malformed_tensors_are_refused),
        cmocka_unit_test(test_a_tensor_of_too_many_dimensions_is_refused),
        cmocka_unit_test(test_nesting_up_to_the_limit_is_read_and_beyond_refused),
        cmocka_unit_test(test_very_deep_nesting_overflows_no_stack),
        cmocka_unit_test(test_depth_counts_shared_parts_below_every_path),
        cmocka_unit_test(test_doubling_by_memo_stays_small),
        cmocka_unit_test(test_copying_the_same_text_again_and_again_is_refused),
        cmocka_unit_test(test_a_text_beyond_its_limit_is_refused),
        cmocka_unit_test(test_a_location_beyond_its_limit_is_refused),
        cmocka_unit_test(test_a_stack_beyond_its_limit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
