#include "progress.h"

/* Often enough for a person, seldom enough not to wait for busy Python threads. */
static const uint64_t interval_bytes = UINT64_C(8) << 20;

void fkpy_progress_begin(fkpy_progress *progress) {
    progress->asked_at = 0;
    progress->thread = PyEval_SaveThread();
}

void fkpy_progress_end(fkpy_progress *progress) {
    PyThreadState *thread = progress->thread;
    progress->thread = NULL;
    PyEval_RestoreThread(thread);
}

int fkpy_progress_ask(uint64_t done_bytes, uint64_t total_bytes, void *user) {
    (void)total_bytes;
    fkpy_progress *progress = user;
    if (done_bytes >= progress->asked_at && done_bytes - progress->asked_at < interval_bytes) {
        return 0;
    }
    progress->asked_at = done_bytes;
    PyEval_RestoreThread(progress->thread);
    int stop = PyErr_CheckSignals();
    progress->thread = PyEval_SaveThread();
    return stop;
}
