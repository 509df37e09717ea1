/* Problems of a run, for people. */
#ifndef FK_CLI_PROBLEMS_H
#define FK_CLI_PROBLEMS_H

#include <fontkeep/fontkeep.h>

#include "command.h"

/* One indented line each on stdout: where, then what. */
void cli_problems_print(const fk_run_info *info);

/* A line on stdout that tells what to do about damaged weights or a damaged manifest. */
void cli_problems_advise(const fk_run_info *info);

/* One warning each on stderr. */
void cli_problems_warn(const cli_context *context, const fk_run_info *info);

#endif
