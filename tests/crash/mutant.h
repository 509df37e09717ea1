/* The protocol of save with one mistake in it. A crash test that finds nothing wrong with one of
 * these is blind. */
#ifndef MUTANT_H
#define MUTANT_H

#include "operation.h"

typedef struct mutant {
    const char *name;
    const operation *operation;
    const char *dropped_syncs; /* recorder_drop_syncs, or NULL */
    void (*spoil)(oplog *log); /* changes the log, or NULL */
} mutant;

extern const mutant mutants[];
extern const size_t mutant_count;

#endif
