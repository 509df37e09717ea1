#include "save.h"

#include "draft.h"
#include "errors.h"
#include "tree.h"

/* All that one save looks at. Texts and trees belong to the caller's arguments. */
typedef struct parts {
    fk_model model;
    fk_run_metadata metadata;
    fkpy_progress progress;
    fk_image sample;
    fk_glyph *glyphs;
    Py_buffer sample_buffer;
    Py_buffer *glyph_buffers; /* as many as glyphs */
} parts;

static void finish(parts *it) {
    PyBuffer_Release(&it->sample_buffer);
    for (size_t i = 0; i < it->model.eval_glyph_count; i++) {
        PyBuffer_Release(&it->glyph_buffers[i]);
    }
    PyMem_Free(it->glyph_buffers);
    PyMem_Free(it->glyphs);
}

static bool take_sample(parts *it, PyObject *pixels) {
    if (pixels == Py_None) {
        return true;
    }
    it->model.sample_image = &it->sample;
    return fkpy_image_parse(pixels, &it->sample_buffer, &it->sample);
}

/* `glyphs`: a list of (label, pixels). */
static bool take_glyphs(parts *it, PyObject *glyphs) {
    Py_ssize_t count = PyList_Size(glyphs);
    if (count < 0) {
        return false;
    }
    it->glyphs = PyMem_Calloc((size_t)count + 1, sizeof *it->glyphs);
    it->glyph_buffers = PyMem_Calloc((size_t)count + 1, sizeof *it->glyph_buffers);
    if (it->glyphs == NULL || it->glyph_buffers == NULL) {
        (void)fkpy_raise_no_memory();
        return false;
    }
    it->model.eval_glyphs = it->glyphs;
    it->model.eval_glyph_count = (size_t)count;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *pixels = NULL;
        if (!PyArg_ParseTuple(PyList_GetItem(glyphs, i), "sO", &it->glyphs[i].label, &pixels) ||
            !fkpy_image_parse(pixels, &it->glyph_buffers[i], &it->glyphs[i].image)) {
            return false;
        }
    }
    return true;
}

static PyObject *save(PyObject *store, fk_store *handle, const char *font_id, parts *it) {
    fk_run_id run_id = {{0}};
    fk_error err = {0};
    fkpy_progress_begin(&it->progress);
    fk_code code = fk_save_model(handle, font_id, &it->model, &run_id, &err);
    fkpy_progress_end(&it->progress);
    if (code != FK_OK) {
        return fkpy_raise(fkpy_state_of(store), code, &err,
                          code == FK_E_NOT_DURABLE ? run_id.text : NULL);
    }
    return PyUnicode_FromString(run_id.text);
}

PyObject *fkpy_save(PyObject *store, fk_store *handle, PyObject *arguments) {
    const char *font_id = NULL;
    PyObject *about = NULL;
    PyObject *tree = NULL;
    PyObject *sample = NULL;
    PyObject *glyphs = NULL;
    PyObject *feedback = NULL;
    if (!PyArg_ParseTuple(arguments, "sOOOO!O", &font_id, &about, &tree, &sample, &PyList_Type,
                          &glyphs, &feedback)) {
        return NULL;
    }
    fkpy_state *state = fkpy_state_of(store);
    parts it = {.model = {.size = sizeof it.model,
                          .weights = fkpy_tree_value(state, tree, 0),
                          .personality_vector = fkpy_tree_value(state, tree, 1),
                          .architecture = fkpy_tree_value(state, tree, 2),
                          .feedback = fkpy_tree_value(state, feedback, 0)}};
    it.model.metadata = &it.metadata;
    PyObject *run_id = NULL;
    if (fkpy_metadata_parse(state, about, &it.progress, &it.metadata) && take_sample(&it, sample) &&
        take_glyphs(&it, glyphs)) {
        run_id = save(store, handle, font_id, &it);
    }
    finish(&it);
    return run_id;
}
