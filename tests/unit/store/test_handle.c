/* Opening a store, its identity, and making fonts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "fake_kernel.h"
#include "fontkeep/fontkeep.h"
#include "store/handle/handle.h"
#include "tree.h"

static fk_code open_store(bench *it, const char *path, const fk_store_options *options) {
    fk_store *store = NULL;
    fk_code code = fk_store_open(path, options, &store, &it->err);
    assert_true((code == FK_OK) == (store != NULL));
    fk_store_close(store);
    return code;
}

/* ---- opening ------------------------------------------------------------------------------ */

static void test_opening_writes_nothing(void **state) {
    bench *it = *state;
    assert_string_equal(fk_store_path(it->store), it->path);
    assert_string_equal(fake_kernel_record(), "");
    fk_store_close(NULL);
}

static void test_a_missing_store_is_not_found_and_the_hint_makes_one(void **state) {
    bench *it = *state;
    assert_int_equal(open_store(it, bench_in_store(it, "none"), NULL), FK_E_STORE_NOT_FOUND);
    assert_string_equal(it->err.path, bench_in_store(it, "none"));
    assert_non_null(strstr(it->err.message, "does not exist"));
    assert_non_null(strstr(it->err.hint, "fontkeep init"));
    assert_int_equal(fk_store_open(bench_in_store(it, "none"), NULL, &it->store, NULL),
                     FK_E_STORE_NOT_FOUND);
}

static void test_a_file_is_no_store(void **state) {
    bench *it = *state;
    tree_write(bench_in_store(it, "file"), "x", 1);
    assert_int_equal(open_store(it, bench_in_store(it, "file"), NULL), FK_E_STORE_NOT_FOUND);
    assert_non_null(strstr(it->err.message, "is no directory"));
}

static void test_a_store_that_may_not_be_opened_is_an_access_error(void **state) {
    bench *it = *state;
    fake_kernel_fail("openat", 1, EACCES, FAKE_ONCE);
    assert_int_equal(open_store(it, it->path, NULL), FK_E_ACCESS);
    assert_non_null(strstr(it->err.hint, "permission"));
    assert_string_equal(it->err.path, it->path);
}

static void test_create_makes_the_directory_and_its_parents(void **state) {
    bench *it = *state;
    const fk_store_options options = {.size = sizeof options, .create = true};
    assert_int_equal(open_store(it, bench_in_store(it, "a/b/c"), &options), FK_OK);
    assert_true(tree_exists(bench_in_store(it, "a/b/c")));
    fake_kernel_fail("mkdirat", 1, EROFS, FAKE_ONCE);
    assert_int_equal(open_store(it, bench_in_store(it, "d"), &options), FK_E_ACCESS);
}

static void test_no_path_means_the_environment_then_networks(void **state) {
    bench *it = *state;
    fk_store *store = NULL;
    assert_int_equal(setenv("FONTKEEP_STORE", it->path, 1), 0);
    assert_int_equal(fk_store_open(NULL, NULL, &store, NULL), FK_OK);
    assert_string_equal(fk_store_path(store), it->path);
    fk_store_close(store);
    for (int empty = 0; empty < 2; empty++) {
        assert_int_equal(empty ? setenv("FONTKEEP_STORE", "", 1) : unsetenv("FONTKEEP_STORE"), 0);
        assert_int_equal(open_store(it, NULL, NULL), FK_E_STORE_NOT_FOUND);
        assert_string_equal(it->err.path, "./networks");
    }
}

static void test_options_must_be_of_a_size_that_is_known(void **state) {
    bench *it = *state;
    fk_store_options options = {0};
    assert_int_equal(open_store(it, it->path, &options), FK_E_USAGE);
    assert_non_null(strstr(it->err.message, "fk_store_options"));

    struct {
        fk_store_options known;
        uint64_t newer;
    } larger = {.known = {.size = sizeof larger}};
    assert_int_equal(open_store(it, it->path, &larger.known), FK_OK);
    larger.newer = 1;
    assert_int_equal(open_store(it, it->path, &larger.known), FK_E_USAGE);

    options = (fk_store_options){.size = sizeof options, .durability = (fk_durability)7};
    assert_int_equal(open_store(it, it->path, &options), FK_E_USAGE);
}

static void test_the_store_stays_the_same_when_the_working_directory_changes(void **state) {
    bench *it = *state;
    char *before = getcwd(NULL, 0);
    assert_non_null(before);
    assert_int_equal(chdir(it->path), 0);
    assert_int_equal(mkdir("inner", 0777), 0);
    fk_store *store = NULL;
    assert_int_equal(fk_store_open("inner", NULL, &store, &it->err), FK_OK);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(fk_create_font(store, "1-fruity", &it->err), FK_OK);
    assert_true(tree_exists(bench_in_store(it, "inner/1-fruity/runs")));
    assert_string_equal(fk_store_path(store), "inner");
    fk_store_close(store);
    assert_int_equal(chdir(before), 0);
    free(before);
}

static void test_a_vanished_store_is_said_to_be_gone_and_not_made_again(void **state) {
    bench *it = *state;
    assert_int_equal(rmdir(it->path), 0);
    assert_int_equal(fk_create_font(it->store, "1-fruity", &it->err), FK_E_STORE_NOT_FOUND);
    assert_non_null(strstr(it->err.message, "any more"));
    fk_recovery *recovery = NULL;
    assert_int_equal(fk_recover(it->store, &recovery, &it->err), FK_E_STORE_NOT_FOUND);
    assert_false(tree_exists(it->path));
    assert_int_equal(mkdir(it->path, 0777), 0);
    assert_int_equal(fk_create_font(it->store, "1-fruity", &it->err), FK_OK);
}

/* ---- identity ----------------------------------------------------------------------------- */

static void test_init_writes_the_identity_once(void **state) {
    bench *it = *state;
    char first[37] = "";
    char second[37] = "";
    assert_int_equal(fk_store_init(it->store, first, &it->err), FK_OK);
    assert_int_equal(strlen(first), 36);
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        assert_true(dash ? first[i] == '-' : strchr("0123456789abcdef", first[i]) != NULL);
    }
    assert_int_equal(first[14], '4');
    assert_int_equal(fk_store_init(it->store, second, &it->err), FK_OK);
    assert_string_equal(first, second);
    assert_int_equal(tree_count(bench_in_store(it, ".fontkeep"), "", NULL), 1);
    char *text = tree_read(bench_in_store(it, ".fontkeep/store.json"), NULL);
    assert_non_null(strstr(text, "\"store_version\": 1"));
    assert_non_null(strstr(text, first));
    free(text);
}

static void test_the_identity_is_synced_before_it_is_given(void **state) {
    bench *it = *state;
    char store_id[37];
    assert_int_equal(fk_store_init(it->store, store_id, &it->err), FK_OK);
    assert_int_equal(fake_kernel_count("fsync"), 3); /* the file, .fontkeep, the store */
    fk_store *store = NULL;
    const fk_store_options options = {.size = sizeof options, .durability = FK_DURABILITY_NONE};
    assert_int_equal(fk_store_open(it->path, &options, &store, NULL), FK_OK);
    assert_int_equal(remove(bench_in_store(it, ".fontkeep/store.json")), 0);
    assert_int_equal(fk_store_init(store, store_id, &it->err), FK_OK);
    assert_int_equal(fake_kernel_count("fsync"), 3);
    fk_store_close(store);
}

static void test_a_failing_init_leaves_no_file(void **state) {
    bench *it = *state;
    static const char *const calls[] = {"mkdirat", "write", "fsync", "getrandom"};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        char store_id[37] = "untouched";
        fake_kernel_fail(calls[i], 1, EIO, FAKE_ONCE);
        assert_int_equal(fk_store_init(it->store, store_id, &it->err), FK_E_IO);
        assert_string_equal(store_id, "untouched");
        fake_kernel_relent();
        if (tree_exists(bench_in_store(it, ".fontkeep"))) {
            assert_int_equal(tree_count(bench_in_store(it, ".fontkeep"), "", NULL), 0);
        }
    }
}

static void test_where_files_cannot_be_linked_the_identity_is_renamed(void **state) {
    bench *it = *state;
    char store_id[37];
    fake_kernel_fail("linkat", 1, EPERM, FAKE_ONCE);
    assert_int_equal(fk_store_init(it->store, store_id, &it->err), FK_OK);
    assert_int_equal(tree_count(bench_in_store(it, ".fontkeep"), "", NULL), 1);
}

static void write_identity(bench *it, const char *text) {
    mkdir(bench_in_store(it, ".fontkeep"), 0777);
    tree_write(bench_in_store(it, ".fontkeep/store.json"), text, strlen(text));
}

static void test_a_store_of_a_newer_format_is_refused_with_both_versions(void **state) {
    bench *it = *state;
    write_identity(it, "{\"store_version\": 2, \"store_id\": 5}");
    assert_int_equal(open_store(it, it->path, NULL), FK_E_UNSUPPORTED);
    assert_int_equal(it->err.subject, FK_SUBJECT_VERSION);
    assert_non_null(strstr(it->err.message, "version 2"));
    assert_non_null(strstr(it->err.message, "version 1"));
    assert_string_equal(it->err.path, bench_in_store(it, ".fontkeep/store.json"));
}

static void test_a_damaged_identity_stops_nobody_but_init(void **state) {
    bench *it = *state;
    static const char *const damaged[] = {
        "",
        "{",
        "[]",
        "{\"store_id\": \"x\"}",
        "{\"store_version\": 1}",
        "{\"store_version\": 0, \"store_id\": \"x\"}",
        "{\"store_version\": 1, \"store_id\": \"x\"}",
        "{\"store_version\": 1, \"store_id\": \"01234567-0123-4123-8123-0123456789a\\u0000\"}"};
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        char store_id[37];
        write_identity(it, damaged[i]);
        assert_int_equal(open_store(it, it->path, NULL), FK_OK);
        assert_int_equal(fk_store_init(it->store, store_id, &it->err), FK_E_CORRUPT);
        assert_string_equal(it->err.path, bench_in_store(it, ".fontkeep/store.json"));
    }
    char font_id[16];
    snprintf(font_id, sizeof font_id, "1-fruity");
    assert_int_equal(fk_create_font(it->store, font_id, &it->err), FK_OK);
    assert_int_equal(remove(bench_in_store(it, ".fontkeep/store.json")), 0);
    assert_int_equal(mkdir(bench_in_store(it, ".fontkeep/store.json"), 0777), 0);
    char store_id[37];
    assert_int_equal(open_store(it, it->path, NULL), FK_OK);
    assert_int_equal(fk_store_init(it->store, store_id, &it->err), FK_E_CORRUPT);
}

static void *init_in_a_thread(void *user) {
    bench *it = user;
    char *store_id = calloc(1, 37);
    fk_store_init(it->store, store_id, NULL);
    return store_id;
}

static void test_many_who_init_at_once_agree_on_the_id(void **state) {
    bench *it = *state;
    pthread_t threads[8];
    char *ids[8];
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, init_in_a_thread, it), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(pthread_join(threads[i], (void **)&ids[i]), 0);
    }
    assert_int_equal(strlen(ids[0]), 36);
    for (size_t i = 0; i < 8; i++) {
        assert_string_equal(ids[i], ids[0]);
    }
    for (size_t i = 0; i < 8; i++) {
        free(ids[i]);
    }
}

/* ---- finding fonts and runs/ -------------------------------------------------------------- */

static fk_code open_runs(bench *it, fk_store *store, const char *font_id, char *warning) {
    int fd = -1;
    fk_code code = fk_store_open_runs(store, font_id, &fd, warning, &it->err);
    if (fd >= 0) {
        close(fd);
    }
    return code;
}

static void test_an_unknown_font_offers_the_nearest(void **state) {
    bench *it = *state;
    assert_int_equal(open_runs(it, it->store, "1-fruity", NULL), FK_E_FONT_NOT_FOUND);
    assert_non_null(strstr(it->err.hint, "fontkeep create"));
    assert_int_equal(fk_create_font(it->store, "1-fruity", NULL), FK_OK);
    assert_int_equal(mkdir(bench_in_store(it, "Stranger"), 0777), 0);
    assert_int_equal(open_runs(it, it->store, "1-fruty", NULL), FK_E_FONT_NOT_FOUND);
    assert_non_null(strstr(it->err.hint, "'1-fruity'"));
    assert_int_equal(open_runs(it, it->store, "1-Fruity", NULL), FK_E_FONT_NOT_FOUND);
    assert_non_null(strstr(it->err.hint, "'1-fruity'"));
    assert_int_equal(open_runs(it, it->store, "../1-fruity", NULL), FK_E_FONT_NOT_FOUND);
    assert_int_equal(open_runs(it, it->store, "Stranger", NULL), FK_E_FONT_NOT_FOUND);
    assert_int_equal(open_runs(it, it->store, "", NULL), FK_E_FONT_NOT_FOUND);
}

static void test_a_link_or_file_in_place_of_a_font_is_refused(void **state) {
    bench *it = *state;
    assert_int_equal(symlink("/", bench_in_store(it, "1-link")), 0);
    assert_int_equal(open_runs(it, it->store, "1-link", NULL), FK_E_INVALID);
    assert_string_equal(it->err.path, bench_in_store(it, "1-link"));
    assert_int_equal(fk_create_font(it->store, "1-link", &it->err), FK_E_INVALID);
    tree_write(bench_in_store(it, "2-file"), "", 0);
    assert_int_equal(open_runs(it, it->store, "2-file", NULL), FK_E_INVALID);
}

static void test_a_missing_runs_directory_is_made_by_a_reader(void **state) {
    bench *it = *state;
    char warning[256] = "old";
    assert_int_equal(mkdir(bench_in_store(it, "1-fruity"), 0777), 0);
    assert_int_equal(open_runs(it, it->store, "1-fruity", warning), FK_OK);
    assert_string_equal(warning, "");
    assert_true(tree_exists(bench_in_store(it, "1-fruity/runs")));
}

static void test_where_runs_cannot_be_made_a_reader_is_warned(void **state) {
    bench *it = *state;
    char warning[256] = "";
    int fd = 5;
    assert_int_equal(mkdir(bench_in_store(it, "1-fruity"), 0777), 0);
    fake_kernel_fail("mkdirat", 1, EROFS, FAKE_EVER_AFTER);
    assert_int_equal(fk_store_open_runs(it->store, "1-fruity", &fd, warning, &it->err), FK_OK);
    assert_int_equal(fd, -1);
    assert_non_null(strstr(warning, "1-fruity"));
    assert_int_equal(fk_store_open_runs(it->store, "1-fruity", &fd, NULL, &it->err), FK_OK);
    assert_int_equal(fd, -1);
    fake_kernel_relent();
    fake_kernel_fail("mkdirat", 1, EIO, FAKE_ONCE);
    assert_int_equal(open_runs(it, it->store, "1-fruity", warning), FK_E_IO);
    assert_string_equal(it->err.path, bench_in_store(it, "1-fruity/runs"));
}

static void test_with_create_runs_off_a_missing_runs_is_an_error(void **state) {
    bench *it = *state;
    fk_store *store = NULL;
    const fk_store_options options = {.size = sizeof options, .no_create_runs = true};
    assert_int_equal(fk_store_open(it->path, &options, &store, NULL), FK_OK);
    assert_int_equal(mkdir(bench_in_store(it, "1-fruity"), 0777), 0);
    assert_int_equal(open_runs(it, store, "1-fruity", NULL), FK_E_INCOMPLETE);
    assert_string_equal(it->err.path, bench_in_store(it, "1-fruity/runs"));
    assert_false(tree_exists(bench_in_store(it, "1-fruity/runs")));
    fk_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_opening_writes_nothing),
        TEST(test_a_missing_store_is_not_found_and_the_hint_makes_one),
        TEST(test_a_file_is_no_store),
        TEST(test_a_store_that_may_not_be_opened_is_an_access_error),
        TEST(test_create_makes_the_directory_and_its_parents),
        TEST(test_no_path_means_the_environment_then_networks),
        TEST(test_options_must_be_of_a_size_that_is_known),
        TEST(test_the_store_stays_the_same_when_the_working_directory_changes),
        TEST(test_a_vanished_store_is_said_to_be_gone_and_not_made_again),
        TEST(test_init_writes_the_identity_once),
        TEST(test_the_identity_is_synced_before_it_is_given),
        TEST(test_a_failing_init_leaves_no_file),
        TEST(test_where_files_cannot_be_linked_the_identity_is_renamed),
        TEST(test_a_store_of_a_newer_format_is_refused_with_both_versions),
        TEST(test_a_damaged_identity_stops_nobody_but_init),
        TEST(test_many_who_init_at_once_agree_on_the_id),
        TEST(test_an_unknown_font_offers_the_nearest),
        TEST(test_a_link_or_file_in_place_of_a_font_is_refused),
        TEST(test_a_missing_runs_directory_is_made_by_a_reader),
        TEST(test_where_runs_cannot_be_made_a_reader_is_warned),
        TEST(test_with_create_runs_off_a_missing_runs_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
