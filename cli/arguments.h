/* The command line, parsed by the table of commands. Global options may stand anywhere. */
#ifndef FK_CLI_ARGUMENTS_H
#define FK_CLI_ARGUMENTS_H

#include "command.h"

/* FK_OK, or FK_E_USAGE in context->error. */
fk_code cli_arguments_parse(int count, char **arguments, cli_context *context);

#endif
