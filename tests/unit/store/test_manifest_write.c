#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "fontkeep/time.h"
#include "manifest_fixture.h"
#include "json/json.h"

static int make_values(void **state) {
    *state = fk_values_create();
    return *state == NULL;
}

static int drop_values(void **state) {
    fk_values_destroy(*state);
    return 0;
}

static void test_the_sample_run_has_the_golden_manifest(void **state) {
    FK_SCOPED(fk_manifest_files_finish) fk_manifest_files files = {0};
    FK_SCOPED(fk_buffer_finish) fk_buffer buffer = {0};
    fk_manifest_head head = sample_head(*state);
    fk_error err;
    add_sample_files(&files);
    assert_int_equal(fk_manifest_write(&head, &files, &buffer, &err), FK_OK);
    size_t length = strlen(golden_body);
    assert_true(buffer.length > length);
    assert_string_equal((char *)buffer.bytes + length, ",\n  \"self\": \"" GOLDEN_SELF "\"\n}\n");
    buffer.bytes[length] = '\0';
    assert_string_equal((char *)buffer.bytes, golden_body);
}

static void test_what_stood_in_the_buffer_before_is_not_digested(void **state) {
    FK_SCOPED(fk_manifest_files_finish) fk_manifest_files files = {0};
    FK_SCOPED(fk_buffer_finish) fk_buffer buffer = {0};
    fk_manifest_head head = sample_head(*state);
    add_sample_files(&files);
    fk_buffer_append_text(&buffer, "before");
    assert_int_equal(fk_manifest_write(&head, &files, &buffer, NULL), FK_OK);
    assert_non_null(strstr((char *)buffer.bytes, "\"self\": \"" GOLDEN_SELF));
}

static void expect_line(const fk_buffer *buffer, const char *line) {
    if (strstr((char *)buffer->bytes, line) == NULL) {
        fail_msg("'%s' is not in %s", line, (char *)buffer->bytes);
    }
}

static void test_what_a_run_lacks_is_null_zero_or_empty(void **state) {
    (void)state;
    FK_SCOPED(fk_manifest_files_finish) fk_manifest_files files = {0};
    FK_SCOPED(fk_buffer_finish) fk_buffer buffer = {0};
    fk_manifest_head head = {.font_id = "1-a",
                             .run_id = "2026-01-11T08:30:00.000000-0001",
                             .status = FK_INTERRUPTED,
                             .ended_at_us = FK_NO_TIME};
    fk_error err;
    assert_int_equal(fk_manifest_write(&head, &files, &buffer, &err), FK_OK);
    static const char *const lines[] = {
        "\n  \"status\": \"interrupted\",\n",
        "\n  \"started_at\": \"1970-01-01T00:00:00.000000Z\",\n",
        "\n  \"ended_at\": null,\n",
        "\n  \"training\": {},\n",
        "\n  \"metrics\": {},\n",
        "\n  \"weights_version\": null,\n",
        "\n  \"feedback_schema\": null,\n",
        "\n  \"parent_run_id\": null,\n",
        "\n  \"personality\": null,\n",
        "\n  \"glyphs\": 0,\n",
        "\n  \"weights_bytes\": null,\n",
        "\n  \"size_bytes\": 0,\n",
        "\n  \"files\": [\n  ],\n  \"self\": \"",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        expect_line(&buffer, lines[i]);
    }
    assert_null(strstr((char *)buffer.bytes, "generation"));
    fk_value *value;
    assert_int_equal(fk_json_read((char *)buffer.bytes, buffer.length, *state, &value, &err),
                     FK_OK);
}

static void test_generation_and_unknown_members_are_passed_on(void **state) {
    fk_values *values = *state;
    FK_SCOPED(fk_manifest_files_finish) fk_manifest_files files = {0};
    FK_SCOPED(fk_buffer_finish) fk_buffer buffer = {0};
    fk_manifest_head head = sample_head(values);
    fk_value *others = fk_value_container(values, FK_KIND_DICT);
    fk_value_set(others, "font_id", fk_value_string(values, "9-other"));
    fk_value_set(others, "reviewed", fk_value_bool(values, true));
    fk_value_set(others, "self", fk_value_string(values, "x"));
    fk_value_set(others, "note", fk_value_string(values, "a\n  \"files\": ["));
    head.others = others;
    head.generation = 3;
    head.parent_run_id = "2026-01-10T00:00:00.000000";
    fk_error err;
    assert_int_equal(fk_manifest_write(&head, &files, &buffer, &err), FK_OK);
    expect_line(&buffer, "\n  \"parent_run_id\": \"2026-01-10T00:00:00.000000\",\n");
    expect_line(&buffer, "\n  \"generation\": 3,\n  \"reviewed\": true,\n"
                         "  \"note\": \"a\\n  \\\"files\\\": [\",\n  \"written_by\"");
    assert_null(strstr((char *)buffer.bytes, "9-other"));
}

static void test_every_top_level_member_and_nothing_else_starts_with_two_spaces(void **state) {
    FK_SCOPED(fk_manifest_files_finish) fk_manifest_files files = {0};
    FK_SCOPED(fk_buffer_finish) fk_buffer buffer = {0};
    fk_manifest_head head = sample_head(*state);
    add_file(&files, "eval-glyphs/x.png", "\n  \"files\": [", 3, 'a', '\0');
    assert_int_equal(fk_manifest_write(&head, &files, &buffer, NULL), FK_OK);
    size_t members = 0;
    size_t lists = 0;
    for (char *line = (char *)buffer.bytes; (line = strchr(line, '\n')) != NULL; line++) {
        members += strncmp(line, "\n  \"", 4) == 0;
        lists += strncmp(line, "\n  \"files\": [", 13) == 0;
    }
    assert_int_equal(members, 18);
    assert_int_equal(lists, 1);
}

static void expect_refusal(const fk_manifest_head *head, fk_manifest_files *files, fk_code expected,
                           const char *message) {
    FK_SCOPED(fk_buffer_finish) fk_buffer buffer = {0};
    fk_error err;
    assert_int_equal(fk_manifest_write(head, files, &buffer, &err), expected);
    if (strstr(err.message, message) == NULL) {
        fail_msg("%s", err.message);
    }
}

static void test_what_cannot_be_written_is_refused(void **state) {
    fk_values *values = *state;
    FK_SCOPED(fk_manifest_files_finish) fk_manifest_files files = {0};
    fk_manifest_head head = sample_head(values);
    add_file(&files, "sample.png", NULL, 1, '1', '\0');
    head.started_at_us = INT64_MAX;
    expect_refusal(&head, &files, FK_E_INVALID, "`started_at`");
    head = sample_head(values);
    head.ended_at_us = INT64_MIN + 1;
    expect_refusal(&head, &files, FK_E_INVALID, "`ended_at`");
    head = sample_head(values);
    fk_value *training = fk_value_container(values, FK_KIND_DICT);
    fk_value_set(training, "raw", fk_value_text(values, FK_KIND_BYTES, "", 0));
    head.training = training;
    expect_refusal(&head, &files, FK_E_UNSUPPORTED, "'training.raw'");
    head = sample_head(values);
    head.metrics = training;
    expect_refusal(&head, &files, FK_E_UNSUPPORTED, "'metrics.raw'");
    head = sample_head(values);
    head.others = training;
    expect_refusal(&head, &files, FK_E_UNSUPPORTED, "'raw'");
    head = sample_head(values);
    add_file(&files, "sample.png", NULL, 1, '1', '\0');
    expect_refusal(&head, &files, FK_E_INVALID, "'sample.png' is there twice");
}

static void test_training_may_not_be_deeper_than_a_manifest_can_be_read(void **state) {
    fk_values *values = *state;
    FK_SCOPED(fk_manifest_files_finish) fk_manifest_files files = {0};
    fk_manifest_head head = sample_head(values);
    fk_value *training = fk_value_container(values, FK_KIND_DICT);
    for (size_t i = 1; i < FK_LIMIT_JSON_DEPTH; i++) {
        fk_value *outer = fk_value_container(values, FK_KIND_DICT);
        fk_value_set(outer, "k", training);
        training = outer;
    }
    head.training = training;
    expect_refusal(&head, &files, FK_E_LIMIT, "nesting deeper");
    head.training = fk_value_get(training, "k");
    FK_SCOPED(fk_buffer_finish) fk_buffer buffer = {0};
    assert_int_equal(fk_manifest_write(&head, &files, &buffer, NULL), FK_OK);
    fk_manifest_state found;
    fk_run_info info = {0};
    assert_int_equal(
        fk_manifest_read((char *)buffer.bytes, buffer.length, true, values, &found, &info, NULL),
        FK_OK);
    assert_int_equal(found, FK_MANIFEST_GOOD);
}

static void test_a_manifest_that_is_too_long_is_refused(void **state) {
    fk_values *values = *state;
    FK_SCOPED(fk_manifest_files_finish) fk_manifest_files files = {0};
    FK_SCOPED(fk_freep) char *text = malloc(FK_LIMIT_MANIFEST_BYTES);
    memset(text, 'x', FK_LIMIT_MANIFEST_BYTES);
    fk_manifest_head head = sample_head(values);
    fk_value *training = fk_value_container(values, FK_KIND_DICT);
    fk_value_set(training, "text",
                 fk_value_text(values, FK_KIND_STRING, text, FK_LIMIT_MANIFEST_BYTES));
    head.training = training;
    expect_refusal(&head, &files, FK_E_LIMIT, "the manifest takes");
}

static void test_files_beyond_the_limit_are_refused(void **state) {
    (void)state;
    FK_SCOPED(fk_manifest_files_finish) fk_manifest_files files = {0};
    for (size_t i = 0; i < FK_LIMIT_RUN_FILES; i++) {
        fk_file_digests none = {0};
        assert_int_equal(fk_manifest_files_add(&files, "x", "y", &none, NULL), FK_OK);
    }
    fk_file_digests digests = {.pieces = 1, .sha256 = calloc(1, FK_SHA256_HEX_BYTES)};
    fk_error err;
    assert_int_equal(fk_manifest_files_add(&files, "x", NULL, &digests, &err), FK_E_LIMIT);
    assert_null(digests.sha256); /* taken over all the same */
    assert_int_equal(files.count, FK_LIMIT_RUN_FILES);
}

static void test_sizes_that_no_disk_has_are_refused(void **state) {
    FK_SCOPED(fk_manifest_files_finish) fk_manifest_files files = {0};
    fk_manifest_head head = sample_head(*state);
    add_file(&files, "a", NULL, 1, '1', '\0');
    add_file(&files, "b", NULL, 1, '1', '\0');
    /* as if digested */
    files.items[0].digests.bytes = INT64_MAX;
    files.items[0].digests.pieces = (size_t)((INT64_MAX - 1) / FK_PIECE_BYTES + 1);
    expect_refusal(&head, &files, FK_E_LIMIT, "larger than any disk");
}

static void test_statuses_have_names(void **state) {
    (void)state;
    static const fk_run_status statuses[] = {FK_COMPLETED, FK_FAILED, FK_INTERRUPTED};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(fk_run_status_from_name(fk_run_status_name(statuses[i])), statuses[i]);
    }
    assert_string_equal(fk_run_status_name(FK_STATUS_UNKNOWN), "unknown");
    assert_int_equal(fk_run_status_from_name("unknown"), FK_STATUS_UNKNOWN);
    assert_int_equal(fk_run_status_from_name(""), FK_STATUS_UNKNOWN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_sample_run_has_the_golden_manifest, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_what_stood_in_the_buffer_before_is_not_digested,
                                        make_values, drop_values),
        cmocka_unit_test_setup_teardown(test_what_a_run_lacks_is_null_zero_or_empty, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_generation_and_unknown_members_are_passed_on,
                                        make_values, drop_values),
        cmocka_unit_test_setup_teardown(
            test_every_top_level_member_and_nothing_else_starts_with_two_spaces, make_values,
            drop_values),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_written_is_refused, make_values,
                                        drop_values),
        cmocka_unit_test_setup_teardown(test_training_may_not_be_deeper_than_a_manifest_can_be_read,
                                        make_values, drop_values),
        cmocka_unit_test_setup_teardown(test_a_manifest_that_is_too_long_is_refused, make_values,
                                        drop_values),
        cmocka_unit_test(test_files_beyond_the_limit_are_refused),
        cmocka_unit_test_setup_teardown(test_sizes_that_no_disk_has_are_refused, make_values,
                                        drop_values),
        cmocka_unit_test(test_statuses_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
