#include "sample_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "checkpoint/torch_write.h"
#include "digest/digest.h"
#include "png/png_image.h"

enum { VECTOR_LENGTH = 4, SIDE = 4 };

static float vector[VECTOR_LENGTH] = {0.25f, -1.5f, 3.0f, 0.0f};
static const unsigned char pixels[SIDE * SIDE] = {0, 80, 160, 255};

static void check(bool fine, const char *what) {
    if (!fine) {
        fprintf(stderr, "sample: %s\n", what);
        abort();
    }
}

fk_value *sample_json(fk_values *values, const char *text) {
    fk_value *value = NULL;
    check(fk_json_read(text, strlen(text), values, &value, NULL) == FK_OK, text);
    return value;
}

void *sample_png(size_t *ret_length) {
    fk_buffer png = {0};
    check(fk_png_encode(pixels, SIDE, SIDE, 1, &png, NULL) == FK_OK, "png");
    return fk_buffer_take(&png, ret_length);
}

fk_value *sample_tensor(fk_values *values, float *floats, size_t count) {
    int64_t shape[1] = {(int64_t)count};
    fk_tensor tensor = {
        .dtype = FK_FLOAT32,
        .rank = 1,
        .shape = shape,
        .storage = fk_storage_create(values, floats, count * sizeof *floats),
    };
    return fk_value_tensor(values, &tensor);
}

static fk_code write_to_file(void *user, const void *from, size_t bytes, uint32_t *crc32,
                             fk_error *err) {
    (void)err;
    if (crc32 != NULL) {
        *crc32 = fk_crc32_update(*crc32, from, bytes);
    }
    return fwrite(from, 1, bytes, user) == bytes ? FK_OK : FK_E_IO;
}

void sample_write_checkpoint(const fk_value *top, const char *path) {
    FK_SCOPED(fk_torch_writer_destroyp) fk_torch_writer *writer = NULL;
    FILE *file = fopen(path, "wb");
    const fk_sink sink = {.write = write_to_file, .user = file};
    check(file != NULL && fk_torch_writer_create(top, &writer, NULL) == FK_OK &&
              fk_torch_writer_write(writer, &sink, NULL, NULL, NULL) == FK_OK,
          path);
    check(fclose(file) == 0, path);
}

void sample_model_init(sample_model *sample, size_t count) {
    *sample = (sample_model){.values = fk_values_create(), .count = count};
    sample->floats = malloc((count + 1) * sizeof *sample->floats);
    check(sample->values != NULL && sample->floats != NULL, "memory");
    for (size_t i = 0; i < count; i++) {
        sample->floats[i] = (float)i / 7.0f;
    }
    fk_value *weights = fk_value_container(sample->values, FK_KIND_DICT);
    check(fk_value_set(weights, "layer.weight",
                       sample_tensor(sample->values, sample->floats, count)) == FK_OK,
          "weights");
    sample->image = (fk_image){
        .bytes = pixels, .length = sizeof pixels, .width = SIDE, .height = SIDE, .channels = 1};
    sample->glyphs[0] = (fk_glyph){.label = "A", .image = sample->image};
    sample->glyphs[1] = (fk_glyph){.label = "é", .image = sample->image};
    sample->metadata = (fk_run_metadata){
        .size = sizeof sample->metadata,
        .training = sample_json(sample->values, "{\"epochs\": 3, \"learning_rate\": 0.03}"),
    };
    sample->model = (fk_model){
        .size = sizeof sample->model,
        .weights = weights,
        .personality_vector = sample_tensor(sample->values, vector, VECTOR_LENGTH),
        .sample_image = &sample->image,
        .eval_glyphs = sample->glyphs,
        .eval_glyph_count = 2,
        .feedback =
            sample_json(sample->values, "{\"metrics\": {\"loss\": 0.5}, \"notes\": \"ok\"}"),
        .metadata = &sample->metadata,
    };
}

void sample_model_finish(sample_model *sample) {
    fk_values_destroy(sample->values);
    free(sample->floats);
}
