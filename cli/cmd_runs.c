#include <stdio.h>

#include "commands.h"
#include "fail.h"
#include "input.h"
#include "json_output.h"
#include "table.h"

/* Row by row: all of them at once would take memory that is touched twice. */
static void print_json(const fk_run_list *runs) {
    fputs("[", stdout);
    for (size_t i = 0; i < fk_run_list_count(runs); i++) {
        fk_values *values = fk_values_create();
        fputs(i > 0 ? ", " : "", stdout);
        cli_json_write(stdout, cli_json_run(values, fk_run_list_at(runs, i)));
        fk_values_destroy(values);
    }
    fputs("]\n", stdout);
}

static void add_row(cli_table *table, const fk_run_info *run) {
    char age[CLI_HUMAN_BYTES] = "-";
    char size[CLI_HUMAN_BYTES];
    char metrics[80];
    int64_t ended_at_us = run->ended_at_us;
    if (ended_at_us != FK_NO_TIME) {
        cli_human_age(ended_at_us, age);
    }
    cli_human_size(run->size_bytes, size);
    cli_human_dict(run->metrics, metrics, sizeof metrics);
    const char *status = run->status == FK_STATUS_UNKNOWN ? "-" : fk_run_status_name(run->status);
    const char *texts[] = {run->run_id, status, fk_health_name(run->health), age, size, metrics};
    cli_colour colours[] = {CLI_BOLD,  CLI_PLAIN, cli_human_health_colour(run->health),
                            CLI_PLAIN, CLI_PLAIN, CLI_PLAIN};
    cli_table_row(table, texts, colours);
}

static void print_text(const fk_run_list *runs) {
    static const char *const titles[] = {"RUN", "STATUS", "HEALTH", ">AGE", ">SIZE", "METRICS"};
    cli_table *table = cli_table_create(6, titles);
    for (size_t i = 0; i < fk_run_list_count(runs); i++) {
        add_row(table, fk_run_list_at(runs, i));
    }
    cli_table_print(table, stdout);
    cli_table_destroy(table);
}

static fk_code read_query(cli_context *context, fk_store *store, const char *font_id,
                          fk_run_query *query, fk_run_id *after) {
    const char *text = cli_context_option(context, "after");
    *query = (fk_run_query){.size = sizeof *query};
    query->reverse = cli_context_option(context, "reverse") != NULL;
    fk_code code = cli_input_count(context, "limit", &query->limit);
    if (code == FK_OK && cli_context_option(context, "limit") != NULL && query->limit == 0) {
        code = cli_fail_usage(context, "--limit 0 would list nothing");
    }
    if (code == FK_OK && text != NULL) {
        code = fk_resolve_run(store, font_id, text, after, &context->error);
        query->after = after->text;
    }
    return code;
}

int cli_cmd_runs(cli_context *context) {
    const char *font_id = cli_context_argument(context, 0);
    fk_store *store = NULL;
    fk_run_list *runs = NULL;
    fk_run_query query;
    fk_run_id after;
    fk_code code = cli_context_open(context, false, &store);
    if (code == FK_OK) {
        code = read_query(context, store, font_id, &query, &after);
    }
    if (code == FK_OK) {
        code = fk_list_runs(store, font_id, &query, &runs, &context->error);
    }
    if (code == FK_OK && fk_run_list_warning(runs) != NULL) {
        cli_warn(context, "%s", fk_run_list_warning(runs));
    }
    if (code == FK_OK && context->json) {
        print_json(runs);
    } else if (code == FK_OK && fk_run_list_count(runs) == 0) {
        cli_warn(context, "font '%s' has no runs here", font_id);
    } else if (code == FK_OK) {
        print_text(runs);
    }
    fk_run_list_destroy(runs);
    fk_store_close(store);
    return code == FK_OK ? 0 : cli_fail(context);
}
