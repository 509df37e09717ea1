#include <stdio.h>

#include "commands.h"
#include "fail.h"
#include "human.h"
#include "json_output.h"

static void print_json(const fk_store_report *report) {
    fk_values *values = fk_values_create();
    fk_value *document = fk_value_container(values, FK_KIND_DICT);
    fk_value *by_health = fk_value_container(values, FK_KIND_DICT);
    fk_value *strangers = fk_value_container(values, FK_KIND_LIST);
    for (fk_health health = FK_CORRUPT; health < FK_HEALTH_COUNT; health++) {
        cli_json_put(values, by_health, fk_health_name(health),
                     cli_json_number(values, report->by_health[health]));
    }
    for (size_t i = 0; i < report->stranger_count; i++) {
        cli_json_append(strangers, cli_json_text(values, report->strangers[i]));
    }
    cli_json_put(values, document, "store", cli_json_text(values, report->store));
    cli_json_put(values, document, "store_id", cli_json_text(values, report->store_id));
    cli_json_put(values, document, "fonts", cli_json_number(values, report->fonts));
    cli_json_put(values, document, "runs", cli_json_number(values, report->runs));
    cli_json_put(values, document, "by_health", by_health);
    cli_json_put(values, document, "stages", cli_json_number(values, report->stages));
    cli_json_put(values, document, "trash_bytes", cli_json_number(values, report->trash_bytes));
    cli_json_put(values, document, "strangers", strangers);
    cli_json_print(stdout, document);
    fk_values_destroy(values);
}

static void print_text(const fk_store_report *report) {
    char size[CLI_HUMAN_BYTES];
    printf("store   %s\n", report->store);
    printf("id      %s\n", report->store_id == NULL ? "none yet" : report->store_id);
    printf("fonts   %zu\n", report->fonts);
    printf("runs    %zu", report->runs);
    for (fk_health health = FK_COMPLETE + 1; health-- > FK_CORRUPT;) {
        if (report->by_health[health] > 0) {
            printf(", %zu ", report->by_health[health]);
            cli_human_print(stdout, cli_human_health_colour(health), 0, fk_health_name(health));
        }
    }
    printf("\nstages  %zu%s\n", report->stages,
           report->stages > 0 ? " (saves under way, or left behind: see 'fontkeep recover')" : "");
    printf("trash   %s\n", cli_human_size(report->trash_bytes, size));
    for (size_t i = 0; i < report->stranger_count; i++) {
        printf("%s%s\n", i == 0 ? "strange " : "        ", report->strangers[i]);
    }
}

int cli_cmd_status(cli_context *context) {
    fk_store *store = NULL;
    fk_store_report *report = NULL;
    fk_code code = cli_context_open(context, false, &store);
    if (code == FK_OK) {
        code = fk_status(store, &report, &context->error);
    }
    if (code == FK_OK && context->json) {
        print_json(report);
    } else if (code == FK_OK) {
        print_text(report);
    }
    fk_store_report_destroy(report);
    fk_store_close(store);
    return code == FK_OK ? 0 : cli_fail(context);
}
