#include "module.h"

#include <fontkeep/fontkeep.h>

#include "errors.h"
#include "from_value.h"
#include "info.h"
#include "report.h"
#include "selftest.h"
#include "tree.h"

static PyObject *version(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    return PyUnicode_FromString(fk_version());
}

/* tree(((name, object), ...), adapt, copy) */
static PyObject *tree(PyObject *module, PyObject *arguments) {
    PyObject *items = NULL;
    PyObject *adapt = NULL;
    int copy = 0;
    if (!PyArg_ParseTuple(arguments, "O!Op", &PyTuple_Type, &items, &adapt, &copy)) {
        return NULL;
    }
    return fkpy_tree_create(PyModule_GetState(module), items, adapt, copy != 0);
}

/* json_read(bytes) */
static PyObject *json_read(PyObject *module, PyObject *arguments) {
    const char *text = NULL;
    Py_ssize_t length = 0;
    if (!PyArg_ParseTuple(arguments, "y#", &text, &length)) {
        return NULL;
    }
    fkpy_state *state = PyModule_GetState(module);
    fk_values *values = fk_values_create();
    fk_value *value = NULL;
    fk_error err = {0};
    fk_code code =
        values == NULL ? FK_E_NO_MEMORY : fk_json_read(text, (size_t)length, values, &value, &err);
    PyObject *result = code == FK_OK ? fkpy_from_value(state, value, NULL, NULL)
                                     : fkpy_raise(state, code, &err, NULL);
    fk_values_destroy(values);
    return result;
}

/* inspect_file(path) */
static PyObject *inspect_file(PyObject *module, PyObject *arguments) {
    PyObject *path = NULL;
    if (!PyArg_ParseTuple(arguments, "O&", PyUnicode_FSConverter, &path)) {
        return NULL;
    }
    fk_inspection *inspection = NULL;
    fk_error err = {0};
    const char *text = PyBytes_AsString(path);
    PyThreadState *thread = PyEval_SaveThread();
    fk_code code = fk_inspect_file(text, &inspection, &err);
    PyEval_RestoreThread(thread);
    Py_DECREF(path);
    if (code != FK_OK) {
        return fkpy_raise(PyModule_GetState(module), code, &err, NULL);
    }
    PyObject *result = fkpy_inspection(inspection);
    fk_inspection_destroy(inspection);
    return result;
}

/* selftest(path) */
static PyObject *selftest(PyObject *module, PyObject *arguments) {
    PyObject *path = NULL;
    if (!PyArg_ParseTuple(arguments, "O&", PyUnicode_FSConverter, &path)) {
        return NULL;
    }
    PyObject *result = fkpy_selftest(PyModule_GetState(module), PyBytes_AsString(path));
    Py_DECREF(path);
    return result;
}

/* check_font_id(font_id) */
static PyObject *check_font_id(PyObject *module, PyObject *arguments) {
    const char *font_id = NULL;
    if (!PyArg_ParseTuple(arguments, "s", &font_id)) {
        return NULL;
    }
    fk_error err = {0};
    fk_code code = fk_font_id_check(font_id, &err);
    if (code != FK_OK) {
        return fkpy_raise(PyModule_GetState(module), code, &err, NULL);
    }
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"version", version, METH_NOARGS, NULL},
    {"tree", tree, METH_VARARGS, NULL},
    {"json_read", json_read, METH_VARARGS, NULL},
    {"inspect_file", inspect_file, METH_VARARGS, NULL},
    {"selftest", selftest, METH_VARARGS, NULL},
    {"check_font_id", check_font_id, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyObject *import_member(const char *module_name, const char *name) {
    PyObject *module = PyImport_ImportModule(module_name);
    if (module == NULL) {
        return NULL;
    }
    PyObject *member = PyObject_GetAttrString(module, name);
    Py_DECREF(module);
    return member;
}

static int add_type(PyObject *module, PyType_Spec *spec, PyTypeObject **ret_type) {
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    if (type == NULL) {
        return -1;
    }
    *ret_type = (PyTypeObject *)type;
    return PyModule_AddType(module, *ret_type);
}

static int add_types(PyObject *module, fkpy_state *state) {
    if (add_type(module, &fkpy_store_spec, &state->store_type) < 0 ||
        add_type(module, &fkpy_draft_spec, &state->draft_type) < 0 ||
        add_type(module, &fkpy_run_spec, &state->run_type) < 0 ||
        add_type(module, &fkpy_loaded_spec, &state->loaded_type) < 0 ||
        add_type(module, &fkpy_memory_spec, &state->memory_type) < 0) {
        return -1;
    }
    return add_type(module, &fkpy_tree_spec, &state->tree_type);
}

static int execute(PyObject *module) {
    fkpy_state *state = PyModule_GetState(module);
    state->ordered_dict = import_member("collections", "OrderedDict");
    state->counter = import_member("collections", "Counter");
    state->nan = import_member("math", "nan");
    state->info_fields = fkpy_info_fields();
    state->make_error = import_member("fontkeep.errors", "from_native");
    state->make_refusal = import_member("fontkeep.errors", "refused");
    if (state->ordered_dict == NULL || state->counter == NULL || state->nan == NULL ||
        state->info_fields == NULL || state->make_error == NULL || state->make_refusal == NULL) {
        return -1;
    }
    return add_types(module, state);
}

static int traverse(PyObject *module, visitproc visit, void *arg) {
    fkpy_state *state = PyModule_GetState(module);
    Py_VISIT(state->store_type);
    Py_VISIT(state->draft_type);
    Py_VISIT(state->run_type);
    Py_VISIT(state->loaded_type);
    Py_VISIT(state->memory_type);
    Py_VISIT(state->tree_type);
    Py_VISIT(state->ordered_dict);
    Py_VISIT(state->counter);
    Py_VISIT(state->nan);
    Py_VISIT(state->info_fields);
    Py_VISIT(state->make_error);
    Py_VISIT(state->make_refusal);
    return 0;
}

static int clear(PyObject *module) {
    fkpy_state *state = PyModule_GetState(module);
    Py_CLEAR(state->store_type);
    Py_CLEAR(state->draft_type);
    Py_CLEAR(state->run_type);
    Py_CLEAR(state->loaded_type);
    Py_CLEAR(state->memory_type);
    Py_CLEAR(state->tree_type);
    Py_CLEAR(state->ordered_dict);
    Py_CLEAR(state->counter);
    Py_CLEAR(state->nan);
    Py_CLEAR(state->info_fields);
    Py_CLEAR(state->make_error);
    Py_CLEAR(state->make_refusal);
    return 0;
}

static void release(void *module) {
    (void)clear(module);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)execute},
    {0, NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "fontkeep._native",
    .m_size = sizeof(fkpy_state),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = release,
};

PyMODINIT_FUNC PyInit__native(void) {
    return PyModuleDef_Init(&definition);
}
