/* What became of runs that were to be changed, for people and as JSON. */
#ifndef FK_CLI_CHANGE_OUTPUT_H
#define FK_CLI_CHANGE_OUTPUT_H

#include "command.h"

/* Prints the runs that have a new generation, and warns of those that were refused, and of files
 * that stay missing or damaged. Gives the exit status: 1 when there are such. `none`: what to tell
 * when there was nothing to do. */
int cli_changes_print(const cli_context *context, const fk_change_list *changes, const char *none);

#endif
