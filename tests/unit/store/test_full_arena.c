/* An arena takes memory by the chunk, so that most allocations cannot fail. Here every single one
 * behind a filled chunk does. And what the report of damage says at its edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "digest/digest.h"
#include "fake_memory.h"
#include "store/load/load.h"
#include "store/load/vector.h"
#include "store/run/damage.h"
#include "store/run/health.h"
#include "store/run/pieces.h"
#include "value/values.h"

enum { CHUNKS_BYTES = 16384, STEP = 16 };

typedef fk_code (*arena_call)(fk_values *values, fk_error *err);

/* From here on the arena has no more than what is left of its chunk. */
static void go_short(void) {
    fake_memory_fail_ever_after(1);
}

/* Memory runs out with so many bytes of an arena taken, for all numbers: the call fails, or has
 * enough. */
static void fill(arena_call call) {
    size_t short_of_memory = 0;
    size_t enough = 0;
    for (size_t taken = STEP; taken <= CHUNKS_BYTES; taken += STEP) {
        fk_error err = {0};
        fk_values *values = fk_values_create();
        for (size_t i = 0; i < taken; i += STEP) {
            assert_non_null(fk_values_allocate(values, STEP));
        }
        fk_code code = call(values, &err);
        bool failed = fake_memory_relent();
        assert_int_equal(code, failed ? FK_E_NO_MEMORY : FK_OK);
        assert_int_equal(err.code, code);
        short_of_memory += failed;
        enough += !failed;
        fk_values_destroy(values);
    }
    assert_true(short_of_memory > 10 && enough > 10);
}

static fk_code conclude(fk_values *values, fk_error *err) {
    fk_run run = {.values = values, .info.health = FK_COMPLETE};
    go_short();
    fk_findings_init(&run.findings, values);
    fk_problem problem = FK_PROBLEM("digest", "weights");
    problem.tensor = "model.layer";
    fk_findings_add(&run.findings, FK_CORRUPT, &problem, "a message of some length");
    fk_code code = fk_health_conclude(&run, err);
    if (code == FK_OK) {
        assert_int_equal(run.info.health, FK_CORRUPT);
        assert_string_equal(run.info.problems[0].path, "weights");
        assert_string_equal(run.info.problems[0].tensor, "model.layer");
        assert_string_equal(run.info.problems[0].message, "a message of some length");
    } else {
        assert_int_equal(run.info.problem_count, 0);
    }
    return code;
}

static void test_a_list_of_problems_is_whole_or_fails(void **state) {
    (void)state;
    fill(conclude);
}

/* One float, seen as four: more than its file has, and yet few. */
static fk_code own_vector(fk_values *values, fk_error *err) {
    static float element = 1.5f;
    static int64_t shape[] = {4};
    static int64_t strides[] = {0};
    FK_SCOPED(fk_values_destroyp) fk_values *source = fk_values_create();
    fk_loaded loaded = {.values = values, .map.bytes = sizeof element};
    fk_tensor view = {.dtype = FK_FLOAT32,
                      .rank = 1,
                      .shape = shape,
                      .strides = strides,
                      .storage = fk_storage_create(source, &element, sizeof element)};
    loaded.weights.personality_vector = fk_value_tensor(source, &view);
    assert_non_null(loaded.weights.personality_vector);
    go_short();
    fk_code code = fk_vector_own(&loaded, err);
    if (code == FK_OK) {
        const float *own = fk_tensor_data(loaded.personality_vector);
        assert_true(own[0] == 1.5f && own[3] == 1.5f);
    } else {
        assert_null(loaded.personality_vector);
    }
    return code;
}

static void test_a_vector_is_whole_or_fails(void **state) {
    (void)state;
    fill(own_vector);
}

static void test_lists_of_problems_that_are_not_whole_make_one_that_is_not(void **state) {
    (void)state;
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    fk_findings one;
    fk_findings other;
    for (int i = 0; i < 4; i++) {
        fk_findings_init(&one, values);
        fk_findings_init(&other, values);
        one.failed = (i & 1) != 0;
        other.failed = (i & 2) != 0;
        fk_findings_join(&one, &other);
        assert_int_equal(one.failed, i != 0);
    }
}

static void test_good_pieces_prove_the_bytes_they_hold_and_no_others(void **state) {
    (void)state;
    static const bool damaged[2] = {false, true};
    const fk_run_file file = {.path = "weights", .bytes = 2 * FK_PIECE_BYTES, .pieces = 2};
    fk_damage damage = {.listed = &file, .damaged = damaged};
    fk_torch_proof proof = fk_damage_proof(&damage);
    assert_true(proof.holds(proof.user, 0, 0));
    assert_true(proof.holds(proof.user, 0, FK_PIECE_BYTES));
    assert_false(proof.holds(proof.user, 0, FK_PIECE_BYTES + 1));
    assert_false(proof.holds(proof.user, FK_PIECE_BYTES, 1));
    assert_false(proof.holds(proof.user, 2 * FK_PIECE_BYTES, 1));
    damage.damaged = NULL;
    assert_false(proof.holds(proof.user, 0, 1));
}

static void test_more_rows_than_tensors_leave_none_intact(void **state) {
    (void)state;
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    fk_torch_loss rows[] = {{.tensor = (char[]){"a"}, .bytes = 4},
                            {.tensor = (char[]){"b"}, .bytes = 4}};
    const fk_torch_losses losses = {.rows = rows, .count = 2, .tensors = 1};
    const fk_run_file file = {.path = "weights", .bytes = 8, .pieces = 1};
    fk_damage damage = {.listed = &file, .is_weights = true};
    fk_findings findings;
    fk_findings_init(&findings, values);
    assert_int_equal(fk_damage_report(&damage, &losses, &findings, NULL), FK_OK);
    assert_int_equal(damage.intact, 0);
    assert_int_equal(findings.count, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_list_of_problems_is_whole_or_fails),
        cmocka_unit_test(test_a_vector_is_whole_or_fails),
        cmocka_unit_test(test_lists_of_problems_that_are_not_whole_make_one_that_is_not),
        cmocka_unit_test(test_good_pieces_prove_the_bytes_they_hold_and_no_others),
        cmocka_unit_test(test_more_rows_than_tensors_leave_none_intact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
