/* Judges what a power cut left, with the real library: open, recover, list, verify, load, save
 * again, recover again. */
#ifndef ORACLE_H
#define ORACLE_H

#include "fontkeep/fontkeep.h"
#include "volume.h"

typedef struct oracle {
    uint64_t before;     /* volume_runs.digest: what the user had, */
    uint64_t after;      /* and has when the call has returned; nothing else is right */
    uint64_t between;    /* but this, until then */
    const char *font_id; /* what is saved again */
    fk_health worst;     /* that a run may have */
    const fk_model *model;
} oracle;

/* NULL when all is well, else what is wrong. `returned`: the call had said FK_OK. What is at `path`
 * is changed. */
const char *oracle_judge(const oracle *it, const char *path, bool returned);

#endif
