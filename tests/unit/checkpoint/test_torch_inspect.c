#include "checkpoint/inspection.h"
#include "checkpoint/torch_damage.h"
#include "checkpoint_fixture.h"

#define TENSOR_A REBUILT("FloatStorage", "0", "cpu", "\4")

static fk_code inspect(const checkpoint *one, fk_inspection **ret_inspection, fk_error *err) {
    return fk_torch_inspect(one->built.file.bytes, one->built.file.length, ret_inspection, err);
}

static const fk_problem *find(const fk_inspection *inspection, const char *code, const char *word) {
    for (size_t i = 0; i < inspection->finding_count; i++) {
        const fk_problem *finding = &inspection->findings[i];
        if (strcmp(finding->code, code) == 0 && strstr(finding->message, word) != NULL) {
            return finding;
        }
    }
    return NULL;
}

static void test_a_good_checkpoint_gives_its_tensors_and_no_findings(void **state) {
    (void)state;
    FK_SCOPED(checkpoint_finish) checkpoint one;
    FK_SCOPED(fk_inspection_destroyp) fk_inspection *seen = NULL;
    checkpoint_make(&one, RECORDS, NULL, NULL, 0, true);
    assert_int_equal(inspect(&one, &seen, NULL), FK_OK);
    assert_string_equal(seen->format, "pytorch-zip");
    assert_int_equal(seen->finding_count, 0);
    assert_int_equal(seen->tensor_count, 2);
    assert_string_equal(seen->tensors[0].name, "a");
    assert_string_equal(seen->tensors[0].dtype, "float32");
    assert_int_equal(seen->tensors[0].rank, 1);
    assert_int_equal(seen->tensors[0].shape[0], 4);
    assert_int_equal(seen->tensors[1].bytes, 16);
}

/* What the pickle is, beside the tensor "a" that it always holds, and the finding it must give. */
static const struct {
    const char *pickle;
    size_t length;
    const char *code;
    const char *word;
    size_t offset; /* in the pickle */
} suspicious[] = {
    {SIZED("}(U\1a" TENSOR_A "U\1xcposix\nsystem\nU\2id\x85Ru."), "global", "import 'posix.system'",
     sizeof "}(U\1a" TENSOR_A "U\1x" - 1},
    {SIZED("cos\nsystem\n(S'id'\ntR0}U\1a" TENSOR_A "s."), "global", "call 'os.system'",
     sizeof "cos\nsystem\n(S'id'\nt" - 1},
    {SIZED("}U\1a" TENSOR_A "s(ios\nsystem\n0."), "opcode", "INST",
     sizeof "}U\1a" TENSOR_A "s(" - 1},
    {SIZED("}U\1a" TENSOR_A "s.trailer"), "trailing", "7 bytes", sizeof "}U\1a" TENSOR_A "s." - 1},
};

static void test_what_a_pickle_would_run_is_a_finding_and_no_error(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof suspicious / sizeof suspicious[0]; i++) {
        FK_SCOPED(checkpoint_finish) checkpoint one;
        FK_SCOPED(fk_inspection_destroyp) fk_inspection *seen = NULL;
        fk_error err = {0};
        checkpoint_make(&one, PICKLE, "archive/data.pkl", suspicious[i].pickle,
                        suspicious[i].length, true);
        if (inspect(&one, &seen, &err) != FK_OK) {
            fail_msg("row %zu: %s", i, err.message);
        }
        const fk_problem *finding = find(seen, suspicious[i].code, suspicious[i].word);
        assert_non_null(finding);
        assert_int_equal(finding->offset, one.built.payload[PICKLE] + suspicious[i].offset);
        assert_int_equal(seen->tensor_count, 1);
        assert_string_equal(seen->tensors[0].name, "a");
        assert_non_null(find(seen, "record", "'data/1' belongs to no tensor"));
    }
}

static void test_a_pickle_that_breaks_behind_a_call_still_tells_of_it(void **state) {
    (void)state;
    FK_SCOPED(checkpoint_finish) checkpoint one;
    FK_SCOPED(fk_inspection_destroyp) fk_inspection *seen = NULL;
    checkpoint_make(&one, PICKLE, "archive/data.pkl", SIZED("cos\nsystem\n)R\xFF."), true);
    assert_int_equal(inspect(&one, &seen, NULL), FK_OK);
    assert_non_null(find(seen, "global", "call 'os.system'"));
    assert_non_null(find(seen, "pickle", "0xFF"));
    assert_null(find(seen, "record", "")); /* which are used cannot be known */
}

static void test_a_pickle_that_is_not_read_on_behind_a_call_still_tells_of_it(void **state) {
    (void)state;
    FK_SCOPED(checkpoint_finish) checkpoint one;
    FK_SCOPED(fk_inspection_destroyp) fk_inspection *seen = NULL;
    checkpoint_make(&one, PICKLE, "archive/data.pkl", SIZED("cos\nsystem\n)R0}}b."), true);
    assert_int_equal(inspect(&one, &seen, NULL), FK_OK);
    assert_non_null(find(seen, "global", "call 'os.system'"));
    assert_non_null(find(seen, "pickle", "BUILD"));
}

static void test_tensors_within_unknown_objects_are_listed(void **state) {
    (void)state;
    FK_SCOPED(checkpoint_finish) checkpoint one;
    FK_SCOPED(fk_inspection_destroyp) fk_inspection *seen = NULL;
    static const char pickle[] =
        "cmy\nModel\n)\x81}U\1w" REBUILT("FloatStorage", "0", "cpu", "\4") "sbcmy\nPair\n(" REBUILT(
            "LongStorage", "1", "cpu", "\2") "NtR\x86.";
    checkpoint_make(&one, PICKLE, "archive/data.pkl", SIZED(pickle), true);
    assert_int_equal(inspect(&one, &seen, NULL), FK_OK);
    assert_int_equal(seen->tensor_count, 2);
    assert_string_equal(seen->tensors[0].name, "0.w");
    assert_string_equal(seen->tensors[1].name, "1.0");
}

static void test_surplus_records_are_findings(void **state) {
    (void)state;
    FK_SCOPED(checkpoint_finish) checkpoint one;
    FK_SCOPED(fk_inspection_destroyp) fk_inspection *seen = NULL;
    checkpoint_make(&one, FORMAT, "archive/notes", SIZED("mine"), true);
    assert_int_equal(inspect(&one, &seen, NULL), FK_OK);
    const fk_problem *finding = find(seen, "record", "'notes'");
    assert_non_null(finding);
    assert_int_equal(finding->offset, one.built.payload[FORMAT]);
    assert_int_equal(finding->length, 4);
}

static void test_crc_mismatches_and_missing_crcs_are_findings(void **state) {
    (void)state;
    FK_SCOPED(checkpoint_finish) checkpoint one;
    FK_SCOPED(fk_inspection_destroyp) fk_inspection *seen = NULL;
    checkpoint_make(&one, RECORDS, NULL, NULL, 0, true);
    uint8_t *file = one.built.file.bytes;
    file[one.built.payload[STORAGE_0]] ^= 1;
    memset(file + one.built.entry[STORAGE_1] + 16, 0, 4);
    memset(file + one.built.descriptor[STORAGE_1] + 4, 0, 4);
    assert_int_equal(inspect(&one, &seen, NULL), FK_OK);
    assert_int_equal(find(seen, "crc", "'data/0' is damaged")->offset,
                     one.built.payload[STORAGE_0]);
    assert_int_equal(find(seen, "crc", "crc not computed")->offset, FK_NO_OFFSET);
    assert_int_equal(seen->finding_count, 2);
}

static void test_damage_and_strangers_are_errors(void **state) {
    (void)state;
    FK_SCOPED(checkpoint_finish) checkpoint one;
    fk_inspection *seen = NULL;
    fk_error err;
    assert_int_equal(fk_torch_inspect((const uint8_t *)"text", 4, &seen, &err), FK_E_UNSUPPORTED);
    checkpoint_make(&one, PICKLE, "archive/data.pkl", SIZED("]\xFF."), true);
    assert_int_equal(inspect(&one, &seen, &err), FK_E_CORRUPT);
    assert_int_equal(err.offset, one.built.payload[PICKLE] + 1);
    assert_int_equal(fk_torch_inspect(one.built.file.bytes, one.built.file.length - 1, &seen, &err),
                     FK_E_CORRUPT);
    assert_null(seen);
}

static void test_findings_have_a_limit(void **state) {
    (void)state;
    FK_SCOPED(checkpoint_finish) checkpoint one;
    FK_SCOPED(fk_inspection_destroyp) fk_inspection *seen = NULL;
    FK_SCOPED(fk_buffer_finish) fk_buffer pickle = {0};
    for (size_t i = 0; i < 10100; i++) {
        fk_buffer_append_text(&pickle, "cm\nC\n0");
    }
    fk_buffer_append_text(&pickle, "N.");
    checkpoint_make(&one, PICKLE, "archive/data.pkl", pickle.bytes, pickle.length, true);
    assert_int_equal(inspect(&one, &seen, NULL), FK_OK);
    assert_int_equal(seen->finding_count, 10001);
    assert_non_null(find(seen, "limit", "left out"));
}

/* ---- where damage is */

static fk_code locate(const checkpoint *one, fk_torch_losses *ret_found) {
    return fk_torch_locate_damage(one->built.file.bytes, one->built.file.length, NULL, ret_found,
                                  NULL);
}

static void test_damage_names_every_tensor_of_a_record(void **state) {
    (void)state;
    FK_SCOPED(checkpoint_finish) checkpoint one;
    FK_SCOPED(fk_torch_losses_finish) fk_torch_losses found = {0};
    static const char pickle[] =
        "}(U\1a" REBUILT("FloatStorage", "0", "cpu", "\4") "U\1b](" REBUILT(
            "LongStorage", "1", "cpu", "\2") REBUILT("LongStorage", "1", "cpu", "\2") "eu.";
    checkpoint_make(&one, PICKLE, "archive/data.pkl", SIZED(pickle), true);
    one.built.file.bytes[one.built.payload[STORAGE_1] + 5] ^= 1;
    one.built.file.bytes[one.built.payload[SERIALIZATION]] ^= 1;
    assert_int_equal(locate(&one, &found), FK_OK);
    assert_int_equal(found.tensors, 3);
    assert_int_equal(found.count, 3);
    assert_string_equal(found.rows[0].tensor, "b.0");
    assert_string_equal(found.rows[1].tensor, "b.1");
    assert_int_equal(found.rows[1].offset, one.built.payload[STORAGE_1]);
    assert_int_equal(found.rows[1].bytes, 16);
    assert_null(found.rows[2].tensor);
    assert_int_equal(found.rows[2].offset, one.built.payload[SERIALIZATION]);
}

static void test_a_damaged_pickle_is_a_row_without_tensor(void **state) {
    (void)state;
    FK_SCOPED(checkpoint_finish) checkpoint one;
    FK_SCOPED(fk_torch_losses_finish) fk_torch_losses found = {0};
    checkpoint_make(&one, RECORDS, NULL, NULL, 0, true);
    one.built.file.bytes[one.built.payload[PICKLE] + 2] = 0xFF;
    one.built.file.bytes[one.built.payload[STORAGE_0]] ^= 1;
    assert_int_equal(locate(&one, &found), FK_OK);
    assert_int_equal(found.tensors, 0);
    assert_int_equal(found.count, 2);
    assert_null(found.rows[0].tensor);
    assert_int_equal(found.rows[0].offset, one.built.payload[PICKLE]);
    assert_null(found.rows[1].tensor);
}

static void test_damage_in_an_unreadable_archive_gives_no_rows(void **state) {
    (void)state;
    FK_SCOPED(checkpoint_finish) checkpoint one;
    FK_SCOPED(fk_torch_losses_finish) fk_torch_losses found = {.tensors = 7};
    checkpoint_make(&one, RECORDS, NULL, NULL, 0, true);
    one.built.file.bytes[one.built.end] ^= 1;
    one.built.file.bytes[one.built.local[PICKLE]] ^= 1;
    assert_int_equal(locate(&one, &found), FK_OK);
    assert_int_equal(found.count, 0);
    assert_int_equal(found.tensors, 0);
    assert_null(found.rows);
}

static void test_an_intact_file_has_no_damage(void **state) {
    (void)state;
    FK_SCOPED(checkpoint_finish) checkpoint one;
    FK_SCOPED(fk_torch_losses_finish) fk_torch_losses found = {0};
    checkpoint_make(&one, RECORDS, NULL, NULL, 0, true);
    assert_int_equal(locate(&one, &found), FK_OK);
    assert_int_equal(found.count, 0);
    assert_int_equal(found.tensors, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_checkpoint_gives_its_tensors_and_no_findings),
        cmocka_unit_test(test_what_a_pickle_would_run_is_a_finding_and_no_error),
        cmocka_unit_test(test_a_pickle_that_breaks_behind_a_call_still_tells_of_it),
        cmocka_unit_test(test_a_pickle_that_is_not_read_on_behind_a_call_still_tells_of_it),
        cmocka_unit_test(test_tensors_within_unknown_objects_are_listed),
        cmocka_unit_test(test_surplus_records_are_findings),
        cmocka_unit_test(test_crc_mismatches_and_missing_crcs_are_findings),
        cmocka_unit_test(test_damage_and_strangers_are_errors),
        cmocka_unit_test(test_findings_have_a_limit),
        cmocka_unit_test(test_damage_names_every_tensor_of_a_record),
        cmocka_unit_test(test_a_damaged_pickle_is_a_row_without_tensor),
        cmocka_unit_test(test_damage_in_an_unreadable_archive_gives_no_rows),
        cmocka_unit_test(test_an_intact_file_has_no_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
