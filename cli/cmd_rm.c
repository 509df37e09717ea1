#include <stdio.h>

#include "commands.h"
#include "fail.h"
#include "human.h"
#include "json_output.h"
#include "trash_output.h"

static void print(const cli_context *context, const fk_trash_entry *entry) {
    char what[160];
    char size[CLI_HUMAN_BYTES];
    if (!context->json) {
        printf("%s is in the trash as %s\n", cli_trash_what(entry, what), entry->trash_id);
        printf("'fontkeep restore %s' brings it back, 'fontkeep purge %s' frees %s\n",
               entry->trash_id, entry->trash_id, cli_human_size(entry->bytes, size));
        return;
    }
    fk_values *values = fk_values_create();
    cli_json_print(stdout, cli_trash_json(values, entry));
    fk_values_destroy(values);
}

int cli_cmd_rm(cli_context *context) {
    const char *font_id = cli_context_argument(context, 0);
    bool is_run = cli_context_argument(context, 1) != NULL;
    fk_store *store = NULL;
    fk_run_id run_id;
    fk_trash_entry entry = {.bytes = 0};
    fk_code code = cli_context_open(context, false, &store);
    if (code == FK_OK && is_run) {
        code = cli_context_run(context, store, font_id, 1, &run_id);
    }
    if (code == FK_OK) {
        code = fk_rm(store, font_id, is_run ? run_id.text : NULL, &entry, &context->error);
    }
    if (code == FK_OK || code == FK_E_NOT_DURABLE) {
        print(context, &entry);
    }
    fk_store_close(store);
    return code == FK_OK ? 0 : cli_fail(context);
}
