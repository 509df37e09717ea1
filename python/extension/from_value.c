#include "from_value.h"

#include <stdbool.h>
#include <string.h>

#include "errors.h"
#include "memory.h"

/* The levels that the checker of pickles allows, and a leaf; through a cycle it counts its own way.
 */
enum { MAX_DEPTH = 1001 };

static PyObject *read_value(fkpy_reader *reader, const fk_value *value);

/* ---- what was made already ---- */

static bool remember(fkpy_reader *reader, const void *thing, PyObject *object) {
    if (reader->memo == NULL) {
        reader->memo = PyDict_New();
    }
    PyObject *key = reader->memo == NULL ? NULL : PyLong_FromVoidPtr((void *)(uintptr_t)thing);
    bool good = key != NULL && PyDict_SetItem(reader->memo, key, object) == 0;
    Py_XDECREF(key);
    return good;
}

/* A new reference, or NULL, maybe with an exception. */
static PyObject *recall(fkpy_reader *reader, const void *thing) {
    if (reader->memo == NULL) {
        return NULL;
    }
    PyObject *key = PyLong_FromVoidPtr((void *)(uintptr_t)thing);
    if (key == NULL) {
        return NULL;
    }
    PyObject *object = PyDict_GetItemWithError(reader->memo, key);
    Py_DECREF(key);
    return Py_XNewRef(object);
}

/* ---- numbers and texts ---- */

static PyObject *read_big_int(const fk_value *value) {
    size_t length = 0;
    const char *bytes = fk_value_as_text(value, &length);
    PyObject *method = PyObject_GetAttrString((PyObject *)&PyLong_Type, "from_bytes");
    PyObject *arguments = Py_BuildValue("(y#s)", bytes, (Py_ssize_t)length, "little");
    PyObject *keywords = Py_BuildValue("{s:O}", "signed", Py_True);
    PyObject *number = NULL;
    if (method != NULL && arguments != NULL && keywords != NULL) {
        number = PyObject_Call(method, arguments, keywords);
    }
    Py_XDECREF(method);
    Py_XDECREF(arguments);
    Py_XDECREF(keywords);
    return number;
}

static uint64_t bits_of(double number) {
    uint64_t bits = 0;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static PyObject *read_float(fkpy_reader *reader, double number) {
    double nan = PyFloat_AsDouble(reader->state->nan);
    bool same = bits_of(number) == bits_of(nan); /* other NaNs keep their bits */
    return same ? Py_NewRef(reader->state->nan) : PyFloat_FromDouble(number);
}

static PyObject *read_complex(const fk_value *value) {
    double real = 0;
    double imaginary = 0;
    fk_value_as_complex(value, &real, &imaginary);
    return PyComplex_FromDoubles(real, imaginary);
}

static PyObject *read_name(fkpy_reader *reader, const char *kind, const fk_value *value) {
    return PyObject_CallMethod(reader->builder, "text", "ss", kind, fk_value_as_text(value, NULL));
}

static PyObject *read_text(fkpy_reader *reader, const fk_value *value) {
    size_t length = 0;
    const char *text = fk_value_as_text(value, &length);
    switch (fk_value_kind(value)) {
    case FK_KIND_STRING:
        return PyUnicode_DecodeUTF8(text, (Py_ssize_t)length, "surrogatepass");
    case FK_KIND_BYTES:
        return PyBytes_FromStringAndSize(text, (Py_ssize_t)length);
    case FK_KIND_DTYPE:
        return read_name(reader, "dtype", value);
    case FK_KIND_DEVICE:
        return read_name(reader, "device", value);
    case FK_KIND_LAYOUT:
        return read_name(reader, "layout", value);
    case FK_KIND_QSCHEME:
        return read_name(reader, "qscheme", value);
    default:
        return PyByteArray_FromStringAndSize(text, (Py_ssize_t)length);
    }
}

/* ---- containers ---- */

static bool fill_list(fkpy_reader *reader, const fk_value *value, PyObject *list) {
    size_t count = fk_value_count(value);
    for (size_t i = 0; i < count; i++) {
        PyObject *item = read_value(reader, fk_value_item(value, i));
        int failed = item == NULL ? -1 : PyList_Append(list, item);
        Py_XDECREF(item);
        if (failed != 0) {
            return false;
        }
    }
    return true;
}

static bool fill_set(fkpy_reader *reader, const fk_value *value, PyObject *set) {
    size_t count = fk_value_count(value);
    for (size_t i = 0; i < count; i++) {
        PyObject *item = read_value(reader, fk_value_item(value, i));
        int failed = item == NULL ? -1 : PySet_Add(set, item);
        Py_XDECREF(item);
        if (failed != 0) {
            return false;
        }
    }
    return true;
}

static bool fill_dict(fkpy_reader *reader, const fk_value *value, PyObject *dict) {
    size_t count = fk_value_count(value);
    for (size_t i = 0; i < count; i++) {
        PyObject *key = read_value(reader, fk_value_key(value, i));
        PyObject *item = key == NULL ? NULL : read_value(reader, fk_value_item(value, i));
        /* not PyDict_SetItem: an OrderedDict has an order of its own to keep */
        int failed = item == NULL ? -1 : PyObject_SetItem(dict, key, item);
        Py_XDECREF(key);
        Py_XDECREF(item);
        if (failed != 0) {
            return false;
        }
    }
    return true;
}

/* Attributes go to the object's dict, not through setattr: names come from a file. */
static bool fill_attributes(fkpy_reader *reader, const fk_value *value, PyObject *object) {
    const fk_value *attributes = fk_value_attributes(value);
    if (attributes == NULL) {
        return true;
    }
    PyObject *own = PyObject_GetAttrString(object, "__dict__");
    bool good = own != NULL && fill_dict(reader, attributes, own);
    Py_XDECREF(own);
    return good;
}

static PyObject *empty_container(const fkpy_reader *reader, fk_kind kind) {
    switch (kind) {
    case FK_KIND_LIST:
        return PyList_New(0);
    case FK_KIND_SET:
        return PySet_New(NULL);
    case FK_KIND_DICT:
        return PyDict_New();
    case FK_KIND_ORDERED_DICT:
        return PyObject_CallNoArgs(reader->state->ordered_dict);
    default:
        return PyObject_CallNoArgs(reader->state->counter);
    }
}

static bool fill_container(fkpy_reader *reader, const fk_value *value, PyObject *object) {
    switch (fk_value_kind(value)) {
    case FK_KIND_LIST:
        return fill_list(reader, value, object);
    case FK_KIND_SET:
        return fill_set(reader, value, object);
    default:
        return fill_dict(reader, value, object) && fill_attributes(reader, value, object);
    }
}

/* Known before it is filled, as it may contain itself. */
static PyObject *read_container(fkpy_reader *reader, const fk_value *value) {
    PyObject *object = empty_container(reader, fk_value_kind(value));
    if (object == NULL || !remember(reader, value, object) ||
        !fill_container(reader, value, object)) {
        Py_XDECREF(object);
        return NULL;
    }
    return object;
}

/* Tuples are whole when they appear, so one cannot contain itself: Ellipsis stands for one that is
 * being made. */
static PyObject *read_tuple(fkpy_reader *reader, const fk_value *value) {
    size_t count = fk_value_count(value);
    PyObject *tuple = PyTuple_New((Py_ssize_t)count);
    bool good = tuple != NULL && remember(reader, value, Py_Ellipsis);
    for (size_t i = 0; good && i < count; i++) {
        PyObject *item = read_value(reader, fk_value_item(value, i));
        good = item != NULL && PyTuple_SetItem(tuple, (Py_ssize_t)i, item) == 0;
    }
    if (good && fk_value_kind(value) == FK_KIND_SIZE) {
        PyObject *items = tuple;
        tuple = PyObject_CallMethod(reader->builder, "size", "(O)", items);
        Py_DECREF(items);
        good = tuple != NULL;
    }
    if (!good || !remember(reader, value, tuple)) {
        Py_XDECREF(tuple);
        return NULL;
    }
    return tuple;
}

/* ---- tensors ---- */

static PyObject *read_storage(fkpy_reader *reader, const fk_storage *storage) {
    PyObject *object = recall(reader, storage);
    if (object != NULL || PyErr_Occurred() != NULL) {
        return object;
    }
    PyObject *memory = fkpy_memory_create(reader->state, reader->owner, storage);
    if (memory == NULL) {
        return NULL;
    }
    object = PyObject_CallMethod(reader->builder, "storage", "O", memory);
    Py_DECREF(memory);
    if (object != NULL && !remember(reader, storage, object)) {
        Py_CLEAR(object);
    }
    return object;
}

static PyObject *read_numbers(const int64_t *numbers, size_t count) {
    PyObject *tuple = PyTuple_New((Py_ssize_t)count);
    for (size_t i = 0; tuple != NULL && i < count; i++) {
        PyObject *number = PyLong_FromLongLong(numbers[i]);
        if (number == NULL || PyTuple_SetItem(tuple, (Py_ssize_t)i, number) < 0) {
            Py_CLEAR(tuple);
        }
    }
    return tuple;
}

PyObject *fkpy_reader_tensor(fkpy_reader *reader, const fk_tensor *tensor,
                             const fk_value *attributes) {
    PyObject *storage = read_storage(reader, tensor->storage);
    PyObject *shape = read_numbers(tensor->shape, tensor->rank);
    PyObject *strides = read_numbers(tensor->strides, tensor->rank);
    PyObject *extra = NULL;
    if (storage != NULL && shape != NULL && strides != NULL) {
        extra = attributes == NULL ? Py_NewRef(Py_None) : read_value(reader, attributes);
    }
    PyObject *object = NULL;
    if (extra != NULL) {
        object = PyObject_CallMethod(reader->builder, "tensor", "OsIOOKO", storage,
                                     fk_dtype_name(tensor->dtype), (unsigned)tensor->flags, shape,
                                     strides, (unsigned long long)tensor->offset, extra);
    }
    Py_XDECREF(storage);
    Py_XDECREF(shape);
    Py_XDECREF(strides);
    Py_XDECREF(extra);
    return object;
}

static PyObject *read_tensor(fkpy_reader *reader, const fk_value *value) {
    PyObject *object =
        fkpy_reader_tensor(reader, fk_value_as_tensor(value), fk_value_attributes(value));
    if (object != NULL && !remember(reader, value, object)) {
        Py_CLEAR(object);
    }
    return object;
}

/* ---- any value ---- */

static PyObject *read_unknown(fkpy_reader *reader, const fk_value *value) {
    switch (fk_value_kind(value)) {
    case FK_KIND_TENSOR:
        return read_tensor(reader, value);
    case FK_KIND_TUPLE:
    case FK_KIND_SIZE:
        return read_tuple(reader, value);
    case FK_KIND_BYTEARRAY: {
        PyObject *object = read_text(reader, value);
        if (object != NULL && !remember(reader, value, object)) {
            Py_CLEAR(object);
        }
        return object;
    }
    default:
        return read_container(reader, value);
    }
}

static PyObject *read_shareable(fkpy_reader *reader, const fk_value *value) {
    PyObject *known = recall(reader, value);
    if (known == Py_Ellipsis) {
        Py_DECREF(known);
        PyErr_SetString(PyExc_ValueError, "a tuple contains itself");
        return NULL;
    }
    if (known != NULL || PyErr_Occurred() != NULL) {
        return known;
    }
    if (reader->depth == MAX_DEPTH) {
        const fk_error limit = {.code = FK_E_LIMIT,
                                .offset = FK_NO_OFFSET,
                                .message = "values nest more than 1000 deep",
                                .hint = "look what is in the file with `fontkeep inspect`"};
        return fkpy_raise(reader->state, FK_E_LIMIT, &limit, NULL);
    }
    reader->depth++;
    PyObject *object = read_unknown(reader, value);
    reader->depth--;
    return object;
}

static PyObject *read_value(fkpy_reader *reader, const fk_value *value) {
    switch (fk_value_kind(value)) {
    case FK_KIND_NONE:
        Py_RETURN_NONE;
    case FK_KIND_BOOL:
        return PyBool_FromLong(fk_value_as_bool(value));
    case FK_KIND_INT:
        return PyLong_FromLongLong(fk_value_as_int(value));
    case FK_KIND_BIG_INT:
        return read_big_int(value);
    case FK_KIND_FLOAT:
        return read_float(reader, fk_value_as_float(value));
    case FK_KIND_COMPLEX:
        return read_complex(value);
    case FK_KIND_STRING:
    case FK_KIND_BYTES:
    case FK_KIND_DTYPE:
    case FK_KIND_DEVICE:
    case FK_KIND_LAYOUT:
    case FK_KIND_QSCHEME:
        return read_text(reader, value);
    default:
        return read_shareable(reader, value);
    }
}

PyObject *fkpy_reader_read(fkpy_reader *reader, const fk_value *value) {
    if (value == NULL) {
        Py_RETURN_NONE;
    }
    return read_value(reader, value);
}

void fkpy_reader_finish(fkpy_reader *reader) {
    Py_CLEAR(reader->memo);
}

PyObject *fkpy_from_value(fkpy_state *state, const fk_value *value, PyObject *builder,
                          PyObject *owner) {
    fkpy_reader reader = {.state = state, .builder = builder, .owner = owner};
    PyObject *object = fkpy_reader_read(&reader, value);
    fkpy_reader_finish(&reader);
    return object;
}
