/* Damages each file of a run, and looks whether that is noticed. */
#ifndef FK_SELFTEST_FLIPS_H
#define FK_SELFTEST_FLIPS_H

#include "base/error.h"
#include "selftest/report.h"
#include "selftest/sample.h"
#include "selftest/scratch.h"

/* What goes unnoticed is a violation in the report, no error. */
fk_code fk_flips_try(const fk_scratch *scratch, const fk_sample *sample, fk_report *report,
                     fk_error *err);

#endif
