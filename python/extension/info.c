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

/* ---- a record ---- */

/* The fields of RunMetadata, in its order. */
enum {
    FONT_ID,
    RUN_ID,
    STATUS,
    HEALTH,
    PROBLEMS,
    STARTED_AT,
    ENDED_AT,
    TRAINING,
    METRICS,
    WEIGHTS_VERSION,
    FEEDBACK_SCHEMA,
    PARENT_RUN_ID,
    PERSONALITY,
    GLYPHS,
    WEIGHTS_BYTES,
    SIZE_BYTES,
    WRITTEN_BY,
    MANIFEST_VERSION,
    GENERATION,
    PATH,
    FILES,
    EXTRA,
    FIELDS
};

static const char *const field_names[FIELDS] = {
    [FONT_ID] = "font_id",
    [RUN_ID] = "run_id",
    [STATUS] = "status",
    [HEALTH] = "health",
    [PROBLEMS] = "problems",
    [STARTED_AT] = "started_at",
    [ENDED_AT] = "ended_at",
    [TRAINING] = "training",
    [METRICS] = "metrics",
    [WEIGHTS_VERSION] = "weights_version",
    [FEEDBACK_SCHEMA] = "feedback_schema",
    [PARENT_RUN_ID] = "parent_run_id",
    [PERSONALITY] = "personality",
    [GLYPHS] = "glyphs",
    [WEIGHTS_BYTES] = "weights_bytes",
    [SIZE_BYTES] = "size_bytes",
    [WRITTEN_BY] = "written_by",
    [MANIFEST_VERSION] = "manifest_version",
    [GENERATION] = "generation",
    [PATH] = "path",
    [FILES] = "files",
    [EXTRA] = "extra",
};

PyObject *fkpy_info_fields(void) {
    PyObject *fields = PyTuple_New(FIELDS);
    for (Py_ssize_t i = 0; fields != NULL && i < FIELDS; i++) {
        PyObject *name = PyUnicode_InternFromString(field_names[i]);
        if (name == NULL || PyTuple_SetItem(fields, i, name) < 0) {
            Py_CLEAR(fields);
        }
    }
    return fields;
}

/* A record under way: a dict, and the names of its members as Python has them. */
typedef struct filling {
    PyObject *fields;
    PyObject *record;
} filling;

/* As fkpy_record_put. */
static void put(filling *of, Py_ssize_t field, PyObject *member) {
    if (of->record != NULL &&
        (member == NULL ||
         PyDict_SetItem(of->record, PyTuple_GetItem(of->fields, field), member) < 0)) {
        Py_CLEAR(of->record);
    }
    Py_XDECREF(member);
}

static void put_names(filling *of, const fk_run_info *info) {
    put(of, FONT_ID, fkpy_text(info->font_id));
    put(of, RUN_ID, fkpy_text(info->run_id));
    put(of, PATH, fkpy_path(info->path));
    put(of, STATUS, status_of(info));
    put(of, HEALTH, fkpy_text(fk_health_name(info->health)));
    put(of, PROBLEMS, problems_of(info));
    put(of, WEIGHTS_VERSION, fkpy_text(info->weights_version));
    put(of, FEEDBACK_SCHEMA, fkpy_text(info->feedback_schema));
    put(of, PARENT_RUN_ID, fkpy_text(info->parent_run_id));
    put(of, WRITTEN_BY, fkpy_text(info->written_by));
}

/* Whether a member of the manifest has a place of its own in the record. `*next` is where to look
 * first: members come in the order in which they are written here. */
static bool is_known(const char *name, size_t *next) {
    static const char *const known[] = {
        "manifest_version", "font_id",     "run_id",  "status",          "started_at",
        "ended_at",         "training",    "metrics", "weights_version", "feedback_schema",
        "parent_run_id",    "personality", "glyphs",  "weights_bytes",   "size_bytes",
        "generation",       "written_by"};
    enum { KNOWN = sizeof known / sizeof known[0] };
    for (size_t i = 0; i < KNOWN; i++) {
        size_t at = (*next + i) % KNOWN;
        if (strcmp(name, known[at]) == 0) {
            *next = at + 1;
            return true;
        }
    }
    return false;
}

/* The members of the manifest that this version does not know. */
static PyObject *extra_of(fkpy_state *state, const fk_value *manifest) {
    PyObject *extra = PyDict_New();
    size_t count = manifest == NULL ? 0 : fk_value_count(manifest);
    size_t next = 0;
    for (size_t i = 0; i < count; i++) {
        const char *name = fk_value_as_text(fk_value_key(manifest, i), NULL);
        if (!is_known(name, &next)) {
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
    filling of = {.fields = state->info_fields, .record = PyDict_New()};
    put_names(&of, info);
    put(&of, STARTED_AT, fkpy_time(info->started_at_us));
    put(&of, ENDED_AT, fkpy_time(info->ended_at_us));
    put(&of, TRAINING, fkpy_from_value(state, info->training, NULL, NULL));
    put(&of, METRICS, fkpy_from_value(state, info->metrics, NULL, NULL));
    put(&of, PERSONALITY, personality_of(info));
    put(&of, GLYPHS, PyLong_FromSize_t(info->glyphs));
    put(&of, WEIGHTS_BYTES,
        info->has_weights ? PyLong_FromUnsignedLongLong(info->weights_bytes) : Py_NewRef(Py_None));
    put(&of, SIZE_BYTES, PyLong_FromUnsignedLongLong(info->size_bytes));
    put(&of, GENERATION, PyLong_FromUnsignedLongLong(info->generation));
    put(&of, MANIFEST_VERSION, manifest_version_of(info->manifest));
    put(&of, EXTRA, extra_of(state, info->manifest));
    put(&of, FILES, files_of(info));
    return of.record;
}

PyObject *fkpy_info_list(fkpy_state *state, const fk_run_list *runs) {
    PyObject *list = PyList_New(0);
    size_t count = fk_run_list_count(runs);
    for (size_t i = 0; list != NULL && i < count; i++) {
        fkpy_list_add(&list, fkpy_info(state, fk_run_list_at(runs, i)));
    }
    return list;
}
