#include "trash_output.h"

#include <stdio.h>

#include "json_output.h"

static bool is_font(const fk_trash_entry *entry) {
    return entry->run_id.text[0] == '\0';
}

fk_value *cli_trash_json(fk_values *values, const fk_trash_entry *entry) {
    fk_value *row = fk_value_container(values, FK_KIND_DICT);
    const char *run_id = is_font(entry) ? NULL : entry->run_id.text;
    cli_json_put(values, row, "trash_id", cli_json_text(values, entry->trash_id));
    cli_json_put(values, row, "font_id", cli_json_text(values, entry->font_id.text));
    cli_json_put(values, row, "run_id", cli_json_text(values, run_id));
    cli_json_put(values, row, "bytes", cli_json_number(values, entry->bytes));
    return row;
}

const char *cli_trash_what(const fk_trash_entry *entry, char into[160]) {
    if (is_font(entry)) {
        snprintf(into, 160, "font %s", entry->font_id.text);
    } else {
        snprintf(into, 160, "run %s of font %s", entry->run_id.text, entry->font_id.text);
    }
    return into;
}
