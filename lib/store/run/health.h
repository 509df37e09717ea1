/* The health of a run, computed from what is on disk, never stored.
 *
 * H1 the first that matches, in the order of fk_health. H2 a file that the manifest does not list
 * changes no health. H3 what a symbolic link, FIFO or device stands in the place of is damaged;
 * none of them is opened. */
#ifndef FK_STORE_HEALTH_H
#define FK_STORE_HEALTH_H

#include "base/error.h"
#include "store/run/run.h"
#include "store/run/watch.h"

/* How much of every file is checked. */
typedef enum fk_depth {
    FK_DEPTH_SIZES = 0, /* that it is there, of the size listed */
    FK_DEPTH_LOAD,      /* XXH3 where the manifest has it, else SHA-256 */
    FK_DEPTH_FULL,      /* SHA-256, and XXH3 where the manifest has it */
} fk_depth;

/* Looks at names and sizes only: the manifest, the four names, the number of glyphs, the size of
 * the weights. Fills in health and problems. */
fk_code fk_health_shallow(fk_run *run, fk_error *err);

/* Checks every file that the manifest lists (with `skip_weights`: all but the weights, which the
 * caller checks) and, without a manifest, the CRCs of the weights. Damage, and what the system
 * refuses to read, are problems. FK_E_CANCELLED. */
fk_code fk_health_deep(fk_run *run, fk_depth depth, bool skip_weights, fk_watch *watch,
                       fk_error *err);

/* Sets health and problems of the info from the findings. FK_E_NO_MEMORY when some are missing. */
fk_code fk_health_conclude(fk_run *run, fk_error *err);

/* Whether a version such as "v2" or "2.0" has a higher major number than `ours`. */
bool fk_health_is_newer(const char *version, unsigned ours);

#endif
