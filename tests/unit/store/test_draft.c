/* Building a run step by step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "checkpoint/torch_write.h"
#include "digest/digest.h"
#include "fake_kernel.h"
#include "fontkeep/fontkeep.h"
#include "tree.h"

#define RUN "1-fruity/runs/" NOW_TEXT

/* ---- life and death ----------------------------------------------------------------------- */

static void test_a_draft_is_a_hidden_stage_with_its_lock_file(void **state) {
    bench *it = *state;
    char name[256];
    assert_int_equal(tree_count(bench_in_store(it, "1-fruity/runs"), "", NULL), 2);
    assert_int_equal(tree_count(bench_in_store(it, "1-fruity/runs"), ".stage-", name), 2);
    char lock[512];
    snprintf(lock, sizeof lock, "1-fruity/runs/%s.lock", name);
    char *text = tree_read(bench_in_store(it, lock), NULL);
    char pid[32];
    snprintf(pid, sizeof pid, "\"pid\": %d}", (int)getpid());
    assert_non_null(strstr(text, "{\"host\": \""));
    assert_non_null(strstr(text, "\"boot_id\": \""));
    assert_non_null(strstr(text, pid));
    free(text);
}

static void test_a_draft_that_is_destroyed_leaves_nothing(void **state) {
    bench *it = *state;
    bench_set_all(it);
    assert_int_equal(fk_draft_add_glyph(it->draft, "A", &it->sample.image, &it->err), FK_OK);
    fk_draft_destroy(it->draft);
    it->draft = NULL;
    assert_int_equal(tree_count(it->path, "", NULL), 0);
    fk_draft_destroy(NULL);
}

/* Else the run would come to the trash with the font, and nobody would see it. */
static void test_a_font_that_was_removed_meanwhile_gets_no_run(void **state) {
    bench *it = *state;
    fk_trash_entry entry;
    bench_set_all(it);
    assert_int_equal(fk_rm(it->store, "1-fruity", NULL, &entry, &it->err), FK_OK);
    assert_int_equal(fk_create_font(it->store, "1-fruity", &it->err), FK_OK);
    assert_int_equal(fk_draft_commit(it->draft, &it->id, &it->err), FK_E_FONT_NOT_FOUND);
    assert_non_null(strstr(it->err.message, "'1-fruity' was removed meanwhile"));
    assert_non_null(strstr(it->err.hint, "trash"));
    assert_int_equal(tree_count(bench_in_store(it, "1-fruity/runs"), "", NULL), 0);
    assert_int_equal(tree_count(bench_in_store(it, ".trash-1-fruity.1/runs"), "", NULL), 0);
}

static void test_a_font_that_got_another_run_meanwhile_stays(void **state) {
    bench *it = *state;
    assert_int_equal(fk_save_model(it->store, "1-fruity", &it->sample.model, &it->id, &it->err),
                     FK_OK);
    fk_draft_destroy(it->draft);
    it->draft = NULL;
    assert_int_equal(tree_count(bench_in_store(it, "1-fruity/runs"), "", NULL), 1);
}

static void test_a_forked_child_touches_nothing_on_disk(void **state) {
    bench *it = *state;
    bench_set_all(it);
    char *before = tree_listing(it->path, true);
    pid_t child = fork();
    if (child == 0) {
        fk_code set = fk_draft_add_glyph(it->draft, "A", &it->sample.image, &it->err);
        fk_code committed = bench_commit(it);
        fk_draft_destroy(it->draft);
        _exit(set == FK_E_USAGE && committed == FK_E_USAGE ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    char *after = tree_listing(it->path, true);
    assert_string_equal(after, before);
    free(before);
    free(after);
    /* nor did it let go of the lock */
    fk_recovery *recovery = NULL;
    assert_int_equal(fk_recover(it->store, &recovery, &it->err), FK_OK);
    assert_int_equal(recovery->removed_count, 0);
    assert_int_equal(recovery->kept_count, 1);
    fk_recovery_destroy(recovery);
    bench_assert_whole_run(it);
}

static void test_after_commit_a_draft_can_only_be_destroyed(void **state) {
    bench *it = *state;
    bench_set_all(it);
    bench_assert_whole_run(it);
    assert_int_equal(bench_commit(it), FK_E_USAGE);
    assert_int_equal(fk_draft_add_glyph(it->draft, "A", &it->sample.image, &it->err), FK_E_USAGE);
    assert_non_null(strstr(it->err.message, "committed"));
    fk_draft_destroy(it->draft);
    it->draft = NULL;
    assert_true(tree_exists(bench_in_store(it, RUN "/weights")));
}

static void test_times_default_to_creation_and_commit(void **state) {
    bench *it = *state;
    bench_set_all(it);
    fake_kernel_set_time(NOW_US + 5000000);
    bench_assert_whole_run(it);
    assert_string_equal(it->id.text, "2026-01-11T08:30:05.000000");
    fk_run_info *info = NULL;
    assert_int_equal(fk_get_run_info(it->store, "1-fruity", NULL, &info, NULL), FK_OK);
    assert_int_equal(info->started_at_us, NOW_US);
    assert_int_equal(info->ended_at_us, NOW_US + 5000000);
    fk_run_info_destroy(info);
}

/* ---- parts -------------------------------------------------------------------------------- */

static void test_a_part_set_twice_is_a_mistake_that_changes_nothing(void **state) {
    bench *it = *state;
    bench_set_all(it);
    assert_int_equal(bench_set_weights(it), FK_E_USAGE);
    assert_non_null(strstr(it->err.message, "weights"));
    assert_int_equal(fk_draft_set_weights_file(it->draft, "none", NULL, NULL, &it->err),
                     FK_E_USAGE);
    assert_int_equal(fk_draft_set_sample(it->draft, &it->sample.image, &it->err), FK_E_USAGE);
    assert_int_equal(fk_draft_set_feedback(it->draft, it->sample.model.feedback, &it->err),
                     FK_E_USAGE);
    bench_assert_whole_run(it);
}

static void test_refused_input_leaves_the_draft_usable(void **state) {
    bench *it = *state;
    const fk_image gif = {.bytes = "GIF89a", .length = 6};
    assert_int_equal(fk_draft_set_sample(it->draft, &gif, &it->err), FK_E_INVALID);
    assert_int_equal(fk_draft_add_glyph(it->draft, "A", &gif, &it->err), FK_E_INVALID);
    assert_int_equal(fk_draft_set_feedback(it->draft, NULL, &it->err), FK_E_USAGE);
    assert_int_equal(fk_draft_set_weights(it->draft, NULL, NULL, NULL, &it->err), FK_E_USAGE);
    bench_set_all(it);
    bench_assert_whole_run(it);
}

static void test_a_draft_whose_writing_failed_cannot_go_on(void **state) {
    bench *it = *state;
    fake_kernel_fail("write", 1, ENOSPC, FAKE_ONCE);
    assert_int_equal(bench_set_weights(it), FK_E_NO_SPACE);
    assert_int_equal(fk_draft_set_sample(it->draft, &it->sample.image, &it->err), FK_E_USAGE);
    assert_non_null(strstr(it->err.message, "failed"));
    assert_int_equal(bench_commit(it), FK_E_USAGE);
    assert_string_equal(it->id.text, "untouched");
}

static void test_an_incomplete_commit_names_what_is_missing(void **state) {
    static const char *const expected[] = {"lacks weights, a sample and feedback",
                                           "lacks a sample and feedback", "lacks feedback"};
    bench *it = *state;
    for (int parts = 0; parts < 3; parts++) {
        fk_draft_destroy(it->draft);
        assert_int_equal(
            fk_draft_create(it->store, "1-fruity", &it->sample.metadata, &it->draft, NULL), FK_OK);
        if (parts > 0) {
            assert_int_equal(bench_set_weights(it), FK_OK);
        }
        if (parts > 1) {
            assert_int_equal(fk_draft_set_sample(it->draft, &it->sample.image, NULL), FK_OK);
        }
        assert_int_equal(bench_commit(it), FK_E_INVALID);
        assert_non_null(strstr(it->err.message, expected[parts]));
        assert_int_equal(tree_count(it->path, "", NULL), 0);
    }
}

/* ---- images ------------------------------------------------------------------------------- */

static void test_png_files_are_kept_byte_for_byte(void **state) {
    bench *it = *state;
    size_t length = 0;
    size_t kept_length = 0;
    void *png = sample_png(&length);
    const fk_image image = {.bytes = png, .length = length};
    assert_int_equal(bench_set_weights(it), FK_OK);
    assert_int_equal(fk_draft_set_sample(it->draft, &image, &it->err), FK_OK);
    assert_int_equal(fk_draft_set_feedback(it->draft, it->sample.model.feedback, NULL), FK_OK);
    bench_assert_whole_run(it);
    char *kept = tree_read(bench_in_store(it, RUN "/sample.png"), &kept_length);
    assert_int_equal(kept_length, length);
    assert_memory_equal(kept, png, length);
    free(kept);
    free(png);
}

static void test_two_labels_of_one_file_name_are_both_named(void **state) {
    bench *it = *state;
    assert_int_equal(fk_draft_add_glyph(it->draft, "é", &it->sample.image, &it->err), FK_OK);
    assert_int_equal(fk_draft_add_glyph(it->draft, "é", &it->sample.image, &it->err), FK_E_INVALID);
    assert_non_null(strstr(it->err.message, "'é' and 'é'"));
    assert_string_equal(it->err.path, "eval-glyphs/uni00E9.png");
    /* capitals and small letters are different glyphs */
    assert_int_equal(fk_draft_add_glyph(it->draft, "a", &it->sample.image, &it->err), FK_OK);
    assert_int_equal(fk_draft_add_glyph(it->draft, "A", &it->sample.image, &it->err), FK_OK);
    bench_set_all(it);
    bench_assert_whole_run(it);
}

/* More files than are kept open. */
static void add_200_glyphs(bench *it) {
    for (int i = 0; i < 200; i++) {
        char label[32];
        snprintf(label, sizeof label, "glyph%d", i);
        assert_int_equal(fk_draft_add_glyph(it->draft, label, &it->sample.image, &it->err), FK_OK);
    }
}

static void assert_200_glyphs_were_synced_once(bench *it) {
    const char *record = fake_kernel_record();
    for (int i = 0; i < 200; i++) {
        char line[64];
        snprintf(line, sizeof line, "\nfsync eval-glyphs/glyph%d.png\n", i);
        const char *found = strstr(record, line);
        assert_non_null(found);
        assert_null(strstr(found + 1, line));
    }
    char glyphs[128];
    snprintf(glyphs, sizeof glyphs, "%s/eval-glyphs", it->id.text);
    assert_int_equal(tree_count(bench_in_runs(it, glyphs), "", NULL), 200);
}

static void test_hundreds_of_glyphs_are_each_synced_once(void **state) {
    bench *it = *state;
    bench_set_all(it);
    add_200_glyphs(it);
    bench_assert_whole_run(it);
    assert_200_glyphs_were_synced_once(it);
}

/* The weights come last, when files are scarce already. */
static void test_hundreds_of_glyphs_are_saved_with_few_open_files(void **state) {
    bench *it = *state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (rlim_t limit = 64; limit >= 32; limit -= 32) {
        const struct rlimit few = {limit, before.rlim_max};
        fk_draft_destroy(it->draft);
        fake_kernel_record_clear();
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        assert_int_equal(
            fk_draft_create(it->store, "1-fruity", &it->sample.metadata, &it->draft, &it->err),
            FK_OK);
        add_200_glyphs(it);
        bench_set_all(it);
        bench_assert_whole_run(it);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_200_glyphs_were_synced_once(it);
    }
}
static void test_an_early_sync_that_fails_breaks_the_draft(void **state) {
    bench *it = *state;
    fk_code code = FK_OK;
    fake_kernel_fail("fsync", 1, EIO, FAKE_ONCE);
    for (int i = 0; code == FK_OK && i < 100; i++) {
        char label[32];
        snprintf(label, sizeof label, "glyph%d", i);
        code = fk_draft_add_glyph(it->draft, label, &it->sample.image, &it->err);
    }
    assert_int_equal(code, FK_E_IO);
    assert_int_equal(bench_commit(it), FK_E_USAGE);
}

static void write_glyph(bench *it, const char *name) {
    size_t length = 0;
    void *png = sample_png(&length);
    tree_write(tree_path(it->beside, name), png, length);
    free(png);
}

static void test_a_directory_gives_its_png_files_as_glyphs(void **state) {
    bench *it = *state;
    write_glyph(it, "A.png");
    write_glyph(it, "uni00E9.png");
    write_glyph(it, "._A.png");
    tree_write(tree_path(it->beside, "notes.txt"), "x", 1);
    assert_int_equal(fk_draft_add_glyph_directory(it->draft, it->beside, &it->err), FK_OK);
    bench_set_all(it);
    bench_assert_whole_run(it);
    fk_run_info *info = NULL;
    assert_int_equal(fk_get_run_info(it->store, "1-fruity", NULL, &info, NULL), FK_OK);
    assert_int_equal(info->glyphs, 2);
    assert_string_equal(info->files[0].label, "A");
    assert_string_equal(info->files[1].label, "é");
    fk_run_info_destroy(info);
}

static void test_a_bad_file_in_the_directory_is_named(void **state) {
    bench *it = *state;
    write_glyph(it, "A.png");
    tree_write(tree_path(it->beside, "B.png"), "no png", 6);
    assert_int_equal(fk_draft_add_glyph_directory(it->draft, it->beside, &it->err), FK_E_INVALID);
    assert_string_equal(it->err.path, tree_path(it->beside, "B.png"));
    assert_int_equal(unlink(tree_path(it->beside, "B.png")), 0);
    assert_int_equal(mkdir(tree_path(it->beside, "B.png"), 0777), 0);
    assert_int_equal(fk_draft_add_glyph_directory(it->draft, it->beside, &it->err), FK_E_INVALID);
    assert_int_equal(fk_draft_add_glyph_directory(it->draft, "/none/of/it", &it->err), FK_E_IO);
    assert_int_equal(it->err.system_errno, ENOENT);
}

/* ---- feedback ----------------------------------------------------------------------------- */

static void test_feedback_that_nobody_could_read_is_refused(void **state) {
    bench *it = *state;
    fk_value *feedback = sample_json(it->sample.values, "{\"a\": 1}");
    fk_value *key = fk_value_string(it->sample.values, "a");
    assert_int_equal(fk_value_put(feedback, key, fk_value_int(it->sample.values, 2)), FK_OK);
    assert_int_not_equal(fk_draft_set_feedback(it->draft, feedback, &it->err), FK_OK);
    assert_string_equal(it->err.path, "feedback.json");
    assert_int_equal(fk_draft_set_feedback(it->draft, it->sample.model.weights, &it->err),
                     FK_E_UNSUPPORTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup_draft, bench_teardown)

static void test_training_parameters_may_be_in_an_ordered_dict(void **state) {
    bench *it = *state;
    fk_value *training = fk_value_container(it->sample.values, FK_KIND_ORDERED_DICT);
    assert_int_equal(fk_value_set(training, "epochs", fk_value_int(it->sample.values, 7)), FK_OK);
    it->sample.metadata.training = training;
    assert_int_equal(bench_save(it), FK_OK);
    fk_run_info *info = NULL;
    assert_int_equal(fk_get_run_info(it->store, "1-fruity", it->id.text, &info, &it->err), FK_OK);
    assert_non_null(fk_value_get(info->training, "epochs"));
    fk_run_info_destroy(info);
}

static void test_the_draft_of_another_process_takes_no_part(void **state) {
    bench *it = *state;
    fake_kernel_set_pid(1);
    assert_int_equal(bench_set_weights(it), FK_E_USAGE);
    assert_non_null(strstr(it->err.message, "belongs to process"));
    fake_kernel_set_pid(0);
    bench_set_all(it);
    bench_assert_whole_run(it);
}

static void test_a_font_that_goes_while_a_draft_steps_in_is_made_again(void **state) {
    bench *it = *state;
    fake_kernel_fail("mkdirat", 1, ENOENT, FAKE_ONCE);
    assert_int_equal(bench_save(it), FK_OK);
    fake_kernel_fail("mkdirat", 1, ENOENT, FAKE_EVER_AFTER); /* again and again */
    bench_assert_refused(it, FK_E_IO);
    fake_kernel_relent();
    it->sample.metadata.no_create_font = true;
    fake_kernel_fail("mkdirat", 1, ENOENT, FAKE_ONCE); /* is not made */
    bench_assert_refused(it, FK_E_IO);
    assert_int_equal(it->err.system_errno, ENOENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_draft_is_a_hidden_stage_with_its_lock_file),
        TEST(test_a_draft_that_is_destroyed_leaves_nothing),
        TEST(test_a_font_that_was_removed_meanwhile_gets_no_run),
        TEST(test_a_font_that_got_another_run_meanwhile_stays),
        TEST(test_a_forked_child_touches_nothing_on_disk),
        TEST(test_after_commit_a_draft_can_only_be_destroyed),
        TEST(test_times_default_to_creation_and_commit),
        TEST(test_a_part_set_twice_is_a_mistake_that_changes_nothing),
        TEST(test_refused_input_leaves_the_draft_usable),
        TEST(test_a_draft_whose_writing_failed_cannot_go_on),
        TEST(test_an_incomplete_commit_names_what_is_missing),
        TEST(test_png_files_are_kept_byte_for_byte),
        TEST(test_two_labels_of_one_file_name_are_both_named),
        TEST(test_hundreds_of_glyphs_are_each_synced_once),
        TEST(test_hundreds_of_glyphs_are_saved_with_few_open_files),
        TEST(test_an_early_sync_that_fails_breaks_the_draft),
        TEST(test_a_directory_gives_its_png_files_as_glyphs),
        TEST(test_a_bad_file_in_the_directory_is_named),
        TEST(test_feedback_that_nobody_could_read_is_refused),
        TEST(test_training_parameters_may_be_in_an_ordered_dict),
        TEST(test_the_draft_of_another_process_takes_no_part),
        TEST(test_a_font_that_goes_while_a_draft_steps_in_is_made_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
