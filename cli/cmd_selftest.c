#include <signal.h>
#include <stdio.h>

#include "commands.h"
#include "fail.h"
#include "human.h"
#include "json_output.h"
#include "progress.h"
#include "table.h"

static void print_json(const fk_selftest_report *report) {
    fk_values *values = fk_values_create();
    fk_value *document = fk_value_container(values, FK_KIND_DICT);
    fk_value *primitives = fk_value_container(values, FK_KIND_LIST);
    for (size_t i = 0; i < report->primitive_count; i++) {
        const fk_primitive *primitive = &report->primitives[i];
        fk_value *row = fk_value_container(values, FK_KIND_DICT);
        cli_json_put(values, row, "name", cli_json_text(values, primitive->name));
        cli_json_put(values, row, "works", fk_value_bool(values, primitive->works));
        cli_json_put(values, row, "instead", cli_json_text(values, primitive->instead));
        cli_json_append(primitives, row);
    }
    cli_json_put(values, document, "dir", cli_json_text(values, report->dir));
    cli_json_put(values, document, "file_system", cli_json_text(values, report->file_system));
    cli_json_put(values, document, "primitives", primitives);
    cli_json_put(values, document, "kills", cli_json_number(values, report->kills));
    cli_json_put(values, document, "violations", cli_json_number(values, report->violations));
    cli_json_put(values, document, "verdict", cli_json_text(values, report->verdict));
    cli_json_print(stdout, document);
    fk_values_destroy(values);
}

static void print_primitives(const fk_selftest_report *report) {
    static const char *const titles[] = {"PRIMITIVE", "WORKS", "INSTEAD"};
    cli_table *table = cli_table_create(3, titles);
    for (size_t i = 0; i < report->primitive_count; i++) {
        const fk_primitive *primitive = &report->primitives[i];
        const cli_colour colours[] = {CLI_PLAIN, primitive->works ? CLI_GREEN : CLI_YELLOW,
                                      CLI_PLAIN};
        const char *instead = primitive->instead == NULL ? "" : primitive->instead;
        cli_table_row(
            table, (const char *const[]){primitive->name, primitive->works ? "yes" : "no", instead},
            colours);
    }
    cli_table_print(table, stdout);
    cli_table_destroy(table);
}

static void print_verdict(const fk_selftest_report *report) {
    static const struct {
        cli_colour colour;
        const char *head;
    } heads[] = {
        [FK_FIT] = {CLI_GREEN, "This disk is fit for fontkeep."},
        [FK_FIT_WITH_LIMITS] = {CLI_YELLOW, "This disk is fit for fontkeep, with these limits:"},
        [FK_NOT_FIT] = {CLI_RED, "This disk is not fit for fontkeep:"},
    };
    cli_human_print(stdout, heads[report->fitness].colour, 0, heads[report->fitness].head);
    puts("");
    for (size_t i = 0; i < report->limit_count; i++) {
        printf("  - %s\n", report->limits[i]);
    }
}

static void print_text(const fk_selftest_report *report) {
    printf("%s  (%s)\n\n", report->dir, report->file_system);
    print_primitives(report);
    printf("\n%zu processes killed, each at another call of a save, a removal, a restoring, an\n"
           "adoption, a regeneration or a migration; %zu files damaged: %zu violations\n\n",
           report->kills, report->flips, report->violations);
    print_verdict(report);
    puts("Not shown by such a test: power cuts, and disks that claim to have written what they "
         "have not.");
}

int cli_cmd_selftest(cli_context *context) {
    fk_selftest_report *report = NULL;
    cli_progress progress;
    const char *directory = cli_context_argument(context, 0);
    fk_selftest_options options = {
        .size = sizeof options, .progress = cli_progress_step, .progress_user = &progress};
    signal(SIGCHLD, SIG_DFL); /* whoever started us may have ignored it: then nobody can wait */
    cli_progress_begin(&progress, context, "killing");
    progress.things = "processes";
    fk_code code = fk_selftest(directory != NULL ? directory : context->store_path, &options,
                               &report, &context->error);
    cli_progress_end(&progress);
    if (code == FK_OK && context->json) {
        print_json(report);
    } else if (code == FK_OK) {
        print_text(report);
    }
    int status = code == FK_OK && report->fitness == FK_NOT_FIT ? 1 : 0;
    fk_selftest_report_destroy(report);
    return code == FK_OK ? status : cli_fail(context);
}
