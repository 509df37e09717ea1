/* Failures of the command: reported on stderr, turned into an exit status. */
#ifndef FK_CLI_FAIL_H
#define FK_CLI_FAIL_H

#include "command.h"

/* Reports context->error, for people or as JSON, and gives its exit status. */
int cli_fail(cli_context *context);

/* Sets context->error to a wrong use of the command; gives FK_E_USAGE. */
fk_code cli_fail_usage(cli_context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void cli_fail_hint(cli_context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A line to tell the user beside the result: on stderr, nothing with --quiet. */
void cli_warn(const cli_context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
