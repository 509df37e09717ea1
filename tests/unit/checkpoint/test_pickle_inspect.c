#include "pickle_read_fixture.h"

/* ---- inspection */

typedef struct inspected {
    const char *pickle;
    size_t length;
    const char *shown;
    size_t globals;
    size_t calls;
    size_t opcodes;
    const char *last;
} inspected;

static const inspected values_inspected[] = {
    {BYTES("cposix\nsystem\nU\2id\x85R."), "dict(0: str:2'id')", 1, 1, 0, "posix.system"},
    {BYTES("cposix\nsystem\n."), "None", 1, 0, 0, "posix.system"},
    {BYTES("c__builtin__\nexec\n(S'print(1)'\ntR0]."), "list()", 1, 1, 2, "__builtin__.exec"},
    {BYTES("(ios\nsystem\n."), "dict()", 1, 1, 1, "os.system"},
    {BYTES("(S'id'\nios\nsystem\n."), "dict(0: str:2'id')", 1, 1, 2, "os.system"},
    {BYTES("(cos\nsystem\nVid\no."), "dict(0: str:2'id')", 1, 1, 2, "os.system"},
    {BYTES("cm\nC\n)}\x92."), "dict()", 1, 1, 1, "m.C"},
    {BYTES("cm\nC\n)\x81}U\1wNsb."), "dict(str:1'w': None)", 1, 1, 0, "m.C"},
    {BYTES("cm\nC\n)\x81K\1b."), "dict(str:5'state': 1)", 1, 1, 0, "m.C"},
    {BYTES("cm\nC\nK\5\x85Rq\0h\0b."), "dict(0: 5)", 1, 1, 0, "m.C"},
    {BYTES("cm\nC\n)RK\1K\2sK\3a."), "dict(1: 2, 1: 3)", 1, 1, 0, "m.C"},
    {BYTES("\x82\1."), "None", 1, 0, 1, "copyreg.extension"},
    {BYTES("I5\nI-7\nL3L\n\x87."), "tuple(5, -7, 3)", 0, 0, 3, ""},
    {BYTES("(I1\nI2\nl."), "list(1, 2)", 0, 0, 3, ""},
    {BYTES("(I1\nI2\nd."), "dict(1: 2)", 0, 0, 3, ""},
    {BYTES("(K\1\x91."), "set(1)", 0, 0, 1, ""},
    {BYTES("]p2\ng2\n\x86."), "tuple(list(), list())", 0, 0, 2, ""},
    {BYTES("N2\x86."), "tuple(None, None)", 0, 0, 1, ""},
    {BYTES("K\1(K\2K\3"
           "1."),
     "1", 0, 0, 1, ""},
    {BYTES("K\1(0."), "1", 0, 0, 1, ""},
    {BYTES("F1.5\n\x98Pid\n\x86."), "tuple(None, None)", 0, 0, 3, ""},
    {BYTES("T\1\0\0\0\xFF."), "None", 0, 0, 1, ""},
    {BYTES("K\1K\2."), "2", 0, 0, 0, ""},
    {BYTES("ctorch\nSize\n)\x85."), "tuple(tuple())", 0, 0, 0, ""},
    {BYTES("ctorch\nFloatStorage\nK\5\x85R."), "dict(0: 5)", 0, 1, 0, "torch.FloatStorage"},
    {BYTES("ctorch\nTensor\n)\x81."), "dict()", 0, 1, 0, "torch.Tensor"},
    {BYTES("]" STORAGE "a."), "list(None)", 0, 0, 0, ""},
    {BYTES("}U\1wctorch._utils\n_rebuild_qtensor\n(" STORAGE_OF(
         "ctorch\nQInt8Storage\n") "K\x40tQK\0tRs."),
     "dict(str:1'w': dict(0: None, 1: 0))", 2, 1, 0, "torch._utils._rebuild_qtensor"},
    {BYTES("ctorch._tensor\n_rebuild_from_type_v2\n("
           "ctorch._utils\n_rebuild_tensor_v2\ncm\nC\n(" STORAGE "K\0))\x89Nt}tR."),
     "float32[+0 f0]", 1, 0, 0, "m.C"},
};

static void test_inspection_follows_what_a_pickle_would_do(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof values_inspected / sizeof values_inspected[0]; i++) {
        const inspected *row = &values_inspected[i];
        FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
        FK_SCOPED(fk_buffer_finish) fk_buffer text = {0};
        fake_host fake = {.values = values};
        fk_value *value = NULL;
        fk_error err = {0};
        if (read_pickle(&fake, row->pickle, row->length, true, &value, &err) != FK_OK) {
            fail_msg("row %zu: %s", i, err.message);
        }
        show(&text, value);
        if (strcmp((const char *)text.bytes, row->shown) != 0 || fake.globals != row->globals ||
            fake.calls != row->calls || fake.opcodes != row->opcodes ||
            strcmp(fake.last, row->last) != 0) {
            fail_msg("row %zu: %s, %zu globals, %zu calls, %zu opcodes, last %s", i,
                     (const char *)text.bytes, fake.globals, fake.calls, fake.opcodes, fake.last);
        }
    }
}

static void test_inspection_of_any_single_changed_byte_ends_well(void **state) {
    (void)state;
    static const char pickle[] = "}(" U("\1", "a") TENSOR "U\1bcm\nC\n)\x81}b(S'x'\nl0u.";
    for (size_t at = 0; at < sizeof pickle - 1; at++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
            fake_host fake = {.values = values};
            fk_value *value = NULL;
            char changed[sizeof pickle];
            memcpy(changed, pickle, sizeof pickle);
            changed[at] = (char)byte;
            fk_code code = read_pickle(&fake, changed, sizeof pickle - 1, true, &value, NULL);
            assert_true(code == FK_OK || code == FK_E_CORRUPT || code == FK_E_LIMIT ||
                        code == FK_E_UNSUPPORTED);
            assert_true((code == FK_OK) == (value != NULL));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inspection_follows_what_a_pickle_would_do),
        cmocka_unit_test(test_inspection_of_any_single_changed_byte_ends_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
