#include "report.h"

#include "errors.h"
#include "info.h"
#include "record.h"

static PyObject *tensor_info(const fk_tensor_info *tensor) {
    PyObject *record = PyDict_New();
    fkpy_record_put(&record, "name", fkpy_text(tensor->name));
    fkpy_record_put(&record, "dtype", fkpy_text(tensor->dtype));
    fkpy_record_put(&record, "shape", fkpy_shape(tensor->shape, tensor->rank));
    fkpy_record_put(&record, "bytes", PyLong_FromUnsignedLongLong(tensor->bytes));
    return record;
}

PyObject *fkpy_inspection(const fk_inspection *inspection) {
    PyObject *tensors = PyList_New(0);
    for (size_t i = 0; tensors != NULL && i < inspection->tensor_count; i++) {
        fkpy_list_add(&tensors, tensor_info(&inspection->tensors[i]));
    }
    PyObject *findings = PyList_New(0);
    for (size_t i = 0; findings != NULL && i < inspection->finding_count; i++) {
        fkpy_list_add(&findings, fkpy_problem(&inspection->findings[i]));
    }
    PyObject *record = PyDict_New();
    fkpy_record_put(&record, "format", fkpy_text(inspection->format));
    fkpy_record_put(&record, "tensors", tensors);
    fkpy_record_put(&record, "findings", findings);
    return record;
}

static PyObject *by_health(const fk_store_report *report) {
    PyObject *record = PyDict_New();
    for (int health = 0; health < FK_HEALTH_COUNT; health++) {
        fkpy_record_put(&record, fk_health_name((fk_health)health),
                        PyLong_FromSize_t(report->by_health[health]));
    }
    return record;
}

PyObject *fkpy_store_report(const fk_store_report *report) {
    PyObject *record = PyDict_New();
    fkpy_record_put(&record, "store", fkpy_path(report->store));
    fkpy_record_put(&record, "store_id", fkpy_text(report->store_id));
    fkpy_record_put(&record, "fonts", PyLong_FromSize_t(report->fonts));
    fkpy_record_put(&record, "runs", PyLong_FromSize_t(report->runs));
    fkpy_record_put(&record, "by_health", by_health(report));
    fkpy_record_put(&record, "stages", PyLong_FromSize_t(report->stages));
    fkpy_record_put(&record, "trash_bytes", PyLong_FromUnsignedLongLong(report->trash_bytes));
    fkpy_record_put(&record, "strangers",
                    fkpy_list_of_paths(report->strangers, report->stranger_count));
    return record;
}

PyObject *fkpy_recovery(const fk_recovery *recovery) {
    PyObject *kept = PyList_New(0);
    for (size_t i = 0; kept != NULL && i < recovery->kept_count; i++) {
        PyObject *entry = PyDict_New();
        fkpy_record_put(&entry, "path", fkpy_path(recovery->kept[i]));
        fkpy_record_put(&entry, "reason", fkpy_text(recovery->reasons[i]));
        fkpy_list_add(&kept, entry);
    }
    PyObject *record = PyDict_New();
    fkpy_record_put(&record, "removed",
                    fkpy_list_of_paths(recovery->removed, recovery->removed_count));
    fkpy_record_put(&record, "kept", kept);
    return record;
}

PyObject *fkpy_trash_entry(const fk_trash_entry *entry) {
    const char *run_id = entry->run_id.text[0] == '\0' ? NULL : entry->run_id.text;
    PyObject *record = PyDict_New();
    fkpy_record_put(&record, "trash_id", fkpy_text(entry->trash_id));
    fkpy_record_put(&record, "font_id", fkpy_text(entry->font_id.text));
    fkpy_record_put(&record, "run_id", fkpy_text(run_id));
    fkpy_record_put(&record, "bytes", PyLong_FromUnsignedLongLong(entry->bytes));
    fkpy_record_put(&record, "removed_at_us", fkpy_time(entry->removed_at_us));
    return record;
}

PyObject *fkpy_trash_list(const fk_trash_list *trash) {
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < fk_trash_list_count(trash); i++) {
        fkpy_list_add(&list, fkpy_trash_entry(fk_trash_list_at(trash, i)));
    }
    return list;
}
