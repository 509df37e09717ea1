/* The directory in which a self-test works. To everybody else it is a stage: hidden, with a lock
 * file, and swept by fk_recover should its process be killed. */
#ifndef FK_SELFTEST_SCRATCH_H
#define FK_SELFTEST_SCRATCH_H

#include <stddef.h>

#include "base/error.h"
#include "store/handle/stage_lock.h"

typedef struct fk_scratch {
    int parent; /* descriptors */
    int directory;
    int lock;
    char name[FK_STAGE_NAME_BYTES];
    char lock_name[FK_STAGE_LOCK_NAME_BYTES];
    char *path;
} fk_scratch;

#define FK_SCRATCH_CLOSED ((fk_scratch){.parent = -1, .directory = -1, .lock = -1})

/* Makes one in the directory `path`. */
fk_code fk_scratch_create(const char *path, fk_scratch *ret_scratch, fk_error *err);
/* Removes it with all in it. Also the scope attribute's function. */
void fk_scratch_destroy(fk_scratch *scratch);

/* An empty directory in it, opened. */
fk_code fk_scratch_make(const fk_scratch *scratch, const char *name, int *ret_fd, fk_error *err);

#endif
