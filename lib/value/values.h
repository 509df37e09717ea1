/* The inside of fk_values and fk_value, for the library. Layout and invariants:
 * V1 a value never leaves its arena, and everything it points to is in the same arena (storages'
 * bytes apart). V2 a tensor's view lies within its storage; its elements, each counted, take less
 * than 2^63 bytes. */
#ifndef FK_VALUE_VALUES_H
#define FK_VALUE_VALUES_H

#include "base/cleanup.h"
#include "base/error.h"
#include "fontkeep/value.h"

FK_DEFINE_SCOPED(fk_values, fk_values_destroy);

/* Memory of the arena, 16-byte aligned, not zeroed; NULL when short. `bytes` may be 0. */
void *fk_values_allocate(fk_values *values, size_t bytes);

/* Has `release(user)` called when the arena is destroyed (last added, first called). For memory
 * that the values look at. On FK_E_NO_MEMORY it was not registered. */
fk_code fk_values_on_destroy(fk_values *values, void (*release)(void *user), void *user);

/* The span of its storage that a tensor touches, in bytes; both 0 for a tensor without elements.
 * False when the arithmetic wraps or a size, stride or offset is negative. */
bool fk_tensor_span(const fk_tensor *tensor, uint64_t *ret_first_byte, uint64_t *ret_end_byte);

/* Sets C-order strides for a shape; false when they wrap. */
bool fk_tensor_c_strides(uint32_t rank, const int64_t *shape, int64_t *ret_strides);

/* Turns a value of any kind into a FLOAT, in place. */
void fk_value_become_float(fk_value *value, double number);

/* Walks `root` and every value below it once per occurrence in depth-first order, dicts in entry
 * order and before their attributes, which are walked like further entries; a container already on
 * the way down (a cycle) is visited, but not entered again. `visit` gets the dotted path
 * ("model.0.weight"; list items by index, dict keys as text) and may stop the walk by returning
 * another code than FK_OK. FK_E_LIMIT beyond FK_LIMIT_DEPTH or FK_LIMIT_REPEATS, naming the
 * path. */
typedef fk_code (*fk_value_visitor)(void *user, const char *path, const fk_value *value,
                                    fk_error *err);
fk_code fk_value_walk(const fk_value *root, const char *root_path, fk_value_visitor visit,
                      void *user, fk_error *err);

#endif
