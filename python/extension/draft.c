#include "draft.h"

#include <fontkeep/fontkeep.h>

#include "errors.h"
#include "module.h"
#include "progress.h"
#include "tree.h"

typedef struct fkpy_draft {
    PyObject ob_base;
    PyObject *store;
    PyObject *about; /* the training's tree is in it */
    fk_draft *draft; /* NULL once discarded */
    fkpy_progress progress;
} fkpy_draft;

bool fkpy_metadata_parse(fkpy_state *state, PyObject *about, fkpy_progress *progress,
                         fk_run_metadata *ret_metadata) {
    int status = 0;
    long long started_at_us = 0;
    long long ended_at_us = 0;
    PyObject *training = NULL;
    const char *parent_run_id = NULL;
    int create_font = 0;
    if (!PyArg_ParseTuple(about, "iLLOzp", &status, &started_at_us, &ended_at_us, &training,
                          &parent_run_id, &create_font)) {
        return false;
    }
    *ret_metadata = (fk_run_metadata){.size = sizeof *ret_metadata,
                                      .status = (fk_run_status)status,
                                      .started_at_us = started_at_us,
                                      .ended_at_us = ended_at_us,
                                      .training = fkpy_tree_value(state, training, 0),
                                      .parent_run_id = parent_run_id,
                                      .no_create_font = create_font == 0,
                                      .progress = fkpy_progress_ask,
                                      .progress_user = progress};
    return true;
}

static fk_code begin(fkpy_draft *self, fk_store *handle, const char *font_id,
                     const fk_run_metadata *metadata, fk_error *err) {
    fkpy_progress_begin(&self->progress);
    fk_code code = fk_draft_create(handle, font_id, metadata, &self->draft, err);
    fkpy_progress_end(&self->progress);
    return code;
}

PyObject *fkpy_draft_create(PyObject *store, fk_store *handle, PyObject *arguments) {
    const char *font_id = NULL;
    PyObject *about = NULL;
    fk_run_metadata metadata;
    if (!PyArg_ParseTuple(arguments, "sO", &font_id, &about)) {
        return NULL;
    }
    fkpy_state *state = fkpy_state_of(store);
    fkpy_draft *self = (fkpy_draft *)fkpy_new(state->draft_type);
    if (self == NULL) {
        return NULL;
    }
    self->store = Py_NewRef(store);
    self->about = Py_NewRef(about);
    if (!fkpy_metadata_parse(state, about, &self->progress, &metadata)) {
        Py_DECREF(self);
        return NULL;
    }
    fk_error err = {0};
    fk_code code = begin(self, handle, font_id, &metadata, &err);
    if (code != FK_OK) {
        (void)fkpy_raise(state, code, &err, NULL);
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static void discard_now(fkpy_draft *self) {
    fk_draft *draft = self->draft;
    self->draft = NULL;
    fk_draft_destroy(draft);
}

static void destroy(PyObject *object) {
    fkpy_draft *self = (fkpy_draft *)object;
    discard_now(self);
    Py_XDECREF(self->store);
    Py_XDECREF(self->about);
    fkpy_free(object);
}

static PyObject *answer(PyObject *object, fk_code code, const fk_error *err) {
    if (code != FK_OK) {
        return fkpy_raise(fkpy_state_of(object), code, err, NULL);
    }
    Py_RETURN_NONE;
}

/* Weights, personality vector and architecture are the items 0, 1 and 2 of the tree. */
typedef struct parts {
    const fk_value *weights;
    const fk_value *personality_vector;
    const fk_value *architecture;
} parts;

static int take_parts(fkpy_state *state, PyObject *tree, parts *ret_parts) {
    *ret_parts = (parts){.weights = fkpy_tree_value(state, tree, 0),
                         .personality_vector = fkpy_tree_value(state, tree, 1),
                         .architecture = fkpy_tree_value(state, tree, 2)};
    if (ret_parts->weights == NULL) {
        PyErr_SetString(PyExc_TypeError, "weights are missing");
        return -1;
    }
    return 0;
}

static PyObject *set_weights(PyObject *object, PyObject *tree) {
    fkpy_draft *self = (fkpy_draft *)object;
    parts it;
    if (take_parts(fkpy_state_of(object), tree, &it) < 0) {
        return NULL;
    }
    fk_error err = {0};
    fkpy_progress_begin(&self->progress);
    fk_code code =
        fk_draft_set_weights(self->draft, it.weights, it.personality_vector, it.architecture, &err);
    fkpy_progress_end(&self->progress);
    return answer(object, code, &err);
}

PyObject *fkpy_check_weights(PyObject *store, fk_store *handle, PyObject *tree) {
    parts it;
    if (take_parts(fkpy_state_of(store), tree, &it) < 0) {
        return NULL;
    }
    fk_error err = {0};
    fk_weights_plan *plan = NULL;
    PyThreadState *thread = PyEval_SaveThread();
    fk_code code = fk_weights_plan_create(handle, it.weights, it.personality_vector,
                                          it.architecture, &plan, &err);
    fk_weights_plan_destroy(plan);
    PyEval_RestoreThread(thread);
    return answer(store, code, &err);
}

bool fkpy_image_parse(PyObject *pixels, Py_buffer *ret_buffer, fk_image *ret_image) {
    unsigned width = 0;
    unsigned height = 0;
    unsigned channels = 0;
    if (!PyArg_ParseTuple(pixels, "y*III", ret_buffer, &width, &height, &channels)) {
        return false;
    }
    *ret_image = (fk_image){.bytes = ret_buffer->buf,
                            .length = (size_t)ret_buffer->len,
                            .width = width,
                            .height = height,
                            .channels = channels};
    return true;
}

/* add_image(label, pixels); label None: the sample image */
static PyObject *add_image(PyObject *object, PyObject *arguments) {
    fkpy_draft *self = (fkpy_draft *)object;
    const char *label = NULL;
    Py_buffer buffer = {0};
    fk_image image = {0};
    PyObject *pixels = NULL;
    if (!PyArg_ParseTuple(arguments, "zO", &label, &pixels) ||
        !fkpy_image_parse(pixels, &buffer, &image)) {
        return NULL;
    }
    fk_error err = {0};
    fkpy_progress_begin(&self->progress);
    fk_code code = label == NULL ? fk_draft_set_sample(self->draft, &image, &err)
                                 : fk_draft_add_glyph(self->draft, label, &image, &err);
    fkpy_progress_end(&self->progress);
    PyBuffer_Release(&buffer);
    return answer(object, code, &err);
}

/* add_glyph_directory(path) */
static PyObject *add_glyph_directory(PyObject *object, PyObject *arguments) {
    fkpy_draft *self = (fkpy_draft *)object;
    PyObject *path = NULL;
    if (!PyArg_ParseTuple(arguments, "O&", PyUnicode_FSConverter, &path)) {
        return NULL;
    }
    const char *text = PyBytes_AsString(path);
    fk_error err = {0};
    fkpy_progress_begin(&self->progress);
    fk_code code = fk_draft_add_glyph_directory(self->draft, text, &err);
    fkpy_progress_end(&self->progress);
    Py_DECREF(path);
    return answer(object, code, &err);
}

static fk_code set_feedback_value(fkpy_draft *self, const fk_value *feedback, fk_error *err) {
    fkpy_progress_begin(&self->progress);
    fk_code code = fk_draft_set_feedback(self->draft, feedback, err);
    fkpy_progress_end(&self->progress);
    return code;
}

/* set_feedback(tree or bytes of a JSON file) */
static PyObject *set_feedback(PyObject *object, PyObject *feedback) {
    fkpy_draft *self = (fkpy_draft *)object;
    fk_error err = {0};
    if (!PyBytes_Check(feedback)) {
        const fk_value *value = fkpy_tree_value(fkpy_state_of(object), feedback, 0);
        return answer(object, set_feedback_value(self, value, &err), &err);
    }
    fk_values *values = fk_values_create();
    fk_value *value = NULL;
    fk_code code = values == NULL
                       ? FK_E_NO_MEMORY
                       : fk_json_read(PyBytes_AsString(feedback), (size_t)PyBytes_Size(feedback),
                                      values, &value, &err);
    if (code == FK_OK) {
        code = set_feedback_value(self, value, &err);
    }
    fk_values_destroy(values);
    return answer(object, code, &err);
}

/* commit() -> run id */
static PyObject *commit(PyObject *object, PyObject *unused) {
    (void)unused;
    fkpy_draft *self = (fkpy_draft *)object;
    fk_run_id run_id = {{0}};
    fk_error err = {0};
    fkpy_progress_begin(&self->progress);
    fk_code code = fk_draft_commit(self->draft, &run_id, &err);
    discard_now(self);
    fkpy_progress_end(&self->progress);
    if (code != FK_OK) {
        return fkpy_raise(fkpy_state_of(object), code, &err,
                          code == FK_E_NOT_DURABLE ? run_id.text : NULL);
    }
    return PyUnicode_FromString(run_id.text);
}

static PyObject *discard(PyObject *object, PyObject *unused) {
    (void)unused;
    fkpy_draft *self = (fkpy_draft *)object;
    fkpy_progress_begin(&self->progress);
    discard_now(self);
    fkpy_progress_end(&self->progress);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"set_weights", set_weights, METH_O, NULL},
    {"add_image", add_image, METH_VARARGS, NULL},
    {"add_glyph_directory", add_glyph_directory, METH_VARARGS, NULL},
    {"set_feedback", set_feedback, METH_O, NULL},
    {"commit", commit, METH_NOARGS, NULL},
    {"discard", discard, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_dealloc, (void *)destroy},
    {Py_tp_methods, methods},
    {0, NULL},
};

PyType_Spec fkpy_draft_spec = {
    .name = "fontkeep._native.Draft",
    .basicsize = sizeof(fkpy_draft),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};
