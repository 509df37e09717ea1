/* The weights file, version v1: what the top object of the checkpoint holds. docs/format/weights.md
 * has the format. */
#ifndef FK_STORE_WEIGHTS_H
#define FK_STORE_WEIGHTS_H

#include "base/error.h"
#include "fontkeep/value.h"

/* A checkpoint's top object, told apart. Borrowed from it. */
typedef struct fk_weights {
    const char
        *version; /* "v1", "v0" for anything that is no fontkeep file, or a newer one's text */
    const fk_value *model;              /* v0: the whole top object */
    const fk_value *architecture;       /* or NULL */
    const fk_value *personality_vector; /* a tensor value, or NULL */
} fk_weights;

/* The top object {"weights_version": "v1", "architecture", "personality_vector", "model"}.
 * `architecture` NULL:
 * {"tensors": {dotted name: {"dtype", "shape"}}} of the model is recorded. Everything lives in
 * `values`; the arguments must be of it, too, or outlive it. FK_E_INVALID: `architecture` is no
 * dict, `personality_vector` no tensor. */
fk_code fk_weights_wrap(fk_values *values, fk_value *model, fk_value *personality_vector,
                        fk_value *architecture, fk_value **ret_top, fk_error *err);

/* FK_E_UNSUPPORTED (subject version) naming both versions when the major version is newer;
 * FK_E_CORRUPT when a v1 file lacks a member or has one of the wrong kind. */
fk_code fk_weights_unwrap(const fk_value *top, fk_weights *ret_weights, fk_error *err);

#endif
