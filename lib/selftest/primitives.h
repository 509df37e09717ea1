/* What the disk of a self-test can do, and what that means for fontkeep. */
#ifndef FK_SELFTEST_PRIMITIVES_H
#define FK_SELFTEST_PRIMITIVES_H

#include "base/error.h"
#include "selftest/report.h"
#include "selftest/scratch.h"

fk_code fk_primitives_try(const fk_scratch *scratch, fk_report *report, fk_error *err);

#endif
