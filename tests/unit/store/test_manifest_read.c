#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "manifest_fixture.h"

static int make_values(void **state) {
    *state = fk_values_create();
    return *state == NULL;
}

static int drop_values(void **state) {
    fk_values_destroy(*state);
    return 0;
}

static fk_manifest_state read_text(const char *text, bool with_files, fk_values *values,
                                   fk_run_info *info, fk_error *err) {
    fk_manifest_state found = (fk_manifest_state)-1;
    assert_int_equal(fk_manifest_read(text, strlen(text), with_files, values, &found, info, err),
                     FK_OK);
    return found;
}

static void check_sample(const fk_run_info *info) {
    assert_string_equal(info->font_id, "1-fruity");
    assert_string_equal(info->run_id, "2026-01-11T08:30:00.000000");
    assert_int_equal(info->status, FK_COMPLETED);
    assert_true(info->started_at_us == INT64_C(1768119000000000));
    assert_true(info->ended_at_us == INT64_C(1768120200000000));
    assert_int_equal(fk_value_as_int(fk_value_get(info->training, "epochs")), 40);
    assert_true(fk_value_as_float(fk_value_get(info->training, "learning_rate")) == 0.001);
    assert_true(isnan(fk_value_as_float(fk_value_get(info->metrics, "best"))));
    assert_string_equal(info->weights_version, "v1");
    assert_string_equal(info->feedback_schema, "1.0");
    assert_null(info->parent_run_id);
    assert_string_equal(info->written_by, "fontkeep 0.1.0");
    assert_true(info->has_personality);
    assert_int_equal(info->personality_dtype, FK_FLOAT32);
    assert_int_equal(info->personality_rank, 1);
    assert_int_equal(info->personality_shape[0], 64);
    assert_int_equal(info->glyphs, 2);
    assert_true(info->has_weights);
    assert_int_equal(info->weights_bytes, 16777217);
    assert_int_equal(info->size_bytes, 16778454);
    assert_int_equal(info->generation, 1);
    assert_int_equal(fk_value_count(info->manifest), 16);
    assert_null(fk_value_get(info->manifest, "files"));
    assert_null(fk_value_get(info->manifest, "self"));
}

static void test_a_good_manifest_tells_everything(void **state) {
    FK_SCOPED(fk_freep) char *text = seal(golden_body);
    fk_run_info info = {.path = "kept", .health = FK_UNVERIFIED};
    assert_int_equal(read_text(text, true, *state, &info, NULL), FK_MANIFEST_GOOD);
    check_sample(&info);
    assert_string_equal(info.path, "kept");
    assert_int_equal(info.health, FK_UNVERIFIED);
    assert_int_equal(info.file_count, 5);
    assert_string_equal(info.files[1].path, "eval-glyphs/uni0026.png");
    assert_string_equal(info.files[1].label, "&");
    assert_int_equal(info.files[1].bytes, 0);
    assert_int_equal(info.files[1].pieces, 1);
    assert_null(info.files[1].xxh3);
    assert_string_equal(info.files[4].path, "weights");
    assert_null(info.files[4].label);
    assert_int_equal(info.files[4].pieces, 2);
    assert_int_equal(info.files[4].sha256[1][0], '6');
    assert_int_equal(strlen(info.files[4].xxh3[1]), 32);
    assert_int_equal(info.files[4].xxh3[1][31], '8');
}

static void test_a_listing_reads_the_head_alone(void **state) {
    FK_SCOPED(fk_freep) char *text = seal(golden_body);
    fk_run_info info = {0};
    assert_int_equal(read_text(text, false, *state, &info, NULL), FK_MANIFEST_GOOD);
    check_sample(&info);
    assert_int_equal(info.file_count, 0);
    assert_null(info.files);
}

static void test_what_was_written_reads_back(void **state) {
    fk_values *values = *state;
    FK_SCOPED(fk_manifest_files_finish) fk_manifest_files files = {0};
    FK_SCOPED(fk_buffer_finish) fk_buffer buffer = {0};
    fk_manifest_head head = {.font_id = "2-dumb",
                             .run_id = "2026-01-11T08:30:00.000000-0001",
                             .status = FK_FAILED,
                             .started_at_us = FK_NO_TIME,
                             .ended_at_us = -1,
                             .parent_run_id = "2026-01-11T08:30:00.000000",
                             .generation = 7};
    fk_tensor scalar = {.dtype = FK_BFLOAT16};
    fk_value *training = fk_value_container(values, FK_KIND_DICT);
    fk_value_set(training, "zero", fk_value_float(values, -0.0));
    fk_value_set(training, "tiny", fk_value_float(values, 5e-324));
    fk_value_set(training, "worst", fk_value_float(values, -HUGE_VAL));
    fk_value_set(training, "text", fk_value_string(values, "\xC3\xA9\n\"\\"));
    head.training = training;
    head.personality_vector = &scalar;
    assert_int_equal(fk_manifest_write(&head, &files, &buffer, NULL), FK_OK);
    fk_run_info info = {0};
    assert_int_equal(read_text((char *)buffer.bytes, true, values, &info, NULL), FK_MANIFEST_GOOD);
    assert_int_equal(info.status, FK_FAILED);
    assert_true(info.started_at_us == FK_NO_TIME);
    assert_true(info.ended_at_us == -1);
    assert_string_equal(info.parent_run_id, head.parent_run_id);
    assert_int_equal(info.generation, 7);
    assert_false(info.has_weights);
    assert_int_equal(info.weights_bytes, 0);
    assert_true(info.has_personality);
    assert_int_equal(info.personality_dtype, FK_BFLOAT16);
    assert_int_equal(info.personality_rank, 0);
    assert_int_equal(fk_value_count(info.metrics), 0);
    double zero = fk_value_as_float(fk_value_get(info.training, "zero"));
    assert_true(zero == 0.0 && signbit(zero));
    assert_true(fk_value_as_float(fk_value_get(info.training, "tiny")) == 5e-324);
    assert_true(fk_value_as_float(fk_value_get(info.training, "worst")) == -HUGE_VAL);
    assert_string_equal(fk_value_as_text(fk_value_get(info.training, "text"), NULL),
                        "\xC3\xA9\n\"\\");
}

static void test_unknown_members_are_kept(void **state) {
    FK_SCOPED(fk_freep)
    char *text = seal_changed("  \"glyphs\"", "  \"reviewed\": [1, \"NaN\"],\n  \"glyphs\"");
    fk_run_info info = {0};
    assert_int_equal(read_text(text, true, *state, &info, NULL), FK_MANIFEST_GOOD);
    const fk_value *kept = fk_value_get(info.manifest, "reviewed");
    assert_int_equal(fk_value_as_int(fk_value_item(kept, 0)), 1);
    assert_string_equal(fk_value_as_text(fk_value_item(kept, 1), NULL), "NaN");
}

static void test_training_that_is_null_is_empty(void **state) {
    FK_SCOPED(fk_freep)
    char *text = seal_changed("{\"epochs\": 40, \"learning_rate\": 0.001}", "null");
    fk_run_info info = {0};
    assert_int_equal(read_text(text, true, *state, &info, NULL), FK_MANIFEST_GOOD);
    assert_int_equal(fk_value_kind(info.training), FK_KIND_DICT);
    assert_int_equal(fk_value_count(info.training), 0);
}

static void test_no_flipped_bit_goes_unnoticed(void **state) {
    (void)state;
    FK_SCOPED(fk_freep) char *text = seal(golden_body);
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            text[i] = (char)(text[i] ^ (1 << bit));
            FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
            fk_manifest_state found = FK_MANIFEST_GOOD;
            fk_run_info info = {0};
            fk_error err;
            assert_int_equal(fk_manifest_read(text, length, false, values, &found, &info, &err),
                             FK_OK);
            assert_int_equal(found, FK_MANIFEST_DAMAGED);
            assert_null(info.font_id);
            assert_null(info.manifest);
            assert_true(err.message[0] != '\0' && err.hint[0] != '\0');
            text[i] = (char)(text[i] ^ (1 << bit));
        }
    }
}

static void test_a_truncated_manifest_is_damaged(void **state) {
    (void)state;
    FK_SCOPED(fk_freep) char *text = seal(golden_body);
    for (size_t length = 0; length < strlen(text); length++) {
        FK_SCOPED(fk_freep) char *start = malloc(length > 0 ? length : 1);
        memcpy(start, text, length);
        FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
        fk_manifest_state found;
        fk_run_info info = {0};
        fk_error err;
        assert_int_equal(fk_manifest_read(start, length, true, values, &found, &info, &err), FK_OK);
        assert_int_equal(found, FK_MANIFEST_DAMAGED);
        assert_non_null(strstr(err.message, "does not end with its digest"));
    }
}

static void test_something_behind_the_manifest_is_damage(void **state) {
    FK_SCOPED(fk_freep) char *text = seal(golden_body);
    FK_SCOPED(fk_buffer_finish) fk_buffer longer = {0};
    fk_buffer_append_format(&longer, "%s\n", text);
    fk_run_info info = {0};
    assert_int_equal(read_text((char *)longer.bytes, true, *state, &info, NULL),
                     FK_MANIFEST_DAMAGED);
}

/* Sealed manifests whose content is wrong all the same: a part of the golden one, what it becomes,
 * and part of the reason. */
static const struct {
    const char *old;
    const char *changed;
    const char *reason;
    bool head; /* told from the head alone */
} damages[] = {
    /* the head */
    {"{\n", "{\n  \"font_id\": \"1-a\",\n", "a duplicate key", true},
    {"  \"status\"", "  status", "expected a key", true},
    {"\"manifest_version\": 1", "\"manifest_version\": 0", "'manifest_version' is no version",
     true},
    {"\"manifest_version\": 1", "\"manifest_version\": 1.0", "'manifest_version' is no", true},
    {"\"manifest_version\": 1", "\"manifest_version\": \"1\"", "'manifest_version' is no", true},
    {"  \"manifest_version\": 1,\n", "", "'manifest_version' is no version", true},
    {"\"1-fruity\"", "\"1-Fruity\"", "'font_id' is no font id", true},
    {"\"1-fruity\"", "3", "'font_id' is no string", true},
    {"\"1-fruity\"", "null", "'font_id' is null", true},
    {"\"1-fruity\"", "\"1-fruity\\u0000\"", "'font_id' is a string with a NUL", true},
    {"  \"font_id\": \"1-fruity\",\n", "", "'font_id' is missing", true},
    {"2026-01-11T08:30:00.000000\"", "2026-01-11T08-30-00.000000\"", "'run_id' is no run id", true},
    {"2026-01-11T08:30:00.000000\"", "latest\"", "'run_id' is no run id", true},
    {"\"completed\"", "\"complete\"", "'status' is unknown", true},
    {"08:10:00.000000Z", "08:10:00.000000", "'started_at' is no UTC time", true},
    {"08:10:00.000000Z", "08:10:00Z", "'started_at' is no UTC time", true},
    {"\"2026-01-11T08:10:00.000000Z\"", "\"\"", "'started_at' is no UTC time", true},
    {"\"2026-01-11T08:10:00.000000Z\"", "5", "'started_at' is no string", true},
    {"  \"ended_at\": \"2026-01-11T08:30:00.000000Z\",\n", "", "'ended_at' is missing", true},
    {"{\"epochs\": 40, \"learning_rate\": 0.001}", "[]", "'training' is no object", true},
    {"{\"loss\": 0.031, \"best\": \"NaN\"}", "1", "'metrics' is no object", true},
    {"\"v1\"", "1", "'weights_version' is no string", true},
    {"  \"parent_run_id\": null,\n", "", "'parent_run_id' is missing", true},
    {"{\"dtype\": \"float32\", \"shape\": [64]}", "[64]", "'personality' is no dtype", true},
    {"\"float32\"", "\"float31\"", "'personality' is of no known dtype", true},
    {"\"float32\"", "32", "'personality' is no dtype", true},
    {"[64]", "[-1]", "'personality' is of no known dtype and shape", true},
    {"[64]", "[6.4]", "'personality' is of no known dtype and shape", true},
    {"[64]", "64", "'personality' is no dtype", true},
    {"\"glyphs\": 2", "\"glyphs\": -2", "'glyphs' is no size", true},
    {"\"glyphs\": 2", "\"glyphs\": null", "'glyphs' is null", true},
    {"\"weights_bytes\": 16777217", "\"weights_bytes\": \"\"", "'weights_bytes' is no size", true},
    {"\"size_bytes\": 16778454", "\"size_bytes\": 1.5", "'size_bytes' is no size", true},
    {"  \"written_by\"", "  \"generation\": 0,\n  \"written_by\"", "'generation' is 0", true},
    {"  \"written_by\"", "  \"self\": \"\",\n  \"written_by\"", "stands in its head", true},
    {"  \"written_by\"", "  \"generation\": 9223372036854775808,\n  \"written_by\"",
     "an integer beyond 64 bits", true},
    {"  \"files\": [", "  \"lists\": [", "no list of files", true},
    {"fontkeep 0.1.0\",\n", "fontkeep 0.1.0\"\n", "no list of files", true},
    /* the files */
    {"\n  ]", "\n  ],\n  \"more\": 1", "no JSON array", false},
    {"{\"path\": \"sample.png\"", "[{\"path\": \"sample.png\"", "no JSON array", false},
    {"\"path\": \"sample.png\"", "\"path\": \"../sample.png\"", "'../sample.png' is none", false},
    {"\"path\": \"sample.png\"", "\"path\": \"/sample.png\"", "'/sample.png' is none", false},
    {"\"path\": \"sample.png\"", "\"path\": \"s/./p\"", "'s/./p' is none", false},
    {"\"path\": \"sample.png\"", "\"path\": \"s//p\"", "'s//p' is none", false},
    {"\"path\": \"sample.png\"", "\"path\": \"s/\"", "'s/' is none", false},
    {"\"path\": \"sample.png\"", "\"path\": \"s/..\"", "'s/..' is none", false},
    {"\"path\": \"sample.png\"", "\"path\": \".\"", "'.' is none", false},
    {"\"path\": \"sample.png\"", "\"path\": \"\"", "'' is none", false},
    {"\"path\": \"sample.png\"", "\"path\": 3", "is none", false},
    {"\"path\": \"sample.png\"", "\"path\": \"s\\u0000\"", "is none", false},
    {"\"path\": \"sample.png\"", "\"path\": \"run.json\"", "'run.json' is none", false},
    {"\"path\": \"sample.png\"", "\"path\": \"a.png\"", "is not behind", false},
    {"\"path\": \"sample.png\"", "\"path\": \"feedback.json\"", "is not behind", false},
    {"\"size\": 1,", "\"size\": -1,", "'sample.png' has no size", false},
    {"\"size\": 1,", "\"size\": null,", "'sample.png' has no size", false},
    {"\"size\": 1,", "\"bytes\": 1,", "'sample.png' has no size", false},
    {"\"size\": 1,", "\"size\": 2,", "contradict each other", false},
    {"\"size\": 1,", "\"size\": 16777217,", "does not have 2 digests", false},
    {"\"size\": 1,", "\"size\": 9223372036854775807,", "does not have 549755813888", false},
    {"\"size\": 16777217, \"sha256\"", "\"size\": 16777216, \"sha256\"", "not have 1 digest",
     false},
    {"\"label\": \"A\"", "\"label\": 1", "the label of file 'eval-glyphs/A.png'", false},
    {"\"sha256\": [\"4", "\"sha256\": [\"A", "digest 0 of file 'sample.png'", false},
    {"\"sha256\": [\"4", "\"sha256\": [\"g", "digest 0 of file 'sample.png'", false},
    {"\"sha256\": [\"4", "\"sha256\": [\"44", "digest 0 of file 'sample.png'", false},
    {"\"sha256\": [\"44", "\"sha256\": [\"4", "digest 0 of file 'sample.png'", false},
    {"\"sha256\": [\"4", "\"sha256\": [3, \"4", "does not have 1 digest", false},
    {"\"sha256\": [\"4", "\"sha265\": [\"4", "does not have 1 digest", false},
    {"\"xxh3\": [\"7", "\"xxh3\": [\"", "digest 0 of file 'weights' is not 32", false},
    {"\"xxh3\": [", "\"xxh3\": [null, ", "does not have 2 digests", false},
    {"\"glyphs\": 2", "\"glyphs\": 3", "contradict each other", false},
    {"\"size_bytes\": 16778454", "\"size_bytes\": 1", "contradict each other", false},
    {"\"weights_bytes\": 16777217", "\"weights_bytes\": null", "contradict each other", false},
    {"\"weights_bytes\": 16777217", "\"weights_bytes\": 1", "contradict each other", false},
    {"\"path\": \"weights\"", "\"path\": \"weightz\"", "contradict each other", false},
};

static void test_a_sealed_manifest_with_wrong_content_is_damaged(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
        FK_SCOPED(fk_freep) char *text = seal_changed(damages[i].old, damages[i].changed);
        fk_run_info info = {0};
        fk_error err = {0};
        if (read_text(text, true, values, &info, &err) != FK_MANIFEST_DAMAGED ||
            strstr(err.message, damages[i].reason) == NULL) {
            fail_msg("%s -> %s: %s", damages[i].old, damages[i].changed, err.message);
        }
        assert_true(fk_text_starts_with(err.message, "the manifest is damaged: "));
        assert_null(info.font_id);
        assert_int_equal(read_text(text, false, values, &info, NULL),
                         damages[i].head ? FK_MANIFEST_DAMAGED : FK_MANIFEST_GOOD);
    }
}

static void test_json_damage_tells_its_offset(void **state) {
    FK_SCOPED(fk_freep) char *text = seal_changed("0.001", "0.0.1");
    fk_run_info info = {0};
    fk_error err;
    assert_int_equal(read_text(text, false, *state, &info, &err), FK_MANIFEST_DAMAGED);
    assert_int_equal(err.offset, strstr(text, "0.0.1") + 3 - text);
    assert_non_null(strstr(err.message, "line 8, column"));
}

static void test_a_newer_version_is_told_from_damage(void **state) {
    static const struct {
        const char *old;
        const char *changed;
        bool has_manifest;
    } versions[] = {
        {"\"manifest_version\": 1", "\"manifest_version\": 2", true},
        {"\"manifest_version\": 1,\n  \"font_id\": \"1-fruity\"", "\"manifest_version\": 2", true},
        {"\"manifest_version\": 1,\n", "\"manifest_version\": 2, \"files\": 1,\n", true},
    };
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        FK_SCOPED(fk_freep) char *text = seal_changed(versions[i].old, versions[i].changed);
        fk_run_info info = {0};
        fk_error err;
        assert_int_equal(read_text(text, true, *state, &info, &err), FK_MANIFEST_NEWER);
        assert_non_null(strstr(err.message, "version 2"));
        assert_non_null(strstr(err.message, "version 1"));
        assert_int_equal(err.subject, FK_SUBJECT_VERSION);
        assert_string_equal(err.hint, "update fontkeep");
        assert_null(info.font_id);
        assert_non_null(info.manifest);
    }
}

static void test_a_newer_version_may_be_laid_out_otherwise(void **state) {
    FK_SCOPED(fk_freep) char *text = seal("{\"records\": {\"a\": 1}, \"manifest_version\": 12");
    fk_run_info info = {0};
    fk_error err;
    assert_int_equal(read_text(text, true, *state, &info, &err), FK_MANIFEST_NEWER);
    assert_non_null(strstr(err.message, "version 12"));
    FK_SCOPED(fk_freep) char *flipped = seal("{\"manifest_version\": 12");
    flipped[3] ^= 1;
    assert_int_equal(read_text(flipped, true, *state, &info, &err), FK_MANIFEST_DAMAGED);
}

static void test_text_of_any_size_that_is_no_manifest_is_damaged(void **state) {
    fk_run_info info = {0};
    fk_error err;
    assert_int_equal(read_text("", true, *state, &info, &err), FK_MANIFEST_DAMAGED);
    FK_SCOPED(fk_freep) char *sealed = seal("\n  \"files\": [");
    assert_int_equal(read_text(sealed, true, *state, &info, &err), FK_MANIFEST_DAMAGED);
    FK_SCOPED(fk_freep) char *large = malloc(FK_LIMIT_MANIFEST_BYTES + 2);
    memset(large, ' ', FK_LIMIT_MANIFEST_BYTES + 1);
    large[FK_LIMIT_MANIFEST_BYTES + 1] = '\0';
    assert_int_equal(read_text(large, true, *state, &info, &err), FK_MANIFEST_DAMAGED);
    assert_non_null(strstr(err.message, "16777217 bytes"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_good_manifest_tells_everything, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_a_listing_reads_the_head_alone, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_what_was_written_reads_back, make_values, drop_values),
        cmocka_unit_test_setup_teardown(test_unknown_members_are_kept, make_values, drop_values),
        cmocka_unit_test_setup_teardown(test_training_that_is_null_is_empty, make_values,
                                        drop_values),
        cmocka_unit_test(test_no_flipped_bit_goes_unnoticed),
        cmocka_unit_test(test_a_truncated_manifest_is_damaged),
        cmocka_unit_test_setup_teardown(test_something_behind_the_manifest_is_damage, make_values,
                                        drop_values),
        cmocka_unit_test(test_a_sealed_manifest_with_wrong_content_is_damaged),
        cmocka_unit_test_setup_teardown(test_json_damage_tells_its_offset, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_a_newer_version_is_told_from_damage, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_a_newer_version_may_be_laid_out_otherwise, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_text_of_any_size_that_is_no_manifest_is_damaged,
                                        make_values, drop_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
