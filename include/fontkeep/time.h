/* Instants: microseconds since 1970-01-01 UTC, years 0001 to 9999, as fontkeep writes them. No
 * clock is read here. */
#ifndef FONTKEEP_TIME_H
#define FONTKEEP_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "fontkeep/export.h"

FK_BEGIN_DECLS

enum { FK_TIME_BYTES = 32 };

/* "2026-01-11T08:30:00.000000", without a zone. False for a year outside 0001 to 9999. */
FK_PUBLIC bool fk_time_format(int64_t time_us, char into[FK_TIME_BYTES]);

/* Reads such a text (exactly that form), optionally with a 'Z' behind it. `lenient`: also with a
 * space for the 'T', a fraction of 0 to 6 digits, an offset such as "+01:00", a leap second. */
FK_PUBLIC bool fk_time_parse(const char *text, bool lenient, int64_t *ret_time_us);

FK_END_DECLS

#endif
