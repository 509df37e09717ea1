/* Where the damage is: from pieces whose digest fails to tensors and byte ranges. */
#ifndef FK_STORE_DAMAGE_H
#define FK_STORE_DAMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "fontkeep/run.h"
#include "store/run/findings.h"

typedef struct fk_byte_range {
    uint64_t offset;
    uint64_t length; /* 0: none */
} fk_byte_range;

/* The first run of damaged pieces from piece `from` on. */
fk_byte_range fk_damage_range(const fk_run_file *listed, const bool *damaged, size_t from);

typedef struct fk_damage {
    const fk_run_file *listed;
    const bool *damaged;  /* [pieces] */
    int fd;               /* of the file */
    const uint8_t *bytes; /* the whole file, or NULL: it is read when the tensors are looked for */
    /* out: */
    char summary[512]; /* of weights: what is damaged, what is intact; "" when unknown */
    uint64_t offset;   /* of the first damaged tensor, or piece */
} fk_damage;

/* Adds problems (code "digest") for a damaged file: of weights one per damaged tensor, as far as
 * the CRCs tell; else one per run of damaged pieces. Fails only for want of memory. */
fk_code fk_damage_examine(fk_damage *damage, fk_findings *findings, fk_error *err);

/* The same for weights that no manifest vouches for. `*ret_found`: whether any tensor was found
 * damaged. */
fk_code fk_damage_examine_tensors(fk_damage *damage, fk_findings *findings, bool *ret_found,
                                  fk_error *err);

#endif
