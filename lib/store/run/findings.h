/* What an examination of one run finds: its problems, and the health that follows from them. */
#ifndef FK_STORE_FINDINGS_H
#define FK_STORE_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "fontkeep/run.h"

/* Lives in an arena; starts with fk_findings_init. `health` is the first that matches, in the order
 * of fk_health: the smallest of all that were found. */
typedef struct fk_findings {
    fk_values *values; /* borrowed: owns problems and texts */
    fk_problem *problems;
    size_t count;
    size_t capacity;
    size_t limit; /* problems that are kept: FK_LIMIT_PROBLEMS, where nobody asks for more */
    fk_health health;
    bool failed; /* memory was short: the list is not complete */
} fk_findings;

void fk_findings_init(fk_findings *findings, fk_values *values);

/* A problem without tensor and offset, to start from. */
#define FK_PROBLEM(problem_code, problem_path)                                                     \
    ((fk_problem){.code = (problem_code), .path = (problem_path), .offset = FK_NO_OFFSET})

/* Adds a problem (its texts are copied, `code` must be static) that makes a run at best `health`;
 * FK_COMPLETE for one that changes nothing. A problem is shown beside its path, and in a run: the
 * message says "it" of the file. */
void fk_findings_add(fk_findings *findings, fk_health health, const fk_problem *problem,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same with the offset and the message of an error, which comes to say "it" where it names the
 * problem's path. */
void fk_findings_add_error(fk_findings *findings, fk_health health, const fk_problem *problem,
                           const fk_error *error);

/* Adds what `more`, of the same arena, found. */
void fk_findings_join(fk_findings *findings, const fk_findings *more);

#endif
