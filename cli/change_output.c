#include "change_output.h"

#include <stdio.h>

#include "fail.h"
#include "json_output.h"

static void print_json(const fk_change_list *changes) {
    fk_values *values = fk_values_create();
    fk_value *document = fk_value_container(values, FK_KIND_DICT);
    fk_value *runs = fk_value_container(values, FK_KIND_LIST);
    for (size_t i = 0; i < fk_change_list_count(changes); i++) {
        const fk_change *change = fk_change_list_at(changes, i);
        fk_value *row = fk_value_container(values, FK_KIND_DICT);
        fk_value *changed = fk_value_container(values, FK_KIND_LIST);
        if (change->code != FK_OK) {
            continue;
        }
        for (size_t k = 0; k < change->changed_count; k++) {
            cli_json_append(changed, cli_json_text(values, change->changed[k]));
        }
        cli_json_put(values, row, "font_id", cli_json_text(values, change->font_id));
        cli_json_put(values, row, "run_id", cli_json_text(values, change->run_id));
        cli_json_put(values, row, "changed", changed);
        cli_json_append(runs, row);
    }
    cli_json_put(values, document, "runs", runs);
    cli_json_print(stdout, document);
    fk_values_destroy(values);
}

static void print_text(const fk_change_list *changes) {
    for (size_t i = 0; i < fk_change_list_count(changes); i++) {
        const fk_change *change = fk_change_list_at(changes, i);
        if (change->code != FK_OK) {
            continue;
        }
        printf("%s  %s ", change->font_id, change->run_id);
        for (size_t k = 0; k < change->changed_count; k++) {
            printf(" %s", change->changed[k]);
        }
        puts("");
    }
}

int cli_changes_print(const cli_context *context, const fk_change_list *changes, const char *none) {
    int status = 0;
    if (context->json) {
        print_json(changes);
    } else if (fk_change_list_count(changes) == 0) {
        cli_warn(context, "%s", none);
    } else {
        print_text(changes);
    }
    for (size_t i = 0; i < fk_change_list_count(changes); i++) {
        const fk_change *change = fk_change_list_at(changes, i);
        if (change->code != FK_OK) {
            cli_warn(context, "run %s is left as it was: %s (%s); %s", change->run_id,
                     change->message, change->path, change->hint);
            status = 1;
        }
    }
    return status;
}
