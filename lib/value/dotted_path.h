/* Dotted paths of values within values: "model.0.weight". */
#ifndef FK_VALUE_DOTTED_PATH_H
#define FK_VALUE_DOTTED_PATH_H

#include <stdbool.h>

#include "base/buffer.h"
#include "fontkeep/value.h"

enum { FK_DOTTED_PATH_BYTES = 512 };

/* Append a step: the key of an entry, as text (one that is no text or number by its kind; cut with
 * "..." behind FK_LIMIT_KEY_SHOWN_BYTES), or the index of an item. False when memory is short. */
bool fk_dotted_path_add_key(fk_buffer *path, const fk_value *key);
bool fk_dotted_path_add_index(fk_buffer *path, size_t index);

/* The path on one line, for a message: a long one loses its middle, an empty one is "(top)". */
void fk_dotted_path_text(fk_buffer *path, char into[FK_DOTTED_PATH_BYTES]);

#endif
