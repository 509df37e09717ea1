/* Help, generated from the table of commands. */
#ifndef FK_CLI_HELP_H
#define FK_CLI_HELP_H

#include "command.h"

/* Prints the help of a command, or of all when it is NULL, to stdout. */
void cli_help_print(const cli_command *command);

#endif
