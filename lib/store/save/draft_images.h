/* The images of a draft: sample and glyphs. */
#ifndef FK_STORE_DRAFT_IMAGES_H
#define FK_STORE_DRAFT_IMAGES_H

#include "base/error.h"
#include "fontkeep/draft.h"

/* Checks an image without writing it: a PNG file whole, pixels by their sizes. `path` is what it
 * will be called. */
fk_code fk_image_check(const fk_image *image, const char *path, fk_error *err);

#endif
