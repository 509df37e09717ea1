#include "change_output.h"
#include "commands.h"
#include "fail.h"
#include "progress.h"
#include "render_command.h"
#include "render_room.h"

static fk_code regenerate(cli_context *context, fk_store *store, const cli_render_command *command,
                          fk_change_list **ret_changes) {
    const char *font_id = cli_context_argument(context, 0);
    fk_run_id run_id;
    cli_progress progress;
    fk_code code = cli_context_run(context, store, font_id, 1, &run_id);
    if (code != FK_OK) {
        return code;
    }
    cli_render_room room = {.context = context,
                            .store = store,
                            .font_id = font_id,
                            .run_id = &run_id,
                            .command = command};
    const fk_regenerate_options options = {
        .size = sizeof options,
        .renderer = command->count > 0 ? cli_render_room_draw : NULL,
        .renderer_user = &room,
        .render_sample = cli_context_option(context, "sample") != NULL,
        .progress = cli_progress_step,
        .progress_user = &progress};
    cli_progress_begin(&progress, context, "regenerating");
    code = fk_regenerate(store, font_id, run_id.text, &options, ret_changes, &context->error);
    cli_render_room_finish(&room);
    cli_progress_end(&progress);
    return code;
}

static fk_code parse(cli_context *context, cli_render_command *ret_command) {
    const char *text = cli_context_option(context, "command");
    if (text != NULL) {
        return cli_render_command_parse(context, text, ret_command);
    }
    return cli_context_option(context, "sample") == NULL
               ? FK_OK
               : cli_fail_usage(context, "--sample needs --command");
}

int cli_cmd_regenerate(cli_context *context) {
    fk_store *store = NULL;
    fk_change_list *changes = NULL;
    cli_render_command command = {0};
    int status = 0;
    fk_code code = parse(context, &command);
    if (code == FK_OK) {
        code = cli_context_open(context, false, &store);
    }
    if (code == FK_OK) {
        code = regenerate(context, store, &command, &changes);
    }
    if (code == FK_OK || code == FK_E_NOT_DURABLE) {
        status = cli_changes_print(context, changes, "nothing is missing: nothing to regenerate");
    }
    cli_render_command_finish(&command);
    fk_change_list_destroy(changes);
    fk_store_close(store);
    return code == FK_OK ? status : cli_fail(context);
}
