#include "change_output.h"

#include <stdio.h>
#include <string.h>

#include "fail.h"
#include "json_output.h"

enum { LEFT_SHOWN_MAX = 10 }; /* files of one run */

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
        if (change->code != FK_OK || change->changed_count == 0) {
            continue;
        }
        printf("%s  %s ", change->font_id, change->run_id);
        for (size_t k = 0; k < change->changed_count; k++) {
            printf(" %s", change->changed[k]);
        }
        puts("");
    }
}

static bool is_nothing(const fk_change_list *changes) {
    for (size_t i = 0; i < fk_change_list_count(changes); i++) {
        const fk_change *change = fk_change_list_at(changes, i);
        if (change->code != FK_OK || change->changed_count > 0 || change->left_count > 0) {
            return false;
        }
    }
    return true;
}

/* What stays wrong, and the way to mend images. */
static void warn_of_left(const cli_context *context, const fk_change *change) {
    bool images = false;
    for (size_t i = 0; i < change->left_count; i++) {
        const fk_problem *problem = &change->left[i];
        size_t length = strlen(problem->path);
        images = images || (length > 4 && strcmp(problem->path + length - 4, ".png") == 0);
        if (i < LEFT_SHOWN_MAX) {
            cli_warn(context, "run %s: %s", change->run_id, problem->message);
        }
    }
    if (change->left_count > LEFT_SHOWN_MAX) {
        cli_warn(context, "run %s: %zu more files stay missing or damaged", change->run_id,
                 change->left_count - LEFT_SHOWN_MAX);
    }
    if (images && cli_context_option(context, "command") == NULL) {
        cli_warn(context, "'fontkeep regenerate %s %s --command CMD' lets a program draw images",
                 change->font_id, change->run_id);
    }
}

static int warn(const cli_context *context, const fk_change *change) {
    if (change->code != FK_OK) {
        cli_warn(context, "run %s is left as it was: %s (%s); %s", change->run_id, change->message,
                 change->path, change->hint);
    }
    warn_of_left(context, change);
    return change->code != FK_OK || change->left_count > 0 ? 1 : 0;
}

int cli_changes_print(const cli_context *context, const fk_change_list *changes, const char *none) {
    int status = 0;
    if (context->json) {
        print_json(changes);
    } else if (is_nothing(changes)) {
        cli_warn(context, "%s", none);
    } else {
        print_text(changes);
    }
    for (size_t i = 0; i < fk_change_list_count(changes); i++) {
        status |= warn(context, fk_change_list_at(changes, i));
    }
    return status;
}
