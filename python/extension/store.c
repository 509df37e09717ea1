#include <fontkeep/fontkeep.h>

#include "change.h"
#include "draft.h"
#include "errors.h"
#include "info.h"
#include "loaded.h"
#include "module.h"
#include "progress.h"
#include "record.h"
#include "removal.h"
#include "report.h"
#include "run.h"
#include "save.h"

typedef struct fkpy_store {
    PyObject ob_base;
    fk_store *store;
} fkpy_store;

static fk_store *handle_of(PyObject *object) {
    return ((fkpy_store *)object)->store;
}

static PyObject *fail(PyObject *object, fk_code code, const fk_error *err) {
    return fkpy_raise(fkpy_state_of(object), code, err, NULL);
}

/* ---- the store itself ---- */

static fk_code open_at(PyObject *path, const fk_store_options *options, fk_store **ret_store,
                       fk_error *err) {
    const char *text = path == Py_None ? NULL : PyBytes_AsString(path);
    PyThreadState *thread = PyEval_SaveThread();
    fk_code code = fk_store_open(text, options, ret_store, err);
    PyEval_RestoreThread(thread);
    return code;
}

/* Store(path as bytes or None, create, create_runs, max_weights_bytes, durable) */
static PyObject *create(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    (void)keywords;
    PyObject *path = NULL;
    int make = 0;
    int create_runs = 0;
    unsigned long long max_weights_bytes = 0;
    int durable = 0;
    if (!PyArg_ParseTuple(arguments, "OppKp", &path, &make, &create_runs, &max_weights_bytes,
                          &durable)) {
        return NULL;
    }
    fkpy_store *self = (fkpy_store *)fkpy_new(type);
    if (self == NULL) {
        return NULL;
    }
    fk_store_options options = {.size = sizeof options,
                                .create = make != 0,
                                .no_create_runs = create_runs == 0,
                                .max_weights_bytes = max_weights_bytes,
                                .durability =
                                    durable != 0 ? FK_DURABILITY_FULL : FK_DURABILITY_NONE};
    fk_error err = {0};
    fk_code code = open_at(path, &options, &self->store, &err);
    if (code != FK_OK) {
        (void)fail((PyObject *)self, code, &err);
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static void destroy(PyObject *object) {
    fk_store_close(handle_of(object));
    fkpy_free(object);
}

static PyObject *path_of(PyObject *object, PyObject *unused) {
    (void)unused;
    return fkpy_path(fk_store_path(handle_of(object)));
}

static PyObject *init(PyObject *object, PyObject *unused) {
    (void)unused;
    char store_id[37] = "";
    fk_error err = {0};
    PyThreadState *thread = PyEval_SaveThread();
    fk_code code = fk_store_init(handle_of(object), store_id, &err);
    PyEval_RestoreThread(thread);
    return code == FK_OK ? PyUnicode_FromString(store_id) : fail(object, code, &err);
}

static PyObject *status(PyObject *object, PyObject *unused) {
    (void)unused;
    fk_store_report *report = NULL;
    fk_error err = {0};
    PyThreadState *thread = PyEval_SaveThread();
    fk_code code = fk_status(handle_of(object), &report, &err);
    PyEval_RestoreThread(thread);
    if (code != FK_OK) {
        return fail(object, code, &err);
    }
    PyObject *result = fkpy_store_report(report);
    fk_store_report_destroy(report);
    return result;
}

static PyObject *recover(PyObject *object, PyObject *unused) {
    (void)unused;
    fk_recovery *recovery = NULL;
    fk_error err = {0};
    PyThreadState *thread = PyEval_SaveThread();
    fk_code code = fk_recover(handle_of(object), &recovery, &err);
    PyEval_RestoreThread(thread);
    if (code != FK_OK) {
        return fail(object, code, &err);
    }
    PyObject *result = fkpy_recovery(recovery);
    fk_recovery_destroy(recovery);
    return result;
}

/* ---- fonts ---- */

/* create_font(font_id) */
static PyObject *create_font(PyObject *object, PyObject *arguments) {
    const char *font_id = NULL;
    if (!PyArg_ParseTuple(arguments, "s", &font_id)) {
        return NULL;
    }
    fk_error err = {0};
    PyThreadState *thread = PyEval_SaveThread();
    fk_code code = fk_create_font(handle_of(object), font_id, &err);
    PyEval_RestoreThread(thread);
    if (code != FK_OK) {
        return fail(object, code, &err);
    }
    Py_RETURN_NONE;
}

/* create_next_font(name) -> font id */
static PyObject *create_next_font(PyObject *object, PyObject *arguments) {
    const char *name = NULL;
    if (!PyArg_ParseTuple(arguments, "s", &name)) {
        return NULL;
    }
    fk_font_id font_id = {{0}};
    fk_error err = {0};
    PyThreadState *thread = PyEval_SaveThread();
    fk_code code = fk_create_next_font(handle_of(object), name, &font_id, &err);
    PyEval_RestoreThread(thread);
    return code == FK_OK ? PyUnicode_FromString(font_id.text) : fail(object, code, &err);
}

/* fonts() -> [(font_id, runs, latest_run_id)] */
static PyObject *fonts(PyObject *object, PyObject *unused) {
    (void)unused;
    fk_font_list *list = NULL;
    fk_error err = {0};
    PyThreadState *thread = PyEval_SaveThread();
    fk_code code = fk_list_fonts(handle_of(object), &list, &err);
    PyEval_RestoreThread(thread);
    if (code != FK_OK) {
        return fail(object, code, &err);
    }
    PyObject *result = PyList_New(0);
    size_t count = fk_font_list_count(list);
    for (size_t i = 0; result != NULL && i < count; i++) {
        const fk_font_info *font = fk_font_list_at(list, i);
        fkpy_list_add(&result, Py_BuildValue("(snz)", font->font_id, (Py_ssize_t)font->runs,
                                             font->latest_run_id));
    }
    fk_font_list_destroy(list);
    return result;
}

/* ---- runs ---- */

/* runs(font_id, limit, after, reverse) -> ([info], warning) */
static PyObject *runs(PyObject *object, PyObject *arguments) {
    const char *font_id = NULL;
    Py_ssize_t limit = 0;
    const char *after = NULL;
    int reverse = 0;
    if (!PyArg_ParseTuple(arguments, "snzp", &font_id, &limit, &after, &reverse)) {
        return NULL;
    }
    fk_run_query query = {
        .size = sizeof query, .limit = (size_t)limit, .after = after, .reverse = reverse != 0};
    fk_run_list *list = NULL;
    fk_error err = {0};
    PyThreadState *thread = PyEval_SaveThread();
    fk_code code = fk_list_runs(handle_of(object), font_id, &query, &list, &err);
    PyEval_RestoreThread(thread);
    if (code != FK_OK) {
        return fail(object, code, &err);
    }
    PyObject *rows = fkpy_info_list(fkpy_state_of(object), list);
    PyObject *warning = fkpy_text(fk_run_list_warning(list));
    fk_run_list_destroy(list);
    PyObject *result = rows == NULL || warning == NULL ? NULL : PyTuple_Pack(2, rows, warning);
    Py_XDECREF(rows);
    Py_XDECREF(warning);
    return result;
}

/* resolve_run(font_id, text) -> run id */
static PyObject *resolve_run(PyObject *object, PyObject *arguments) {
    const char *font_id = NULL;
    const char *text = NULL;
    if (!PyArg_ParseTuple(arguments, "ss", &font_id, &text)) {
        return NULL;
    }
    fk_run_id run_id = {{0}};
    fk_error err = {0};
    PyThreadState *thread = PyEval_SaveThread();
    fk_code code = fk_resolve_run(handle_of(object), font_id, text, &run_id, &err);
    PyEval_RestoreThread(thread);
    return code == FK_OK ? PyUnicode_FromString(run_id.text) : fail(object, code, &err);
}

/* run_info(font_id, run_id) */
static PyObject *run_info(PyObject *object, PyObject *arguments) {
    const char *font_id = NULL;
    const char *run_id = NULL;
    if (!PyArg_ParseTuple(arguments, "sz", &font_id, &run_id)) {
        return NULL;
    }
    fk_run_info *info = NULL;
    fk_error err = {0};
    PyThreadState *thread = PyEval_SaveThread();
    fk_code code = fk_get_run_info(handle_of(object), font_id, run_id, &info, &err);
    PyEval_RestoreThread(thread);
    if (code != FK_OK) {
        return fail(object, code, &err);
    }
    PyObject *result = fkpy_info(fkpy_state_of(object), info);
    fk_run_info_destroy(info);
    return result;
}

/* open_run(font_id, run_id) -> Run */
static PyObject *open_run(PyObject *object, PyObject *arguments) {
    const char *font_id = NULL;
    const char *run_id = NULL;
    if (!PyArg_ParseTuple(arguments, "sz", &font_id, &run_id)) {
        return NULL;
    }
    fk_run *run = NULL;
    fk_error err = {0};
    PyThreadState *thread = PyEval_SaveThread();
    fk_code code = fk_run_open(handle_of(object), font_id, run_id, &run, &err);
    PyEval_RestoreThread(thread);
    return code == FK_OK ? fkpy_run_create(fkpy_state_of(object), object, run)
                         : fail(object, code, &err);
}

/* load(font_id, run_id, verify, strict, fallback, mmap, salvage) -> Loaded */
static PyObject *load(PyObject *object, PyObject *arguments) {
    const char *font_id = NULL;
    const char *run_id = NULL;
    int verify = 0;
    int strict = 0;
    int fallback = 0;
    int map = 0;
    int salvage = 0;
    if (!PyArg_ParseTuple(arguments, "szppppp", &font_id, &run_id, &verify, &strict, &fallback,
                          &map, &salvage)) {
        return NULL;
    }
    fkpy_progress progress = {0};
    fk_load_options options = {.size = sizeof options,
                               .no_verify = verify == 0,
                               .strict = strict != 0,
                               .fallback = fallback != 0,
                               .mmap = map != 0,
                               .salvage = salvage != 0,
                               .progress = fkpy_progress_ask,
                               .progress_user = &progress};
    fk_loaded *loaded = NULL;
    fk_error err = {0};
    fkpy_progress_begin(&progress);
    fk_code code = fk_load_model(handle_of(object), font_id, run_id, &options, &loaded, &err);
    fkpy_progress_end(&progress);
    return code == FK_OK ? fkpy_loaded_create(fkpy_state_of(object), loaded)
                         : fail(object, code, &err);
}

/* verify(font_id or None, run_id or None) -> [info] */
static PyObject *verify(PyObject *object, PyObject *arguments) {
    const char *font_id = NULL;
    const char *run_id = NULL;
    if (!PyArg_ParseTuple(arguments, "zz", &font_id, &run_id)) {
        return NULL;
    }
    fkpy_progress progress = {0};
    fk_run_list *list = NULL;
    fk_error err = {0};
    fkpy_progress_begin(&progress);
    fk_code code =
        fk_verify(handle_of(object), font_id, run_id, fkpy_progress_ask, &progress, &list, &err);
    fkpy_progress_end(&progress);
    if (code != FK_OK) {
        return fail(object, code, &err);
    }
    PyObject *result = fkpy_info_list(fkpy_state_of(object), list);
    fk_run_list_destroy(list);
    return result;
}

/* copy_run(font_id, run_id, directory, salvage) -> info */
static PyObject *copy_run(PyObject *object, PyObject *arguments) {
    const char *font_id = NULL;
    const char *run_id = NULL;
    PyObject *directory = NULL;
    int salvage = 0;
    if (!PyArg_ParseTuple(arguments, "szO&p", &font_id, &run_id, PyUnicode_FSConverter, &directory,
                          &salvage)) {
        return NULL;
    }
    const char *text = PyBytes_AsString(directory);
    fk_run_info *info = NULL;
    fk_error err = {0};
    fkpy_progress progress = {0};
    fkpy_progress_begin(&progress);
    fk_code code = (salvage != 0 ? fk_salvage_run : fk_copy_run)(
        handle_of(object), font_id, run_id, text, fkpy_progress_ask, &progress, &info, &err);
    fkpy_progress_end(&progress);
    Py_DECREF(directory);
    if (code != FK_OK) {
        return fail(object, code, &err);
    }
    PyObject *result = fkpy_info(fkpy_state_of(object), info);
    fk_run_info_destroy(info);
    return result;
}

/* export_personality(font_id, run_id, path, format) */
static PyObject *export_personality(PyObject *object, PyObject *arguments) {
    const char *font_id = NULL;
    const char *run_id = NULL;
    PyObject *path = NULL;
    const char *format = NULL;
    if (!PyArg_ParseTuple(arguments, "szO&z", &font_id, &run_id, PyUnicode_FSConverter, &path,
                          &format)) {
        return NULL;
    }
    const char *text = PyBytes_AsString(path);
    fk_error err = {0};
    PyThreadState *thread = PyEval_SaveThread();
    fk_code code = fk_export_personality(handle_of(object), font_id, run_id, text, format, &err);
    PyEval_RestoreThread(thread);
    Py_DECREF(path);
    if (code != FK_OK) {
        return fail(object, code, &err);
    }
    Py_RETURN_NONE;
}

/* inspect_run(font_id, run_id) */
static PyObject *inspect_run(PyObject *object, PyObject *arguments) {
    const char *font_id = NULL;
    const char *run_id = NULL;
    if (!PyArg_ParseTuple(arguments, "sz", &font_id, &run_id)) {
        return NULL;
    }
    fk_inspection *inspection = NULL;
    fk_error err = {0};
    PyThreadState *thread = PyEval_SaveThread();
    fk_code code = fk_inspect_run(handle_of(object), font_id, run_id, &inspection, &err);
    PyEval_RestoreThread(thread);
    if (code != FK_OK) {
        return fail(object, code, &err);
    }
    PyObject *result = fkpy_inspection(inspection);
    fk_inspection_destroy(inspection);
    return result;
}

static PyObject *check_weights(PyObject *object, PyObject *tree) {
    return fkpy_check_weights(object, handle_of(object), tree);
}

static PyObject *save(PyObject *object, PyObject *arguments) {
    return fkpy_save(object, handle_of(object), arguments);
}

static PyObject *draft(PyObject *object, PyObject *arguments) {
    return fkpy_draft_create(object, handle_of(object), arguments);
}

/* ---- change and removal ---- */

static PyObject *adopt(PyObject *object, PyObject *arguments) {
    return fkpy_adopt(object, handle_of(object), arguments);
}

static PyObject *migrate(PyObject *object, PyObject *arguments) {
    return fkpy_migrate(object, handle_of(object), arguments);
}

static PyObject *regenerate(PyObject *object, PyObject *arguments) {
    return fkpy_regenerate(object, handle_of(object), arguments);
}

static PyObject *rm(PyObject *object, PyObject *arguments) {
    return fkpy_rm(object, handle_of(object), arguments);
}

static PyObject *trash(PyObject *object, PyObject *unused) {
    (void)unused;
    return fkpy_trash(object, handle_of(object));
}

static PyObject *restore(PyObject *object, PyObject *arguments) {
    return fkpy_restore(object, handle_of(object), arguments);
}

static PyObject *purge(PyObject *object, PyObject *arguments) {
    return fkpy_purge(object, handle_of(object), arguments);
}

static PyMethodDef methods[] = {
    {"path", path_of, METH_NOARGS, NULL},
    {"init", init, METH_NOARGS, NULL},
    {"status", status, METH_NOARGS, NULL},
    {"recover", recover, METH_NOARGS, NULL},
    {"create_font", create_font, METH_VARARGS, NULL},
    {"create_next_font", create_next_font, METH_VARARGS, NULL},
    {"fonts", fonts, METH_NOARGS, NULL},
    {"runs", runs, METH_VARARGS, NULL},
    {"resolve_run", resolve_run, METH_VARARGS, NULL},
    {"run_info", run_info, METH_VARARGS, NULL},
    {"open_run", open_run, METH_VARARGS, NULL},
    {"load", load, METH_VARARGS, NULL},
    {"verify", verify, METH_VARARGS, NULL},
    {"copy_run", copy_run, METH_VARARGS, NULL},
    {"export_personality", export_personality, METH_VARARGS, NULL},
    {"inspect_run", inspect_run, METH_VARARGS, NULL},
    {"check_weights", check_weights, METH_O, NULL},
    {"save", save, METH_VARARGS, NULL},
    {"draft", draft, METH_VARARGS, NULL},
    {"adopt", adopt, METH_VARARGS, NULL},
    {"migrate", migrate, METH_VARARGS, NULL},
    {"regenerate", regenerate, METH_VARARGS, NULL},
    {"rm", rm, METH_VARARGS, NULL},
    {"trash", trash, METH_NOARGS, NULL},
    {"restore", restore, METH_VARARGS, NULL},
    {"purge", purge, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, (void *)create},
    {Py_tp_dealloc, (void *)destroy},
    {Py_tp_methods, methods},
    {0, NULL},
};

PyType_Spec fkpy_store_spec = {
    .name = "fontkeep._native.Store",
    .basicsize = sizeof(fkpy_store),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};
