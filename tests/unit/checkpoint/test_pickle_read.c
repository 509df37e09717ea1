#include "pickle_read_fixture.h"

typedef struct accepted {
    const char *pickle;
    size_t length;
    const char *shown;
} accepted;

#define FROM_TYPE_NAME SIZED_CODE("torch._tensor", "_rebuild_from_type_v2")
#define FROM_TYPE      FROM_TYPE_NAME "("

static const accepted values_read[] = {
    {BYTES("\x80\2N."), "None"},
    {BYTES("N."), "None"},
    {BYTES("\x80\2\x88\x89\x86."), "tuple(True, False)"},
    {BYTES("(K\xFFM\xFF\xFFJ\xFE\xFF\xFF\xFFt."), "tuple(255, 65535, -2)"},
    {BYTES("\x8A\0."), "0"},
    {BYTES("\x8A\1\xFF."), "-1"},
    {BYTES("\x8A\x09\0\0\0\0\0\0\0\0\1."), "int:9'\0\0\0\0\0\0\0\0\1'"},
    {BYTES("G\x3F\xF8\0\0\0\0\0\0."), "1.5"},
    {BYTES("X\2\0\0\0hi."), "str:2'hi'"},
    {BYTES("X\3\0\0\0\xED\xA0\x80."), "str:3'\xED\xA0\x80'"},
    {BYTES("U\2hi."), "str:2'hi'"},
    {BYTES("\x8C\2\xC3\xA9."), "str:2'\xC3\xA9'"},
    {BYTES("\x8D\1\0\0\0\0\0\0\0z."), "str:1'z'"},
    {BYTES("C\2\xFF\1."), "bytes:2'\xFF\1'"},
    {BYTES("B\1\0\0\0b."), "bytes:1'b'"},
    {BYTES("\x8E\1\0\0\0\0\0\0\0b."), "bytes:1'b'"},
    {BYTES("\x96\1\0\0\0\0\0\0\0b."), "bytearray:1'b'"},
    {BYTES("]K\1aK\2a."), "list(1, 2)"},
    {BYTES("](K\1K\2e(e."), "list(1, 2)"},
    {BYTES("}K\1Ns(K\2\x88K\3\x89u(u."), "dict(1: None, 2: True, 3: False)"},
    {BYTES("\x8F(K\1K\2\x90."), "set(1, 2)"},
    {BYTES("K\1\x85K\1K\2K\3\x87\x86)\x86."), "tuple(tuple(tuple(1), tuple(1, 2, 3)), tuple())"},
    {BYTES("]q\0h\0\x86."), "tuple(list(), list())"},
    {BYTES("]r\0\0\0\0j\0\0\0\0\x86."), "tuple(list(), list())"},
    {BYTES("\x80\4\x95\3\0\0\0\0\0\0\0]\x94."), "list()"},
    {BYTES("\x80\4\x95\2\0\0\0\0\0\0\0]\x94h\0\x86."), "tuple(list(), list())"},
    {BYTES("\x80\4\x95\1\0\0\0\0\0\0\0]\x95\2\0\0\0\0\0\0\0Na."), "list(None)"},
    {BYTES("\x8C\5torch\x8C\7float16\x93."), "torch.dtype:7'float16'"},
    {BYTES(SIZED_CODE("torch", "per_tensor_affine") "."), "torch.qscheme:17'per_tensor_affine'"},
    {BYTES(SIZED_CODE("collections", "OrderedDict") ")\x81."), "OrderedDict()"},
    {BYTES(SIZED_CODE("collections", "OrderedDict") "]]K\1aK\2aa\x85R."), "OrderedDict(1: 2)"},
    {BYTES(SIZED_CODE("collections", "OrderedDict") ")R}X\1\0\0\0aNsb."),
     "OrderedDict()@dict(str:1'a': None)"},
    {BYTES(SIZED_CODE("collections", "Counter") "}K\1K\2s\x85R."), "Counter(1: 2)"},
    {BYTES(SIZED_CODE("collections", "Counter") ")R."), "Counter()"},
    {BYTES(SIZED_CODE("__builtin__", "set") "](K\1K\2e\x85R."), "set(1, 2)"},
    {BYTES(SIZED_CODE("builtins", "set") ")R."), "set()"},
    {BYTES(SIZED_CODE("__builtin__", "complex") "G\x3F\xF8\0\0\0\0\0\0K\2\x86R."), "1.5+2j"},
    {BYTES(SIZED_CODE("__builtin__", "bytes") ")R."), "bytes:0''"},
    {BYTES(SIZED_CODE("__builtin__", "bytearray") ")R."), "bytearray:0''"},
    {BYTES(SIZED_CODE("__builtin__", "bytearray") "C\1x\x85R."), "bytearray:1'x'"},
    {BYTES(SIZED_CODE("__builtin__", "bytearray") "X\2\0\0\0\xC3\xBFU\7latin-1\x86R."),
     "bytearray:1'\xFF'"},
    {BYTES(SIZED_CODE("_codecs", "encode") "X\2\0\0\0\xC3\xBFU\6latin1\x86R."), "bytes:1'\xFF'"},
    {BYTES(SIZED_CODE("torch", "Size") "K\2K\3\x86\x85R."), "torch.Size(2, 3)"},
    {BYTES(SIZED_CODE("torch", "Size") "K\2K\3\x86\x85\x81."), "torch.Size(2, 3)"},
    {BYTES(SIZED_CODE("torch", "device") "U\4cudaK\1\x86R."), "torch.device:6'cuda:1'"},
    {BYTES(SIZED_CODE("torch", "device") "U\3cpuN\x86R."), "torch.device:3'cpu'"},
    {BYTES(SIZED_CODE("torch.serialization", "_get_layout") "U\x0Dtorch.strided\x85R."),
     "torch.layout:7'strided'"},
    {BYTES(TENSOR "."), "float32[2/3 3/1 +1 f0]"},
    {BYTES(SIZED_CODE("torch._utils", "_rebuild_tensor") "(" STORAGE "K\0K\4\x85K\0\x85tR."),
     "float32[4/0 +0 f0]"},
    {BYTES(V2 "K\0))\x88NtR."), "float32[+0 f1]"},
    {BYTES(V2 "K\0))\x89}}tR."), "float32[+0 f0]"},
    {BYTES(V2 "K\0))\x89NNtR."), "float32[+0 f0]"},
    {BYTES(V2 "K\0))\x89N}U\3neg\x88stR."), "float32[+0 f8]"},
    {BYTES(V2 "K\x63K\0\x85K\1\x85\x89NtR."), "float32[0/1 +99 f0]"},
    {BYTES(SIZED_CODE("torch._utils", "_rebuild_tensor_v2") "(" STORAGE_OF(
         SIZED_CODE("torch", "ComplexFloatStorage")) "K\x08tQK\0))\x89N}U\4conj\x88stR."),
     "complex64[+0 f4]"},
    {BYTES(SIZED_CODE("torch._utils", "_rebuild_tensor_v3") "(" STORAGE_OF(SIZED_CODE(
         "torch.storage",
         "UntypedStorage")) "K\x40tQK\2K\3\x85K\1\x85\x89N" SIZED_CODE("torch", "uint16") "tR."),
     "uint16[3/1 +2 f0]"},
    {BYTES(SIZED_CODE("torch._utils", "_rebuild_tensor_v2") "(" STORAGE_OF(
         SIZED_CODE("torch.storage", "UntypedStorage")) "K\x40tQK\2K\3\x85K\1\x85\x89NtR."),
     "uint8[3/1 +2 f0]"},
    {BYTES(SIZED_CODE("torch._utils", "_rebuild_parameter") TENSOR "\x88N\x87R."),
     "float32[2/3 3/1 +1 f3]"},
    {BYTES(SIZED_CODE("torch._utils", "_rebuild_parameter_with_state") "(" TENSOR
                                                                       "\x89N}U\1aNstR."),
     "float32[2/3 3/1 +1 f2]@dict(str:1'a': None)"},
    {BYTES(SIZED_CODE("torch.nn.parameter", "Parameter") TENSOR "\x89\x86R."),
     "float32[2/3 3/1 +1 f2]"},
    {BYTES(SIZED_CODE("torch.nn.parameter", "Parameter") TENSOR "\x85\x81."),
     "float32[2/3 3/1 +1 f3]"},
    {BYTES(SIZED_CODE("torch._tensor", "_rebuild_from_type_v2") "(" SIZED_CODE("torch._utils",
                                                                               "_rebuild_tensor_v2")
               SIZED_CODE("torch", "Tensor") "(" STORAGE "K\0))\x89Nt}U\1aNstR."),
     "float32[+0 f0]@dict(str:1'a': None)"},
    {BYTES(SIZED_CODE("torch._tensor", "_rebuild_from_type_v2") "(" SIZED_CODE("torch._utils",
                                                                               "_rebuild_tensor_v2")
               SIZED_CODE("torch.nn.parameter", "Parameter") "(" STORAGE "K\0))\x89Nt}tR."),
     "float32[+0 f2]"},
    {BYTES(FROM_TYPE SIZED_CODE("torch._utils", "_rebuild_tensor_v2") SIZED_CODE(
         "torch", "Tensor") "(" STORAGE "K\0))\x89Nt}(U\1aNU\x0Drequires_grad\x88utR."),
     "float32[+0 f1]@dict(str:1'a': None)"},
    {BYTES(FROM_TYPE FROM_TYPE_NAME SIZED_CODE("torch", "Tensor") "(" SIZED_CODE(
         "torch._utils", "_rebuild_tensor_v2")
               SIZED_CODE("torch", "Tensor") "(" STORAGE
                                             "K\0))\x89Nt}U\x0Drequires_grad\x88st}U\1aNstR."),
     "float32[+0 f1]@dict(str:1'a': None)"},
};

static void test_every_supported_form_is_read(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof values_read / sizeof values_read[0]; i++) {
        const accepted *row = &values_read[i];
        FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
        FK_SCOPED(fk_buffer_finish) fk_buffer text = {0};
        fake_host fake = {.values = values};
        fk_value *value = NULL;
        fk_error err = {0};
        if (read_pickle(&fake, row->pickle, row->length, false, &value, &err) != FK_OK) {
            fail_msg("row %zu, wanted %s: %s", i, row->shown, err.message);
        }
        show(&text, value);
        assert_string_equal((const char *)text.bytes, row->shown);
    }
}

static void test_a_cut_pickle_is_always_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof values_read / sizeof values_read[0]; i++) {
        for (size_t length = 0; length < values_read[i].length; length++) {
            FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
            fake_host fake = {.values = values};
            fk_value *value = NULL;
            assert_true(read_pickle(&fake, values_read[i].pickle, length, false, &value, NULL) < 0);
            assert_null(value);
        }
    }
}

static void test_a_list_that_contains_itself_is_read(void **state) {
    (void)state;
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    fake_host fake = {.values = values};
    fk_value *value = NULL;
    assert_int_equal(read_pickle(&fake, BYTES("]q\0h\0a."), false, &value, NULL), FK_OK);
    assert_ptr_equal(fk_value_item(value, 0), value);
}

static void test_bytes_behind_stop_are_told_when_asked_for(void **state) {
    (void)state;
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    fake_host fake = {.values = values};
    const fk_pickle_host host = {.storage = give_storage, .user = &fake};
    fk_value *value = NULL;
    size_t used = 0;
    assert_int_equal(
        fk_pickle_read((const uint8_t *)"N.rest", 6, 0, &host, values, &value, &used, NULL), FK_OK);
    assert_int_equal(used, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_supported_form_is_read),
        cmocka_unit_test(test_a_cut_pickle_is_always_refused),
        cmocka_unit_test(test_a_list_that_contains_itself_is_read),
        cmocka_unit_test(test_bytes_behind_stop_are_told_when_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
