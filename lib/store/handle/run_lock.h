/* The lock of one run while it is changed: removed, restored, replaced by a new generation. Readers
 * and saves do not take it. It keeps changes of one run apart; that a change meets what it expects
 * is checked all the same (I6).
 *
 * It is the file `.stage-<directory>.lock` in runs/: left behind by a kill, it is swept like any
 * other. */
#ifndef FK_STORE_RUN_LOCK_H
#define FK_STORE_RUN_LOCK_H

#include "base/error.h"

typedef struct fk_run_lock {
    int runs; /* a descriptor of its own */
    char name[80];
    int fd; /* -1: not taken */
} fk_run_lock;

#define FK_RUN_LOCK_FREE ((fk_run_lock){.runs = -1, .fd = -1})

/* `directory`: the run's name in the open directory `runs`, whose path is for messages. FK_E_BUSY
 * after 3 retries. */
fk_code fk_run_lock_take(int runs, const char *path, const char *directory, fk_run_lock *ret_lock,
                         fk_error *err);
/* Removes the file, then lets go. One that was not taken is fine. Also the scope attribute's
 * function. */
void fk_run_lock_release(fk_run_lock *lock);

#endif
