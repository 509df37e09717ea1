/* A stage: the hidden directory in which a run is written, in the runs/ where it will appear, with
 * its lock file beside it. */
#ifndef FK_STORE_STAGE_H
#define FK_STORE_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/error.h"
#include "digest/digest.h"
#include "store/handle/runs_directory.h"
#include "store/handle/stage_lock.h"

/* Files kept open until they are synced, so that a write-back error of any of them is heard; of
 * more, the oldest is synced at once. Fewer where the process may not open so many. */
enum { FK_STAGE_OPEN_FILES_MAX = 64 };

typedef struct fk_stage_file {
    int fd; /* -1: synced and closed */
    char *path;
} fk_stage_file;

typedef struct fk_stage {
    const fk_runs_directory *where; /* borrowed */
    bool durable;
    char name[FK_STAGE_NAME_BYTES];
    char lock_name[FK_STAGE_LOCK_NAME_BYTES];
    int lock; /* descriptors */
    int directory;
    int glyphs;        /* eval-glyphs/, or -1 */
    bool on_disk;      /* stage and lock file are there for us to remove */
    bool glyphs_dirty; /* eval-glyphs/ has entries that are not synced */
    fk_stage_file *files;
    size_t file_count;
    size_t file_capacity;
    size_t first_open; /* files before this one are synced and closed */
    size_t open_max;
} fk_stage;

#define FK_STAGE_CLOSED                                                                            \
    ((fk_stage){.lock = -1, .directory = -1, .glyphs = -1, .open_max = FK_STAGE_OPEN_FILES_MAX})

/* Makes the lock file, then the stage. `where` must outlive the stage. */
fk_code fk_stage_create(const fk_runs_directory *where, bool durable, fk_stage *ret_stage,
                        fk_error *err);
/* Makes eval-glyphs/ if it is not there yet. */
fk_code fk_stage_make_glyphs(fk_stage *stage, fk_error *err);
/* Writes a whole file; the caller finishes the digests. */
fk_code fk_stage_write(fk_stage *stage, const char *path, const void *from, size_t bytes,
                       fk_file_digests *ret_digests, fk_error *err);
/* Takes over the descriptor of a file that was written: it is synced, and closed, later. */
fk_code fk_stage_keep(fk_stage *stage, const char *path, int *fd, fk_error *err);
/* Starts write-back of all files, then syncs each, then eval-glyphs/, then the stage; what was
 * synced by an earlier call is not synced again, but for the stage's own directory. */
fk_code fk_stage_sync(fk_stage *stage, fk_error *err);
/* Gives the stage its final name in runs/. `*ret_taken`: the name exists. */
fk_code fk_stage_publish(fk_stage *stage, const char *name, bool *ret_taken, fk_error *err);
/* The stage, synced, was given another name in runs/: it is not ours to remove any more. */
void fk_stage_hand_over(fk_stage *stage);
/* Gives the stage back the name that it had before it became `name`, so that it can be discarded;
 * unless something else has that name by now. */
void fk_stage_take_back(fk_stage *stage, const char *name);
/* Removes the lock file of a stage that was published. */
void fk_stage_release(fk_stage *stage);
/* Removes stage and lock file. */
void fk_stage_discard(fk_stage *stage);
/* Closes and frees; nothing on disk is touched. */
void fk_stage_finish(fk_stage *stage);

#endif
