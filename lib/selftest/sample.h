/* The small run that a self-test saves. */
#ifndef FK_SELFTEST_SAMPLE_H
#define FK_SELFTEST_SAMPLE_H

#include "base/error.h"
#include "fontkeep/draft.h"

enum { FK_SAMPLE_FLOATS = 1024, FK_SAMPLE_SIDE = 8 };

/* Looks into itself: do not move it. */
typedef struct fk_sample {
    fk_values *values;
    float floats[FK_SAMPLE_FLOATS];
    unsigned char pixels[FK_SAMPLE_SIDE * FK_SAMPLE_SIDE];
    fk_image image;
    fk_glyph glyph;
    fk_model model;
} fk_sample;

fk_code fk_sample_init(fk_sample *sample, fk_error *err);
void fk_sample_finish(fk_sample *sample);

#endif
