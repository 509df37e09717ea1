/* Attacks that were published against PyTorch and the scanners of its files, each rebuilt and
 * refused by name. The group numbers are those of docs/hostile-files.md. */
#include "checkpoint/inspection.h"
#include "checkpoint_fixture.h"

#define TENSOR_A REBUILT("FloatStorage", "0", "cpu", "\4")
#define TENSOR_B REBUILT("LongStorage", "1", "cpu", "\2")
#define BOTH     "}(U\1a" TENSOR_A "U\1b" TENSOR_B "u"

typedef struct file {
    checkpoint one;
    fk_inspection *seen;
    fk_error inspect_err;
    fk_code inspect_code;
} file;

static void file_finish(file *it) {
    fk_inspection_destroy(it->seen);
    checkpoint_finish(&it->one);
}

/* A sound checkpoint but for its pickle, or (pickle NULL) a sound one. */
static void make(file *it, const char *pickle, size_t length) {
    *it = (file){.seen = NULL};
    checkpoint_make(&it->one, pickle == NULL ? RECORDS : PICKLE, "archive/data.pkl", pickle, length,
                    true);
}

static void expect_refused(file *it, fk_code code, uint64_t offset, const char *word) {
    fk_code got = checkpoint_read(&it->one, FK_READ_CHECK_CRC);
    const fk_error *err = &it->one.err;
    if (got != code || strstr(err->message, word) == NULL || err->offset != offset) {
        fail_msg("wanted %d, '%s' at %llu: got %d, '%s' at %llu", code, word,
                 (unsigned long long)offset, got, err->message, (unsigned long long)err->offset);
    }
    assert_true(err->hint[0] != '\0');
    assert_null(it->one.top);
}

/* That the lenient look still shows what is there, and what it would have called. */
static void expect_seen(file *it, const char *code, const char *word) {
    const archive *built = &it->one.built;
    it->inspect_code =
        fk_torch_inspect(built->file.bytes, built->file.length, &it->seen, &it->inspect_err);
    assert_int_equal(it->inspect_code, FK_OK);
    for (size_t i = 0; i < it->seen->finding_count; i++) {
        const fk_problem *finding = &it->seen->findings[i];
        if (strcmp(finding->code, code) == 0 && strstr(finding->message, word) != NULL) {
            return;
        }
    }
    fail_msg("no finding '%s' with '%s'", code, word);
}

static uint64_t in_pickle(const file *it, size_t offset) {
    return it->one.built.payload[PICKLE] + offset;
}

/* ---- containers */

static void test_cve_2025_1944_another_name_in_the_local_header(void **state) {
    (void)state;
    FK_SCOPED(file_finish) file it;
    make(&it, NULL, 0);
    size_t local = it.one.built.local[PICKLE];
    memcpy(it.one.built.file.bytes + local + 30, "archive/data.txt", 16);
    expect_refused(&it, FK_E_CORRUPT, local + 30, "another name");
}

static void test_cve_2025_1945_flag_bits_that_stop_scanners(void **state) {
    (void)state;
    static const uint8_t bits[] = {0x01, 0x20, 0x40};
    for (size_t i = 0; i < sizeof bits; i++) {
        FK_SCOPED(file_finish) file it;
        make(&it, NULL, 0);
        size_t entry = it.one.built.entry[PICKLE];
        it.one.built.file.bytes[entry + 8] |= bits[i];
        assert_true(checkpoint_read(&it.one, 0) == FK_E_UNSUPPORTED ||
                    it.one.err.code == FK_E_CORRUPT);
        assert_int_equal(it.one.err.offset, entry);
    }
}

static void test_cve_2025_10156_a_wrong_crc(void **state) {
    (void)state;
    FK_SCOPED(file_finish) file it;
    make(&it, SIZED("cos\nsystem\nU\2id\x85R."));
    it.one.built.file.bytes[it.one.built.entry[PICKLE] + 16] ^= 1;
    it.one.built.file.bytes[it.one.built.descriptor[PICKLE] + 4] ^= 1;
    expect_refused(&it, FK_E_CORRUPT, in_pickle(&it, 0), "CRC");
    expect_seen(&it, "global", "call 'os.system'");
}

static void test_cve_2025_10155_another_extension_changes_nothing(void **state) {
    (void)state;
    /* what a file is follows from its bytes: a bare pickle named .bin is a bare pickle */
    fk_error err;
    fk_value *top = NULL;
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    char pickle[] = "\x80\2cos\nsystem\nU\2id\x85R.";
    assert_int_equal(fk_torch_read((uint8_t *)pickle, sizeof pickle - 1, 0, values, &top, &err),
                     FK_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "bare pickle"));
}

static void test_cve_2025_10157_a_submodule_of_something_known(void **state) {
    (void)state;
    FK_SCOPED(file_finish) file it;
    make(&it, SIZED("casyncio.unix_events\n_UnixSubprocessTransport._start\n)R."));
    expect_refused(&it, FK_E_UNSUPPORTED, in_pickle(&it, 0), "asyncio.unix_events");
    expect_seen(&it, "global", "call 'asyncio.unix_events._UnixSubprocessTransport._start'");
}

static void test_cve_2025_1889_a_pickle_hidden_in_a_storage(void **state) {
    (void)state;
    FK_SCOPED(file_finish) file it = {.seen = NULL};
    checkpoint_make(&it.one, FORMAT, "archive/data/9", SIZED("cos\nsystem\n)R."), true);
    expect_refused(&it, FK_E_CORRUPT, it.one.built.payload[FORMAT], "belongs to no tensor");
    expect_seen(&it, "record", "'data/9'");
}

static void test_cve_2025_32434_a_tar_checkpoint(void **state) {
    (void)state;
    static uint8_t tar[1024];
    memcpy(tar, "pickle", 6);
    memcpy(tar + 257, "ustar", 5);
    memcpy(tar + 512, "cos\nsystem\n)R.", 14);
    fk_error err;
    fk_value *top = NULL;
    assert_int_equal(fk_torch_read(tar, sizeof tar, 0, NULL, &top, &err), FK_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "tar format"));
}

static void test_cve_2026_24747_items_set_in_what_is_no_dict(void **state) {
    (void)state;
    FK_SCOPED(file_finish) file it;
    make(&it, SIZED(TENSOR_A "K\0K\1s."));
    expect_refused(&it, FK_E_CORRUPT, in_pickle(&it, sizeof TENSOR_A + 3), "no dict");
}

static void test_cve_2026_24747_more_elements_than_the_record_has(void **state) {
    (void)state;
    FK_SCOPED(file_finish) file it;
    make(&it, SIZED("]" REBUILT("FloatStorage", "0", "cpu", "\x7F") "a."));
    checkpoint_read(&it.one, 0);
    assert_int_equal(it.one.err.code, FK_E_CORRUPT);
    assert_non_null(strstr(it.one.err.message, "has 16 bytes"));
}

static void test_nullifai_a_7z_container(void **state) {
    (void)state;
    fk_error err;
    fk_value *top = NULL;
    uint8_t start[32] = "7z\xBC\xAF\x27\x1C\0\4";
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    assert_int_equal(fk_torch_read(start, sizeof start, 0, values, &top, &err), FK_E_UNSUPPORTED);
}

/* ---- pickles that would call something: the strict reader refuses them by the name of what would
 * be called, the lenient one still shows all of it, and the tensors */

typedef struct attack {
    const char *name;
    const char *pickle;
    size_t length;
    fk_code code;
    size_t offset; /* in the pickle */
    const char *refusal;
    const char *finding; /* its code, or NULL */
    const char *told;
} attack;

#define AT(prefix) (sizeof prefix - 1)

static const attack attacks[] = {
    {"nullifAI: the stream breaks behind the call", SIZED("cos\nsystem\n(S'id'\ntR\xFF\xFF"),
     FK_E_UNSUPPORTED, 0, "os.system", "global", "call 'os.system'"},
    {"eval through REDUCE makes the legacy magic number",
     SIZED("cbuiltins\neval\n(U\5"
           "0x1+1tR."),
     FK_E_UNSUPPORTED, 0, "builtins.eval", "global", "call 'builtins.eval'"},
    {"a second pickle behind the first", SIZED(BOTH ".\x80\2cos\nsystem\n)R."), FK_E_CORRUPT,
     AT(BOTH "."), "follow", "trailing", "bytes follow"},
    {"nested pickle.loads", SIZED("cpickle\nloads\nC\4N...\x85R."), FK_E_UNSUPPORTED, 0,
     "pickle.loads", "global", "call 'pickle.loads'"},
    {"nested torch.load", SIZED("ctorch\nload\nU\1x\x85R."), FK_E_UNSUPPORTED, 0, "torch.load",
     "global", "call 'torch.load'"},
    {"INST calls without REDUCE", SIZED("(U\2idios\nsystem\n."), FK_E_UNSUPPORTED, AT("(U\2id"),
     "INST", "opcode", "INST"},
    {"OBJ calls, POP hides it", SIZED("(cos\nsystem\nU\2ido0N."), FK_E_UNSUPPORTED, 1, "os.system",
     "global", "os.system"},
    {"EXT1 takes a global from a registry", SIZED("\x82\1)R."), FK_E_UNSUPPORTED, 0, "EXT1",
     "opcode", "EXT1"},
    {"EXT2", SIZED("\x83\1\1)R."), FK_E_UNSUPPORTED, 0, "EXT2", "opcode", "EXT2"},
    {"EXT4", SIZED("\x84\1\1\1\1)R."), FK_E_UNSUPPORTED, 0, "EXT4", "opcode", "EXT4"},
    {"a dotted name leads from the known to the unknown",
     SIZED("\x80\4\x8C\5torch\x8C\x13serialization.os.id\x93."), FK_E_UNSUPPORTED,
     AT("\x80\4\x8C\5torch\x8C\x13serialization.os.id"), "torch.serialization.os.id", "global",
     "import 'torch.serialization.os.id'"},
    {"pkgutil.resolve_name", SIZED("cpkgutil\nresolve_name\nU\tos:system\x85R."), FK_E_UNSUPPORTED,
     0, "pkgutil.resolve_name", "global", "call 'pkgutil.resolve_name'"},
    {"operator.attrgetter", SIZED("coperator\nattrgetter\nU\6system\x85R."), FK_E_UNSUPPORTED, 0,
     "operator.attrgetter", "global", "call 'operator.attrgetter'"},
    {"operator.methodcaller", SIZED("coperator\nmethodcaller\nU\1x\x85R."), FK_E_UNSUPPORTED, 0,
     "operator.methodcaller", "global", "call 'operator.methodcaller'"},
    {"STACK_GLOBAL of texts from the memo", SIZED("\x80\4\x8C\2os\x94\x8C\6system\x94h\0h\1\x93."),
     FK_E_UNSUPPORTED, AT("\x80\4\x8C\2os\x94\x8C\6system\x94h\0h\1"), "os.system", "global",
     "import 'os.system'"},
    {"a memo key that is missing", SIZED("h\7."), FK_E_CORRUPT, 0, "memo index 7", NULL, ""},
    {"a memo index beyond every opcode", SIZED("Nr\xFF\xFF\xFF\x7F."), FK_E_CORRUPT, 1,
     "memo index", NULL, ""},
    {"DUP, to expand", SIZED("]22222222."), FK_E_UNSUPPORTED, 1, "DUP", "opcode", "DUP"},
    {"a frame shorter than what is in it", SIZED("\x80\4\x95\1\0\0\0\0\0\0\0K\1."), FK_E_CORRUPT,
     AT("\x80\4\x95\1\0\0\0\0\0\0\0"), "frame", NULL, ""},
    {"a second PROTO", SIZED("\x80\2\x80\2N."), FK_E_CORRUPT, 2, "PROTO", NULL, ""},
    {"a late PROTO", SIZED("]\x80\2."), FK_E_CORRUPT, 1, "PROTO", NULL, ""},
    {"BUILD sets the state of what is no such object", SIZED("]}b."), FK_E_UNSUPPORTED, 2, "BUILD",
     NULL, ""},
    {"NEWOBJ of a class outside the table", SIZED("csubprocess\nPopen\n)\x81."), FK_E_UNSUPPORTED,
     0, "subprocess.Popen", "global", "subprocess.Popen"},
    {"NEWOBJ_EX", SIZED("csubprocess\nPopen\n)}\x92."), FK_E_UNSUPPORTED, 0, "subprocess.Popen",
     "global", "subprocess.Popen"},
};

static void try_attack(const attack *row) {
    FK_SCOPED(file_finish) file it;
    make(&it, row->pickle, row->length);
    fk_code code = checkpoint_read(&it.one, FK_READ_CHECK_CRC);
    const fk_error *err = &it.one.err;
    bool placed = err->offset == in_pickle(&it, row->offset);
    if (code != row->code || strstr(err->message, row->refusal) == NULL || !placed) {
        fail_msg("%s: %d, '%s' at %lld", row->name, code, err->message,
                 (long long)(err->offset - in_pickle(&it, 0)));
    }
    assert_true(err->hint[0] != '\0');
    assert_null(it.one.top);
    if (row->finding != NULL) {
        expect_seen(&it, row->finding, row->told);
    }
}

static void test_pickles_that_would_call_something_are_refused_and_shown(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++) {
        try_attack(&attacks[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cve_2025_1944_another_name_in_the_local_header),
        cmocka_unit_test(test_cve_2025_1945_flag_bits_that_stop_scanners),
        cmocka_unit_test(test_cve_2025_10156_a_wrong_crc),
        cmocka_unit_test(test_cve_2025_10155_another_extension_changes_nothing),
        cmocka_unit_test(test_cve_2025_10157_a_submodule_of_something_known),
        cmocka_unit_test(test_cve_2025_1889_a_pickle_hidden_in_a_storage),
        cmocka_unit_test(test_cve_2025_32434_a_tar_checkpoint),
        cmocka_unit_test(test_cve_2026_24747_items_set_in_what_is_no_dict),
        cmocka_unit_test(test_cve_2026_24747_more_elements_than_the_record_has),
        cmocka_unit_test(test_nullifai_a_7z_container),
        cmocka_unit_test(test_pickles_that_would_call_something_are_refused_and_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
