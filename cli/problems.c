#include "problems.h"

#include <inttypes.h>
#include <stdio.h>

#include "fail.h"
#include "human.h"

/* "weights, tensor model.0.weight, bytes 704 to 1728" */
static void place_text(const fk_problem *problem, char *into, size_t capacity) {
    int used = snprintf(into, capacity, "%s", problem->path == NULL ? "run" : problem->path);
    if (problem->tensor != NULL && used > 0 && (size_t)used < capacity) {
        used += snprintf(into + used, capacity - (size_t)used, ", tensor %s", problem->tensor);
    }
    if (problem->offset != FK_NO_OFFSET && used > 0 && (size_t)used < capacity) {
        snprintf(into + used, capacity - (size_t)used, ", bytes %" PRIu64 " to %" PRIu64,
                 problem->offset, problem->offset + problem->length);
    }
}

void cli_problems_print(const fk_run_info *info) {
    for (size_t i = 0; i < info->problem_count; i++) {
        char place[512];
        place_text(&info->problems[i], place, sizeof place);
        fputs("  ", stdout);
        cli_human_print(stdout, CLI_YELLOW, 12, info->problems[i].code);
        printf(" %s: %s\n", place, info->problems[i].message);
    }
}

void cli_problems_warn(const cli_context *context, const fk_run_info *info) {
    for (size_t i = 0; i < info->problem_count; i++) {
        char place[512];
        place_text(&info->problems[i], place, sizeof place);
        cli_warn(context, "%s: %s: %s", info->problems[i].code, place, info->problems[i].message);
    }
}
