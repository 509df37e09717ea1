#include "change_output.h"
#include "commands.h"
#include "fail.h"
#include "progress.h"

int cli_cmd_adopt(cli_context *context) {
    fk_store *store = NULL;
    fk_change_list *changes = NULL;
    cli_progress progress;
    int status = 0;
    fk_code code = cli_context_open(context, false, &store);
    if (code == FK_OK) {
        cli_progress_begin(&progress, context, "adopting");
        code = fk_adopt(store, cli_context_argument(context, 0), cli_progress_step, &progress,
                        &changes, &context->error);
        cli_progress_end(&progress);
    }
    if (code == FK_OK || code == FK_E_NOT_DURABLE) {
        status = cli_changes_print(context, changes, "every run has a manifest");
    }
    fk_change_list_destroy(changes);
    fk_store_close(store);
    return code == FK_OK ? status : cli_fail(context);
}
