/* What is left of a weights file that is shorter than its manifest says. */
#ifndef FK_STORE_REMNANT_H
#define FK_STORE_REMNANT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "store/run/findings.h"
#include "store/run/run.h"
#include "store/run/watch.h"

typedef struct fk_remnant {
    char summary[512]; /* what is lost, what is intact; "" where that is not known */
    size_t intact;     /* tensors */
} fk_remnant;

/* The first `bytes` of a file of the manifest, as a file of its own: whole pieces have the digests
 * they had, and a part of a piece has one that it cannot have. */
fk_run_file fk_remnant_of(const fk_run_file *listed, uint64_t bytes);

/* Looks for tensors in what is left of a file that was cut. Adds a problem for each that is lost,
 * and for damage in what is left. Nothing is known of what cannot be read; fails only for want of
 * memory, and with FK_E_CANCELLED. `watch` may be NULL. */
fk_code fk_remnant_examine(const fk_run *run, const fk_run_file *listed, fk_watch *watch,
                           fk_findings *findings, fk_remnant *ret_remnant, fk_error *err);

/* Adds the summary to an error that tells of the file's size. */
void fk_remnant_tell(const fk_remnant *remnant, fk_error *err);

#endif
