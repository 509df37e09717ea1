#include "change.h"

#include "draft.h"
#include "errors.h"
#include "loaded.h"
#include "progress.h"

/* A renderer in Python, and what it was given and gave last. */
typedef struct drawing {
    fkpy_progress progress;
    fkpy_state *state;
    PyObject *draw;   /* borrowed */
    PyObject *loaded; /* NULL until the first image is drawn */
    Py_buffer image;
} drawing;

/* Calls draw(label or None, loaded) -> (buffer, width, height, channels). */
static bool call(drawing *it, const char *label, fk_image *ret_image) {
    PyBuffer_Release(&it->image);
    PyObject *drawn = PyObject_CallFunction(it->draw, "zO", label, it->loaded);
    bool good = drawn != NULL && fkpy_image_parse(drawn, &it->image, ret_image);
    Py_XDECREF(drawn);
    return good;
}

/* The fk_renderer. What Python raises ends the call as if it had been cancelled. */
static fk_code draw(const fk_rendering *wanted, fk_image *ret_image, void *user, fk_error *err) {
    drawing *it = user;
    fk_loaded *loaded = NULL;
    const fk_load_options options = {
        .size = sizeof options, .progress = fkpy_progress_ask, .progress_user = &it->progress};
    fk_code code =
        it->loaded == NULL ? fk_run_load_weights(wanted->run, &options, &loaded, err) : FK_OK;
    if (code != FK_OK) {
        return code;
    }
    PyEval_RestoreThread(it->progress.thread);
    if (loaded != NULL) {
        it->loaded = fkpy_loaded_create(it->state, loaded);
    }
    bool drawn = it->loaded != NULL && call(it, wanted->label, ret_image);
    it->progress.thread = PyEval_SaveThread();
    return drawn ? FK_OK : FK_E_CANCELLED;
}

/* regenerate(font_id, run_id, draw or None, render_sample) -> [change] */
PyObject *fkpy_regenerate(PyObject *object, fk_store *store, PyObject *arguments) {
    const char *font_id = NULL;
    const char *run_id = NULL;
    PyObject *renderer = NULL;
    int render_sample = 0;
    if (!PyArg_ParseTuple(arguments, "szOp", &font_id, &run_id, &renderer, &render_sample)) {
        return NULL;
    }
    drawing it = {.state = fkpy_state_of(object), .draw = renderer};
    const fk_regenerate_options options = {.size = sizeof options,
                                           .renderer = renderer == Py_None ? NULL : draw,
                                           .renderer_user = &it,
                                           .render_sample = render_sample != 0,
                                           .progress = fkpy_progress_ask,
                                           .progress_user = &it.progress};
    fk_change_list *changes = NULL;
    fk_error err = {0};
    fkpy_progress_begin(&it.progress);
    fk_code code = fk_regenerate(store, font_id, run_id, &options, &changes, &err);
    fkpy_progress_end(&it.progress);
    PyBuffer_Release(&it.image);
    Py_XDECREF(it.loaded);
    return fkpy_changes(object, code, changes, &err);
}
