/* Saves a run, lists the runs, loads the newest, prints a tensor.
 *
 *   cc -o tiny tiny.c $(pkg-config --cflags --libs fontkeep) && ./tiny DIR
 */
#include <inttypes.h>
#include <stdio.h>

#include <fontkeep/fontkeep.h>

static fk_value *vector(fk_values *values, float *numbers, int64_t count) {
    fk_storage *storage = fk_storage_create(values, numbers, (uint64_t)count * sizeof *numbers);
    fk_tensor tensor = {.dtype = FK_FLOAT32, .rank = 1, .shape = &count, .storage = storage};
    return storage == NULL ? NULL : fk_value_tensor(values, &tensor);
}

static fk_code save(fk_store *store, fk_values *values, fk_error *err) {
    static float bias[] = {0.5F, -1.25F, 3.0F}, personality[] = {0.1F, 0.9F};
    static const unsigned char grey[4 * 4] = {[5] = 255, [10] = 255};
    fk_value *weights = fk_value_container(values, FK_KIND_DICT);
    fk_value *feedback = fk_value_container(values, FK_KIND_DICT);
    if (fk_value_set(weights, "bias", vector(values, bias, 3)) != FK_OK ||
        fk_value_set(feedback, "notes", fk_value_string(values, "made by tiny.c")) != FK_OK) {
        return FK_E_NO_MEMORY;
    }
    fk_image sample = {grey, sizeof grey, .width = 4, .height = 4, .channels = 1};
    fk_glyph dot = {.label = "period", .image = sample};
    fk_model model = {.size = sizeof model,
                      .weights = weights,
                      .personality_vector = vector(values, personality, 2),
                      .sample_image = &sample,
                      .eval_glyphs = &dot,
                      .eval_glyph_count = 1,
                      .feedback = feedback};
    fk_run_id run_id;
    return fk_save_model(store, "1-tiny", &model, &run_id, err);
}

static fk_code list(fk_store *store, fk_error *err) {
    fk_run_list *runs = NULL;
    fk_code code = fk_list_runs(store, "1-tiny", NULL, &runs, err);
    for (size_t i = 0; code == FK_OK && i < fk_run_list_count(runs); i++) {
        const fk_run_info *run = fk_run_list_at(runs, i);
        printf("%s  %s\n", run->run_id, fk_health_name(run->health));
    }
    fk_run_list_destroy(runs);
    return code;
}

static fk_code load_and_print(fk_store *store, fk_error *err) {
    fk_loaded *loaded = NULL;
    fk_code code = fk_load_model(store, "1-tiny", NULL, NULL, &loaded, err);
    if (code == FK_OK) {
        const fk_tensor *bias = fk_value_as_tensor(fk_value_get(fk_loaded_weights(loaded), "bias"));
        const float *numbers = fk_tensor_data(bias);
        for (uint64_t i = 0; i < fk_tensor_elements(bias); i++) {
            printf("bias[%" PRIu64 "] = %g\n", i, numbers[i]);
        }
    }
    fk_loaded_destroy(loaded);
    return code;
}

int main(int argc, char **argv) {
    fk_error err = {.message = "no memory"};
    fk_store *store = NULL;
    fk_store_options options = {.size = sizeof options, .create = true};
    fk_values *values = fk_values_create();
    fk_code code = values == NULL ? FK_E_NO_MEMORY : FK_OK;
    code = code != FK_OK ? code : fk_store_open(argc > 1 ? argv[1] : NULL, &options, &store, &err);
    code = code != FK_OK ? code : save(store, values, &err);
    code = code != FK_OK ? code : list(store, &err);
    code = code != FK_OK ? code : load_and_print(store, &err);
    if (code != FK_OK) {
        fprintf(stderr, "tiny: %s\n%s\n", err.message, err.hint);
    }
    fk_store_close(store);
    fk_values_destroy(values);
    return fk_code_exit_status(code);
}
