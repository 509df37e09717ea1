/* Font ids: the rule, a corrected id for a wrong one, the order of fonts. */
#ifndef FK_STORE_FONT_ID_H
#define FK_STORE_FONT_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "fontkeep/font.h"

bool fk_font_id_is_valid(const char *text);

/* A valid id as near as can be to a wrong one ("Fruity" -> "1-fruity", "1_Fruity" -> "1-fruity").
 */
void fk_font_id_correct(const char *text, fk_font_id *ret_id);

/* By number (any length, leading zeros ignored), then name, then bytes: for qsort-like use on valid
 * ids. */
int fk_font_id_compare(const char *one, const char *other);

#endif
