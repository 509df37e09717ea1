#include "errors.h"

#include <string.h>

PyObject *fkpy_text(const char *text) {
    if (text == NULL) {
        Py_RETURN_NONE;
    }
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

PyObject *fkpy_path(const char *path) {
    if (path == NULL) {
        Py_RETURN_NONE;
    }
    return PyUnicode_DecodeFSDefault(path);
}

/* An empty text in an fk_error means that there is none. */
static const char *present(const char *text) {
    return text == NULL || text[0] == '\0' ? NULL : text;
}

static PyObject *offset_of(const fk_error *err) {
    if (err->offset == FK_NO_OFFSET || (err->offset == 0 && err->path[0] == '\0')) {
        Py_RETURN_NONE;
    }
    return PyLong_FromUnsignedLongLong(err->offset);
}

PyObject *fkpy_raise(fkpy_state *state, fk_code code, const fk_error *err, const char *run_id) {
    if (code == FK_E_CANCELLED && PyErr_Occurred() != NULL) {
        return NULL;
    }
    if (code == FK_E_NO_MEMORY && present(err->message) == NULL) {
        return PyErr_NoMemory();
    }
    PyObject *message = fkpy_text(err->message);
    PyObject *hint = fkpy_text(present(err->hint));
    PyObject *path = fkpy_path(present(err->path));
    PyObject *offset = offset_of(err);
    PyObject *error = NULL;
    if (message != NULL && hint != NULL && path != NULL && offset != NULL) {
        error = PyObject_CallFunction(state->make_error, "siOOOOiz", fk_code_name(code),
                                      (int)err->subject, message, hint, path, offset,
                                      err->system_errno, run_id);
    }
    if (error != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    }
    Py_XDECREF(message);
    Py_XDECREF(hint);
    Py_XDECREF(path);
    Py_XDECREF(offset);
    Py_XDECREF(error);
    return NULL;
}

PyObject *fkpy_raise_no_memory(void) {
    return PyErr_NoMemory();
}
