/* Long calls without the interpreter's lock, which a signal (Ctrl-C) can still end. */
#ifndef FONTKEEP_PYTHON_PROGRESS_H
#define FONTKEEP_PYTHON_PROGRESS_H

#include <stdint.h>

#include "state.h"

/* One long call. Zeroed memory is one that has not begun. */
typedef struct fkpy_progress {
    PyThreadState *thread; /* of the call, while it runs without the lock */
    uint64_t asked_at;     /* bytes done when signals were last looked at */
} fkpy_progress;

/* Gives the interpreter's lock away, and takes it back. */
void fkpy_progress_begin(fkpy_progress *progress);
void fkpy_progress_end(fkpy_progress *progress);

/* An fk_progress: runs Python's signal handlers now and then; one that raises cancels the call.
 * `user` is an fkpy_progress that has begun. */
int fkpy_progress_ask(uint64_t done_bytes, uint64_t total_bytes, void *user);

#endif
