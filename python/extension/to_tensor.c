#include "to_tensor.h"

#include <fontkeep/fontkeep.h>

#include "errors.h"

enum { MAX_RANK = 64 };

/* What `adapt` tells of a tensor's memory. */
typedef struct tensor_memory {
    unsigned long long address;
    unsigned long long bytes;
    PyObject *owner;
    int ours;
} tensor_memory;

/* A storage that no tensor had before. */
static bool add_storage(fkpy_writer *writer, const tensor_memory *memory, PyObject *key) {
    fk_storage *storage =
        fk_storage_create(writer->values, (void *)(uintptr_t)memory->address, memory->bytes);
    PyObject *number = PyLong_FromSize_t(writer->snapshot->count);
    bool good = storage != NULL && number != NULL &&
                fkpy_snapshot_add(writer->snapshot, storage, memory->owner, memory->ours != 0) &&
                PyList_Append(writer->owners, memory->owner) == 0 &&
                PyDict_SetItem(writer->storages, key, number) == 0;
    Py_XDECREF(number);
    if (!good && PyErr_Occurred() == NULL) {
        (void)fkpy_raise_no_memory();
    }
    return good;
}

/* The number of the storage of that memory: the same for all tensors that share it. */
static bool find_storage(fkpy_writer *writer, const tensor_memory *memory, size_t *ret_number) {
    PyObject *key = Py_BuildValue("(KK)", memory->address, memory->bytes);
    if (key == NULL) {
        return false;
    }
    PyObject *known = PyDict_GetItemWithError(writer->storages, key);
    bool good = true;
    if (known != NULL) {
        *ret_number = PyLong_AsSize_t(known);
    } else if (PyErr_Occurred() != NULL) {
        good = false;
    } else {
        *ret_number = writer->snapshot->count;
        good = add_storage(writer, memory, key);
    }
    Py_DECREF(key);
    return good;
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
    tensor_memory memory = {0};
    PyObject *attributes = NULL;
    if (!PyArg_ParseTuple(answer, "ssIO!OKKKOpO", &form, &dtype, &flags, &PyTuple_Type, &shape,
                          &strides, &offset, &memory.address, &memory.bytes, &memory.owner,
                          &memory.ours, &attributes)) {
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
    size_t number = 0;
    if (!find_storage(writer, &memory, &number)) {
        return NULL;
    }
    fk_tensor tensor = {.dtype = fk_dtype_from_name(dtype),
                        .flags = flags,
                        .rank = (uint32_t)rank,
                        .shape = sizes,
                        .strides = strided ? steps : NULL,
                        .offset = offset,
                        .storage = writer->snapshot->spans[number].storage};
    fk_value *value = fk_value_tensor(writer->values, &tensor);
    if (value == NULL) {
        return refuse(writer, object, "tensor whose view does not fit its storage", place);
    }
    fkpy_snapshot_use(writer->snapshot, number, fk_value_as_tensor(value));
    return hang_attributes(writer, value, attributes, place) ? value : NULL;
}
