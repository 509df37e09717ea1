#include "progress.h"

static bool is_main_thread(void) {
    PyObject *threading = PyImport_ImportModule("threading");
    PyObject *thread =
        threading == NULL ? NULL : PyObject_CallMethod(threading, "main_thread", NULL);
    PyObject *identity = thread == NULL ? NULL : PyObject_GetAttrString(thread, "ident");
    bool same = identity != NULL && PyLong_Check(identity) &&
                PyLong_AsUnsignedLong(identity) == PyThread_get_thread_ident();
    Py_XDECREF(threading);
    Py_XDECREF(thread);
    Py_XDECREF(identity);
    PyErr_Clear(); /* at the end of the interpreter nothing is left to ask */
    return same;
}

void fkpy_progress_begin(fkpy_progress *progress) {
    progress->asked_at = 0;
    progress->interruptible = is_main_thread();
    progress->thread = PyEval_SaveThread();
}

void fkpy_progress_end(fkpy_progress *progress) {
    PyThreadState *thread = progress->thread;
    progress->thread = NULL;
    PyEval_RestoreThread(thread);
}

int fkpy_progress_ask(uint64_t done_bytes, uint64_t total_bytes, void *user) {
    fkpy_progress *progress = user;
    bool soon = done_bytes >= progress->asked_at &&
                done_bytes - progress->asked_at < FKPY_PROGRESS_INTERVAL;
    if (!progress->interruptible || (soon && done_bytes != total_bytes)) {
        return 0;
    }
    progress->asked_at = done_bytes;
    PyEval_RestoreThread(progress->thread);
    int stop = PyErr_CheckSignals();
    progress->thread = PyEval_SaveThread();
    return stop;
}
