#include <stdio.h>

#include "commands.h"
#include "fail.h"
#include "json_output.h"

static void print_json(const fk_recovery *recovery) {
    fk_values *values = fk_values_create();
    fk_value *document = fk_value_container(values, FK_KIND_DICT);
    fk_value *removed = fk_value_container(values, FK_KIND_LIST);
    fk_value *kept = fk_value_container(values, FK_KIND_LIST);
    for (size_t i = 0; i < recovery->removed_count; i++) {
        cli_json_append(removed, cli_json_text(values, recovery->removed[i]));
    }
    for (size_t i = 0; i < recovery->kept_count; i++) {
        fk_value *row = fk_value_container(values, FK_KIND_DICT);
        cli_json_put(values, row, "path", cli_json_text(values, recovery->kept[i]));
        cli_json_put(values, row, "reason", cli_json_text(values, recovery->reasons[i]));
        cli_json_append(kept, row);
    }
    cli_json_put(values, document, "removed", removed);
    cli_json_put(values, document, "kept", kept);
    cli_json_print(stdout, document);
    fk_values_destroy(values);
}

static void print_text(const fk_recovery *recovery) {
    for (size_t i = 0; i < recovery->removed_count; i++) {
        printf("removed  %s\n", recovery->removed[i]);
    }
    for (size_t i = 0; i < recovery->kept_count; i++) {
        printf("kept     %s: %s\n", recovery->kept[i], recovery->reasons[i]);
    }
    printf("%zu removed, %zu kept\n", recovery->removed_count, recovery->kept_count);
}

int cli_cmd_recover(cli_context *context) {
    fk_store *store = NULL;
    fk_recovery *recovery = NULL;
    fk_code code = cli_context_open(context, false, &store);
    if (code == FK_OK) {
        code = fk_recover(store, &recovery, &context->error);
    }
    if (code == FK_OK && context->json) {
        print_json(recovery);
    } else if (code == FK_OK) {
        print_text(recovery);
    }
    fk_recovery_destroy(recovery);
    fk_store_close(store);
    return code == FK_OK ? 0 : cli_fail(context);
}
