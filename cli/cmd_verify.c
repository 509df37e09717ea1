#include <stdio.h>

#include "commands.h"
#include "fail.h"
#include "human.h"
#include "json_output.h"
#include "problems.h"
#include "progress.h"

static bool is_damaged(const fk_run_info *run) {
    return run->health == FK_CORRUPT || run->health == FK_UNSUPPORTED ||
           run->health == FK_INCOMPLETE;
}

static size_t count_damaged(const fk_run_list *runs) {
    size_t damaged = 0;
    for (size_t i = 0; i < fk_run_list_count(runs); i++) {
        damaged += is_damaged(fk_run_list_at(runs, i));
    }
    return damaged;
}

static void print_json(const fk_run_list *runs) {
    fk_values *values = fk_values_create();
    fk_value *document = fk_value_container(values, FK_KIND_DICT);
    fk_value *rows = fk_value_container(values, FK_KIND_LIST);
    for (size_t i = 0; i < fk_run_list_count(runs); i++) {
        const fk_run_info *run = fk_run_list_at(runs, i);
        fk_value *row = fk_value_container(values, FK_KIND_DICT);
        cli_json_put(values, row, "font_id", cli_json_text(values, run->font_id));
        cli_json_put(values, row, "run_id", cli_json_text(values, run->run_id));
        cli_json_put(values, row, "health", cli_json_text(values, fk_health_name(run->health)));
        cli_json_put(values, row, "problems",
                     cli_json_problems(values, run->problems, run->problem_count));
        cli_json_append(rows, row);
    }
    cli_json_put(values, document, "checked", cli_json_number(values, fk_run_list_count(runs)));
    cli_json_put(values, document, "damaged", cli_json_number(values, count_damaged(runs)));
    cli_json_put(values, document, "runs", rows);
    cli_json_print(stdout, document);
    fk_values_destroy(values);
}

static int font_width(const fk_run_list *runs) {
    int width = 0;
    for (size_t i = 0; i < fk_run_list_count(runs); i++) {
        int needed = cli_human_width(fk_run_list_at(runs, i)->font_id);
        width = needed > width ? needed : width;
    }
    return width;
}

static void print_text(const fk_run_list *runs) {
    int width = font_width(runs);
    uint64_t bytes = 0;
    char size[CLI_HUMAN_BYTES];
    for (size_t i = 0; i < fk_run_list_count(runs); i++) {
        const fk_run_info *run = fk_run_list_at(runs, i);
        bytes += run->size_bytes;
        cli_human_print(stdout, CLI_BOLD, width, run->font_id);
        fputs("  ", stdout);
        cli_human_print(stdout, CLI_PLAIN, 31, run->run_id[0] != '\0' ? run->run_id : "(its runs)");
        fputs("  ", stdout);
        cli_human_print(stdout, cli_human_health_colour(run->health), 0,
                        fk_health_name(run->health));
        puts("");
        cli_problems_print(run);
        cli_problems_advise(run);
    }
    printf("%zu checked (%s), %zu damaged\n", fk_run_list_count(runs), cli_human_size(bytes, size),
           count_damaged(runs));
}

static fk_code verify(cli_context *context, fk_store *store, fk_run_list **ret_runs) {
    const char *font_id = cli_context_argument(context, 0);
    const char *run_text = cli_context_argument(context, 1);
    fk_run_id run_id;
    cli_progress progress;
    if (run_text != NULL) {
        fk_code code = fk_resolve_run(store, font_id, run_text, &run_id, &context->error);
        if (code != FK_OK) {
            return code;
        }
    }
    cli_progress_begin(&progress, context, "verifying");
    fk_code code = fk_verify(store, font_id, run_text == NULL ? NULL : run_id.text,
                             cli_progress_step, &progress, ret_runs, &context->error);
    cli_progress_end(&progress);
    return code;
}

int cli_cmd_verify(cli_context *context) {
    fk_store *store = NULL;
    fk_run_list *runs = NULL;
    int status = 0;
    fk_code code = cli_context_open(context, false, &store);
    if (code == FK_OK) {
        code = verify(context, store, &runs);
    }
    if (code == FK_OK) {
        if (context->json) {
            print_json(runs);
        } else {
            print_text(runs);
        }
        status = count_damaged(runs) > 0;
    }
    fk_run_list_destroy(runs);
    fk_store_close(store);
    return code == FK_OK ? status : cli_fail(context);
}
