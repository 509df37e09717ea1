#include "load_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

fk_loaded *loaded;

fk_code load(run_bench *it, const char *run_id, fk_load_options options) {
    fk_loaded_destroy(loaded);
    loaded = NULL;
    options.size = sizeof options;
    fk_code code = fk_load_model(it->store, RUN_FONT, run_id, &options, &loaded, &it->err);
    assert_true((code == FK_OK) == (loaded != NULL));
    return code;
}

const fk_tensor *load_layer(void) {
    return fk_value_as_tensor(fk_value_get(fk_loaded_weights(loaded), "layer.weight"));
}

void load_assert_weights(run_bench *it) {
    const fk_tensor *tensor = load_layer();
    assert_int_equal(fk_tensor_elements(tensor), it->sample.count);
    assert_memory_equal(fk_tensor_data(tensor), it->sample.floats,
                        it->sample.count * sizeof(float));
}

const fk_problem *load_find_loss(const fk_run_info *info, const char *tensor) {
    for (size_t i = 0; i < info->problem_count; i++) {
        const fk_problem *problem = &info->problems[i];
        if (problem->tensor != NULL && strcmp(problem->tensor, tensor) == 0) {
            return problem;
        }
    }
    return NULL;
}

int load_teardown(void **state) {
    fk_loaded_destroy(loaded);
    loaded = NULL;
    return run_bench_teardown(state);
}
