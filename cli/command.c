#include "command.h"

#include <string.h>

const cli_command *cli_command_find(const char *name) {
    for (const cli_command *command = cli_commands; command->name != NULL; command++) {
        if (strcmp(command->name, name) == 0) {
            return command;
        }
    }
    return NULL;
}

const char *cli_context_option(const cli_context *context, const char *name) {
    const cli_option *options = context->command->options;
    for (size_t i = 0; options != NULL && options[i].name != NULL; i++) {
        if (strcmp(options[i].name, name) == 0) {
            return context->options[i];
        }
    }
    return NULL;
}

const char *cli_context_argument(const cli_context *context, size_t index) {
    return index < context->argument_count ? context->arguments[index] : NULL;
}

fk_code cli_context_open(cli_context *context, bool create, fk_store **ret_store) {
    fk_store_options options = {.size = sizeof options, .create = create};
    return fk_store_open(context->store_path, &options, ret_store, &context->error);
}

fk_code cli_context_run(cli_context *context, fk_store *store, const char *font_id, size_t index,
                        fk_run_id *ret_run_id) {
    const char *text = cli_context_argument(context, index);
    return fk_resolve_run(store, font_id, text == NULL ? "latest" : text, ret_run_id,
                          &context->error);
}
