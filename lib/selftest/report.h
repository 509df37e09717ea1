/* The report of a self-test while it is made. */
#ifndef FK_SELFTEST_REPORT_H
#define FK_SELFTEST_REPORT_H

#include "base/error.h"
#include "fontkeep/selftest.h"
#include "fontkeep/value.h"

enum { FK_REPORT_PRIMITIVES_MAX = 20, FK_REPORT_LIMITS_MAX = 20 };

typedef struct fk_report {
    fk_selftest_report open; /* stays the first member: what is handed out */
    fk_values *values;       /* its texts */
    fk_primitive primitives[FK_REPORT_PRIMITIVES_MAX];
    const char *limits[FK_REPORT_LIMITS_MAX];
} fk_report;

fk_report *fk_report_create(void); /* NULL: no memory */
void fk_report_destroy(fk_report *report);

/* A copy that lives as long as the report; NULL: no memory. */
const char *fk_report_text(fk_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Adds a primitive; `instead` is static text. */
void fk_report_add_primitive(fk_report *report, const char *name, bool works, const char *instead);
/* Whether a primitive that was added works. */
bool fk_report_has(const fk_report *report, const char *primitive);
/* Adds a limit, or with FK_NOT_FIT a reason; `text` lives as long as the report. */
void fk_report_add_limit(fk_report *report, fk_fitness fitness, const char *text);
/* Counts a violation; the first one is told. */
fk_code fk_report_add_violation(fk_report *report, fk_error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Writes the verdict, of all that was added. */
fk_code fk_report_judge(fk_report *report, fk_error *err);

#endif
