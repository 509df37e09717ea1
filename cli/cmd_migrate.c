#include "change_output.h"
#include "commands.h"
#include "fail.h"
#include "progress.h"

static fk_code migrate(cli_context *context, fk_store *store, fk_values *values,
                       fk_change_list **ret_changes) {
    const char *font_id = cli_context_argument(context, 0);
    const char *path = cli_context_option(context, "personality");
    bool one = cli_context_argument(context, 1) != NULL;
    fk_run_id run_id;
    fk_value *vector = NULL;
    cli_progress progress;
    fk_code code = one ? cli_context_run(context, store, font_id, 1, &run_id) : FK_OK;
    if (code == FK_OK && path != NULL) {
        code = fk_read_tensor_file(path, values, &vector, &context->error);
    }
    if (code != FK_OK) {
        return code;
    }
    cli_progress_begin(&progress, context, "migrating");
    code = fk_migrate(store, font_id, one ? run_id.text : NULL, vector, cli_progress_step,
                      &progress, ret_changes, &context->error);
    cli_progress_end(&progress);
    return code;
}

int cli_cmd_migrate(cli_context *context) {
    fk_store *store = NULL;
    fk_change_list *changes = NULL;
    fk_values *values = fk_values_create();
    int status = 0;
    fk_code code = cli_context_open(context, false, &store);
    if (code == FK_OK) {
        code = migrate(context, store, values, &changes);
    }
    if (code == FK_OK || code == FK_E_NOT_DURABLE) {
        status =
            cli_changes_print(context, changes, "no weights of version v0: nothing to migrate");
    }
    fk_change_list_destroy(changes);
    fk_values_destroy(values);
    fk_store_close(store);
    return code == FK_OK ? status : cli_fail(context);
}
