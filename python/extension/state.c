#include "state.h"

fkpy_state *fkpy_state_of(PyObject *self) {
    return PyType_GetModuleState(Py_TYPE(self));
}

PyObject *fkpy_new(PyTypeObject *type) {
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    return allocate(type, 0);
}

void fkpy_free(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF(type);
}
