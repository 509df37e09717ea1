/* A small run to be saved: weights of a few floats, a vector, an image, two glyphs, feedback. */
#ifndef SAMPLE_MODEL_H
#define SAMPLE_MODEL_H

#include "fontkeep/fontkeep.h"

typedef struct sample_model {
    fk_values *values;
    float *floats; /* [count], what the weights look at */
    size_t count;
    fk_image image;
    fk_glyph glyphs[2];
    fk_run_metadata metadata;
    fk_model model;
} sample_model;

/* `count` floats of weights. */
void sample_model_init(sample_model *sample, size_t count);
void sample_model_finish(sample_model *sample);

/* A tensor of one dimension that looks at `floats`. */
fk_value *sample_tensor(fk_values *values, float *floats, size_t count);
/* Writes `top` as a checkpoint, as a training script does; aborts when that fails. */
void sample_write_checkpoint(const fk_value *top, const char *path);
/* A value from JSON text; aborts when it is none. */
fk_value *sample_json(fk_values *values, const char *text);
/* A valid PNG file; the caller frees it. */
void *sample_png(size_t *ret_length);

#endif
