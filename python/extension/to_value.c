#include "to_value.h"

#include <string.h>

#include <fontkeep/fontkeep.h>

#include "errors.h"
#include "to_tensor.h"

/* Nesting that the library would refuse, too; keeps our recursion from the end of the stack. */
enum { MAX_DEPTH = 1000, MAX_INT_BYTES = 255 };

fk_value *fkpy_checked(fk_value *value) {
    if (value == NULL) {
        (void)fkpy_raise_no_memory();
    }
    return value;
}

/* ---- refusing ---- */

static PyObject *place_part(const fkpy_place *place) {
    if (place->name != NULL) {
        return PyUnicode_FromString(place->name);
    }
    return place->key != NULL ? Py_NewRef(place->key) : PyLong_FromSsize_t(place->index);
}

static PyObject *place_parts(const fkpy_place *place) {
    PyObject *parts = PyList_New(0);
    for (; parts != NULL && place != NULL; place = place->outer) {
        PyObject *part = place_part(place);
        if (part == NULL || PyList_Append(parts, part) < 0) {
            Py_CLEAR(parts);
        }
        Py_XDECREF(part);
    }
    if (parts != NULL && PyList_Reverse(parts) < 0) {
        Py_CLEAR(parts);
    }
    return parts;
}

static fk_value *raise_refusal(fkpy_writer *writer, PyObject *object, PyObject *reason,
                               const char *code, const fkpy_place *place) {
    PyObject *parts = place_parts(place);
    if (parts == NULL) {
        return NULL;
    }
    PyObject *error =
        PyObject_CallFunction(writer->state->make_refusal, "sOOO", code, parts,
                              (PyObject *)Py_TYPE(object), reason == NULL ? Py_None : reason);
    Py_DECREF(parts);
    if (error != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
        Py_DECREF(error);
    }
    return NULL;
}

fk_value *fkpy_refuse(fkpy_writer *writer, PyObject *object, PyObject *reason,
                      const fkpy_place *place) {
    return raise_refusal(writer, object, reason, "unsupported", place);
}

static fk_value *refuse_because(fkpy_writer *writer, PyObject *object, const char *reason,
                                const char *code, const fkpy_place *place) {
    PyObject *text = PyUnicode_FromString(reason);
    if (text != NULL) {
        (void)raise_refusal(writer, object, text, code, place);
        Py_DECREF(text);
    }
    return NULL;
}

/* ---- numbers and texts ---- */

/* Two's complement in as few bytes as hold the sign, too. */
static PyObject *int_bytes(PyObject *number) {
    PyObject *bytes = NULL;
    PyObject *zero = PyLong_FromLong(0);
    int negative = zero == NULL ? -1 : PyObject_RichCompareBool(number, zero, Py_LT);
    Py_XDECREF(zero);
    PyObject *magnitude = negative < 0 ? NULL
                          : negative   ? PyNumber_Invert(number)
                                       : Py_NewRef(number);
    PyObject *bits = magnitude == NULL ? NULL : PyObject_CallMethod(magnitude, "bit_length", NULL);
    Py_XDECREF(magnitude);
    if (bits == NULL) {
        return NULL;
    }
    size_t length = PyLong_AsSize_t(bits) / 8 + 1;
    Py_DECREF(bits);
    if (length > MAX_INT_BYTES) {
        return Py_NewRef(Py_None);
    }
    PyObject *method = PyObject_GetAttrString(number, "to_bytes");
    PyObject *arguments = Py_BuildValue("(ns)", (Py_ssize_t)length, "little");
    PyObject *keywords = Py_BuildValue("{s:O}", "signed", Py_True);
    if (method != NULL && arguments != NULL && keywords != NULL) {
        bytes = PyObject_Call(method, arguments, keywords);
    }
    Py_XDECREF(method);
    Py_XDECREF(arguments);
    Py_XDECREF(keywords);
    return bytes;
}

static fk_value *write_int(fkpy_writer *writer, PyObject *object, const fkpy_place *place) {
    int overflow = 0;
    long long number = PyLong_AsLongLongAndOverflow(object, &overflow);
    if (overflow == 0) {
        return fkpy_checked(fk_value_int(writer->values, number));
    }
    PyObject *bytes = int_bytes(object);
    if (bytes == NULL) {
        return NULL;
    }
    fk_value *value = NULL;
    if (bytes == Py_None) {
        (void)refuse_because(writer, object, "int of more than 255 bytes", "unsupported", place);
    } else {
        value = fkpy_checked(
            fk_value_big_int(writer->values, PyBytes_AsString(bytes), (size_t)PyBytes_Size(bytes)));
    }
    Py_DECREF(bytes);
    return value;
}

static fk_value *write_string(fkpy_writer *writer, PyObject *object) {
    Py_ssize_t length = 0;
    const char *text = PyUnicode_AsUTF8AndSize(object, &length);
    if (text != NULL) {
        return fkpy_checked(fk_value_text(writer->values, FK_KIND_STRING, text, (size_t)length));
    }
    if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        return NULL;
    }
    PyErr_Clear();
    PyObject *bytes = PyUnicode_AsEncodedString(object, "utf-8", "surrogatepass");
    if (bytes == NULL) {
        return NULL;
    }
    fk_value *value = fkpy_checked(fk_value_text(
        writer->values, FK_KIND_STRING, PyBytes_AsString(bytes), (size_t)PyBytes_Size(bytes)));
    Py_DECREF(bytes);
    return value;
}

/* Objects of Python's own types that hold no others; NULL without an exception for the rest. */
static fk_value *write_atom(fkpy_writer *writer, PyObject *object, const fkpy_place *place) {
    fk_values *values = writer->values;
    if (object == Py_None) {
        return fkpy_checked(fk_value_none(values));
    }
    if (PyBool_Check(object)) {
        return fkpy_checked(fk_value_bool(values, object == Py_True));
    }
    if (PyLong_CheckExact(object)) {
        return write_int(writer, object, place);
    }
    if (PyFloat_CheckExact(object)) {
        return fkpy_checked(fk_value_float(values, PyFloat_AsDouble(object)));
    }
    if (PyComplex_CheckExact(object)) {
        return fkpy_checked(fk_value_complex(values, PyComplex_RealAsDouble(object),
                                             PyComplex_ImagAsDouble(object)));
    }
    if (PyUnicode_CheckExact(object)) {
        return write_string(writer, object);
    }
    if (PyBytes_CheckExact(object)) {
        return fkpy_checked(fk_value_text(values, FK_KIND_BYTES, PyBytes_AsString(object),
                                          (size_t)PyBytes_Size(object)));
    }
    if (PyByteArray_CheckExact(object)) {
        return fkpy_checked(fk_value_text(values, FK_KIND_BYTEARRAY, PyByteArray_AsString(object),
                                          (size_t)PyByteArray_Size(object)));
    }
    return NULL;
}

/* ---- what was met already ---- */

static bool remember(fkpy_writer *writer, PyObject *object, fk_value *value) {
    PyObject *key = PyLong_FromVoidPtr(object);
    PyObject *address = PyLong_FromVoidPtr(value);
    bool good = key != NULL && address != NULL && PyDict_SetItem(writer->memo, key, address) == 0 &&
                PyList_Append(writer->owners, object) == 0;
    Py_XDECREF(key);
    Py_XDECREF(address);
    return good;
}

/* NULL, maybe with an exception. */
static fk_value *recall(fkpy_writer *writer, PyObject *object) {
    PyObject *key = PyLong_FromVoidPtr(object);
    if (key == NULL) {
        return NULL;
    }
    PyObject *address = PyDict_GetItemWithError(writer->memo, key);
    Py_DECREF(key);
    return address == NULL ? NULL : PyLong_AsVoidPtr(address);
}

/* ---- containers ---- */

static bool added(fkpy_writer *writer, fk_code code, PyObject *object, const fkpy_place *place) {
    if (code == FK_OK) {
        return true;
    }
    if (code == FK_E_LIMIT) {
        (void)refuse_because(writer, object, "it has too many items", "limit", place);
    } else {
        (void)fkpy_raise_no_memory();
    }
    return false;
}

static bool write_items(fkpy_writer *writer, fk_value *value, PyObject *object,
                        const fkpy_place *place) {
    PyObject *items = PySequence_List(object); /* a list of our own: adapt runs Python code */
    Py_ssize_t count = items == NULL ? -1 : PyList_Size(items);
    bool good = items != NULL;
    for (Py_ssize_t i = 0; good && i < count; i++) {
        fkpy_place inner = {.outer = place, .index = i};
        fk_value *item = fkpy_to_value_at(writer, PyList_GetItem(items, i), &inner);
        good = item != NULL && added(writer, fk_value_append(value, item), object, place);
    }
    Py_XDECREF(items);
    return good;
}

static bool write_entry(fkpy_writer *writer, fk_value *value, PyObject *entry,
                        const fkpy_place *place) {
    PyObject *key = PyTuple_GetItem(entry, 0);
    fkpy_place inner = {.outer = place, .key = key};
    fk_value *key_value = fkpy_to_value_at(writer, key, &inner);
    if (key_value == NULL) {
        return false;
    }
    fk_value *item = fkpy_to_value_at(writer, PyTuple_GetItem(entry, 1), &inner);
    return item != NULL && added(writer, fk_value_put(value, key_value, item), entry, place);
}

static bool write_entries(fkpy_writer *writer, fk_value *value, PyObject *object,
                          const fkpy_place *place) {
    PyObject *entries = PyMapping_Items(object); /* in the order of an OrderedDict, too */
    Py_ssize_t count = entries == NULL ? -1 : PyList_Size(entries);
    bool good = entries != NULL;
    for (Py_ssize_t i = 0; good && i < count; i++) {
        good = write_entry(writer, value, PyList_GetItem(entries, i), place);
    }
    Py_XDECREF(entries);
    return good;
}

/* A state dict carries its _metadata as an attribute. */
static bool write_attributes(fkpy_writer *writer, fk_value *value, PyObject *object,
                             const fkpy_place *place) {
    PyObject *attributes = PyObject_GetAttrString(object, "__dict__");
    if (attributes == NULL) {
        PyErr_Clear();
        return true;
    }
    bool good = true;
    if (PyDict_Size(attributes) > 0) {
        fk_value *entries = fkpy_checked(fk_value_container(writer->values, FK_KIND_DICT));
        good = entries != NULL && write_entries(writer, entries, attributes, place) &&
               added(writer, fk_value_set_attributes(value, entries), object, place);
    }
    Py_DECREF(attributes);
    return good;
}

static fk_kind container_kind(const fkpy_state *state, PyObject *object) {
    if (PyDict_CheckExact(object)) {
        return FK_KIND_DICT;
    }
    if (PyList_CheckExact(object)) {
        return FK_KIND_LIST;
    }
    if (PyTuple_CheckExact(object)) {
        return FK_KIND_TUPLE;
    }
    if (Py_IS_TYPE(object, &PySet_Type)) {
        return FK_KIND_SET;
    }
    if ((PyObject *)Py_TYPE(object) == state->ordered_dict) {
        return FK_KIND_ORDERED_DICT;
    }
    return (PyObject *)Py_TYPE(object) == state->counter ? FK_KIND_COUNTER : FK_KIND_NONE;
}

static fk_value *write_container(fkpy_writer *writer, PyObject *object, PyObject *content,
                                 fk_kind kind, const fkpy_place *place) {
    fk_value *value = fkpy_checked(fk_value_container(writer->values, kind));
    if (value == NULL || !remember(writer, object, value)) {
        return NULL;
    }
    if (kind != FK_KIND_DICT && kind != FK_KIND_ORDERED_DICT && kind != FK_KIND_COUNTER) {
        return write_items(writer, value, content, place) ? value : NULL;
    }
    if (!write_entries(writer, value, content, place)) {
        return NULL;
    }
    if (kind == FK_KIND_ORDERED_DICT && !write_attributes(writer, value, content, place)) {
        return NULL;
    }
    return value;
}

/* ---- what is not Python's own ---- */

static fk_value *write_named(fkpy_writer *writer, PyObject *answer) {
    static const struct {
        const char *name;
        fk_kind kind;
    } kinds[] = {{"dtype", FK_KIND_DTYPE},
                 {"device", FK_KIND_DEVICE},
                 {"layout", FK_KIND_LAYOUT},
                 {"qscheme", FK_KIND_QSCHEME}};
    const char *form = NULL;
    const char *name = NULL;
    const char *text = NULL;
    Py_ssize_t length = 0;
    if (!PyArg_ParseTuple(answer, "sss#", &form, &name, &text, &length)) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(name, kinds[i].name) == 0) {
            return fkpy_checked(fk_value_text(writer->values, kinds[i].kind, text, (size_t)length));
        }
    }
    PyErr_Format(PyExc_SystemError, "adapt gave a text of kind '%s'", name);
    return NULL;
}

static fk_value *write_answer(fkpy_writer *writer, PyObject *object, PyObject *answer,
                              const fkpy_place *place) {
    PyObject *form = PyTuple_GetItem(answer, 0);
    if (form == NULL) {
        return NULL;
    }
    if (PyUnicode_CompareWithASCIIString(form, "tensor") == 0) {
        fk_value *value = fkpy_to_tensor(writer, object, answer, place);
        return value != NULL && remember(writer, object, value) ? value : NULL;
    }
    if (PyUnicode_CompareWithASCIIString(form, "text") == 0) {
        return write_named(writer, answer);
    }
    PyObject *other = PyTuple_GetItem(answer, 1);
    if (other == NULL) {
        return NULL;
    }
    if (PyUnicode_CompareWithASCIIString(form, "refuse") == 0) {
        return fkpy_refuse(writer, object, other, place);
    }
    if (PyUnicode_CompareWithASCIIString(form, "size") == 0) {
        return write_container(writer, object, other, FK_KIND_SIZE, place);
    }
    fk_value *value = fkpy_to_value_at(writer, other, place);
    return value != NULL && remember(writer, object, value) ? value : NULL;
}

static fk_value *write_foreign(fkpy_writer *writer, PyObject *object, const fkpy_place *place) {
    PyObject *answer = PyObject_CallFunctionObjArgs(writer->adapt, object, NULL);
    if (answer == NULL) {
        return NULL;
    }
    fk_value *value = NULL;
    if (PyTuple_Check(answer)) {
        value = write_answer(writer, object, answer, place);
    } else {
        (void)fkpy_refuse(writer, object, answer == Py_None ? NULL : answer, place);
    }
    Py_DECREF(answer);
    return value;
}

static fk_value *write_deeper(fkpy_writer *writer, PyObject *object, const fkpy_place *place) {
    fk_value *value = recall(writer, object);
    if (value != NULL || PyErr_Occurred() != NULL) {
        return value;
    }
    if (writer->depth >= MAX_DEPTH) {
        return refuse_because(writer, object, "nested more than 1000 deep", "limit", place);
    }
    writer->depth++;
    fk_kind kind = container_kind(writer->state, object);
    value = kind == FK_KIND_NONE ? write_foreign(writer, object, place)
                                 : write_container(writer, object, object, kind, place);
    writer->depth--;
    return value;
}

fk_value *fkpy_to_value_at(fkpy_writer *writer, PyObject *object, const fkpy_place *place) {
    fk_value *value = write_atom(writer, object, place);
    if (value != NULL || PyErr_Occurred() != NULL) {
        return value;
    }
    return write_deeper(writer, object, place);
}

fk_value *fkpy_to_value(fkpy_writer *writer, const char *name, PyObject *object) {
    fkpy_place place = {.name = name};
    return fkpy_to_value_at(writer, object, &place);
}
