/* fontkeep: a keeper of trained personality fonts. This header brings all of the interface. */
#ifndef FONTKEEP_FONTKEEP_H
#define FONTKEEP_FONTKEEP_H

#include "fontkeep/change.h"
#include "fontkeep/checkpoint.h"
#include "fontkeep/draft.h"
#include "fontkeep/dtype.h"
#include "fontkeep/error.h"
#include "fontkeep/export.h"
#include "fontkeep/font.h"
#include "fontkeep/json.h"
#include "fontkeep/run.h"
#include "fontkeep/selftest.h"
#include "fontkeep/store.h"
#include "fontkeep/time.h"
#include "fontkeep/trash.h"
#include "fontkeep/value.h"

FK_BEGIN_DECLS

#define FK_VERSION "0.1.0"

/* The version of the library that is running: "0.1.0". Static text. */
FK_PUBLIC const char *fk_version(void);

FK_END_DECLS

#endif
