#include "info.h"

#include <stdbool.h>
#include <string.h>

#include "errors.h"
#include "from_value.h"
#include "record.h"

PyObject *fkpy_time(int64_t us) {
    if (us == FK_NO_TIME) {
        Py_RETURN_NONE;
    }
    return PyLong_FromLongLong(us);
}

PyObject *fkpy_shape(const int64_t *shape, size_t rank) {
    PyObject *tuple = PyTuple_New((Py_ssize_t)rank);
    for (size_t i = 0; tuple != NULL && i < rank; i++) {
        PyObject *number = PyLong_FromLongLong(shape[i]);
        if (number == NULL || PyTuple_SetItem(tuple, (Py_ssize_t)i, number) < 0) {
            Py_CLEAR(tuple);
        }
    }
    return tuple;
}

PyObject *fkpy_problem(const fk_problem *problem) {
    PyObject *path = fkpy_path(problem->path);
    PyObject *tensor = fkpy_text(problem->tensor);
    PyObject *message = fkpy_text(problem->message);
    PyObject *offset = NULL;
    PyObject *length = NULL;
    if (problem->offset == FK_NO_OFFSET) {
        offset = Py_NewRef(Py_None);
        length = Py_NewRef(Py_None);
    } else {
        offset = PyLong_FromUnsignedLongLong(problem->offset);
        length = PyLong_FromUnsignedLongLong(problem->length);
    }
    PyObject *tuple = NULL;
    if (path != NULL && tensor != NULL && message != NULL && offset != NULL && length != NULL) {
        tuple = Py_BuildValue("(sOOOOO)", problem->code, path, tensor, offset, length, message);
    }
    Py_XDECREF(path);
    Py_XDECREF(tensor);
    Py_XDECREF(message);
    Py_XDECREF(offset);
    Py_XDECREF(length);
    return tuple;
}

static PyObject *problems_of(const fk_run_info *info) {
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < info->problem_count; i++) {
        fkpy_list_add(&list, fkpy_problem(&info->problems[i]));
    }
    return list;
}

static PyObject *personality_of(const fk_run_info *info) {
    if (!info->has_personality) {
        Py_RETURN_NONE;
    }
    PyObject *shape = fkpy_shape(info->personality_shape, info->personality_rank);
    if (shape == NULL) {
        return NULL;
    }
    return Py_BuildValue("(sN)", fk_dtype_name(info->personality_dtype), shape);
}

static PyObject *file_of(const fk_run_file *file) {
    PyObject *record = PyDict_New();
    fkpy_record_put(&record, "path", fkpy_path(file->path));
    fkpy_record_put(&record, "label", fkpy_text(file->label));
    fkpy_record_put(&record, "size", PyLong_FromUnsignedLongLong(file->bytes));
    fkpy_record_put(&record, "sha256", fkpy_list_of_texts(file->sha256, file->pieces));
    fkpy_record_put(&record, "xxh3",
                    file->xxh3 == NULL ? Py_NewRef(Py_None)
                                       : fkpy_list_of_texts(file->xxh3, file->pieces));
    return record;
}

static PyObject *files_of(const fk_run_info *info) {
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < info->file_count; i++) {
        fkpy_list_add(&list, file_of(&info->files[i]));
    }
    return list;
}

static PyObject *status_of(const fk_run_info *info) {
    return fkpy_text(info->status == FK_STATUS_UNKNOWN ? NULL : fk_run_status_name(info->status));
}

static void put_names(PyObject **record, const fk_run_info *info) {
    fkpy_record_put(record, "font_id", fkpy_text(info->font_id));
    fkpy_record_put(record, "run_id", fkpy_text(info->run_id));
    fkpy_record_put(record, "path", fkpy_path(info->path));
    fkpy_record_put(record, "status", status_of(info));
    fkpy_record_put(record, "health", fkpy_text(fk_health_name(info->health)));
    fkpy_record_put(record, "problems", problems_of(info));
    fkpy_record_put(record, "weights_version", fkpy_text(info->weights_version));
    fkpy_record_put(record, "feedback_schema", fkpy_text(info->feedback_schema));
    fkpy_record_put(record, "parent_run_id", fkpy_text(info->parent_run_id));
    fkpy_record_put(record, "written_by", fkpy_text(info->written_by));
}

/* Whether a member of the manifest has a place of its own in the record. */
static bool is_known(const char *name) {
    static const char *const known[] = {
        "font_id",          "run_id",    "status",          "started_at",      "ended_at",
        "training",         "metrics",   "weights_version", "feedback_schema", "parent_run_id",
        "personality",      "glyphs",    "weights_bytes",   "size_bytes",      "written_by",
        "manifest_version", "generation"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(name, known[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The members of the manifest that this version does not know. */
static PyObject *extra_of(fkpy_state *state, const fk_value *manifest) {
    PyObject *extra = PyDict_New();
    size_t count = manifest == NULL ? 0 : fk_value_count(manifest);
    for (size_t i = 0; i < count; i++) {
        const char *name = fk_value_as_text(fk_value_key(manifest, i), NULL);
        if (!is_known(name)) {
            fkpy_record_put(&extra, name,
                            fkpy_from_value(state, fk_value_item(manifest, i), NULL, NULL));
        }
    }
    return extra;
}

static PyObject *manifest_version_of(const fk_value *manifest) {
    const fk_value *version = fk_value_get(manifest, "manifest_version");
    if (version == NULL || fk_value_kind(version) != FK_KIND_INT) {
        Py_RETURN_NONE;
    }
    return PyLong_FromLongLong(fk_value_as_int(version));
}

PyObject *fkpy_info(fkpy_state *state, const fk_run_info *info) {
    PyObject *record = PyDict_New();
    put_names(&record, info);
    fkpy_record_put(&record, "started_at_us", fkpy_time(info->started_at_us));
    fkpy_record_put(&record, "ended_at_us", fkpy_time(info->ended_at_us));
    fkpy_record_put(&record, "training", fkpy_from_value(state, info->training, NULL, NULL));
    fkpy_record_put(&record, "metrics", fkpy_from_value(state, info->metrics, NULL, NULL));
    fkpy_record_put(&record, "personality", personality_of(info));
    fkpy_record_put(&record, "glyphs", PyLong_FromSize_t(info->glyphs));
    fkpy_record_put(&record, "weights_bytes",
                    info->has_weights ? PyLong_FromUnsignedLongLong(info->weights_bytes)
                                      : Py_NewRef(Py_None));
    fkpy_record_put(&record, "size_bytes", PyLong_FromUnsignedLongLong(info->size_bytes));
    fkpy_record_put(&record, "generation", PyLong_FromUnsignedLongLong(info->generation));
    fkpy_record_put(&record, "manifest_version", manifest_version_of(info->manifest));
    fkpy_record_put(&record, "extra", extra_of(state, info->manifest));
    fkpy_record_put(&record, "files", files_of(info));
    return record;
}

PyObject *fkpy_info_list(fkpy_state *state, const fk_run_list *runs) {
    PyObject *list = PyList_New(0);
    size_t count = fk_run_list_count(runs);
    for (size_t i = 0; list != NULL && i < count; i++) {
        fkpy_list_add(&list, fkpy_info(state, fk_run_list_at(runs, i)));
    }
    return list;
}
