/* Files of the format before PyTorch 1.6, built by hand. What PyTorch itself writes is in
 * tests/oracle. */
#include "base/buffer.h"
#include "base/limits.h"
#include "checkpoint/inspection.h"
#include "checkpoint/legacy_storages.h"
#include "checkpoint_fixture.h"

#define HEAD                                                                                       \
    "\x80\2\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19."                                      \
    "\x80\2M\xE9\3."                                                                               \
    "\x80\2}."
#define ID(class, key, numel, part)                                                                \
    "(X\7\0\0\0storagectorch\n" class "\nX\1\0\0\0" key "X\3\0\0\0cpuK" numel part "tQ"
#define TENSOR(class, key, numel, part)                                                            \
    "ctorch._utils\n_rebuild_tensor_v2\n(" ID(class, key, numel, part) "K\0K\2\x85K\1\x85\x89NtR"
#define KEYS(keys) "\x80\2](" keys "e."
#define KEY(key)   "U\1" key
#define COUNT(n)   n "\0\0\0\0\0\0\0"
#define INTS       "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0"

typedef struct legacy {
    _Alignas(16) uint8_t bytes[1024];
    size_t length;
    fk_values *values;
    fk_value *top;
    fk_error err;
} legacy;

static void legacy_finish(legacy *file) {
    fk_values_destroy(file->values);
}

/* The bytes start at `shift` from an aligned address. */
static fk_code read_shifted(legacy *file, const char *bytes, size_t length, size_t shift) {
    memset(file, 0, sizeof *file);
    file->values = fk_values_create();
    memcpy(file->bytes + shift, bytes, length);
    return fk_torch_read(file->bytes + shift, length, FK_READ_CHECK_CRC, file->values, &file->top,
                         &file->err);
}

#define READ(file, bytes) read_shifted(file, SIZED(bytes), 0)

#define LONGS                                                                                      \
    HEAD "\x80\2" TENSOR("LongStorage", "a", "\2", "N") "." KEYS(KEY("a")) COUNT("\2") INTS

static void test_storages_are_looked_at_in_the_file_or_copied_where_misaligned(void **state) {
    (void)state;
    size_t payload = sizeof LONGS - sizeof INTS;
    size_t copies = 0;
    for (size_t shift = 0; shift < 8; shift++) {
        FK_SCOPED(legacy_finish) legacy file;
        assert_int_equal(read_shifted(&file, SIZED(LONGS), shift), FK_OK);
        const int64_t *data = fk_tensor_data(fk_value_as_tensor(file.top));
        const uint8_t *stored = file.bytes + shift + payload;
        assert_int_equal((uintptr_t)data % 8, 0);
        assert_true(data[0] == 1 && data[1] == 2);
        assert_true(((uintptr_t)stored % 8 == 0) == ((const uint8_t *)data == stored));
        copies += (const uint8_t *)data != stored;
    }
    assert_int_equal(copies, 7);
}

#define PART "(U\1pK\1K\2t"

static void test_a_part_is_a_view_of_its_storage(void **state) {
    (void)state;
    FK_SCOPED(legacy_finish) legacy file;
    assert_int_equal(READ(&file, HEAD "\x80\2](" TENSOR("IntStorage", "a", "\4", "N")
                                     TENSOR("IntStorage", "a", "\4", PART) "e." KEYS(KEY("a"))
                                         COUNT("\4") INTS),
                     FK_OK);
    const fk_tensor *whole = fk_value_as_tensor(fk_value_item(file.top, 0));
    const fk_tensor *part = fk_value_as_tensor(fk_value_item(file.top, 1));
    assert_ptr_equal(whole->storage, part->storage);
    assert_int_equal(part->offset, 1);
}

static void test_ids_of_one_format_are_no_ids_of_the_other(void **state) {
    (void)state;
    FK_SCOPED(legacy_finish) legacy file;
    assert_int_equal(READ(&file, HEAD "\x80\2" TENSOR("LongStorage", "a", "\2", "") "."),
                     FK_E_CORRUPT);
    assert_non_null(strstr(file.err.message, "part"));
    FK_SCOPED(checkpoint_finish) checkpoint zip;
    static const char six[] = TENSOR("FloatStorage", "0", "\4", "N") ".";
    checkpoint_make(&zip, PICKLE, "archive/data.pkl", SIZED(six), true);
    assert_int_equal(checkpoint_read(&zip, 0), FK_E_CORRUPT);
}

static fk_code inspect(const char *bytes, size_t length, fk_inspection **ret_seen, fk_error *err) {
    return fk_torch_inspect((const uint8_t *)bytes, length, ret_seen, err);
}

static void test_inspection_lists_tensors_and_says_that_there_are_no_checksums(void **state) {
    (void)state;
    FK_SCOPED(fk_inspection_destroyp) fk_inspection *seen = NULL;
    assert_int_equal(inspect(SIZED(LONGS), &seen, NULL), FK_OK);
    assert_string_equal(seen->format, "pytorch-legacy");
    assert_int_equal(seen->tensor_count, 1);
    assert_int_equal(seen->finding_count, 1);
    assert_string_equal(seen->findings[0].code, "crc");
}

/* A whole module: its class goes through an id of its own. */
static void test_inspection_tells_of_a_module_and_lists_its_tensors(void **state) {
    (void)state;
    FK_SCOPED(fk_inspection_destroyp) fk_inspection *seen = NULL;
    fk_error err = {0};
    static const char module[] = HEAD "\x80\2(U\6modulecmy.nets\nNet\nU\1fU\1stQ)\x81}U\1w" TENSOR(
        "LongStorage", "a", "\2", "N") "sb." KEYS(KEY("a")) COUNT("\2") INTS;
    assert_int_equal(inspect(SIZED(module), &seen, &err), FK_OK);
    assert_int_equal(seen->tensor_count, 1);
    assert_string_equal(seen->tensors[0].name, "w");
    assert_non_null(strstr(seen->findings[1].message, "my.nets.Net"));
    FK_SCOPED(legacy_finish) legacy file;
    assert_int_equal(READ(&file, module), FK_E_UNSUPPORTED);
    assert_non_null(strstr(file.err.message, "my.nets.Net"));
}

static void test_a_call_in_any_of_the_pickles_is_found(void **state) {
    (void)state;
    static const char call[] = "cos\nsystem\n(U\2idtR.";
    for (size_t at = 0; at < 3; at++) {
        FK_SCOPED(fk_inspection_destroyp) fk_inspection *seen = NULL;
        FK_SCOPED(fk_buffer_finish) fk_buffer built = {0};
        fk_error err = {0};
        const char *magic = "\x80\2\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19.";
        fk_buffer_append(&built, magic, 15);
        for (size_t i = 0; i < at; i++) {
            static const char *const good[] = {"\x80\2M\xE9\3.", "\x80\2}."};
            fk_buffer_append(&built, good[i], i == 0 ? 6 : 4);
        }
        fk_buffer_append(&built, call, sizeof call - 1);
        assert_int_equal(inspect((const char *)built.bytes, built.length, &seen, &err), FK_OK);
        assert_non_null(strstr(seen->findings[2].message, "call 'os.system'"));
    }
}

static void test_every_key_is_found_among_many(void **state) {
    (void)state;
    enum { COUNT_OF_KEYS = 3000 };
    static char keys[COUNT_OF_KEYS][12];
    fk_legacy_storages storages = {0};
    for (size_t i = 0; i < COUNT_OF_KEYS; i++) {
        fk_legacy_storage *added = NULL;
        snprintf(keys[i], sizeof keys[i], "%zx", i * 7919 % 4001);
        assert_null(fk_legacy_storages_find(&storages, keys[i]));
        assert_int_equal(fk_legacy_storages_add(&storages, keys[i], &added, NULL), FK_OK);
        added->elements = i;
    }
    for (size_t i = 0; i < COUNT_OF_KEYS; i++) {
        assert_int_equal(fk_legacy_storages_find(&storages, keys[i])->elements, i);
    }
    assert_null(fk_legacy_storages_find(&storages, ""));
    fk_legacy_storages_finish(&storages);
}

static void test_a_key_may_have_so_many_bytes_and_no_more(void **state) {
    (void)state;
    char key[FK_LIMIT_LEGACY_KEY + 2] = {0};
    fk_legacy_storages storages = {0};
    fk_legacy_storage *added = NULL;
    memset(key, 'k', FK_LIMIT_LEGACY_KEY + 1);
    assert_int_equal(fk_legacy_storages_add(&storages, key, &added, NULL), FK_E_LIMIT);
    key[FK_LIMIT_LEGACY_KEY] = '\0';
    assert_int_equal(fk_legacy_storages_add(&storages, key, &added, NULL), FK_OK);
    assert_ptr_equal(fk_legacy_storages_find(&storages, key), added);
    fk_legacy_storages_finish(&storages);
}

static void test_a_pickle_past_the_limit_is_refused_as_such(void **state) {
    (void)state;
    size_t length = FK_LIMIT_PICKLE_BYTES + 4096;
    uint8_t *bytes = calloc(1, length);
    memcpy(bytes, HEAD "\x80\2", sizeof HEAD + 1);
    size_t at = sizeof HEAD + 1;
    while (at + 5 + FK_LIMIT_STRING_BYTES < length) { /* BINUNICODE of the longest text, POP */
        uint32_t text = FK_LIMIT_STRING_BYTES;
        bytes[at] = 'X';
        memcpy(bytes + at + 1, &text, 4);
        at += 5 + FK_LIMIT_STRING_BYTES;
    }
    bytes[at] = 'X';
    uint32_t rest = (uint32_t)(length - at - 5);
    memcpy(bytes + at + 1, &rest, 4);
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    fk_value *top = NULL;
    fk_error err;
    assert_int_equal(fk_torch_read(bytes, length, 0, values, &top, &err), FK_E_LIMIT);
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_storages_are_looked_at_in_the_file_or_copied_where_misaligned),
        cmocka_unit_test(test_a_part_is_a_view_of_its_storage),
        cmocka_unit_test(test_ids_of_one_format_are_no_ids_of_the_other),
        cmocka_unit_test(test_inspection_lists_tensors_and_says_that_there_are_no_checksums),
        cmocka_unit_test(test_inspection_tells_of_a_module_and_lists_its_tensors),
        cmocka_unit_test(test_a_call_in_any_of_the_pickles_is_found),
        cmocka_unit_test(test_every_key_is_found_among_many),
        cmocka_unit_test(test_a_key_may_have_so_many_bytes_and_no_more),
        cmocka_unit_test(test_a_pickle_past_the_limit_is_refused_as_such),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
