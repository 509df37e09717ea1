/* Glyph labels to file names and back: "A" -> "A.png", "\u00e9" -> "uni00E9.png", "fi" -> "fi.png",
 * "\U0001f642" -> "u1F642.png". A label stays as it is when it is [A-Za-z0-9_-]{1,32} and does not
 * start like an escape; any other becomes uniXXXX (or uXXXXX, uXXXXXX beyond U+FFFF) per character,
 * joined by '_'. */
#ifndef FK_STORE_GLYPH_NAME_H
#define FK_STORE_GLYPH_NAME_H

#include "base/error.h"

enum { FK_GLYPH_FILE_BYTES = 256, FK_LABEL_BYTES = 1024 };

/* FK_E_INVALID: empty or no UTF-8; FK_E_LIMIT: too long for a file name. */
fk_code fk_glyph_name_from_label(const char *label, char into[FK_GLYPH_FILE_BYTES], fk_error *err);

/* The label of a file name with or without ".png"; a name that is no escape is its own label. */
void fk_glyph_name_to_label(const char *file_name, char into[FK_LABEL_BYTES]);

#endif
