#include "removal.h"

#include "errors.h"
#include "report.h"

/* An entry, or the failure; of one that is done but may not last, with the run's id. */
static PyObject *answer(PyObject *object, fk_code code, const fk_trash_entry *entry,
                        const fk_error *err) {
    if (code == FK_OK) {
        return fkpy_trash_entry(entry);
    }
    bool has_run = code == FK_E_NOT_DURABLE && entry->run_id.text[0] != '\0';
    return fkpy_raise(fkpy_state_of(object), code, err, has_run ? entry->run_id.text : NULL);
}

/* rm(font_id, run_id or None) -> entry */
PyObject *fkpy_rm(PyObject *object, fk_store *store, PyObject *arguments) {
    const char *font_id = NULL;
    const char *run_id = NULL;
    if (!PyArg_ParseTuple(arguments, "sz", &font_id, &run_id)) {
        return NULL;
    }
    fk_trash_entry entry = {.bytes = 0};
    fk_error err = {0};
    PyThreadState *thread = PyEval_SaveThread();
    fk_code code = fk_rm(store, font_id, run_id, &entry, &err);
    PyEval_RestoreThread(thread);
    return answer(object, code, &entry, &err);
}

/* trash() -> [entry] */
PyObject *fkpy_trash(PyObject *object, fk_store *store) {
    fk_trash_list *trash = NULL;
    fk_error err = {0};
    PyThreadState *thread = PyEval_SaveThread();
    fk_code code = fk_trash(store, &trash, &err);
    PyEval_RestoreThread(thread);
    if (code != FK_OK) {
        return fkpy_raise(fkpy_state_of(object), code, &err, NULL);
    }
    PyObject *result = fkpy_trash_list(trash);
    fk_trash_list_destroy(trash);
    return result;
}

/* restore(trash_id) -> entry */
PyObject *fkpy_restore(PyObject *object, fk_store *store, PyObject *arguments) {
    const char *trash_id = NULL;
    if (!PyArg_ParseTuple(arguments, "s", &trash_id)) {
        return NULL;
    }
    fk_trash_entry entry = {.bytes = 0};
    fk_error err = {0};
    PyThreadState *thread = PyEval_SaveThread();
    fk_code code = fk_restore(store, trash_id, &entry, &err);
    PyEval_RestoreThread(thread);
    return answer(object, code, &entry, &err);
}

/* purge(trash_id or None) -> [entry] */
PyObject *fkpy_purge(PyObject *object, fk_store *store, PyObject *arguments) {
    const char *trash_id = NULL;
    if (!PyArg_ParseTuple(arguments, "z", &trash_id)) {
        return NULL;
    }
    fk_trash_list *purged = NULL;
    fk_error err = {0};
    PyThreadState *thread = PyEval_SaveThread();
    fk_code code = fk_purge(store, trash_id, &purged, &err);
    PyEval_RestoreThread(thread);
    if (code != FK_OK) {
        return fkpy_raise(fkpy_state_of(object), code, &err, NULL);
    }
    PyObject *result = fkpy_trash_list(purged);
    fk_trash_list_destroy(purged);
    return result;
}
