/* The lock file beside a stage: it tells who writes the stage, and whether the writer lives. */
#ifndef FK_STORE_STAGE_LOCK_H
#define FK_STORE_STAGE_LOCK_H

#include <stdbool.h>

#include "base/error.h"
#include "os/clock.h"

enum { FK_STAGE_NAME_BYTES = 48, FK_STAGE_LOCK_NAME_BYTES = 56 };

/* ".stage-<32 hex>" and the name of its lock file. */
fk_code fk_stage_lock_name(char ret_stage[FK_STAGE_NAME_BYTES],
                           char ret_lock[FK_STAGE_LOCK_NAME_BYTES], fk_error *err);

/* Creates, holds and fills in the lock file `name`, which does not exist yet. `*ret_lost` true
 * (with FK_OK): somebody swept it in the moment before it was held; try again. */
fk_code fk_stage_lock_create(int parent, const char *name, int *ret_fd, bool *ret_lost,
                             fk_error *err);

/* A name for a stage of the open directory `parent`, and its lock file, held. On failure
 * `ret_stage` is as it was, or a name of which no stage has been made. */
fk_code fk_stage_lock_make(int parent, char ret_stage[FK_STAGE_NAME_BYTES],
                           char ret_lock[FK_STAGE_LOCK_NAME_BYTES], int *ret_fd, fk_error *err);

/* Who made the lock file. Empty texts where it does not say. */
void fk_stage_lock_read(int fd, fk_identity *ret_owner);

#endif
