#include "selftest/sample.h"

#include <string.h>

#include "value/values.h"

static fk_value *tensor_of(fk_sample *sample, size_t count) {
    int64_t shape[1] = {(int64_t)count};
    fk_tensor tensor = {
        .dtype = FK_FLOAT32,
        .rank = 1,
        .shape = shape,
        .storage =
            fk_storage_create(sample->values, sample->floats, count * sizeof *sample->floats),
    };
    return tensor.storage == NULL ? NULL : fk_value_tensor(sample->values, &tensor);
}

/* {"layer.weight": tensor} */
static fk_value *make_weights(fk_sample *sample) {
    fk_value *weights = fk_value_container(sample->values, FK_KIND_DICT);
    fk_value *tensor = tensor_of(sample, FK_SAMPLE_FLOATS);
    return weights != NULL && tensor != NULL &&
                   fk_value_set(weights, "layer.weight", tensor) == FK_OK
               ? weights
               : NULL;
}

static void fill(fk_sample *sample) {
    for (size_t i = 0; i < FK_SAMPLE_FLOATS; i++) {
        sample->floats[i] = (float)i / 7.0f;
    }
    for (size_t i = 0; i < sizeof sample->pixels; i++) {
        sample->pixels[i] = (unsigned char)(i * 4);
    }
    sample->image = (fk_image){.bytes = sample->pixels,
                               .length = sizeof sample->pixels,
                               .width = FK_SAMPLE_SIDE,
                               .height = FK_SAMPLE_SIDE,
                               .channels = 1};
    sample->glyph = (fk_glyph){.label = "A", .image = sample->image};
}

fk_code fk_sample_init(fk_sample *sample, fk_error *err) {
    memset(sample, 0, sizeof *sample);
    fill(sample);
    sample->values = fk_values_create();
    if (sample->values == NULL) {
        return fk_error_no_memory(err);
    }
    sample->model = (fk_model){
        .size = sizeof sample->model,
        .weights = make_weights(sample),
        .personality_vector = tensor_of(sample, 16),
        .sample_image = &sample->image,
        .eval_glyphs = &sample->glyph,
        .eval_glyph_count = 1,
        .feedback = fk_value_container(sample->values, FK_KIND_DICT),
    };
    bool whole = sample->model.weights != NULL && sample->model.personality_vector != NULL &&
                 sample->model.feedback != NULL;
    return whole ? FK_OK : fk_error_no_memory(err);
}

void fk_sample_finish(fk_sample *sample) {
    fk_values_destroy(sample->values);
}
