#include "problems.h"

#include <stdio.h>
#include <string.h>

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

/* Whether bytes of weights are damaged or missing, or those of the manifest that vouches for them.
 */
static bool may_salvage(const fk_problem *problem) {
    bool digest = strcmp(problem->code, "digest") == 0 || strcmp(problem->code, "size") == 0;
    bool weights = problem->path != NULL && strncmp(problem->path, "weights", 7) == 0;
    return (digest && weights) || strcmp(problem->code, "manifest") == 0;
}

void cli_problems_advise(const fk_run_info *info) {
    for (size_t i = 0; info->health == FK_CORRUPT && i < info->problem_count; i++) {
        if (may_salvage(&info->problems[i])) {
            fputs("  ", stdout);
            cli_human_print(stdout, CLI_DIM, 12, "to do");
            printf(" restore %s from a copy, or take what is intact: "
                   "fontkeep load %s %s --out DIR --salvage\n",
                   place(&info->problems[i]), info->font_id, info->run_id);
            return;
        }
    }
}

void cli_problems_warn(const cli_context *context, const fk_run_info *info) {
    for (size_t i = 0; i < info->problem_count; i++) {
        cli_warn(context, "%s: %s: %s", info->problems[i].code, place(&info->problems[i]),
                 info->problems[i].message);
    }
}
