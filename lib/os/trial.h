/* A trial: work in a process of its own, which is killed on the way.
 *
 * The process is a fork of this one, and goes on with the library's code: so no other thread of
 * this process should be inside the library's or a cryptographic call meanwhile (what it holds
 * would stay held in the fork). A trial that hangs ends all the same, by SIGALRM, after a minute.
 */
#ifndef FK_OS_TRIAL_H
#define FK_OS_TRIAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

typedef fk_code (*fk_trial_work)(void *user, fk_error *err);

typedef struct fk_trial {
    bool killed;      /* before it came to its end */
    size_t calls;     /* of the kernel that it made; the one it was killed at is not counted */
    const char *call; /* the last one it came to: "renameat2"; static text, "" for none */
    fk_code code;     /* what the work gave, unless it was killed */
    fk_error error;   /* with it */
} fk_trial;

/* Runs `work(user)` in a fork, on one thread, with the table of kernel calls in front of it; when
 * it comes to call `kill_at` (1 is the first; 0: never) the process is killed instead (SIGKILL).
 * What the work does to memory is lost. FK_E_IO: there is no process to be had, or it ended in
 * another way. */
fk_code fk_trial_run(fk_trial_work work, void *user, size_t kill_at, fk_trial *ret_trial,
                     fk_error *err);

/* Flips a bit of the first byte of a file beneath `directory`: damage, to see whether it is found.
 * A second call takes it back. */
fk_code fk_trial_flip(int directory, const char *path, fk_error *err);

#endif
