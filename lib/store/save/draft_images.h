/* The images of a draft: sample and glyphs. */
#ifndef FK_STORE_DRAFT_IMAGES_H
#define FK_STORE_DRAFT_IMAGES_H

#include "base/error.h"
#include "fontkeep/draft.h"

/* Checks an image without writing it: a PNG file whole, pixels by their sizes. `path` is what it
 * will be called. */
fk_code fk_image_check(const fk_image *image, const char *path, fk_error *err);

/* Checks an image, and writes it as sample.png (`label` NULL) or as a file of eval-glyphs/ that the
 * draft does not have yet. Nothing is written when the image is refused. */
fk_code fk_draft_write_image(fk_draft *draft, const char *path, const char *label,
                             const fk_image *image, fk_error *err);

#endif
