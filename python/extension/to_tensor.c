#include "to_tensor.h"

#include <fontkeep/fontkeep.h>

#include "errors.h"

enum { MAX_RANK = 64 };

/* Memory for the storage: the owner's own, or a copy that the tree keeps. */
static void *storage_memory(fkpy_writer *writer, PyObject *owner, uint64_t address,
                            uint64_t bytes) {
    void *data = (void *)(uintptr_t)address;
    if (!writer->copy || bytes == 0) {
        return PyList_Append(writer->owners, owner) == 0 ? data : NULL;
    }
    PyObject *copy = PyByteArray_FromStringAndSize(data, (Py_ssize_t)bytes);
    if (copy == NULL) {
        return NULL;
    }
    data = PyByteArray_AsString(copy);
    int appended = PyList_Append(writer->owners, copy);
    Py_DECREF(copy);
    return appended == 0 ? data : NULL;
}

/* The storage of that memory: the same for all tensors that share it. */
static fk_storage *storage_of(fkpy_writer *writer, PyObject *owner, uint64_t address,
                              uint64_t bytes) {
    PyObject *key = Py_BuildValue("(KK)", (unsigned long long)address, (unsigned long long)bytes);
    if (key == NULL) {
        return NULL;
    }
    fk_storage *storage = NULL;
    PyObject *known = PyDict_GetItemWithError(writer->storages, key);
    if (known != NULL) {
        storage = PyLong_AsVoidPtr(known);
    } else if (PyErr_Occurred() == NULL) {
        void *data = storage_memory(writer, owner, address, bytes);
        if (PyErr_Occurred() == NULL) {
            storage = fk_storage_create(writer->values, data, bytes);
        }
        PyObject *entry = storage == NULL ? NULL : PyLong_FromVoidPtr(storage);
        if (entry == NULL || PyDict_SetItem(writer->storages, key, entry) < 0) {
            storage = NULL;
        }
        Py_XDECREF(entry);
    }
    Py_DECREF(key);
    if (storage == NULL && PyErr_Occurred() == NULL) {
        (void)fkpy_raise_no_memory();
    }
    return storage;
}

static bool read_numbers(PyObject *tuple, int64_t *ret_numbers) {
    Py_ssize_t count = PyTuple_Size(tuple);
    for (Py_ssize_t i = 0; i < count; i++) {
        ret_numbers[i] = PyLong_AsLongLong(PyTuple_GetItem(tuple, i));
        if (ret_numbers[i] == -1 && PyErr_Occurred() != NULL) {
            return false;
        }
    }
    return true;
}

static fk_value *refuse(fkpy_writer *writer, PyObject *object, const char *reason,
                        const fkpy_place *place) {
    PyObject *text = PyUnicode_FromString(reason);
    if (text != NULL) {
        (void)fkpy_refuse(writer, object, text, place);
        Py_DECREF(text);
    }
    return NULL;
}

static bool hang_attributes(fkpy_writer *writer, fk_value *value, PyObject *attributes,
                            const fkpy_place *place) {
    if (attributes == Py_None) {
        return true;
    }
    fk_value *entries = fkpy_to_value_at(writer, attributes, place);
    if (entries == NULL) {
        return false;
    }
    if (fk_value_set_attributes(value, entries) != FK_OK) {
        (void)fkpy_raise_no_memory();
        return false;
    }
    return true;
}

fk_value *fkpy_to_tensor(fkpy_writer *writer, PyObject *object, PyObject *answer,
                         const fkpy_place *place) {
    const char *form = NULL;
    const char *dtype = NULL;
    unsigned flags = 0;
    PyObject *shape = NULL;
    PyObject *strides = NULL;
    unsigned long long offset = 0;
    unsigned long long address = 0;
    unsigned long long bytes = 0;
    PyObject *owner = NULL;
    PyObject *attributes = NULL;
    if (!PyArg_ParseTuple(answer, "ssIO!OKKKOO", &form, &dtype, &flags, &PyTuple_Type, &shape,
                          &strides, &offset, &address, &bytes, &owner, &attributes)) {
        return NULL;
    }
    int64_t sizes[MAX_RANK] = {0};
    int64_t steps[MAX_RANK] = {0};
    Py_ssize_t rank = PyTuple_Size(shape);
    if (rank > MAX_RANK) {
        return refuse(writer, object, "tensor of more than 64 dimensions", place);
    }
    bool strided = PyTuple_Check(strides) && PyTuple_Size(strides) == rank;
    if (!read_numbers(shape, sizes) || (strided && !read_numbers(strides, steps))) {
        return NULL;
    }
    fk_tensor tensor = {.dtype = fk_dtype_from_name(dtype),
                        .flags = flags,
                        .rank = (uint32_t)rank,
                        .shape = sizes,
                        .strides = strided ? steps : NULL,
                        .offset = offset,
                        .storage = storage_of(writer, owner, address, bytes)};
    if (tensor.storage == NULL) {
        return NULL;
    }
    fk_value *value = fk_value_tensor(writer->values, &tensor);
    if (value == NULL) {
        return refuse(writer, object, "tensor whose view does not fit its storage", place);
    }
    return hang_attributes(writer, value, attributes, place) ? value : NULL;
}
