#include "loaded.h"

#include "from_value.h"
#include "info.h"
#include "module.h"

typedef struct fkpy_loaded {
    PyObject ob_base;
    fk_loaded *loaded;
} fkpy_loaded;

PyObject *fkpy_loaded_create(fkpy_state *state, fk_loaded *loaded) {
    fkpy_loaded *self = (fkpy_loaded *)fkpy_new(state->loaded_type);
    if (self == NULL) {
        fk_loaded_destroy(loaded);
        return NULL;
    }
    self->loaded = loaded;
    return (PyObject *)self;
}

static void destroy(PyObject *object) {
    fk_loaded_destroy(((fkpy_loaded *)object)->loaded);
    fkpy_free(object);
}

/* contents(builder) -> (weights, personality_vector, architecture) */
static PyObject *contents(PyObject *object, PyObject *builder) {
    const fk_loaded *loaded = ((fkpy_loaded *)object)->loaded;
    fkpy_reader reader = {.state = fkpy_state_of(object), .builder = builder, .owner = object};
    PyObject *weights = fkpy_reader_read(&reader, fk_loaded_weights(loaded));
    PyObject *personality = NULL;
    PyObject *architecture = NULL;
    if (weights != NULL) {
        const fk_tensor *tensor = fk_loaded_personality_vector(loaded);
        personality =
            tensor == NULL ? Py_NewRef(Py_None) : fkpy_reader_tensor(&reader, tensor, NULL);
    }
    if (personality != NULL) {
        architecture = fkpy_reader_read(&reader, fk_loaded_architecture(loaded));
    }
    PyObject *result =
        architecture == NULL ? NULL : PyTuple_Pack(3, weights, personality, architecture);
    fkpy_reader_finish(&reader);
    Py_XDECREF(weights);
    Py_XDECREF(personality);
    Py_XDECREF(architecture);
    return result;
}

static PyObject *info(PyObject *object, PyObject *unused) {
    (void)unused;
    return fkpy_info(fkpy_state_of(object), fk_loaded_info(((fkpy_loaded *)object)->loaded));
}

static PyMethodDef methods[] = {
    {"contents", contents, METH_O, NULL},
    {"info", info, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_dealloc, (void *)destroy},
    {Py_tp_methods, methods},
    {0, NULL},
};

PyType_Spec fkpy_loaded_spec = {
    .name = "fontkeep._native.Loaded",
    .basicsize = sizeof(fkpy_loaded),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};
