/* Long calls without the interpreter's lock, which a signal (Ctrl-C) can still end. */
#ifndef FONTKEEP_PYTHON_PROGRESS_H
#define FONTKEEP_PYTHON_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "state.h"

/* How many bytes pass before signals are looked at: often enough for a person, seldom enough not to
 * wait for busy Python threads. */
#define FKPY_PROGRESS_INTERVAL (UINT64_C(8) << 20)

/* One long call. Zeroed memory is one that has not begun. */
typedef struct fkpy_progress {
    PyThreadState *thread; /* of the call, while it runs without the lock */
    uint64_t asked_at;     /* bytes done when signals were last looked at */
    bool interruptible;    /* in the main thread, the only one that signals reach */
} fkpy_progress;

/* Gives the interpreter's lock away, and takes it back. */
void fkpy_progress_begin(fkpy_progress *progress);
void fkpy_progress_end(fkpy_progress *progress);

/* An fk_progress: runs Python's signal handlers now and then, and when all bytes are done; one that
 * raises cancels the call. Elsewhere than in the main thread it never waits for the lock.
 * `user` is an fkpy_progress that has begun. */
int fkpy_progress_ask(uint64_t done_bytes, uint64_t total_bytes, void *user);

#endif
