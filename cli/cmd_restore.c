#include <stdio.h>

#include "commands.h"
#include "fail.h"
#include "json_output.h"
#include "trash_output.h"

static void print(const cli_context *context, const fk_trash_entry *entry) {
    char what[160];
    if (!context->json) {
        printf("%s is back\n", cli_trash_what(entry, what));
        return;
    }
    const char *run_id = entry->run_id.text[0] == '\0' ? NULL : entry->run_id.text;
    fk_values *values = fk_values_create();
    fk_value *document = fk_value_container(values, FK_KIND_DICT);
    cli_json_put(values, document, "font_id", cli_json_text(values, entry->font_id.text));
    cli_json_put(values, document, "run_id", cli_json_text(values, run_id));
    cli_json_print(stdout, document);
    fk_values_destroy(values);
}

int cli_cmd_restore(cli_context *context) {
    fk_store *store = NULL;
    fk_trash_entry entry = {.bytes = 0};
    fk_code code = cli_context_open(context, false, &store);
    if (code == FK_OK) {
        code = fk_restore(store, cli_context_argument(context, 0), &entry, &context->error);
    }
    if (code == FK_OK || code == FK_E_NOT_DURABLE) {
        print(context, &entry);
    }
    fk_store_close(store);
    return code == FK_OK ? 0 : cli_fail(context);
}
