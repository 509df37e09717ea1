#include "record.h"

#include "errors.h"

void fkpy_record_put(PyObject **record, const char *name, PyObject *member) {
    if (*record != NULL && (member == NULL || PyDict_SetItemString(*record, name, member) < 0)) {
        Py_CLEAR(*record);
    }
    Py_XDECREF(member);
}

void fkpy_list_add(PyObject **list, PyObject *item) {
    if (*list != NULL && (item == NULL || PyList_Append(*list, item) < 0)) {
        Py_CLEAR(*list);
    }
    Py_XDECREF(item);
}

PyObject *fkpy_list_of_texts(const char *const *texts, size_t count) {
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < count; i++) {
        fkpy_list_add(&list, fkpy_text(texts[i]));
    }
    return list;
}

PyObject *fkpy_list_of_paths(const char *const *paths, size_t count) {
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < count; i++) {
        fkpy_list_add(&list, fkpy_path(paths[i]));
    }
    return list;
}
