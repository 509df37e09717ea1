/* Removing a directory of the store for good. */
#ifndef FK_STORE_DISCARD_H
#define FK_STORE_DISCARD_H

#include <stdbool.h>

#include "base/error.h"

typedef struct fk_discarded {
    int parent;       /* descriptor */
    const char *path; /* of the parent, for messages */
    const char *name;
    int expected; /* descriptor of the directory that must stand there, or -1: whatever does */
    bool durable;
} fk_discarded;

/* Renames the directory `name` of its parent to a stage, with a lock file, makes
 * that durable, and only then removes it: a crash leaves the whole directory or a dead stage, never
 * half of one under its name. A missing one is FK_E_IO with ENOENT; another than expected
 * FK_E_BUSY, and it stays. When it is renamed and cannot be removed (FK_E_IO, ...), what is left is
 * a stage. */
fk_code fk_discard(const fk_discarded *it, fk_error *err);

#endif
