#include <stdio.h>

#include "commands.h"
#include "fail.h"
#include "json_output.h"
#include "table.h"

static void print_json(const fk_font_list *fonts) {
    fk_values *values = fk_values_create();
    fk_value *document = fk_value_container(values, FK_KIND_LIST);
    for (size_t i = 0; i < fk_font_list_count(fonts); i++) {
        const fk_font_info *font = fk_font_list_at(fonts, i);
        fk_value *row = fk_value_container(values, FK_KIND_DICT);
        cli_json_put(values, row, "font_id", cli_json_text(values, font->font_id));
        cli_json_put(values, row, "runs", cli_json_number(values, font->runs));
        cli_json_put(values, row, "latest_run_id", cli_json_text(values, font->latest_run_id));
        cli_json_append(document, row);
    }
    cli_json_print(stdout, document);
    fk_values_destroy(values);
}

static void print_text(const fk_font_list *fonts) {
    static const char *const titles[] = {"FONT", ">RUNS", "LATEST RUN"};
    static const cli_colour colours[] = {CLI_BOLD, CLI_PLAIN, CLI_PLAIN};
    cli_table *table = cli_table_create(3, titles);
    for (size_t i = 0; i < fk_font_list_count(fonts); i++) {
        const fk_font_info *font = fk_font_list_at(fonts, i);
        char runs[32];
        snprintf(runs, sizeof runs, "%zu", font->runs);
        const char *latest = font->latest_run_id == NULL ? "-" : font->latest_run_id;
        cli_table_row(table, (const char *const[]){font->font_id, runs, latest}, colours);
    }
    cli_table_print(table, stdout);
    cli_table_destroy(table);
}

int cli_cmd_fonts(cli_context *context) {
    fk_store *store = NULL;
    fk_font_list *fonts = NULL;
    fk_code code = cli_context_open(context, false, &store);
    if (code == FK_OK) {
        code = fk_list_fonts(store, &fonts, &context->error);
    }
    if (code == FK_OK && context->json) {
        print_json(fonts);
    } else if (code == FK_OK && fk_font_list_count(fonts) == 0) {
        cli_warn(context, "no fonts yet in '%s': 'fontkeep create FONT' makes one",
                 fk_store_path(store));
    } else if (code == FK_OK) {
        print_text(fonts);
    }
    fk_font_list_destroy(fonts);
    fk_store_close(store);
    return code == FK_OK ? 0 : cli_fail(context);
}
