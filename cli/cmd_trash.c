#include <stdio.h>

#include "commands.h"
#include "fail.h"
#include "human.h"
#include "json_output.h"
#include "table.h"
#include "trash_output.h"

static void print_json(const fk_trash_list *trash) {
    fk_values *values = fk_values_create();
    fk_value *document = fk_value_container(values, FK_KIND_LIST);
    for (size_t i = 0; i < fk_trash_list_count(trash); i++) {
        const fk_trash_entry *entry = fk_trash_list_at(trash, i);
        fk_value *row = cli_trash_json(values, entry);
        cli_json_put(values, row, "removed_at", cli_json_time(values, entry->removed_at_us));
        cli_json_append(document, row);
    }
    cli_json_print(stdout, document);
    fk_values_destroy(values);
}

static void print_text(const fk_trash_list *trash) {
    static const char *const titles[] = {"TRASH", ">SIZE", "REMOVED"};
    static const cli_colour colours[] = {CLI_BOLD, CLI_PLAIN, CLI_PLAIN};
    cli_table *table = cli_table_create(3, titles);
    for (size_t i = 0; i < fk_trash_list_count(trash); i++) {
        const fk_trash_entry *entry = fk_trash_list_at(trash, i);
        char size[CLI_HUMAN_BYTES];
        char age[CLI_HUMAN_BYTES];
        cli_human_size(entry->bytes, size);
        cli_human_age(entry->removed_at_us, age);
        cli_table_row(table, (const char *const[]){entry->trash_id, size, age}, colours);
    }
    cli_table_print(table, stdout);
    cli_table_destroy(table);
}

int cli_cmd_trash(cli_context *context) {
    fk_store *store = NULL;
    fk_trash_list *trash = NULL;
    fk_code code = cli_context_open(context, false, &store);
    if (code == FK_OK) {
        code = fk_trash(store, &trash, &context->error);
    }
    if (code == FK_OK && context->json) {
        print_json(trash);
    } else if (code == FK_OK && fk_trash_list_count(trash) == 0) {
        cli_warn(context, "the trash of '%s' is empty", fk_store_path(store));
    } else if (code == FK_OK) {
        print_text(trash);
    }
    fk_trash_list_destroy(trash);
    fk_store_close(store);
    return code == FK_OK ? 0 : cli_fail(context);
}
