/* Health, shallow (listings, get_run_info) and deep (verify): every kind of damage told apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_kernel.h"
#include "make_run.h"
#include "store/run/health.h"
#include "tree.h"

/* ---- what a look finds; the result is good until the next look */

static fk_run_info *shallow_info;
static fk_run_list *deep_list;

static void forget(void) {
    fk_run_info_destroy(shallow_info);
    fk_run_list_destroy(deep_list);
    shallow_info = NULL;
    deep_list = NULL;
}

static const fk_run_info *shallow(run_bench *it, const char *run_id) {
    forget();
    if (fk_get_run_info(it->store, RUN_FONT, run_id, &shallow_info, &it->err) != FK_OK) {
        fail_msg("%s", it->err.message);
    }
    return shallow_info;
}

static const fk_run_info *deep(run_bench *it, const char *run_id) {
    forget();
    if (fk_verify(it->store, RUN_FONT, run_id, NULL, NULL, &deep_list, &it->err) != FK_OK) {
        fail_msg("%s", it->err.message);
    }
    return fk_run_list_at(deep_list, 0);
}

static int teardown(void **state) {
    forget();
    return run_bench_teardown(state);
}

static const fk_problem *assert_found(const fk_run_info *info, fk_health health, const char *code,
                                      const char *path) {
    const fk_problem *problem = run_find_problem(info, code, path);
    if (info->health != health || problem == NULL) {
        fail_msg("health %s, first problem %s %s: %s", fk_health_name(info->health),
                 info->problem_count == 0 ? "none" : info->problems[0].code,
                 info->problem_count == 0 ? "" : info->problems[0].path,
                 info->problem_count == 0 ? "" : info->problems[0].message);
    }
    return problem;
}

/* The same finding in both looks. */
static void assert_both(run_bench *it, const char *run_id, fk_health health, const char *code,
                        const char *path) {
    assert_found(shallow(it, run_id), health, code, path);
    assert_found(deep(it, run_id), health, code, path);
}

/* ---- sound runs */

static void test_a_saved_run_is_complete_in_both_looks(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    assert_int_equal(shallow(it, id)->health, FK_COMPLETE);
    assert_int_equal(shallow_info->problem_count, 0);
    assert_int_equal(deep(it, id)->health, FK_COMPLETE);
    assert_int_equal(fk_run_list_at(deep_list, 0)->problem_count, 0);
}

static void test_the_names_of_health_are_those_of_the_design(void **state) {
    (void)state;
    assert_string_equal(fk_health_name(FK_CORRUPT), "corrupt");
    assert_string_equal(fk_health_name(FK_UNSUPPORTED), "unsupported");
    assert_string_equal(fk_health_name(FK_INCOMPLETE), "incomplete");
    assert_string_equal(fk_health_name(FK_UNVERIFIED), "unverified");
    assert_string_equal(fk_health_name(FK_COMPLETE), "complete");
    assert_string_equal(fk_health_name(FK_HEALTH_COUNT), "unknown");
}

static void test_versions_are_compared_by_their_major_number(void **state) {
    (void)state;
    assert_false(fk_health_is_newer(NULL, 1));
    assert_false(fk_health_is_newer("v1", 1));
    assert_false(fk_health_is_newer("1.9", 1));
    assert_false(fk_health_is_newer("vase", 1));
    assert_false(fk_health_is_newer("v-2", 1));
    assert_true(fk_health_is_newer("v2", 1));
    assert_true(fk_health_is_newer("10.0", 1));
}

/* ---- the manifest */

static void test_a_damaged_manifest_is_corrupt(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    run_damage_flip(run_bench_file(it, id, "run.json"), 60);
    assert_both(it, id, FK_CORRUPT, "manifest", "run.json");
    assert_int_equal(shallow(it, id)->status, FK_STATUS_UNKNOWN);
    assert_true(shallow_info->has_weights);
    assert_true(shallow_info->weights_bytes > 4000);
}

static void test_an_emptied_manifest_is_corrupt(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    run_damage_truncate(run_bench_file(it, id, "run.json"), 0);
    assert_both(it, id, FK_CORRUPT, "manifest", "run.json");
}

static void test_a_link_fifo_or_directory_for_a_manifest_is_corrupt(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *two = run_bench_save(it);
    const char *three = run_bench_save(it);
    run_damage_link(run_bench_file(it, one, "run.json"));
    run_damage_fifo(run_bench_file(it, two, "run.json"));
    assert_int_equal(unlink(run_bench_file(it, three, "run.json")), 0);
    assert_int_equal(mkdir(run_bench_file(it, three, "run.json"), 0777), 0);
    assert_both(it, one, FK_CORRUPT, "manifest", "run.json");
    assert_both(it, two, FK_CORRUPT, "manifest", "run.json");
    assert_both(it, three, FK_CORRUPT, "manifest", "run.json");
}

static void test_a_newer_manifest_is_unsupported(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    run_damage_rewrite(it, id, "\"manifest_version\": 1", "\"manifest_version\": 7");
    const fk_problem *problem =
        assert_found(shallow(it, id), FK_UNSUPPORTED, "version", "run.json");
    assert_non_null(strstr(problem->message, "7"));
    assert_non_null(strstr(problem->message, "1"));
    assert_found(deep(it, id), FK_UNSUPPORTED, "version", "run.json");
}

static void test_newer_weights_are_unsupported_but_newer_feedback_is_not(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *two = run_bench_save(it);
    run_damage_rewrite(it, one, "\"weights_version\": \"v1\"", "\"weights_version\": \"v2\"");
    run_damage_rewrite(it, two, "\"feedback_schema\": \"1.0\"", "\"feedback_schema\": \"2.0\"");
    assert_both(it, one, FK_UNSUPPORTED, "version", "weights");
    assert_both(it, two, FK_COMPLETE, "version", "feedback.json");
}

static void test_a_manifest_of_another_run_is_told(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *other = "2026-03-01T00:00:00.000000";
    assert_int_equal(rename(run_bench_file(it, one, ""), run_bench_file(it, other, "")), 0);
    const fk_problem *problem =
        assert_found(shallow(it, other), FK_COMPLETE, "manifest", "run.json");
    assert_non_null(strstr(problem->message, it->ids[0].text));
    assert_string_equal(shallow_info->run_id, other);
}

/* ---- weights */

static void test_weights_of_another_size_are_corrupt(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *two = run_bench_save(it);
    uint64_t bytes = shallow(it, one)->weights_bytes;
    run_damage_truncate(run_bench_file(it, one, "weights"), 100);
    run_damage_append(run_bench_file(it, two, "weights"), "surplus");
    const fk_problem *problem = assert_found(shallow(it, one), FK_CORRUPT, "size", "weights");
    assert_int_equal(problem->offset, 100);
    assert_int_equal(problem->length, bytes - 100);
    problem = assert_found(deep(it, two), FK_CORRUPT, "size", "weights");
    assert_int_equal(problem->offset, bytes);
    assert_int_equal(problem->length, 7);
    assert_found(deep(it, one), FK_CORRUPT, "size", "weights");
    assert_found(shallow(it, two), FK_CORRUPT, "size", "weights");
}

static void test_a_flipped_bit_in_weights_is_seen_by_the_deep_look_alone(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    const char *path = run_bench_file(it, id, "weights");
    size_t offset = run_weights_offset(it, path);
    run_damage_flip(path, offset + 40);
    assert_int_equal(shallow(it, id)->health, FK_COMPLETE);
    const fk_problem *problem = assert_found(deep(it, id), FK_CORRUPT, "digest", "weights");
    assert_string_equal(problem->tensor, "model.layer.weight");
    assert_int_equal(problem->offset, offset);
    assert_int_equal(problem->length, 4000);
}

static void test_damage_between_tensors_gives_the_piece(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    const char *path = run_bench_file(it, id, "weights");
    run_damage_flip(path, run_weights_offset(it, path) - 1); /* padding */
    const fk_problem *problem = assert_found(deep(it, id), FK_CORRUPT, "digest", "weights");
    assert_null(problem->tensor);
    assert_int_equal(problem->offset, 0);
    assert_non_null(strstr(problem->message, "each of its 2 tensors has the CRC-32"));
}

static void test_missing_weights_are_incomplete(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    assert_int_equal(unlink(run_bench_file(it, id, "weights")), 0);
    assert_both(it, id, FK_INCOMPLETE, "missing", "weights");
}

static void test_links_and_fifos_in_place_of_files_are_corrupt_and_never_waited_for(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *two = run_bench_save(it);
    const char *three = run_bench_save(it);
    run_damage_link(run_bench_file(it, one, "weights"));
    run_damage_fifo(run_bench_file(it, two, "sample.png"));
    run_damage_fifo(run_bench_file(it, three, "eval-glyphs/A.png"));
    assert_both(it, one, FK_CORRUPT, "digest", "weights");
    assert_both(it, two, FK_CORRUPT, "digest", "sample.png");
    assert_int_equal(shallow(it, three)->health, FK_COMPLETE);
    assert_found(deep(it, three), FK_CORRUPT, "digest", "eval-glyphs/A.png");
}

static void test_file_types_are_asked_for_where_the_listing_does_not_tell(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    assert_int_equal(unlink(run_bench_file(it, id, "sample.png")), 0);
    assert_int_equal(mkdir(run_bench_file(it, id, "sample.png"), 0777), 0);
    assert_both(it, id, FK_CORRUPT, "digest", "sample.png");
}

/* ---- assets */

static void test_missing_assets_are_incomplete(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *two = run_bench_save(it);
    const char *three = run_bench_save(it);
    assert_int_equal(unlink(run_bench_file(it, one, "sample.png")), 0);
    assert_int_equal(unlink(run_bench_file(it, two, "feedback.json")), 0);
    assert_int_equal(unlink(run_bench_file(it, three, "eval-glyphs/A.png")), 0);
    assert_both(it, one, FK_INCOMPLETE, "missing", "sample.png");
    assert_both(it, two, FK_INCOMPLETE, "missing", "feedback.json");
    assert_found(shallow(it, three), FK_INCOMPLETE, "missing", "eval-glyphs");
    assert_found(deep(it, three), FK_INCOMPLETE, "missing", "eval-glyphs/A.png");
}

static void test_a_missing_glyph_directory_is_incomplete(void **state) {
    run_bench *it = *state;
    it->sample.model.eval_glyph_count = 0;
    const char *id = run_bench_save(it);
    assert_int_equal(rmdir(run_bench_file(it, id, "eval-glyphs")), 0);
    assert_both(it, id, FK_INCOMPLETE, "missing", "eval-glyphs");
}

static void test_a_file_in_place_of_the_glyph_directory_is_corrupt(void **state) {
    run_bench *it = *state;
    it->sample.model.eval_glyph_count = 0;
    const char *id = run_bench_save(it);
    assert_int_equal(rmdir(run_bench_file(it, id, "eval-glyphs")), 0);
    tree_write(run_bench_file(it, id, "eval-glyphs"), "x", 1);
    assert_both(it, id, FK_CORRUPT, "digest", "eval-glyphs");
}

static void test_a_glyph_directory_that_cannot_be_read_is_corrupt(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    /* store, font, runs/, run, run.json, its names, then the glyphs */
    for (size_t nth = 1; nth < 12; nth++) {
        fake_kernel_fail("openat_beneath", nth, EIO, FAKE_ONCE);
        forget();
        fk_code code = fk_get_run_info(it->store, RUN_FONT, id, &shallow_info, &it->err);
        fake_kernel_relent();
        if (code == FK_OK && run_find_problem(shallow_info, "digest", "eval-glyphs") != NULL) {
            assert_int_equal(shallow_info->health, FK_CORRUPT);
            return;
        }
    }
    fail_msg("never seen");
}

static void test_damaged_assets_are_found_by_the_deep_look(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *two = run_bench_save(it);
    const char *three = run_bench_save(it);
    run_damage_flip(run_bench_file(it, one, "sample.png"), 20);
    run_damage_truncate(run_bench_file(it, two, "feedback.json"), 3);
    run_damage_truncate(run_bench_file(it, three, "eval-glyphs/uni00E9.png"), 0);
    const fk_problem *problem = assert_found(deep(it, one), FK_CORRUPT, "digest", "sample.png");
    assert_null(problem->tensor);
    assert_int_equal(problem->offset, 0);
    assert_found(deep(it, two), FK_CORRUPT, "size", "feedback.json");
    assert_found(deep(it, three), FK_CORRUPT, "size", "eval-glyphs/uni00E9.png");
    assert_int_equal(shallow(it, one)->health, FK_COMPLETE);
}

static void test_a_file_that_cannot_be_read_is_a_problem_with_its_offset(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    size_t seen = 0;
    for (size_t nth = 1; nth < 12; nth++) {
        forget();
        fake_kernel_fail("pread", nth, EIO, FAKE_ONCE);
        assert_int_equal(fk_verify(it->store, RUN_FONT, id, NULL, NULL, &deep_list, &it->err),
                         FK_OK);
        fake_kernel_relent();
        const fk_run_info *info = fk_run_list_at(deep_list, 0);
        seen += info->health == FK_CORRUPT;
    }
    assert_int_equal(seen, 6); /* run.json, weights, sample, feedback, two glyphs */
}

/* ---- strangers, and runs that may lack things */

static void test_strangers_change_no_health(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    tree_write(run_bench_file(it, id, "notes.txt"), "mine", 4);
    tree_write(run_bench_file(it, id, "eval-glyphs/zz.png"), "mine", 4);
    assert_both(it, id, FK_COMPLETE, "stranger", "notes.txt");
    assert_both(it, id, FK_COMPLETE, "stranger", "eval-glyphs/zz.png");
    fk_run_list *list = NULL;
    assert_int_equal(fk_list_runs(it->store, RUN_FONT, NULL, &list, &it->err), FK_OK);
    assert_found(fk_run_list_at(list, 0), FK_COMPLETE, "stranger", "notes.txt");
    assert_null(fk_run_list_at(list, 0)->files);
    fk_run_list_destroy(list);
}

static void test_a_failed_run_may_lack_assets(void **state) {
    run_bench *it = *state;
    it->sample.metadata.status = FK_FAILED;
    it->sample.model.sample_image = NULL;
    it->sample.model.feedback = NULL;
    it->sample.model.eval_glyph_count = 0;
    const char *id = run_bench_save(it);
    assert_int_equal(shallow(it, id)->health, FK_COMPLETE);
    assert_int_equal(deep(it, id)->health, FK_COMPLETE);
    assert_int_equal(fk_run_list_at(deep_list, 0)->status, FK_FAILED);
}

static void test_of_a_failed_run_the_deep_look_alone_misses_sample_and_feedback(void **state) {
    run_bench *it = *state;
    it->sample.metadata.status = FK_FAILED;
    const char *id = run_bench_save(it);
    assert_int_equal(unlink(run_bench_file(it, id, "sample.png")), 0);
    assert_int_equal(shallow(it, id)->health, FK_COMPLETE);
    assert_found(deep(it, id), FK_INCOMPLETE, "missing", "sample.png");
    assert_int_equal(unlink(run_bench_file(it, id, "weights")), 0);
    assert_found(shallow(it, id), FK_INCOMPLETE, "missing", "weights");
}

/* ---- no manifest */

static void test_a_run_made_by_hand_is_unverified(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *hand = "2026-02-01T00:00:00.000000";
    run_bench_make_unverified(it, one, hand, "weights.pt");
    assert_both(it, hand, FK_UNVERIFIED, "unverified", "run.json");
    assert_int_equal(shallow(it, hand)->problem_count, 1);
    assert_int_equal(shallow_info->glyphs, 1);
    assert_true(shallow_info->size_bytes > shallow_info->weights_bytes);
    assert_null(shallow_info->training);
    assert_true(shallow_info->started_at_us == FK_NO_TIME);
}

static void test_an_unverified_run_without_weights_or_sample_is_incomplete(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *hand = "2026-02-01T00:00:00.000000";
    run_bench_make_unverified(it, one, hand, "weights.pth");
    assert_int_equal(unlink(run_bench_file(it, hand, "sample.png")), 0);
    assert_both(it, hand, FK_INCOMPLETE, "missing", "sample.png");
    assert_int_equal(unlink(run_bench_file(it, hand, "weights.pth")), 0);
    assert_both(it, hand, FK_INCOMPLETE, "missing", "weights");
}

static void test_damage_in_unverified_weights_is_found_by_their_crc(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *hand = "2026-02-01T00:00:00.000000";
    run_bench_make_unverified(it, one, hand, "weights.pt");
    const char *path = run_bench_file(it, hand, "weights.pt");
    run_damage_flip(path, run_weights_offset(it, path));
    const fk_problem *problem = assert_found(deep(it, hand), FK_CORRUPT, "digest", "weights.pt");
    assert_string_equal(problem->tensor, "model.layer.weight");
    run_damage_truncate(run_bench_file(it, hand, "weights.pt"), 500);
    assert_found(deep(it, hand), FK_CORRUPT, "digest", "weights.pt");
    run_damage_truncate(run_bench_file(it, hand, "weights.pt"), 0);
    assert_found(deep(it, hand), FK_CORRUPT, "digest", "weights.pt");
}

static void test_unverified_weights_that_are_no_checkpoint_are_unsupported(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *hand = "2026-02-01T00:00:00.000000";
    run_bench_make_unverified(it, one, hand, "weights");
    tree_write(run_bench_file(it, hand, "weights"), "no checkpoint", 13);
    assert_found(deep(it, hand), FK_UNSUPPORTED, "version", "weights");
}

static void test_unverified_weights_that_are_a_link_or_unreadable_are_corrupt(void **state) {
    run_bench *it = *state;
    const char *one = run_bench_save(it);
    const char *hand = "2026-02-01T00:00:00.000000";
    run_bench_make_unverified(it, one, hand, "weights");
    fake_kernel_fail("pread", 1, EIO, FAKE_ONCE);
    assert_found(deep(it, hand), FK_CORRUPT, "digest", "weights");
    fake_kernel_relent();
    run_damage_link(run_bench_file(it, hand, "weights"));
    assert_both(it, hand, FK_CORRUPT, "digest", "weights");
}

static void test_problems_beyond_the_limit_are_left_out(void **state) {
    (void)state;
    fk_values *values = fk_values_create();
    fk_findings findings;
    fk_findings_init(&findings, values);
    for (int i = 0; i < 1100; i++) {
        fk_problem problem = FK_PROBLEM("stranger", "x");
        fk_findings_add(&findings, FK_COMPLETE, &problem, "number %d", i);
    }
    assert_int_equal(findings.count, 1000);
    assert_string_equal(findings.problems[998].message, "number 998");
    assert_string_equal(findings.problems[999].message, "there are more problems than are kept");
    fk_values_destroy(values);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, run_bench_setup, teardown)
        T(test_a_saved_run_is_complete_in_both_looks),
        T(test_the_names_of_health_are_those_of_the_design),
        T(test_versions_are_compared_by_their_major_number),
        T(test_a_damaged_manifest_is_corrupt),
        T(test_an_emptied_manifest_is_corrupt),
        T(test_a_link_fifo_or_directory_for_a_manifest_is_corrupt),
        T(test_a_newer_manifest_is_unsupported),
        T(test_newer_weights_are_unsupported_but_newer_feedback_is_not),
        T(test_a_manifest_of_another_run_is_told),
        T(test_weights_of_another_size_are_corrupt),
        T(test_a_flipped_bit_in_weights_is_seen_by_the_deep_look_alone),
        T(test_damage_between_tensors_gives_the_piece),
        T(test_missing_weights_are_incomplete),
        T(test_links_and_fifos_in_place_of_files_are_corrupt_and_never_waited_for),
        T(test_file_types_are_asked_for_where_the_listing_does_not_tell),
        T(test_missing_assets_are_incomplete),
        T(test_a_missing_glyph_directory_is_incomplete),
        T(test_a_file_in_place_of_the_glyph_directory_is_corrupt),
        T(test_a_glyph_directory_that_cannot_be_read_is_corrupt),
        T(test_damaged_assets_are_found_by_the_deep_look),
        T(test_a_file_that_cannot_be_read_is_a_problem_with_its_offset),
        T(test_strangers_change_no_health),
        T(test_a_failed_run_may_lack_assets),
        T(test_of_a_failed_run_the_deep_look_alone_misses_sample_and_feedback),
        T(test_a_run_made_by_hand_is_unverified),
        T(test_an_unverified_run_without_weights_or_sample_is_incomplete),
        T(test_damage_in_unverified_weights_is_found_by_their_crc),
        T(test_unverified_weights_that_are_no_checkpoint_are_unsupported),
        T(test_unverified_weights_that_are_a_link_or_unreadable_are_corrupt),
        T(test_problems_beyond_the_limit_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
