/* The sample of a run that lost it: a contact sheet of its glyphs, in the order of their labels'
 * characters. */
#ifndef FK_STORE_SAMPLE_SHEET_H
#define FK_STORE_SAMPLE_SHEET_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "store/change/generation.h"

/* Appends the sheet as a PNG file. It shows the glyphs of the new generation; those that stay
 * missing or damaged are left out. `*ret_made` false (with FK_OK): there is none to show. */
fk_code fk_sample_sheet_make(const fk_generation *it, fk_buffer *png, bool *ret_made,
                             fk_error *err);

#endif
