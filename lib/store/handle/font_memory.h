/* What an open store remembers about saving into one font, so that the second save need not look
 * everything up again. All of it can be forgotten at any time; threads may use it at once. */
#ifndef FK_STORE_FONT_MEMORY_H
#define FK_STORE_FONT_MEMORY_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/error.h"
#include "store/handle/handle.h"

/* What tells whether a runs/ changed since it was last looked at. */
typedef struct fk_runs_stamp {
    bool known;
    dev_t device;
    ino_t inode;
    nlink_t links; /* subdirectories, where the file system counts them */
    off_t size;
    struct timespec modified;
    struct timespec changed;
} fk_runs_stamp;

/* An unknown stamp where the directory cannot be looked at. */
void fk_runs_stamp_take(int runs, fk_runs_stamp *ret_stamp);
/* False, too, when one is unknown. */
bool fk_runs_stamp_equal(const fk_runs_stamp *one, const fk_runs_stamp *other);

typedef struct fk_font_memory fk_font_memory;
struct fk_font_memory {
    fk_font_memory *next;
    fk_font_id font_id;
    dev_t device; /* of the runs/ that all of this is about */
    ino_t inode;
    bool swept;       /* dead stages were looked for */
    bool synced;      /* the font's own directory entries are known to be on disk */
    bool identified;  /* the store has its store.json */
    bool names_known; /* whether names may hold ':' was found out */
    bool names_refuse_colon;
    bool has_newest;  /* `newest` is set: the highest id seen, never going down */
    fk_run_id newest; /* all there is, while runs/ looks like `stamp` */
    fk_runs_stamp stamp;
};

/* All of an open store. */
struct fk_font_memories {
    int pid; /* whose they are */
    pthread_mutex_t mutex;
    fk_font_memory *fonts; /* a list */
};

/* The memories of a store, for the process that makes them. NULL when memory is short. */
fk_font_memories *fk_font_memories_create(void);
/* Those of another process are left as they are: one of its threads may have been at them. */
void fk_font_memories_destroy(fk_font_memories *memories);

/* The memory of a font, made when there is none, emptied when runs/ is another directory than it
 * was. NULL when memory is short. It lives until the store is closed. A forked
 * child starts with none: a mutex that a thread of its parent held would never be released. */
fk_font_memory *fk_font_memory_get(fk_store *store, const char *font_id,
                                   const fk_runs_stamp *stamp);
/* Gives what a flag was and sets it: of many threads one gets false. */
bool fk_font_memory_mark(fk_store *store, bool *flag);
bool fk_font_memory_is_marked(fk_store *store, const bool *flag);
/* The newest id, if it is still all there is while runs/ looks like `stamp`. */
bool fk_font_memory_recall(fk_store *store, fk_font_memory *memory, const fk_runs_stamp *stamp,
                           bool *ret_has_newest, fk_run_id *ret_newest);
/* Notes an id that was seen or given; `stamp` (may be unknown) is how runs/ looks with it. */
void fk_font_memory_note(fk_store *store, fk_font_memory *memory, const fk_run_id *id,
                         const fk_runs_stamp *stamp);

#endif
