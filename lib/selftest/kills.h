/* Kills changing calls of the library, one process at each of their calls to the kernel. */
#ifndef FK_SELFTEST_KILLS_H
#define FK_SELFTEST_KILLS_H

#include "base/error.h"
#include "selftest/report.h"
#include "selftest/sample.h"
#include "selftest/scratch.h"

/* What breaks a promise is a violation in the report, no error. */
fk_code fk_kills_try(const fk_scratch *scratch, const fk_sample *sample,
                     const fk_selftest_options *options, fk_report *report, fk_error *err);

#endif
