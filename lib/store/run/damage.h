/* Where the damage is: from pieces whose digest fails to tensors and byte ranges. */
#ifndef FK_STORE_DAMAGE_H
#define FK_STORE_DAMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "checkpoint/torch_damage.h"
#include "fontkeep/run.h"
#include "store/run/findings.h"

typedef struct fk_byte_range {
    uint64_t offset;
    uint64_t length;
} fk_byte_range;

/* The first run of damaged pieces; empty where there is none. */
fk_byte_range fk_damage_range(const fk_run_file *listed, const bool *damaged);

/* What is known of a damaged file. */
typedef struct fk_damage {
    const fk_run_file *listed;
    const bool *damaged; /* [pieces]; NULL: no manifest vouches for the file, its CRCs have to do */
    bool is_weights;     /* a checkpoint, whose tensors are looked for */
    int fd;              /* of the file */
    const uint8_t *bytes; /* the whole file, or NULL: it is read when the tensors are looked for */
    /* What a file that was cut had, where `listed` is what is left of it; else 0. */
    uint64_t saved_bytes;
    /* out: */
    char summary[512]; /* of weights: what is damaged, what is intact; "" when unknown */
    uint64_t offset;   /* of the first damaged tensor, or piece; FK_NO_OFFSET when unknown */
    size_t intact;     /* tensors that are known to be */
} fk_damage;

/* Bytes of pieces that are good are as they were. Borrows `damage`. */
fk_torch_proof fk_damage_proof(const fk_damage *damage);

/* Adds problems (code "digest") for a damaged file: of weights one per damaged tensor, as far as
 * the CRCs tell, and one per run of damaged pieces that no tensor touches. Without `damaged` there
 * may be none. Fails only for want of memory. */
fk_code fk_damage_examine(fk_damage *damage, fk_findings *findings, fk_error *err);

/* The same for weights whose losses are known. */
fk_code fk_damage_report(fk_damage *damage, const fk_torch_losses *losses, fk_findings *findings,
                         fk_error *err);

#endif
