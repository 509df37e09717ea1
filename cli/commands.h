/* The commands: each prints its result and gives the exit status. */
#ifndef FK_CLI_COMMANDS_H
#define FK_CLI_COMMANDS_H

#include "command.h"

int cli_cmd_init(cli_context *context);
int cli_cmd_create(cli_context *context);
int cli_cmd_save(cli_context *context);
int cli_cmd_load(cli_context *context);
int cli_cmd_fonts(cli_context *context);
int cli_cmd_runs(cli_context *context);
int cli_cmd_show(cli_context *context);
int cli_cmd_inspect(cli_context *context);
int cli_cmd_personality(cli_context *context);
int cli_cmd_verify(cli_context *context);
int cli_cmd_status(cli_context *context);
int cli_cmd_recover(cli_context *context);
int cli_cmd_adopt(cli_context *context);
int cli_cmd_migrate(cli_context *context);
int cli_cmd_regenerate(cli_context *context);
int cli_cmd_rm(cli_context *context);
int cli_cmd_trash(cli_context *context);
int cli_cmd_restore(cli_context *context);
int cli_cmd_purge(cli_context *context);
int cli_cmd_selftest(cli_context *context);

#endif
