/* Files of a run that stay the same in its next generation. */
#ifndef FK_STORE_CARRY_H
#define FK_STORE_CARRY_H

#include <stdbool.h>

#include "base/error.h"
#include "store/run/run.h"
#include "store/save/draft.h"

/* Hard-links a file of `source` into the draft's stage as `new_path`, or copies it where there are
 * no hard links; it is synced with the stage. What is no regular file counts as missing
 * (`*ret_missing`, with FK_OK). */
fk_code fk_carry_file(fk_draft *draft, const fk_run *source, const char *path, const char *new_path,
                      bool *ret_missing, fk_error *err);

/* Carries over all that the draft does not have yet: the files that the manifest of `source` lists,
 * with the digests that stand there (so what was damaged or missing stays so, and is never vouched
 * for anew), and strangers beside them, which stay unlisted. Directories other than eval-glyphs/
 * are left behind; a file that is listed in one is FK_E_UNSUPPORTED. */
fk_code fk_carry_rest(fk_draft *draft, const fk_run *source, fk_error *err);

#endif
