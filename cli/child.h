/* A program of the user, run to its end. */
#ifndef FK_CLI_CHILD_H
#define FK_CLI_CHILD_H

#include "command.h"

/* Runs words[0], found through PATH, without a shell: its input is empty, its output goes to our
 * stderr, and it leads a process group of its own. Ctrl-C, SIGTERM and SIGHUP end the group:
 * FK_E_CANCELLED. FK_E_INVALID: it cannot be started, failed, or was killed; `what` names in the
 * message what it was run for. */
fk_code cli_child_run(cli_context *context, char *const words[], const char *what);

#endif
