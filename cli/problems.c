#include "problems.h"

#include <stdio.h>

#include "fail.h"
#include "human.h"

/* The message names tensor and bytes itself. */
static const char *place(const fk_problem *problem) {
    return problem->path == NULL ? "run" : problem->path;
}

void cli_problems_print(const fk_run_info *info) {
    for (size_t i = 0; i < info->problem_count; i++) {
        fputs("  ", stdout);
        cli_human_print(stdout, CLI_YELLOW, 12, info->problems[i].code);
        printf(" %s: %s\n", place(&info->problems[i]), info->problems[i].message);
    }
}

void cli_problems_warn(const cli_context *context, const fk_run_info *info) {
    for (size_t i = 0; i < info->problem_count; i++) {
        cli_warn(context, "%s: %s: %s", info->problems[i].code, place(&info->problems[i]),
                 info->problems[i].message);
    }
}
