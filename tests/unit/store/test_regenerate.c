/* fk_regenerate: what is made anew, what is left, and what is refused. */
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

#include "bench.h"
#include "fake_kernel.h"
#include "fontkeep/fontkeep.h"
#include "png/contact_sheet.h"
#include "regenerate.h"
#include "tree.h"

#define GLYPH RUN "/eval-glyphs/A.png"

/* ---- calls -------------------------------------------------------------------------------- */

static void lose(bench *it, const char *path) {
    assert_int_equal(unlink(bench_in_runs(it, path)), 0);
}

/* Bytes are written anew: other hard links of the file keep theirs. */
static void damage(bench *it, const char *path) {
    size_t length = 0;
    char *bytes = tree_read(bench_in_runs(it, path), &length);
    bytes[length / 2] ^= 1;
    lose(it, path);
    tree_write(bench_in_runs(it, path), bytes, length);
    free(bytes);
}

/* "changed, ... | left, ...": paths of the one row. */
static fk_code regenerate_with(bench *it, const fk_regenerate_options *options, char text[1024]) {
    fk_change_list *changes = NULL;
    FILE *told = fmemopen(text, 1024, "w");
    fk_code code = fk_regenerate(it->store, "1-fruity", RUN, options, &changes, &it->err);
    if (code == FK_OK) {
        assert_int_equal(fk_change_list_count(changes), 1);
        const fk_change *change = fk_change_list_at(changes, 0);
        assert_int_equal(change->code, FK_OK);
        assert_string_equal(change->run_id, RUN);
        for (size_t i = 0; i < change->changed_count; i++) {
            fprintf(told, "%s ", change->changed[i]);
        }
        fputs("|", told);
        for (size_t i = 0; i < change->left_count; i++) {
            fprintf(told, " %s %s", change->left[i].code, change->left[i].path);
        }
    } else {
        assert_null(changes);
        assert_int_equal(it->err.code, code);
    }
    fputc('\0', told);
    fclose(told);
    fk_change_list_destroy(changes);
    return code;
}

static void assert_regenerated(bench *it, const fk_regenerate_options *options,
                               const char *expected) {
    char text[1024] = "";
    it->err = (fk_error){0};
    assert_int_equal(regenerate_with(it, options, text), FK_OK);
    assert_string_equal(text, expected);
}

static void assert_refused(bench *it, const fk_regenerate_options *options, fk_code code) {
    char text[1024] = "";
    char *before = tree_listing(it->path, true);
    assert_int_equal(regenerate_with(it, options, text), code);
    char *after = tree_listing(it->path, true);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

/* ---- renderers ---------------------------------------------------------------------------- */

/* Draws a grey square for every glyph, and remembers what it was asked. */
typedef struct painter {
    unsigned calls;
    char asked[1024];
    fk_code answer;
    const char *message;
    const char *bytes; /* instead of pixels */
    void (*meanwhile)(void *user);
    void *user;
} painter;

static fk_code paint(const fk_rendering *wanted, fk_image *ret_image, void *user, fk_error *err) {
    static const unsigned char pixels[4] = {9, 9, 9, 9};
    painter *it = user;
    fk_loaded *loaded = NULL;
    size_t used = strlen(it->asked);
    snprintf(it->asked + used, sizeof it->asked - used, "%s:%s ",
             wanted->label == NULL ? "" : wanted->label, wanted->path);
    it->calls++;
    assert_int_equal(fk_run_load_weights(wanted->run, NULL, &loaded, NULL), FK_OK);
    assert_int_equal(fk_tensor_elements(fk_loaded_personality_vector(loaded)), 4);
    fk_loaded_destroy(loaded);
    if (it->meanwhile != NULL) {
        it->meanwhile(it->user);
    }
    if (it->message != NULL) {
        err->code = it->answer;
        snprintf(err->message, sizeof err->message, "%s", it->message);
    }
    *ret_image = it->bytes != NULL ? (fk_image){it->bytes, strlen(it->bytes), 0, 0, 0}
                                   : (fk_image){pixels, sizeof pixels, 2, 2, 1};
    return it->answer;
}

#define OPTIONS(painter_)                                                                          \
    { .size = sizeof(fk_regenerate_options), .renderer = paint, .renderer_user = (painter_) }

/* ---- the sample --------------------------------------------------------------------------- */

/* Of two images of 4 x 4 pixels, "A" before "é". */
static void assert_sheet(bench *it) {
    FK_SCOPED(fk_contact_sheet_finish) fk_contact_sheet sheet = {0};
    FK_SCOPED(fk_buffer_finish) fk_buffer expected = {0};
    size_t length = 0;
    const char *paths[] = {GLYPH, RUN "/eval-glyphs/uni00E9.png"};
    assert_int_equal(fk_contact_sheet_init(&sheet, 2, (fk_png_size){4, 4}, NULL), FK_OK);
    for (size_t i = 0; i < 2; i++) {
        char *bytes = tree_read(bench_in_runs(it, paths[i]), &length);
        assert_int_equal(fk_contact_sheet_place(&sheet, i, bytes, length, NULL), FK_OK);
        free(bytes);
    }
    assert_int_equal(fk_contact_sheet_encode(&sheet, &expected, NULL), FK_OK);
    char *sample = tree_read(bench_in_runs(it, RUN "/sample.png"), &length);
    assert_int_equal(length, expected.length);
    assert_memory_equal(sample, expected.bytes, length);
    free(sample);
}

static void test_a_lost_sample_becomes_a_contact_sheet_of_the_glyphs(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    lose(it, RUN "/sample.png");
    assert_regenerated(it, NULL, "run.json sample.png |");
    assert_sheet(it);
    assert_int_equal(bench_generation(it, RUN), 2);
    bench_assert_all_verify(it, 1);
    assert_regenerated(it, NULL, "|");
    assert_int_equal(bench_generation(it, RUN), 2);
    bench_assert_trash(it, "2");
}

static void test_a_damaged_sample_is_replaced_and_stays_in_the_trash(void **state) {
    bench *it = *state;
    size_t length = 0;
    size_t kept_length = 0;
    bench_save_well(it, RUN);
    damage(it, RUN "/sample.png");
    char *damaged = tree_read(bench_in_runs(it, RUN "/sample.png"), &length);
    assert_regenerated(it, NULL, "run.json sample.png |");
    assert_sheet(it);
    char *kept = tree_read(bench_in_runs(it, ENTRY "/sample.png"), &kept_length);
    assert_int_equal(kept_length, length);
    assert_memory_equal(kept, damaged, length);
    free(kept);
    free(damaged);
    bench_assert_all_verify(it, 1);
}

static void test_what_stands_in_the_place_of_a_sample_is_no_sample(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    lose(it, RUN "/sample.png");
    assert_int_equal(symlink("eval-glyphs/A.png", bench_in_runs(it, RUN "/sample.png")), 0);
    assert_regenerated(it, NULL, "run.json sample.png |");
    lose(it, RUN "/sample.png");
    assert_int_equal(mkfifo(bench_in_runs(it, RUN "/sample.png"), 0666), 0);
    assert_regenerated(it, NULL, "run.json sample.png |");
    bench_assert_all_verify(it, 1);
}

static void test_a_run_that_failed_lacks_nothing(void **state) {
    bench *it = *state;
    it->sample.metadata.status = FK_FAILED;
    it->sample.model.sample_image = NULL;
    it->sample.model.feedback = NULL;
    bench_save_well(it, RUN);
    assert_regenerated(it, NULL, "|");
}

static void test_without_a_glyph_there_is_no_contact_sheet(void **state) {
    bench *it = *state;
    painter one = {0};
    fk_regenerate_options options = OPTIONS(&one);
    it->sample.model.eval_glyph_count = 0;
    bench_save_well(it, RUN);
    lose(it, RUN "/sample.png");
    assert_int_equal(rmdir(bench_in_runs(it, RUN "/eval-glyphs")), 0);
    assert_regenerated(it, NULL, "eval-glyphs run.json | missing sample.png");
    assert_true(tree_exists(bench_in_runs(it, RUN "/eval-glyphs")));
    options.render_sample = true;
    assert_regenerated(it, &options, "run.json sample.png |");
    assert_string_equal(one.asked, ":sample.png ");
    bench_assert_all_verify(it, 1);
}

/* ---- glyphs ------------------------------------------------------------------------------- */

static void test_glyphs_are_left_without_a_renderer_and_drawn_with_one(void **state) {
    bench *it = *state;
    painter one = {0};
    const fk_regenerate_options options = OPTIONS(&one);
    bench_save_well(it, RUN);
    lose(it, GLYPH);
    damage(it, RUN "/eval-glyphs/uni00E9.png");
    assert_regenerated(it, NULL, "| missing eval-glyphs/A.png digest eval-glyphs/uni00E9.png");
    assert_int_equal(bench_generation(it, RUN), 1);
    bench_assert_trash(it, "");
    assert_regenerated(it, &options, "eval-glyphs/A.png eval-glyphs/uni00E9.png run.json |");
    assert_string_equal(one.asked, "A:eval-glyphs/A.png é:eval-glyphs/uni00E9.png ");
    bench_assert_all_verify(it, 1);
    assert_regenerated(it, &options, "|");
    assert_int_equal(one.calls, 2);
}

static void test_a_sample_shows_the_glyphs_that_were_drawn_and_leaves_out_the_lost(void **state) {
    bench *it = *state;
    painter one = {0};
    const fk_regenerate_options options = OPTIONS(&one);
    bench_save_well(it, RUN);
    lose(it, GLYPH);
    lose(it, RUN "/sample.png");
    assert_regenerated(it, &options, "eval-glyphs/A.png run.json sample.png |");
    assert_sheet(it);
    lose(it, GLYPH);
    lose(it, RUN "/sample.png");
    assert_regenerated(it, NULL, "run.json sample.png | missing eval-glyphs/A.png");
    assert_regenerated(it, &options, "eval-glyphs/A.png run.json |");
    bench_assert_all_verify(it, 1);
}

/* A glyph whose file was named by another program keeps that name. */
static void test_a_glyph_is_drawn_into_the_file_that_is_listed(void **state) {
    bench *it = *state;
    painter one = {0};
    const fk_regenerate_options options = OPTIONS(&one);
    fk_change_list *changes = NULL;
    bench_save_well(it, RUN);
    lose(it, RUN "/run.json");
    char odd[512];
    snprintf(odd, sizeof odd, "%s", bench_in_runs(it, RUN "/eval-glyphs/uni0041.png"));
    assert_int_equal(rename(bench_in_runs(it, GLYPH), odd), 0);
    assert_int_equal(fk_adopt(it->store, "1-fruity", NULL, NULL, &changes, &it->err), FK_OK);
    fk_change_list_destroy(changes);
    lose(it, RUN "/eval-glyphs/uni0041.png");
    assert_regenerated(it, &options, "eval-glyphs/uni0041.png run.json |");
    assert_string_equal(one.asked, "A:eval-glyphs/uni0041.png ");
    bench_assert_all_verify(it, 1);
}

/* ---- renderers that fail ------------------------------------------------------------------ */

static void test_a_renderer_that_fails_changes_nothing(void **state) {
    bench *it = *state;
    painter one = {.answer = FK_E_IO, .message = "the plotter is out of ink"};
    const fk_regenerate_options options = OPTIONS(&one);
    bench_save_well(it, RUN);
    lose(it, GLYPH);
    assert_refused(it, &options, FK_E_IO);
    assert_string_equal(it->err.message, "the plotter is out of ink");
    one = (painter){.answer = FK_E_INVALID};
    assert_refused(it, &options, FK_E_INVALID);
    assert_non_null(strstr(it->err.message, "glyph 'A'"));
    one = (painter){.answer = FK_E_CANCELLED};
    assert_refused(it, &options, FK_E_CANCELLED);
    /* these say what only the store can know: no second try, no half success */
    one = (painter){.answer = FK_E_BUSY};
    assert_refused(it, &options, FK_E_INVALID);
    assert_int_equal(one.calls, 1);
    one = (painter){.answer = FK_E_NOT_DURABLE, .message = "odd"};
    assert_refused(it, &options, FK_E_INVALID);
}

static void test_an_image_that_is_none_is_refused_by_label(void **state) {
    bench *it = *state;
    painter one = {.bytes = "no image at all"};
    fk_regenerate_options options = OPTIONS(&one);
    bench_save_well(it, RUN);
    lose(it, GLYPH);
    assert_refused(it, &options, FK_E_INVALID);
    assert_non_null(strstr(it->err.message, "glyph 'A'"));
    assert_string_equal(it->err.path, "eval-glyphs/A.png");
    assert_string_not_equal(it->err.hint, "");
    lose(it, RUN "/sample.png");
    options.render_sample = true;
    tree_write(bench_in_runs(it, GLYPH), "", 0);
    assert_refused(it, &options, FK_E_INVALID);
}

static void regenerate_again(void *user) {
    bench *it = user;
    fk_change_list *changes = NULL;
    fk_loaded *loaded = NULL;
    fk_trash_entry entry;
    assert_int_equal(fk_regenerate(it->store, "1-fruity", RUN, NULL, &changes, NULL), FK_E_BUSY);
    assert_int_equal(fk_rm(it->store, "1-fruity", RUN, &entry, NULL), FK_E_BUSY);
    assert_int_equal(fk_load_model(it->store, "1-fruity", RUN, NULL, &loaded, NULL), FK_OK);
    fk_loaded_destroy(loaded);
    bench_save_well(it, RUN "-0001");
}

static void test_while_a_renderer_works_the_run_can_be_loaded_but_not_changed(void **state) {
    bench *it = *state;
    painter one = {.meanwhile = regenerate_again, .user = it};
    const fk_regenerate_options options = OPTIONS(&one);
    bench_save_well(it, RUN);
    lose(it, GLYPH);
    assert_regenerated(it, &options, "eval-glyphs/A.png run.json |");
    bench_assert_all_verify(it, 2);
}

static void test_options_that_contradict_are_refused(void **state) {
    bench *it = *state;
    fk_regenerate_options options = {.size = sizeof options, .render_sample = true};
    bench_save_well(it, RUN);
    assert_refused(it, &options, FK_E_USAGE);
    options = (fk_regenerate_options){0};
    assert_refused(it, &options, FK_E_USAGE);
}

/* ---- what nothing can make anew ----------------------------------------------------------- */

static void test_damaged_weights_are_refused_whatever_else_is_lost(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    lose(it, RUN "/sample.png");
    damage(it, RUN "/weights");
    assert_refused(it, NULL, FK_E_CORRUPT);
    assert_non_null(strstr(it->err.path, "weights"));
    damage(it, RUN "/run.json");
    assert_refused(it, NULL, FK_E_CORRUPT);
    assert_non_null(strstr(it->err.path, "run.json"));
}

static void test_what_cannot_be_made_is_left_and_the_rest_is_made(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    lose(it, RUN "/sample.png");
    lose(it, RUN "/weights");
    damage(it, RUN "/feedback.json");
    assert_regenerated(it, NULL, "run.json sample.png | missing weights digest feedback.json");
    fk_run_list *runs = NULL;
    assert_int_equal(fk_verify(it->store, "1-fruity", RUN, NULL, NULL, &runs, &it->err), FK_OK);
    assert_int_equal(fk_run_list_at(runs, 0)->health, FK_CORRUPT); /* never vouched for anew */
    assert_int_equal(fk_run_list_at(runs, 0)->problem_count, 2);
    fk_run_list_destroy(runs);
    assert_regenerated(it, NULL, "| missing weights digest feedback.json");
    assert_int_equal(bench_generation(it, RUN), 2);
}

/* ---- without a manifest ------------------------------------------------------------------- */

static void test_a_run_by_hand_that_lost_its_sample_is_adopted_as_completed(void **state) {
    bench *it = *state;
    fk_run_info *info = NULL;
    bench_save_well(it, RUN);
    lose(it, RUN "/run.json");
    assert_regenerated(it, NULL, "|");
    lose(it, RUN "/sample.png");
    assert_regenerated(it, NULL, "run.json sample.png |");
    assert_sheet(it);
    bench_assert_all_verify(it, 1);
    assert_int_equal(fk_get_run_info(it->store, "1-fruity", RUN, &info, &it->err), FK_OK);
    assert_int_equal(info->status, FK_COMPLETED);
    assert_int_equal(info->generation, 1);
    assert_true(info->has_personality);
    fk_run_info_destroy(info);
}

static void test_a_run_by_hand_that_lost_more_is_told_so(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    lose(it, RUN "/run.json");
    lose(it, RUN "/sample.png");
    lose(it, RUN "/feedback.json");
    assert_regenerated(it, NULL, "run.json sample.png | missing feedback.json");
}

static void test_a_run_by_hand_without_glyphs_stays_as_it_is(void **state) {
    bench *it = *state;
    it->sample.model.eval_glyph_count = 0;
    bench_save_well(it, RUN);
    lose(it, RUN "/run.json");
    lose(it, RUN "/sample.png");
    lose(it, RUN "/weights");
    assert_int_equal(rmdir(bench_in_runs(it, RUN "/eval-glyphs")), 0);
    assert_regenerated(it, NULL, "| missing weights missing eval-glyphs missing sample.png");
    assert_false(tree_exists(bench_in_runs(it, RUN "/run.json")));
}

/* ---- stopping, and calls that fail -------------------------------------------------------- */

static int stop_at_the_end(uint64_t done, uint64_t total, void *user) {
    unsigned *calls = user;
    return done >= total && ++*calls == 1;
}

static void test_a_wish_to_stop_changes_nothing(void **state) {
    bench *it = *state;
    unsigned calls = 0;
    const fk_regenerate_options options = {
        .size = sizeof options, .progress = stop_at_the_end, .progress_user = &calls};
    bench_save_well(it, RUN);
    lose(it, RUN "/sample.png");
    assert_refused(it, &options, FK_E_CANCELLED);
    assert_int_equal(calls, 1);
    assert_regenerated(it, &options, "run.json sample.png |");
}

/* The n-th call fails, for every n, until one of the answers is `wanted`, or none fails any more.
 */
static bool finds(bench *it, const char *call, int system_errno, const char *wanted) {
    painter one = {0};
    const fk_regenerate_options options = OPTIONS(&one);
    for (size_t nth = 1;; nth++) {
        char text[1024] = "";
        size_t made = fake_kernel_count(call);
        fake_kernel_fail(call, nth, system_errno, FAKE_ONCE);
        fk_code code = regenerate_with(it, &options, text);
        bool reached = fake_kernel_count(call) - made >= nth;
        fake_kernel_relent();
        fk_trash_list *purged = NULL; /* each entry would be looked at by the next change */
        assert_int_equal(fk_purge(it->store, NULL, &purged, &it->err), FK_OK);
        fk_trash_list_destroy(purged);
        assert_true(nth < 1000);
        if (!reached || (code == FK_OK && strcmp(text, wanted) == 0)) {
            return reached;
        }
    }
}

static void test_a_sector_that_cannot_be_read_is_damage_and_a_want_of_files_is_not(void **state) {
    bench *it = *state;
    bench_save_well(it, RUN);
    assert_false(finds(it, "openat_beneath", EMFILE, "run.json sample.png |"));
    assert_false(finds(it, "openat_beneath", EMFILE, "eval-glyphs/A.png run.json |"));
    assert_int_equal(bench_generation(it, RUN), 1);
    assert_true(finds(it, "pread", EIO, "run.json sample.png |"));
    assert_true(finds(it, "pread", EIO, "eval-glyphs/A.png run.json |"));
    bench_assert_all_verify(it, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup_at_now, bench_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_lost_sample_becomes_a_contact_sheet_of_the_glyphs),
        TEST(test_a_damaged_sample_is_replaced_and_stays_in_the_trash),
        TEST(test_what_stands_in_the_place_of_a_sample_is_no_sample),
        TEST(test_a_run_that_failed_lacks_nothing),
        TEST(test_without_a_glyph_there_is_no_contact_sheet),
        TEST(test_glyphs_are_left_without_a_renderer_and_drawn_with_one),
        TEST(test_a_sample_shows_the_glyphs_that_were_drawn_and_leaves_out_the_lost),
        TEST(test_a_glyph_is_drawn_into_the_file_that_is_listed),
        TEST(test_a_renderer_that_fails_changes_nothing),
        TEST(test_an_image_that_is_none_is_refused_by_label),
        TEST(test_while_a_renderer_works_the_run_can_be_loaded_but_not_changed),
        TEST(test_options_that_contradict_are_refused),
        TEST(test_damaged_weights_are_refused_whatever_else_is_lost),
        TEST(test_what_cannot_be_made_is_left_and_the_rest_is_made),
        TEST(test_a_run_by_hand_that_lost_its_sample_is_adopted_as_completed),
        TEST(test_a_run_by_hand_that_lost_more_is_told_so),
        TEST(test_a_run_by_hand_without_glyphs_stays_as_it_is),
        TEST(test_a_wish_to_stop_changes_nothing),
        TEST(test_a_sector_that_cannot_be_read_is_damage_and_a_want_of_files_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
