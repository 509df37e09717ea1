#include "change.h"

#include "errors.h"
#include "progress.h"
#include "record.h"
#include "tree.h"

static PyObject *left_of(const fk_change *change) {
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < change->left_count; i++) {
        fkpy_list_add(&list, fkpy_text(change->left[i].message));
    }
    return list;
}

static PyObject *record_of(const fk_change *change) {
    PyObject *record = PyDict_New();
    const char *refusal = change->code == FK_OK ? NULL : change->message;
    fkpy_record_put(&record, "font_id", fkpy_text(change->font_id));
    fkpy_record_put(&record, "run_id", fkpy_text(change->run_id));
    fkpy_record_put(&record, "changed", fkpy_list_of_paths(change->changed, change->changed_count));
    fkpy_record_put(&record, "refusal", fkpy_text(refusal));
    fkpy_record_put(&record, "hint", fkpy_text(change->hint));
    fkpy_record_put(&record, "path", fkpy_path(change->path));
    fkpy_record_put(&record, "left", left_of(change));
    return record;
}

PyObject *fkpy_changes(PyObject *object, fk_code code, fk_change_list *changes,
                       const fk_error *err) {
    PyObject *list = code == FK_OK ? PyList_New(0) : NULL;
    for (size_t i = 0; list != NULL && i < fk_change_list_count(changes); i++) {
        fkpy_list_add(&list, record_of(fk_change_list_at(changes, i)));
    }
    fk_change_list_destroy(changes);
    return code == FK_OK ? list : fkpy_raise(fkpy_state_of(object), code, err, NULL);
}

/* adopt(font_id) -> [change] */
PyObject *fkpy_adopt(PyObject *object, fk_store *store, PyObject *arguments) {
    const char *font_id = NULL;
    if (!PyArg_ParseTuple(arguments, "s", &font_id)) {
        return NULL;
    }
    fkpy_progress progress = {0};
    fk_change_list *changes = NULL;
    fk_error err = {0};
    fkpy_progress_begin(&progress);
    fk_code code = fk_adopt(store, font_id, fkpy_progress_ask, &progress, &changes, &err);
    fkpy_progress_end(&progress);
    return fkpy_changes(object, code, changes, &err);
}

/* migrate(font_id, run_id or None, tree or None) -> [change]; the vector is item 1 of the tree */
PyObject *fkpy_migrate(PyObject *object, fk_store *store, PyObject *arguments) {
    const char *font_id = NULL;
    const char *run_id = NULL;
    PyObject *tree = NULL;
    if (!PyArg_ParseTuple(arguments, "szO", &font_id, &run_id, &tree)) {
        return NULL;
    }
    const fk_value *vector = fkpy_tree_value(fkpy_state_of(object), tree, 1);
    fkpy_progress progress = {0};
    fk_change_list *changes = NULL;
    fk_error err = {0};
    fkpy_progress_begin(&progress);
    fk_code code =
        fk_migrate(store, font_id, run_id, vector, fkpy_progress_ask, &progress, &changes, &err);
    fkpy_progress_end(&progress);
    return fkpy_changes(object, code, changes, &err);
}
