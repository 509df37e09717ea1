#include "selftest.h"

#include <fontkeep/fontkeep.h>

#include "errors.h"
#include "info.h"
#include "progress.h"
#include "record.h"

/* After each kill it is time to ask whether to go on. */
static int ask(uint64_t done, uint64_t total, void *user) {
    return fkpy_progress_ask(done * FKPY_PROGRESS_INTERVAL, total * FKPY_PROGRESS_INTERVAL, user);
}

static PyObject *primitives_of(const fk_selftest_report *report) {
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < report->primitive_count; i++) {
        const fk_primitive *primitive = &report->primitives[i];
        PyObject *record = PyDict_New();
        fkpy_record_put(&record, "name", fkpy_text(primitive->name));
        fkpy_record_put(&record, "works", PyBool_FromLong(primitive->works));
        fkpy_record_put(&record, "instead", fkpy_text(primitive->instead));
        fkpy_list_add(&list, record);
    }
    return list;
}

static PyObject *record_of(const fk_selftest_report *report) {
    PyObject *record = PyDict_New();
    fkpy_record_put(&record, "dir", fkpy_path(report->dir));
    fkpy_record_put(&record, "file_system", fkpy_text(report->file_system));
    fkpy_record_put(&record, "primitives", primitives_of(report));
    fkpy_record_put(&record, "kills", PyLong_FromSize_t(report->kills));
    fkpy_record_put(&record, "violations", PyLong_FromSize_t(report->violations));
    fkpy_record_put(&record, "verdict", fkpy_text(report->verdict));
    fkpy_record_put(&record, "fit", PyBool_FromLong(report->fitness != FK_NOT_FIT));
    return record;
}

PyObject *fkpy_selftest(fkpy_state *state, const char *path) {
    fk_selftest_report *report = NULL;
    fk_error err = {0};
    fkpy_progress progress = {0};
    const fk_selftest_options options = {
        .size = sizeof options, .progress = ask, .progress_user = &progress};
    fkpy_progress_begin(&progress);
    fk_code code = fk_selftest(path, &options, &report, &err);
    fkpy_progress_end(&progress);
    if (code != FK_OK) {
        return fkpy_raise(state, code, &err, NULL);
    }
    PyObject *record = record_of(report);
    fk_selftest_report_destroy(report);
    return record;
}
