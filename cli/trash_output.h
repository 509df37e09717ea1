/* Entries of the trash, for people and as JSON. */
#ifndef FK_CLI_TRASH_OUTPUT_H
#define FK_CLI_TRASH_OUTPUT_H

#include <fontkeep/fontkeep.h>

/* {"trash_id", "font_id", "run_id", "bytes"}, run_id null for a font. */
fk_value *cli_trash_json(fk_values *values, const fk_trash_entry *entry);
/* "run 2026-01-11T08:30:00.000000 of font 1-fruity", "font 1-fruity". */
const char *cli_trash_what(const fk_trash_entry *entry, char into[160]);

#endif
