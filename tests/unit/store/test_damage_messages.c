/* What is told of damage names the file once, and the run at most once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "load_fixture.h"
#include "store/run/wording.h"
#include "tree.h"

typedef enum damage { FLIP, CUT, LONGER, GONE, FIFO, LINK, DIRECTORY, DAMAGES } damage;

static void do_damage(const char *path, damage kind) {
    switch (kind) {
    case FLIP:
        run_damage_flip(path, 40);
        break;
    case CUT:
        run_damage_truncate(path, 10);
        break;
    case LONGER:
        run_damage_append(path, "more");
        break;
    case GONE:
        assert_int_equal(unlink(path), 0);
        break;
    case FIFO:
        run_damage_fifo(path);
        break;
    case LINK:
        assert_int_equal(unlink(path), 0);
        assert_int_equal(symlink("elsewhere", path), 0);
        break;
    default:
        assert_int_equal(unlink(path), 0);
        assert_int_equal(mkdir(path, 0777), 0);
    }
}

static size_t count(const char *text, const char *part) {
    size_t found = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        found++;
    }
    return found;
}

static void assert_says_once(const char *message, const char *name, const char *id) {
    if (count(message, name) != 1 || count(message, id) > 1) {
        fail_msg("'%s' and '%s' are not named once: %s", name, id, message);
    }
}

/* A row has the path beside it, and stands in a run. */
static void assert_rows_name_neither(const fk_run_info *info) {
    for (size_t i = 0; i < info->problem_count; i++) {
        const fk_problem *problem = &info->problems[i];
        if (count(problem->message, problem->path) + count(problem->message, info->run_id) > 0) {
            fail_msg("%s is named again: %s", problem->path, problem->message);
        }
    }
}

static void look_at_all(run_bench *it, const char *id, const char *name) {
    char out[600];
    snprintf(out, sizeof out, "%s/.out", it->path);
    fk_code code = load(it, id, (fk_load_options){.strict = true});
    if (code != FK_OK) {
        assert_says_once(it->err.message, name, id);
    }
    code = load(it, id, PLAIN);
    if (code == FK_OK) {
        assert_rows_name_neither(fk_loaded_info(loaded));
    } else {
        assert_says_once(it->err.message, name, id);
    }
    code = fk_copy_run(it->store, RUN_FONT, id, out, NULL, NULL, NULL, &it->err);
    if (code == FK_OK) {
        tree_destroy(strdup(out));
    } else {
        assert_says_once(it->err.message, name, id);
    }
    fk_run_list *runs = NULL;
    assert_int_equal(fk_verify(it->store, RUN_FONT, id, NULL, NULL, &runs, &it->err), FK_OK);
    assert_true(fk_run_list_at(runs, 0)->problem_count > 0);
    assert_rows_name_neither(fk_run_list_at(runs, 0));
    fk_run_list_destroy(runs);
    assert_int_equal(fk_list_runs(it->store, RUN_FONT, NULL, &runs, &it->err), FK_OK);
    assert_rows_name_neither(fk_run_list_at(runs, 0));
    fk_run_list_destroy(runs);
}

static void test_each_kind_of_damage_to_each_file_names_it_once(void **state) {
    run_bench *it = *state;
    const char *id = run_bench_save(it);
    static const char *const names[] = {"weights", "sample.png", "feedback.json",
                                        "eval-glyphs/A.png", "run.json"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[600];
        size_t length = 0;
        snprintf(path, sizeof path, "%s", run_bench_file(it, id, names[i]));
        char *bytes = tree_read(path, &length);
        for (damage kind = FLIP; kind < DAMAGES; kind++) {
            do_damage(path, kind);
            look_at_all(it, id, names[i]);
            (void)remove(path);
            tree_write(path, bytes, length);
        }
        free(bytes);
    }
}

static void test_it_stands_for_the_name_and_the_run(void **state) {
    (void)state;
    static const char *const said[][2] = {
        {"'x' of run '2026' is missing", "it is missing"},
        {"cannot read 'x': no", "cannot read it: no"},
        {"'x' is like 'x'", "it is like 'x'"},
        {"'xy' is x", "'xy' is x"},
        {"tensor 'x' is damaged", "tensor 'x' is damaged"},
        {"cannot read tensor: no", "cannot read tensor: no"},
        {"'x' of run '20", "it"},
        {"'x' of a kind", "it of a kind"},
    };
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        char into[FK_WORDING_BYTES];
        fk_wording_say_it(said[i][0], "x", into);
        assert_string_equal(into, said[i][1]);
    }
    char into[FK_WORDING_BYTES];
    fk_wording_say_it("'x' is missing", NULL, into);
    assert_string_equal(into, "'x' is missing");
}

static void assert_names_tensor(const fk_run_info *info) {
    const fk_problem *lost = load_find_loss(info, "weights");
    assert_non_null(lost);
    assert_ptr_equal(strstr(lost->message, "tensor 'weights' (bytes "), lost->message);
}

static void test_a_tensor_called_as_its_file_keeps_its_name(void **state) {
    run_bench *it = *state;
    static const char hand[] = "2026-02-01T00:00:00.000000";
    static float others[3] = {17.25f, -8.5f, 33.0f};
    sample_model *sample = &it->sample;
    fk_value *top = fk_value_container(sample->values, FK_KIND_DICT);
    fk_value *layer = sample_tensor(sample->values, sample->floats, sample->count);
    fk_value *weights = sample_tensor(sample->values, others, 3);
    assert_int_equal(fk_value_set(top, "layer.weight", layer), FK_OK);
    assert_int_equal(fk_value_set(top, "weights", weights), FK_OK);
    run_bench_make_unverified(it, run_bench_save(it), hand, "weights");
    const char *path = run_bench_file(it, hand, "weights");
    sample_write_checkpoint(top, path);
    run_damage_flip_bytes(path, others, sizeof others);
    fk_run_list *runs = NULL;
    assert_int_equal(fk_verify(it->store, RUN_FONT, hand, NULL, NULL, &runs, &it->err), FK_OK);
    assert_names_tensor(fk_run_list_at(runs, 0));
    fk_run_list_destroy(runs);
    assert_int_equal(load(it, hand, (fk_load_options){.salvage = true}), FK_OK);
    assert_names_tensor(fk_loaded_info(loaded));
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, run_bench_setup, load_teardown)
        T(test_each_kind_of_damage_to_each_file_names_it_once),
        T(test_it_stands_for_the_name_and_the_run),
        T(test_a_tensor_called_as_its_file_keeps_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
