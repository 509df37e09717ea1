/* What salvage gives of damaged weights: exactly what is intact. */
#ifndef SALVAGE_H
#define SALVAGE_H

#include <stddef.h>

#include "scene.h"

typedef struct salvage_figures {
    size_t tried;
    size_t given;   /* something was left */
    size_t tensors; /* of these, compared with what was saved */
    size_t wrong;   /* violations: other bytes than were saved, a loss that is not named, an intact
                       tensor held back */
} salvage_figures;

/* Salvages the newer run, whose weights were damaged in the bytes [`from`, `to`), or cut at `from`,
 * where `to` is their length. */
void salvage_try(const scene *it, size_t from, size_t to, salvage_figures *figures);

#endif
