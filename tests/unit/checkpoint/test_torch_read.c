#include "checkpoint_fixture.h"

static void test_tensors_look_into_the_file(void **state) {
    (void)state;
    FK_SCOPED(checkpoint_finish) checkpoint one;
    checkpoint_make(&one, RECORDS, NULL, NULL, 0, true);
    assert_int_equal(checkpoint_read(&one, FK_READ_CHECK_CRC), FK_OK);
    const fk_tensor *a = tensor_of(&one, "a");
    assert_int_equal(a->dtype, FK_FLOAT32);
    assert_ptr_equal(fk_tensor_data(a), one.built.file.bytes + one.built.payload[STORAGE_0]);
    assert_true(((const float *)fk_tensor_data(a))[3] == 4.0f);
    const fk_tensor *b = tensor_of(&one, "b");
    assert_ptr_equal(fk_tensor_data(b), one.built.file.bytes + one.built.payload[STORAGE_1]);
}

static void test_misaligned_storages_are_copied_to_aligned_memory(void **state) {
    (void)state;
    FK_SCOPED(checkpoint_finish) checkpoint one;
    checkpoint_make(&one, FORMAT, "archive/.format_version", "1", 1, false);
    const uint8_t *b_bytes = one.built.file.bytes + one.built.payload[STORAGE_1];
    assert_int_not_equal((uintptr_t)b_bytes % 8, 0);
    assert_int_equal(checkpoint_read(&one, FK_READ_CHECK_CRC), FK_OK);
    const void *b = fk_tensor_data(tensor_of(&one, "b"));
    assert_int_equal((uintptr_t)b % 8, 0);
    assert_memory_equal(b, b_bytes, 16);
}

static void test_big_endian_storages_are_swapped_in_a_copy(void **state) {
    (void)state;
    FK_SCOPED(checkpoint_finish) checkpoint one;
    checkpoint_make(&one, BYTEORDER, "archive/byteorder", "big", 3, true);
    assert_int_equal(checkpoint_read(&one, FK_READ_CHECK_CRC), FK_OK);
    const int64_t *b = fk_tensor_data(tensor_of(&one, "b"));
    assert_int_equal(b[0], 0x0102030405060708);
    assert_int_equal(b[1], 0x1112131415161718);
    assert_int_equal(one.built.file.bytes[one.built.payload[STORAGE_1]], 1);
}

/* PyTorch writes so the storage of bytes[:16].view(torch.float32) where there are 19 bytes. */
static void test_a_record_may_have_less_than_one_element_more(void **state) {
    (void)state;
    FK_SCOPED(checkpoint_finish) checkpoint one;
    checkpoint_make(&one, STORAGE_0, "archive/data/0", SIZED("0123456789ABCDEFGHI"), true);
    assert_int_equal(checkpoint_read(&one, FK_READ_CHECK_CRC), FK_OK);
    assert_int_equal(tensor_of(&one, "a")->storage->bytes, 16);
}

/* {"x": one tensor, "y": another}, over the storages that the fixture has. */
#define PAIR(x, y) "}(X\1\0\0\0x" x "X\1\0\0\0y" y "u."

static void test_halves_of_complex_elements_are_swapped_apart(void **state) {
    (void)state;
    static const char pickle[] = PAIR(REBUILT("ComplexFloatStorage", "0", "cpu", "\2"),
                                      REBUILT("ShortStorage", "1", "cpu", "\x08"));
    const archive_record records[] = {
        {"a/data.pkl", SIZED(pickle)},
        {"a/byteorder", SIZED("big")},
        {"a/data/0", SIZED("0123456789ABCDEF")},
        {"a/data/1", SIZED("0123456789ABCDEF")},
        {"a/version", SIZED("10")},
    };
    FK_SCOPED(checkpoint_finish) checkpoint one = {.values = fk_values_create()};
    archive_build(&one.built, records, 5, true);
    assert_int_equal(checkpoint_read(&one, 0), FK_OK);
    assert_memory_equal(fk_tensor_data(tensor_of(&one, "x")), "32107654BA98FEDC", 16);
    assert_memory_equal(fk_tensor_data(tensor_of(&one, "y")), "1032547698BADCFE", 16);
}

static fk_code read_pickle(checkpoint *one, const char *pickle, size_t length) {
    checkpoint_make(one, PICKLE, "archive/data.pkl", pickle, length, true);
    return checkpoint_read(one, 0);
}

/* What is left of the fixture's storages must be named, too. */
static void test_one_key_is_one_storage(void **state) {
    (void)state;
    FK_SCOPED(checkpoint_finish) checkpoint one;
    static const char pickle[] = "](" REBUILT("FloatStorage", "0", "cpu", "\4")
        REBUILT("FloatStorage", "0", "cpu", "\4") REBUILT("LongStorage", "1", "cpu", "\2") "e.";
    assert_int_equal(read_pickle(&one, SIZED(pickle)), FK_OK);
    const fk_tensor *first = fk_value_as_tensor(fk_value_item(one.top, 0));
    assert_ptr_equal(first->storage, fk_value_as_tensor(fk_value_item(one.top, 1))->storage);
    assert_ptr_not_equal(first->storage, fk_value_as_tensor(fk_value_item(one.top, 2))->storage);
}

static void test_empty_storages_are_made_anew(void **state) {
    (void)state;
    static const char pickle[] =
        PAIR(REBUILT("FloatStorage", "0", "cpu", "\0"), REBUILT("FloatStorage", "0", "cpu", "\0"));
    const archive_record records[] = {
        {"a/data.pkl", SIZED(pickle)}, {"a/data/0", "", 0}, {"a/version", SIZED("1\n")}};
    FK_SCOPED(checkpoint_finish) checkpoint one = {.values = fk_values_create()};
    archive_build(&one.built, records, 3, true);
    assert_int_equal(checkpoint_read(&one, FK_READ_CHECK_CRC), FK_OK);
    assert_ptr_not_equal(tensor_of(&one, "x")->storage, tensor_of(&one, "y")->storage);
}

static void test_cuda_storages_are_read_as_cpu(void **state) {
    (void)state;
    FK_SCOPED(checkpoint_finish) checkpoint one;
    static const char pickle[] =
        PAIR(REBUILT("FloatStorage", "0", "gpu", "\4"), REBUILT("LongStorage", "1", "cpu", "\2"));
    assert_int_equal(read_pickle(&one, SIZED(pickle)), FK_OK);
}

/* One record changed, and what must be said of it. */
typedef struct changed {
    size_t record;
    const char *name;
    const char *bytes;
    size_t length;
    fk_code code;
    const char *word;
} changed;

#define A       REBUILT("FloatStorage", "0", "cpu", "\4")
#define B       REBUILT("LongStorage", "1", "cpu", "\2")
#define AS(...) PICKLE, "archive/data.pkl", SIZED(PAIR(__VA_ARGS__))

static const changed refusals[] = {
    {VERSION, NULL, NULL, 0, FK_E_CORRUPT, "no record 'version'"},
    {VERSION, "archive/version", SIZED(""), FK_E_CORRUPT, "1 to 10"},
    {VERSION, "archive/version", SIZED("0\n"), FK_E_CORRUPT, "1 to 10"},
    {VERSION, "archive/version", SIZED(" 3"), FK_E_CORRUPT, "1 to 10"},
    {VERSION, "archive/version", SIZED("3x"), FK_E_CORRUPT, "1 to 10"},
    {VERSION, "archive/version", SIZED("03"), FK_E_CORRUPT, "1 to 10"},
    {VERSION, "archive/version", SIZED("3\0"), FK_E_CORRUPT, "1 to 10"},
    {VERSION, "archive/version", SIZED("11\n"), FK_E_UNSUPPORTED, "higher than 10"},
    {VERSION, "archive/version", SIZED("123456789012345678901234"), FK_E_CORRUPT, "1 to 10"},
    {VERSION, "archive/.data/version", SIZED("6"), FK_E_UNSUPPORTED, "torch.package"},
    {FORMAT, "archive/.format_version", SIZED("2"), FK_E_UNSUPPORTED, ".format_version"},
    {FORMAT, "archive/.format_version", SIZED("1\n"), FK_E_CORRUPT, ".format_version"},
    {ALIGNMENT, "archive/.storage_alignment", SIZED("0"), FK_E_CORRUPT, "65536"},
    {ALIGNMENT, "archive/.storage_alignment", SIZED("65537"), FK_E_CORRUPT, "65536"},
    {BYTEORDER, "archive/byteorder", SIZED("Little"), FK_E_CORRUPT, "'little' nor 'big'"},
    {PICKLE, NULL, NULL, 0, FK_E_CORRUPT, "no record 'data.pkl'"},
    {FORMAT, "archive/constants.pkl", SIZED("x"), FK_E_UNSUPPORTED, "TorchScript"},
    {FORMAT, "archive/code/a.py", SIZED("x"), FK_E_UNSUPPORTED, "TorchScript"},
    {STORAGE_0, NULL, NULL, 0, FK_E_CORRUPT, "'0' has no record"},
    {STORAGE_0, "archive/data/0", SIZED("short"), FK_E_CORRUPT, "has 5 bytes"},
    {STORAGE_0, "archive/data/0", SIZED("0123456789ABCDEFGHIJ"), FK_E_CORRUPT, "has 20 bytes"},
    {FORMAT, "archive/data/2", SIZED("x"), FK_E_CORRUPT, "'data/2' belongs to no tensor"},
    {PICKLE, "archive/data.pkl", SIZED("N."), FK_E_CORRUPT, "'data/0' belongs to no tensor"},
    {AS(A, REBUILT("LongStorage", "1", "cpu", "\3")), FK_E_CORRUPT, "3 elements of 8 bytes"},
    {AS(A, REBUILT("DoubleStorage", "0", "cpu", "\2")), FK_E_CORRUPT, "as float32 and as float64"},
    {AS(A, REBUILT("FloatStorage", "0", "gpu", "\4")), FK_E_CORRUPT, "two locations"},
    {AS(A, REBUILT("FloatStorage", "9", "cpu", "\4")), FK_E_CORRUPT, "'9' has no record"},
    {PICKLE, "archive/data.pkl", SIZED("cos\nsystem\n)R."), FK_E_UNSUPPORTED, "os.system"},
};

static void test_records_that_are_not_as_they_must_be_are_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const changed *row = &refusals[i];
        FK_SCOPED(checkpoint_finish) checkpoint one;
        checkpoint_make(&one, row->record, row->name, row->bytes, row->length, true);
        fk_code code = checkpoint_read(&one, FK_READ_CHECK_CRC);
        if (code != row->code || strstr(one.err.message, row->word) == NULL) {
            fail_msg("row %zu, wanted '%s': code %d, '%s'", i, row->word, code, one.err.message);
        }
        assert_true(one.err.offset < one.built.file.length);
        assert_true(one.err.hint[0] != '\0');
        assert_null(one.top);
    }
}

static void test_small_records_may_be_missing_or_unknown(void **state) {
    (void)state;
    const changed fine[] = {
        {BYTEORDER, NULL, NULL, 0, FK_OK, ""},
        {FORMAT, NULL, NULL, 0, FK_OK, ""},
        {ALIGNMENT, NULL, NULL, 0, FK_OK, ""},
        {SERIALIZATION, NULL, NULL, 0, FK_OK, ""},
        {ALIGNMENT, "archive/.storage_alignment", SIZED("65536"), FK_OK, ""},
        {VERSION, "archive/version", SIZED("10"), FK_OK, ""},
        {FORMAT, "archive/notes", SIZED("mine"), FK_OK, ""},
    };
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        FK_SCOPED(checkpoint_finish) checkpoint one;
        checkpoint_make(&one, fine[i].record, fine[i].name, fine[i].bytes, fine[i].length, true);
        assert_int_equal(checkpoint_read(&one, FK_READ_CHECK_CRC), FK_OK);
    }
}

static void test_a_storage_on_meta_is_refused(void **state) {
    (void)state;
    static const char pickle[] = "(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0"
                                 "0"
                                 "X\4\0\0\0metaK\4tQ.";
    FK_SCOPED(checkpoint_finish) checkpoint one;
    assert_int_equal(read_pickle(&one, SIZED(pickle)), FK_E_UNSUPPORTED);
    assert_non_null(strstr(one.err.message, "meta"));
}

static void test_a_flipped_byte_is_found_by_its_crc_only_when_asked(void **state) {
    (void)state;
    FK_SCOPED(checkpoint_finish) checkpoint one;
    checkpoint_make(&one, RECORDS, NULL, NULL, 0, true);
    one.built.file.bytes[one.built.payload[STORAGE_1] + 3] ^= 1;
    assert_int_equal(checkpoint_read(&one, 0), FK_OK);
    assert_int_equal(checkpoint_read(&one, FK_READ_CHECK_CRC), FK_E_CORRUPT);
    assert_int_equal(one.err.offset, one.built.payload[STORAGE_1]);
    assert_non_null(strstr(one.err.message, "'data/1'"));
}

static void test_every_truncation_is_damage(void **state) {
    (void)state;
    FK_SCOPED(checkpoint_finish) checkpoint one;
    checkpoint_make(&one, RECORDS, NULL, NULL, 0, true);
    for (size_t length = 0; length < one.built.file.length; length++) {
        uint8_t *cut = malloc(length + 1);
        memcpy(cut, one.built.file.bytes, length);
        assert_int_equal(fk_torch_read(cut, length, 0, one.values, &one.top, &one.err),
                         FK_E_CORRUPT);
        assert_true(one.err.offset <= length);
        free(cut);
    }
    assert_null(one.top);
}

static void test_no_flipped_bit_reads_as_something_else(void **state) {
    (void)state;
    FK_SCOPED(checkpoint_finish) checkpoint one;
    checkpoint_make(&one, RECORDS, NULL, NULL, 0, true);
    for (size_t at = 0; at < one.built.file.length; at++) {
        one.built.file.bytes[at] ^= (uint8_t)(1 << at % 8);
        fk_values *values = fk_values_create();
        fk_value *top = NULL;
        fk_code code = fk_torch_read(one.built.file.bytes, one.built.file.length, FK_READ_CHECK_CRC,
                                     values, &top, &one.err);
        if (code == FK_OK) { /* padding, dates, versions: nothing that is read */
            assert_int_equal(fk_value_count(top), 2);
            const fk_tensor *a = fk_value_as_tensor(fk_value_get(top, "a"));
            assert_memory_equal(fk_tensor_data(a), two_tensors[STORAGE_0].bytes, 16);
        } else {
            assert_true(code == FK_E_CORRUPT || code == FK_E_UNSUPPORTED || code == FK_E_LIMIT);
        }
        fk_values_destroy(values);
        one.built.file.bytes[at] ^= (uint8_t)(1 << at % 8);
    }
}

static void test_files_of_other_formats_are_refused_by_name(void **state) {
    (void)state;
    static const struct {
        const char *start;
        size_t length;
        fk_code code;
        const char *word;
    } files[] = {
        {SIZED(""), FK_E_CORRUPT, "empty"},
        {SIZED("PK"), FK_E_CORRUPT, "cut off"},
        {SIZED("PYTORCH1 and more"), FK_E_UNSUPPORTED, "preview"},
        {SIZED("\x93NUMPY\1\0"), FK_E_UNSUPPORTED, "NumPy"},
        {SIZED("\x80\4]."), FK_E_UNSUPPORTED, "bare pickle"},
        {SIZED("\2\0\0\0\0\0\0\0{}   "), FK_E_UNSUPPORTED, "safetensors"},
        {SIZED("<!DOCTYPE html>"), FK_E_UNSUPPORTED, "web page"},
        {SIZED("\x89HDF\r\n\x1A\n"), FK_E_UNSUPPORTED, "HDF5"},
        {SIZED("GGUF\3"), FK_E_UNSUPPORTED, "GGUF"},
        {SIZED("7z\xBC\xAF\x27\x1C"), FK_E_UNSUPPORTED, "7z archive"},
        {SIZED("\x1F\x8B\x08"), FK_E_UNSUPPORTED, "gzip"},
        {SIZED("BZh9"), FK_E_UNSUPPORTED, "bzip2"},
        {SIZED("\xFD"
               "7zXZ\0"),
         FK_E_UNSUPPORTED, "xz file"},
        {SIZED("\x28\xB5\x2F\xFD\x24"), FK_E_UNSUPPORTED, "Zstandard"},
        {SIZED("version https://git-lfs.github.com/spec/v1"), FK_E_UNSUPPORTED, "Git LFS"},
        {SIZED("hello"), FK_E_UNSUPPORTED, "no PyTorch checkpoint"},
        {SIZED("XK\3\4PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), FK_E_CORRUPT, "first bytes"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        fk_error err = {0};
        fk_value *top = NULL;
        FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
        uint8_t *bytes = malloc(files[i].length + 1);
        memcpy(bytes, files[i].start, files[i].length);
        assert_int_equal(fk_torch_read(bytes, files[i].length, 0, values, &top, &err),
                         files[i].code);
        assert_non_null(strstr(err.message, files[i].word));
        assert_int_not_equal(err.hint[0], 0);
        free(bytes);
    }
}

static void test_a_tar_checkpoint_is_refused_by_name(void **state) {
    (void)state;
    static uint8_t tar[512];
    memcpy(tar + 257, "ustar", 5);
    fk_error err;
    fk_value *top = NULL;
    assert_int_equal(fk_torch_read(tar, sizeof tar, 0, NULL, &top, &err), FK_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "is a tar archive"));
    memcpy(tar, "sys_info", 8);
    assert_int_equal(fk_torch_read(tar, sizeof tar, 0, NULL, &top, &err), FK_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "before 0.1.10"));
    assert_non_null(strstr(err.hint, "if you trust it"));
}

static void test_a_zip_of_something_else_is_no_checkpoint(void **state) {
    (void)state;
    const archive_record other = {"book/chapter", SIZED("text")};
    FK_SCOPED(checkpoint_finish) checkpoint one = {.values = fk_values_create()};
    archive_build(&one.built, &other, 1, false);
    assert_int_equal(checkpoint_read(&one, 0), FK_E_UNSUPPORTED);
    assert_int_equal(one.err.subject, FK_SUBJECT_DATA);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tensors_look_into_the_file),
        cmocka_unit_test(test_misaligned_storages_are_copied_to_aligned_memory),
        cmocka_unit_test(test_big_endian_storages_are_swapped_in_a_copy),
        cmocka_unit_test(test_halves_of_complex_elements_are_swapped_apart),
        cmocka_unit_test(test_a_record_may_have_less_than_one_element_more),
        cmocka_unit_test(test_one_key_is_one_storage),
        cmocka_unit_test(test_empty_storages_are_made_anew),
        cmocka_unit_test(test_cuda_storages_are_read_as_cpu),
        cmocka_unit_test(test_records_that_are_not_as_they_must_be_are_refused),
        cmocka_unit_test(test_small_records_may_be_missing_or_unknown),
        cmocka_unit_test(test_a_storage_on_meta_is_refused),
        cmocka_unit_test(test_a_flipped_byte_is_found_by_its_crc_only_when_asked),
        cmocka_unit_test(test_every_truncation_is_damage),
        cmocka_unit_test(test_no_flipped_bit_reads_as_something_else),
        cmocka_unit_test(test_files_of_other_formats_are_refused_by_name),
        cmocka_unit_test(test_a_tar_checkpoint_is_refused_by_name),
        cmocka_unit_test(test_a_zip_of_something_else_is_no_checkpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
