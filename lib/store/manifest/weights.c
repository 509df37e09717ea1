#include "store/manifest/weights.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "store/names/layout.h"
#include "value/values.h"
#include "json/json.h"

enum { NEWEST_MAJOR = 1 };

static bool is_dict(const fk_value *value) {
    fk_kind kind = fk_value_kind(value);
    return kind == FK_KIND_DICT || kind == FK_KIND_ORDERED_DICT;
}

/* ---- wrapping */

/* {"dtype": "float32", "shape": [2, 3]} */
static fk_value *describe_tensor(fk_values *values, const fk_tensor *tensor) {
    fk_value *description = fk_value_container(values, FK_KIND_DICT);
    fk_value *shape = fk_value_container(values, FK_KIND_LIST);
    fk_value *dtype = fk_value_string(values, fk_dtype_name(tensor->dtype));
    fk_code code = fk_value_set(description, "dtype", dtype);
    for (uint32_t i = 0; code == FK_OK && i < tensor->rank; i++) {
        code = fk_value_append(shape, fk_value_int(values, tensor->shape[i]));
    }
    if (code == FK_OK) {
        code = fk_value_set(description, "shape", shape);
    }
    return code == FK_OK ? description : NULL;
}

typedef struct tensor_list {
    fk_values *values;
    fk_value *tensors;   /* dict: dotted name to description */
    uint64_t name_bytes; /* they become part of the pickle */
} tensor_list;

static fk_code add_tensor(void *user, const char *path, const fk_value *value, fk_error *err) {
    tensor_list *list = user;
    if (fk_value_kind(value) != FK_KIND_TENSOR) {
        return FK_OK;
    }
    list->name_bytes += strlen(path);
    if (list->name_bytes > FK_LIMIT_PICKLE_BYTES) {
        fk_error_set(err, FK_E_LIMIT,
                     "the dotted names of the tensors take more than %" PRIu64 " bytes",
                     FK_LIMIT_PICKLE_BYTES);
        fk_error_hint(err, "give an architecture, or shorter keys");
        return FK_E_LIMIT;
    }
    fk_code code = fk_value_put(list->tensors, fk_value_string(list->values, path),
                                describe_tensor(list->values, fk_value_as_tensor(value)));
    if (code == FK_E_LIMIT) {
        return fk_error_set(err, code, "too many tensors, reached at '%s'", path);
    }
    return code == FK_OK ? FK_OK : fk_error_no_memory(err);
}

/* A name, and where it stands. */
typedef struct named {
    const char *name;
    size_t index;
} named;

static int compare_names(const void *one, const void *other) {
    const named *a = one;
    const named *b = other;
    int order = strcmp(a->name, b->name);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

/* Two tensors can have one dotted name ({"a.b": x, "a": {"b": y}}): where it occurs first, the last
 * is described. */
static fk_code drop_duplicates(fk_values *values, fk_value *architecture, const fk_value *tensors,
                               fk_error *err) {
    size_t count = fk_value_count(tensors);
    FK_SCOPED(fk_freep) named *names = calloc(count + 1, sizeof *names);
    FK_SCOPED(fk_freep) fk_value **kept = calloc(count + 1, sizeof *kept);
    fk_value *distinct = fk_value_container(values, FK_KIND_DICT);
    if (names == NULL || kept == NULL || fk_value_set(architecture, "tensors", distinct) != FK_OK) {
        return fk_error_no_memory(err);
    }
    for (size_t i = 0; i < count; i++) {
        names[i] = (named){fk_value_as_text(fk_value_key(tensors, i), NULL), i};
    }
    qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 0, first = 0; i < count; i++) {
        first = strcmp(names[first].name, names[i].name) == 0 ? first : i;
        kept[names[first].index] = fk_value_item(tensors, names[i].index);
    }
    fk_code code = FK_OK;
    for (size_t i = 0; code == FK_OK && i < count; i++) {
        code = kept[i] == NULL ? FK_OK : fk_value_put(distinct, fk_value_key(tensors, i), kept[i]);
    }
    return code == FK_OK ? FK_OK : fk_error_no_memory(err);
}

/* {"tensors": {name: {"dtype", "shape"}}} of a model whose architecture was not given. */
static fk_code describe_model(fk_values *values, const fk_value *model, fk_value **ret_architecture,
                              fk_error *err) {
    tensor_list list = {.values = values, .tensors = fk_value_container(values, FK_KIND_DICT)};
    fk_value *architecture = fk_value_container(values, FK_KIND_DICT);
    if (fk_value_set(architecture, "tensors", list.tensors) != FK_OK) {
        return fk_error_no_memory(err);
    }
    fk_code code = fk_value_walk(model, "", add_tensor, &list, err);
    if (code == FK_OK && fk_json_check_keys(list.tensors, "", NULL) == FK_E_INVALID) {
        code = drop_duplicates(values, architecture, list.tensors, err);
    }
    if (code == FK_OK) {
        *ret_architecture = architecture;
    }
    return code;
}

static fk_code refuse_kind(fk_error *err, const char *name, const char *wanted,
                           const fk_value *found) {
    fk_error_set(err, FK_E_INVALID, "`%s` must be %s, not %s", name, wanted,
                 fk_kind_name(fk_value_kind(found)));
    fk_error_hint(err, "give `%s` as %s", name, wanted);
    return FK_E_INVALID;
}

fk_code fk_weights_wrap(fk_values *values, fk_value *model, fk_value *personality_vector,
                        fk_value *architecture, fk_value **ret_top, fk_error *err) {
    if (architecture != NULL && !is_dict(architecture)) {
        return refuse_kind(err, "architecture", "a dict", architecture);
    }
    if (personality_vector != NULL && fk_value_kind(personality_vector) != FK_KIND_TENSOR) {
        return refuse_kind(err, "personality_vector", "a tensor", personality_vector);
    }
    if (architecture == NULL) {
        fk_code code = describe_model(values, model, &architecture, err);
        if (code != FK_OK) {
            return code;
        }
    }
    if (personality_vector == NULL) {
        personality_vector = fk_value_none(values);
    }
    const struct {
        const char *name;
        fk_value *item;
    } members[] = {
        {"weights_version", fk_value_string(values, FK_WEIGHTS_VERSION)},
        {"architecture", architecture},
        {"personality_vector", personality_vector},
        {"model", model},
    };
    fk_value *top = fk_value_container(values, FK_KIND_DICT);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (fk_value_set(top, members[i].name, members[i].item) != FK_OK) {
            return fk_error_no_memory(err);
        }
    }
    *ret_top = top;
    return FK_OK;
}

/* ---- unwrapping */

/* The major version of "v1", "v2.3", ...; 0 for anything else. */
static long major_version(const fk_value *version) {
    if (version == NULL || fk_value_kind(version) != FK_KIND_STRING) {
        return 0;
    }
    const char *text = fk_value_as_text(version, NULL);
    size_t digits = text[0] == 'v' ? strspn(text + 1, "0123456789") : 0;
    bool whole = digits > 0 && (text[1 + digits] == '\0' || text[1 + digits] == '.');
    return whole ? strtol(text + 1, NULL, 10) : 0;
}

static fk_code damaged(fk_error *err, const char *member, const char *what) {
    fk_error_set(err, FK_E_CORRUPT,
                 "weights of version " FK_WEIGHTS_VERSION " whose member '%s' is %s", member, what);
    fk_error_hint(err, "save the run again from its training state");
    return FK_E_CORRUPT;
}

static fk_code unwrap_v1(const fk_value *top, const char *version, fk_weights *ret_weights,
                         fk_error *err) {
    const fk_value *architecture = fk_value_get(top, "architecture");
    const fk_value *vector = fk_value_get(top, "personality_vector");
    const fk_value *model = fk_value_get(top, "model");
    if (architecture == NULL || vector == NULL || model == NULL) {
        const char *missing = architecture == NULL ? "architecture"
                              : vector == NULL     ? "personality_vector"
                                                   : "model";
        return damaged(err, missing, "missing");
    }
    if (!is_dict(architecture)) {
        return damaged(err, "architecture", "no dict");
    }
    fk_kind kind = fk_value_kind(vector);
    if (kind != FK_KIND_TENSOR && kind != FK_KIND_NONE) {
        return damaged(err, "personality_vector", "no tensor");
    }
    *ret_weights =
        (fk_weights){version, model, architecture, kind == FK_KIND_TENSOR ? vector : NULL};
    return FK_OK;
}

fk_code fk_weights_unwrap(const fk_value *top, fk_weights *ret_weights, fk_error *err) {
    const fk_value *version = is_dict(top) ? fk_value_get(top, "weights_version") : NULL;
    long major = major_version(version);
    if (major == 0) {
        *ret_weights = (fk_weights){.version = "v0", .model = top};
        return FK_OK;
    }
    const char *text = fk_value_as_text(version, NULL);
    if (major > NEWEST_MAJOR) {
        fk_error_set(err, FK_E_UNSUPPORTED,
                     "weights have version '%.32s', this fontkeep reads '" FK_WEIGHTS_VERSION "'",
                     text);
        fk_error_subject(err, FK_SUBJECT_VERSION);
        fk_error_hint(err, "update fontkeep to one that reads weights of version '%.32s'", text);
        return FK_E_UNSUPPORTED;
    }
    return unwrap_v1(top, text, ret_weights, err);
}
