#include "memory.h"

#include "errors.h"
#include "module.h"

typedef struct fkpy_memory {
    PyObject ob_base;
    PyObject *owner;
    void *data;
    Py_ssize_t bytes;
    char none; /* what an empty buffer points to */
} fkpy_memory;

PyObject *fkpy_memory_create(fkpy_state *state, PyObject *owner, const fk_storage *storage) {
    if (storage->bytes > (uint64_t)PY_SSIZE_T_MAX) {
        return fkpy_raise_no_memory();
    }
    fkpy_memory *self = (fkpy_memory *)fkpy_new(state->memory_type);
    if (self == NULL) {
        return NULL;
    }
    self->owner = Py_NewRef(owner);
    self->data = storage->bytes == 0 ? &self->none : storage->data;
    self->bytes = (Py_ssize_t)storage->bytes;
    return (PyObject *)self;
}

static void destroy(PyObject *object) {
    fkpy_memory *self = (fkpy_memory *)object;
    Py_XDECREF(self->owner);
    fkpy_free(object);
}

static int get_buffer(PyObject *object, Py_buffer *view, int flags) {
    fkpy_memory *self = (fkpy_memory *)object;
    return PyBuffer_FillInfo(view, object, self->data, self->bytes, 0, flags);
}

static PyType_Slot slots[] = {
    {Py_tp_dealloc, (void *)destroy},
    {Py_bf_getbuffer, (void *)get_buffer},
    {0, NULL},
};

PyType_Spec fkpy_memory_spec = {
    .name = "fontkeep._native.Memory",
    .basicsize = sizeof(fkpy_memory),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};
