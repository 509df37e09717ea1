#include "tree.h"

#include "errors.h"
#include "module.h"
#include "to_value.h"

enum { MAX_ITEMS = 4 };

typedef struct fkpy_tree {
    PyObject ob_base;
    fk_values *values;
    PyObject *owners; /* list of the objects whose memory the values look at */
    fkpy_snapshot snapshot;
    fk_value *items[MAX_ITEMS];
} fkpy_tree;

static bool convert(fkpy_tree *self, fkpy_writer *writer, PyObject *items) {
    Py_ssize_t count = PyTuple_Size(items);
    for (Py_ssize_t i = 0; i < count && i < MAX_ITEMS; i++) {
        const char *name = NULL;
        PyObject *object = NULL;
        if (!PyArg_ParseTuple(PyTuple_GetItem(items, i), "sO", &name, &object)) {
            return false;
        }
        if (object == Py_None) {
            continue;
        }
        self->items[i] = fkpy_to_value(writer, name, object);
        if (self->items[i] == NULL) {
            return false;
        }
    }
    return true;
}

/* The values look at copies from now on, and hold on to nothing of the caller's. */
static bool take_snapshot(fkpy_tree *self) {
    PyObject *owners = fkpy_snapshot_take(&self->snapshot);
    if (owners == NULL) {
        return false;
    }
    Py_DECREF(self->owners);
    self->owners = owners;
    return true;
}

PyObject *fkpy_tree_create(fkpy_state *state, PyObject *items, PyObject *adapt, bool copy) {
    fkpy_tree *self = (fkpy_tree *)fkpy_new(state->tree_type);
    if (self == NULL) {
        return NULL;
    }
    self->values = fk_values_create();
    self->owners = PyList_New(0);
    fkpy_writer writer = {.state = state,
                          .values = self->values,
                          .adapt = adapt,
                          .owners = self->owners,
                          .memo = PyDict_New(),
                          .storages = PyDict_New(),
                          .snapshot = &self->snapshot};
    bool good = false;
    if (self->values == NULL || self->owners == NULL || writer.memo == NULL ||
        writer.storages == NULL) {
        (void)fkpy_raise_no_memory();
    } else {
        good = convert(self, &writer, items) && (!copy || take_snapshot(self));
    }
    Py_XDECREF(writer.memo);
    Py_XDECREF(writer.storages);
    if (!good) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

const fk_value *fkpy_tree_value(fkpy_state *state, PyObject *tree, Py_ssize_t index) {
    if (!Py_IS_TYPE(tree, state->tree_type) || index < 0 || index >= MAX_ITEMS) {
        return NULL;
    }
    return ((fkpy_tree *)tree)->items[index];
}

static void destroy(PyObject *object) {
    fkpy_tree *self = (fkpy_tree *)object;
    fk_values_destroy(self->values);
    fkpy_snapshot_finish(&self->snapshot);
    Py_XDECREF(self->owners);
    fkpy_free(object);
}

static PyType_Slot slots[] = {
    {Py_tp_dealloc, (void *)destroy},
    {0, NULL},
};

PyType_Spec fkpy_tree_spec = {
    .name = "fontkeep._native.Tree",
    .basicsize = sizeof(fkpy_tree),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};
