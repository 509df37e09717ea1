/* A walk over a directory tree, depth first: with two descriptors and no recursion however deep the
 * tree is, never through a symbolic link, never into another file system. Within lib/os only. */
#ifndef FK_OS_WALK_H
#define FK_OS_WALK_H

#include <stdbool.h>

#include "base/error.h"

/* What a walk does; each function gives 0 or an errno. */
typedef struct fk_walk {
    /* At a name that is, as far as is known, no directory. EISDIR sends the walk into it. */
    int (*visit)(void *user, int directory, const char *name);
    /* At a directory, after all that is in it. May be NULL. */
    int (*leave)(void *user, int directory, const char *name);
    void *user;
    const char *verb; /* what errors say: "remove" */
} fk_walk;

/* Walks the directory `name` of `parent`. A missing one is fine; the first error is reported with
 * the path it is about, the rest is still walked. */
fk_code fk_walk_tree(const fk_walk *walk, int parent, const char *name, fk_error *err);

#endif
