/* Making fonts: exclusive, numbered, taken back when it fails. */
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

/* ---- making fonts ------------------------------------------------------------------------- */

static void test_a_font_is_made_durable_and_only_once(void **state) {
    bench *it = *state;
    assert_int_equal(fk_create_font(it->store, "1-fruity", &it->err), FK_OK);
    const char *record = fake_kernel_record();
    const char *expected = "mkdirat 1-fruity\nmkdirat runs\nfsync 1-fruity\nfsync ";
    assert_int_equal(strncmp(record, expected, strlen(expected)), 0);
    assert_int_equal(fk_create_font(it->store, "1-fruity", &it->err), FK_E_FONT_EXISTS);
    assert_string_equal(it->err.path, bench_in_store(it, "1-fruity"));
    assert_true(tree_exists(bench_in_store(it, ".fontkeep/store.json")));
}

static void test_an_id_that_breaks_the_rule_makes_nothing(void **state) {
    bench *it = *state;
    static const char *const wrong[] = {"Fruity", "1_fruity", "1-Fruity", "fruity-1",
                                        "1-",     "../1-a",   "",         "1-a/runs"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(fk_create_font(it->store, wrong[i], &it->err), FK_E_INVALID);
        assert_int_equal(it->err.subject, FK_SUBJECT_FONT_ID);
    }
    assert_int_equal(tree_count(it->path, "", NULL), 0);
}

static void test_a_font_that_cannot_be_made_whole_is_taken_back(void **state) {
    bench *it = *state;
    for (size_t nth = 1; nth <= 2; nth++) {
        fake_kernel_fail("fsync", nth, EIO, FAKE_ONCE);
        assert_int_equal(fk_create_font(it->store, "1-fruity", &it->err), FK_E_IO);
        fake_kernel_relent();
        assert_int_equal(tree_count(it->path, "", NULL), 0);
        fake_kernel_fail("mkdirat", nth, ENOSPC, FAKE_ONCE);
        assert_int_equal(fk_create_font(it->store, "1-fruity", &it->err), FK_E_NO_SPACE);
        fake_kernel_relent();
        assert_int_equal(tree_count(it->path, "", NULL), 0);
    }
}

static void test_a_read_only_store_says_so(void **state) {
    bench *it = *state;
    fake_kernel_fail("mkdirat", 1, EROFS, FAKE_EVER_AFTER);
    assert_int_equal(fk_create_font(it->store, "1-fruity", &it->err), FK_E_ACCESS);
    assert_string_equal(it->err.path, bench_in_store(it, "1-fruity"));
    assert_non_null(strstr(it->err.hint, "read-write"));
}

static void test_the_next_font_has_the_next_number(void **state) {
    bench *it = *state;
    fk_font_id id;
    assert_int_equal(fk_create_next_font(it->store, "fruity", &id, &it->err), FK_OK);
    assert_string_equal(id.text, "1-fruity");
    assert_int_equal(mkdir(bench_in_store(it, "9-dumb"), 0777), 0);
    assert_int_equal(mkdir(bench_in_store(it, "77-Stranger"), 0777), 0);
    assert_int_equal(fk_create_next_font(it->store, "fruity", &id, &it->err), FK_OK);
    assert_string_equal(id.text, "10-fruity");
    assert_int_equal(mkdir(bench_in_store(it, ".trash-0099-gone.2"), 0777), 0);
    assert_int_equal(mkdir(bench_in_store(it, ".trash-junk"), 0777), 0);
    assert_int_equal(fk_create_next_font(it->store, "a-b", &id, &it->err), FK_OK);
    assert_string_equal(id.text, "100-a-b");
    assert_int_equal(mkdir(bench_in_store(it, "199999999999999999999-big"), 0777), 0);
    assert_int_equal(fk_create_next_font(it->store, "c", &id, &it->err), FK_OK);
    assert_string_equal(id.text, "200000000000000000000-c");
}

static void test_a_wrong_name_makes_no_font(void **state) {
    bench *it = *state;
    fk_font_id id = {"untouched"};
    assert_int_equal(fk_create_next_font(it->store, "Fruity", &id, &it->err), FK_E_INVALID);
    assert_non_null(strstr(it->err.hint, "1-fruity"));
    assert_string_equal(id.text, "untouched");
    assert_int_equal(tree_count(it->path, "", NULL), 0);
}

static void take_the_number(void *user) {
    bench *it = user;
    assert_int_equal(mkdir(bench_in_store(it, "1-other"), 0777), 0);
}

static void test_who_sees_another_font_with_its_number_gives_way(void **state) {
    bench *it = *state;
    fk_font_id id;
    fake_kernel_before("mkdirat", 1, take_the_number, it);
    assert_int_equal(fk_create_next_font(it->store, "mine", &id, &it->err), FK_OK);
    assert_string_equal(id.text, "2-mine");
    assert_false(tree_exists(bench_in_store(it, "1-mine")));
}

static void *create_in_a_thread(void *user) {
    bench *it = user;
    char name[32];
    static _Atomic unsigned next;
    snprintf(name, sizeof name, "thread%u", next++);
    fk_font_id *ids = calloc(4, sizeof *ids);
    for (size_t i = 0; i < 4; i++) {
        fk_create_next_font(it->store, name, &ids[i], NULL);
    }
    return ids;
}

static void test_many_who_create_at_once_get_different_numbers(void **state) {
    bench *it = *state;
    pthread_t threads[4];
    bool seen[1000] = {false};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, create_in_a_thread, it), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        fk_font_id *ids = NULL;
        assert_int_equal(pthread_join(threads[i], (void **)&ids), 0);
        for (size_t n = 0; n < 4; n++) {
            unsigned long number = strtoul(ids[n].text, NULL, 10);
            assert_in_range(number, 1, 999);
            assert_false(seen[number]);
            seen[number] = true;
        }
        free(ids);
    }
}

static void test_the_version_is_the_headers(void **state) {
    (void)state;
    assert_string_equal(fk_version(), FK_VERSION);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_font_is_made_durable_and_only_once),
        TEST(test_an_id_that_breaks_the_rule_makes_nothing),
        TEST(test_a_font_that_cannot_be_made_whole_is_taken_back),
        TEST(test_a_read_only_store_says_so),
        TEST(test_the_next_font_has_the_next_number),
        TEST(test_a_wrong_name_makes_no_font),
        TEST(test_who_sees_another_font_with_its_number_gives_way),
        TEST(test_many_who_create_at_once_get_different_numbers),
        TEST(test_the_version_is_the_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
