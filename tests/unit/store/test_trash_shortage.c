/* Trash and recovery when memory runs out at every single allocation, when nobody asks for the
 * reason of an error, and on file systems that do not tell the types of names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "fake_kernel.h"
#include "fake_memory.h"
#include "os/file.h"
#include "os/kernel.h"
#include "regenerate.h"
#include "store/change/generation.h"
#include "store/trash/trash.h"
#include "tree.h"

enum { MANY = 10 }; /* more than a list has room for at first */

typedef fk_code (*trash_call)(bench *it, fk_error *err);

static bool exists(bench *it, const char *name) {
    return tree_exists(bench_in_runs(it, name));
}

static void swap(bench *it, const char *one, const char *other) {
    assert_int_equal(rename(bench_in_runs(it, one), bench_in_runs(it, "between")), 0);
    assert_int_equal(rename(bench_in_runs(it, other), bench_in_runs(it, one)), 0);
    assert_int_equal(rename(bench_in_runs(it, "between"), bench_in_runs(it, other)), 0);
}

/* What recover removes (a generation that was never published, stages whose writers are dead) and
 * keeps (stages of which nobody knows); it is made again where it is gone. */
static void litter(bench *it) {
    char name[128];
    if (!exists(it, ENTRY)) {
        assert_int_equal(bench_regenerate(it), FK_OK);
        swap(it, RUN, ENTRY);
    }
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, ".stage-%032x.lock", i);
        tree_write(bench_in_runs(it, name), "{}", 2);
        snprintf(name, sizeof name, ".stage-f%031x", i);
        (void)mkdir(bench_in_runs(it, name), 0777);
    }
}

static void fill_trash(bench *it) {
    char name[128];
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, ".trash-" RUN ".%u", i + 10);
        assert_int_equal(mkdir(bench_in_runs(it, name), 0777), 0);
    }
}

static void begin(bench *it) {
    const fk_store_options fast = {.size = sizeof fast, .durability = FK_DURABILITY_NONE};
    bench_reopen(it, &fast);
    bench_save_well(it, RUN);
    it->err = (fk_error){0};
}

/* ---- calls -------------------------------------------------------------------------------- */

static fk_code list_trash(bench *it, fk_error *err) {
    fk_trash_list *trash = NULL;
    fk_code code = fk_trash(it->store, &trash, err);
    if (code == FK_OK) {
        assert_int_equal(fk_trash_list_count(trash), MANY);
        assert_null(fk_trash_list_at(trash, MANY));
    } else {
        assert_null(trash);
    }
    fk_trash_list_destroy(trash);
    return code;
}

static fk_code recover(bench *it, fk_error *err) {
    fk_recovery *recovery = NULL;
    fk_code code = fk_recover(it->store, &recovery, err);
    assert_true((code == FK_OK) == (recovery != NULL));
    if (recovery != NULL) {
        assert_true(recovery->kept_count >= MANY);
    }
    fk_recovery_destroy(recovery);
    return code;
}

static fk_code regenerate(bench *it, fk_error *err) {
    static const unsigned char pixels[4] = {1, 2, 3, 4};
    const fk_image image = {pixels, sizeof pixels, 2, 2, 1};
    fk_generation *generation = NULL;
    fk_code code = fk_generation_create(it->store, "1-fruity", RUN, &generation, err);
    if (code == FK_OK) {
        code = fk_draft_set_sample(generation->draft, &image, err);
    }
    if (code == FK_OK) {
        code = fk_generation_publish(generation, err);
    }
    fk_generation_destroy(generation);
    return code;
}

static void empty_trash(bench *it) {
    fk_trash_list *purged = NULL;
    assert_int_equal(fk_purge(it->store, NULL, &purged, &it->err), FK_OK);
    fk_trash_list_destroy(purged);
}

/* ---- memory ------------------------------------------------------------------------------- */

/* The n-th allocation fails, for every n: FK_E_NO_MEMORY, or a result that did without it. Each
 * time the run is as it was. */
static void starve(bench *it, trash_call call, void (*prepare)(bench *it)) {
    size_t short_of_memory = 0;
    bool failed = true;
    for (size_t nth = 1; failed; nth++) {
        prepare(it);
        fake_memory_fail(nth);
        fk_code code = call(it, &it->err);
        failed = fake_memory_relent();
        short_of_memory += code == FK_E_NO_MEMORY;
        assert_true(code == FK_OK || (failed && code == FK_E_NO_MEMORY));
        assert_int_equal(bench_generation(it, RUN), 1);
    }
    assert_true(short_of_memory > 10);
    bench_assert_all_verify(it, 1);
}

static void test_recovery_survives_when_memory_runs_out(void **state) {
    bench *it = *state;
    begin(it);
    starve(it, recover, litter);
    assert_false(exists(it, ENTRY));
    litter(it);
    fk_recovery *recovery = NULL;
    assert_int_equal(fk_recover(it->store, &recovery, &it->err), FK_OK);
    assert_int_equal(recovery->removed_count, MANY + 1);
    assert_int_equal(recovery->kept_count, MANY);
    assert_string_equal(recovery->removed[MANY], "1-fruity/runs/" ENTRY);
    fk_recovery_destroy(recovery);
}

static void prepare_nothing(bench *it) {
    (void)it;
}

static void test_the_trash_is_listed_or_memory_ran_out(void **state) {
    bench *it = *state;
    begin(it);
    litter(it); /* its unpublished generation is not listed */
    fill_trash(it);
    char *before = tree_listing(it->path, true);
    starve(it, list_trash, prepare_nothing);
    char *after = tree_listing(it->path, true);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

/* ---- nobody asks for the reason ----------------------------------------------------------- */

static void test_generations_fail_without_a_word_where_nobody_asks_for_one(void **state) {
    bench *it = *state;
    static const char *const calls[] = {"openat_beneath", "renameat2"};
    begin(it);
    uint64_t generation = 1;
    size_t failures = 0;
    for (size_t i = 0; i < 2; i++) {
        bool reached = true;
        for (size_t nth = 1; reached; nth++) {
            size_t made = fake_kernel_count(calls[i]);
            fake_kernel_fail(calls[i], nth, EIO, FAKE_ONCE);
            fk_code code = regenerate(it, NULL);
            reached = fake_kernel_count(calls[i]) - made >= nth;
            fake_kernel_relent();
            generation += code == FK_OK;
            failures += code != FK_OK;
            assert_true(code == FK_OK || (reached && code == FK_E_IO));
            assert_int_equal(bench_generation(it, RUN), generation);
            empty_trash(it); /* what is there is looked at by the next change */
        }
    }
    assert_true(failures >= 3);
}

static void test_a_font_that_cannot_be_opened_fails_the_list_without_a_word(void **state) {
    bench *it = *state;
    begin(it);
    fk_trash_list *trash = NULL;
    fake_kernel_fail("openat_beneath", 1, EIO, FAKE_ONCE);
    assert_int_equal(fk_trash(it->store, &trash, NULL), FK_E_IO);
    assert_null(trash);
}

/* ---- types of names ----------------------------------------------------------------------- */

/* The n-th look at a file fails, for every n: the call fails, or did without it. Tells how often it
 * failed. */
static size_t fail_looks(bench *it, trash_call call) {
    size_t failures = 0;
    bool reached = true;
    for (size_t nth = 1; reached; nth++) {
        size_t made = fake_kernel_count("fstatat");
        fake_kernel_fail("fstatat", nth, EIO, FAKE_ONCE);
        fk_code code = call(it, &it->err);
        reached = fake_kernel_count("fstatat") - made >= nth;
        fake_kernel_relent();
        failures += code != FK_OK;
        assert_true(code == FK_OK || (reached && code == FK_E_IO));
    }
    return failures;
}

static fk_code find_run(bench *it, fk_error *err) {
    FK_SCOPED(fk_file_closep) int runs = open(bench_in_runs(it, ""), O_RDONLY | O_CLOEXEC);
    fk_trash_id id;
    fk_trash_name name = {.number = 0};
    assert_int_equal(fk_trash_id_parse("1-fruity/" RUN ".10", &id, NULL), FK_OK);
    fk_code code = fk_trash_find(runs, "runs", &id, &name, err);
    assert_int_equal(name.number, code == FK_OK ? 10 : 0);
    return code;
}

static void test_entries_whose_type_cannot_be_known_are_an_error(void **state) {
    bench *it = *state;
    begin(it);
    fill_trash(it);
    assert_int_equal(
        rename(bench_in_runs(it, ".trash-" RUN ".19"), bench_in_store(it, ".trash-2-apple.1")), 0);
    tree_write(bench_in_runs(it, ".trash-" RUN ".40"), "no directory", 12);
    tree_write(bench_in_store(it, ".trash-2-apple.2"), "no directory", 12);
    char *before = tree_listing(it->path, true);
    fake_kernel_tell_types(false);
    size_t unlisted = fail_looks(it, list_trash);
    size_t unfound = fail_looks(it, find_run);
    fake_kernel_tell_types(true);
    assert_true(unlisted >= MANY);
    assert_int_equal(unfound, 1);
    char *after = tree_listing(it->path, true);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

/* ---- names and numbers -------------------------------------------------------------------- */

static void test_numbers_that_others_take_first_are_given_up_after_a_while(void **state) {
    bench *it = *state;
    fk_trash_entry entry;
    begin(it);
    fake_kernel_fail("renameat2", 1, EEXIST, FAKE_EVER_AFTER);
    assert_int_equal(fk_rm(it->store, "1-fruity", RUN, &entry, &it->err), FK_E_BUSY);
    fake_kernel_relent();
    assert_non_null(strstr(it->err.message, "others took"));
    assert_int_equal(fake_kernel_count("renameat2") >= 100, true);
    bench_assert_all_verify(it, 1);
    bench_assert_trash(it, "");
}

static void test_a_number_beyond_the_last_is_not_preferred(void **state) {
    bench *it = *state;
    fk_trash_name name;
    begin(it);
    FK_SCOPED(fk_file_closep) int runs = open(bench_in_runs(it, ""), O_RDONLY | O_CLOEXEC);
    assert_int_equal(
        fk_trash_move(runs, "runs", RUN, RUN, FK_TRASH_NUMBER_MAX + 1, &name, &it->err), FK_OK);
    assert_int_equal(name.number, 1);
    assert_true(exists(it, ".trash-" RUN ".1"));
}

static void test_a_run_s_entry_beside_the_fonts_is_no_entry(void **state) {
    bench *it = *state;
    fk_trash_entry entry;
    begin(it);
    assert_int_equal(mkdir(bench_in_store(it, ".trash-" RUN ".5"), 0777), 0);
    bench_assert_trash(it, "");
    assert_int_equal(fk_rm(it->store, "1-fruity", NULL, &entry, &it->err), FK_OK);
    assert_string_equal(entry.trash_id, "1-fruity.1");
    bench_assert_trash(it, "1");
}

static void test_an_entry_that_went_meanwhile_has_no_time_and_no_size(void **state) {
    bench *it = *state;
    fk_trash_entry entry;
    const fk_trash_name name = {.subject = RUN, .number = 3};
    begin(it);
    FK_SCOPED(fk_file_closep) int runs = open(bench_in_runs(it, ""), O_RDONLY | O_CLOEXEC);
    fk_trash_describe(runs, &name, "1-fruity", RUN, &entry);
    assert_string_equal(entry.trash_id, "1-fruity/" RUN ".3");
    assert_true(entry.removed_at_us == FK_NO_TIME);
    assert_int_equal(entry.bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, bench_setup_at_now, bench_teardown)
        T(test_recovery_survives_when_memory_runs_out),
        T(test_the_trash_is_listed_or_memory_ran_out),
        T(test_generations_fail_without_a_word_where_nobody_asks_for_one),
        T(test_a_font_that_cannot_be_opened_fails_the_list_without_a_word),
        T(test_entries_whose_type_cannot_be_known_are_an_error),
        T(test_numbers_that_others_take_first_are_given_up_after_a_while),
        T(test_a_number_beyond_the_last_is_not_preferred),
        T(test_a_run_s_entry_beside_the_fonts_is_no_entry),
        T(test_an_entry_that_went_meanwhile_has_no_time_and_no_size),
    };
    if (access("/dev/shm", W_OK) == 0) { /* hundreds of generations, whose syncs take their time */
        setenv("TMPDIR", "/dev/shm", 0);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
