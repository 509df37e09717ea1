#include "run.h"

#include <stdlib.h>

#include "errors.h"
#include "info.h"
#include "loaded.h"
#include "module.h"
#include "progress.h"

typedef struct fkpy_run {
    PyObject ob_base;
    PyObject *store;
    fk_run *run;
} fkpy_run;

PyObject *fkpy_run_create(fkpy_state *state, PyObject *store, fk_run *run) {
    fkpy_run *self = (fkpy_run *)fkpy_new(state->run_type);
    if (self == NULL) {
        fk_run_close(run);
        return NULL;
    }
    self->store = Py_NewRef(store);
    self->run = run;
    return (PyObject *)self;
}

static void destroy(PyObject *object) {
    fkpy_run *self = (fkpy_run *)object;
    fk_run_close(self->run);
    Py_XDECREF(self->store);
    fkpy_free(object);
}

static PyObject *info(PyObject *object, PyObject *unused) {
    (void)unused;
    return fkpy_info(fkpy_state_of(object), fk_run_get_info(((fkpy_run *)object)->run));
}

/* read_file(path) -> bytes; the caller sees to it that one thread at a time uses the run */
static PyObject *read_file(PyObject *object, PyObject *arguments) {
    PyObject *path = NULL;
    if (!PyArg_ParseTuple(arguments, "O&", PyUnicode_FSConverter, &path)) {
        return NULL;
    }
    void *bytes = NULL;
    size_t length = 0;
    fk_error err = {0};
    const char *text = PyBytes_AsString(path);
    PyThreadState *thread = PyEval_SaveThread();
    fk_code code = fk_run_read_file(((fkpy_run *)object)->run, text, &bytes, &length, &err);
    PyEval_RestoreThread(thread);
    Py_DECREF(path);
    if (code != FK_OK) {
        return fkpy_raise(fkpy_state_of(object), code, &err, NULL);
    }
    PyObject *result = PyBytes_FromStringAndSize(bytes, (Py_ssize_t)length);
    free(bytes);
    return result;
}

/* load_weights() -> Loaded */
static PyObject *load_weights(PyObject *object, PyObject *unused) {
    (void)unused;
    fkpy_progress progress = {0};
    fk_load_options options = {
        .size = sizeof options, .progress = fkpy_progress_ask, .progress_user = &progress};
    fk_loaded *loaded = NULL;
    fk_error err = {0};
    fkpy_progress_begin(&progress);
    fk_code code = fk_run_load_weights(((fkpy_run *)object)->run, &options, &loaded, &err);
    fkpy_progress_end(&progress);
    fkpy_state *state = fkpy_state_of(object);
    return code == FK_OK ? fkpy_loaded_create(state, loaded) : fkpy_raise(state, code, &err, NULL);
}

static PyMethodDef methods[] = {
    {"info", info, METH_NOARGS, NULL},
    {"read_file", read_file, METH_VARARGS, NULL},
    {"load_weights", load_weights, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_dealloc, (void *)destroy},
    {Py_tp_methods, methods},
    {0, NULL},
};

PyType_Spec fkpy_run_spec = {
    .name = "fontkeep._native.Run",
    .basicsize = sizeof(fkpy_run),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};
