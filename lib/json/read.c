#include <json-c/json.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "value/values.h"
#include "json/json.h"
#include "json/scan.h"

FK_DEFINE_SCOPED(struct json_tokener, json_tokener_free);

static void put_json(struct json_object **variable) {
    json_object_put(*variable);
}

static fk_value *convert(struct json_object *from, fk_values *values);

static fk_value *convert_array(struct json_object *from, fk_values *values) {
    fk_value *list = fk_value_container(values, FK_KIND_LIST);
    size_t count = json_object_array_length(from);
    for (size_t i = 0; list != NULL && i < count; i++) {
        fk_value *item = convert(json_object_array_get_idx(from, i), values);
        if (fk_value_append(list, item) != FK_OK) {
            return NULL;
        }
    }
    return list;
}

static fk_value *convert_object(struct json_object *from, fk_values *values) {
    fk_value *dict = fk_value_container(values, FK_KIND_DICT);
    json_object_object_foreach(from, key, member) {
        /* the scan found no key twice, so none is looked for */
        if (fk_value_put(dict, fk_value_string(values, key), convert(member, values)) != FK_OK) {
            return NULL;
        }
    }
    return dict;
}

/* NULL when memory is short; the depth is that of the scan. */
static fk_value *convert(struct json_object *from, fk_values *values) {
    switch (json_object_get_type(from)) {
    case json_type_boolean:
        return fk_value_bool(values, json_object_get_boolean(from));
    case json_type_int:
        return fk_value_int(values, json_object_get_int64(from));
    case json_type_double:
        return fk_value_float(values, json_object_get_double(from));
    case json_type_string:
        return fk_value_text(values, FK_KIND_STRING, json_object_get_string(from),
                             (size_t)json_object_get_string_len(from));
    case json_type_array:
        return convert_array(from, values);
    case json_type_object:
        return convert_object(from, values);
    case json_type_null:
        break;
    }
    return fk_value_none(values);
}

/* What json-c says of a text that was scanned: anything but good is memory, or a difference between
 * the two that a test should know. */
static fk_code parse(const char *text, size_t length, struct json_object **ret_object,
                     fk_error *err) {
    FK_SCOPED(json_tokener_freep)
    struct json_tokener *tokener = json_tokener_new_ex((int)FK_LIMIT_JSON_DEPTH + 2);
    if (tokener == NULL) {
        return fk_error_no_memory(err);
    }
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    *ret_object = json_tokener_parse_ex(tokener, text, (int)length);
    if (json_tokener_get_error(tokener) == json_tokener_continue) {
        /* a number at the end of the text might go on: the NUL tells json-c that it does not */
        *ret_object = json_tokener_parse_ex(tokener, "", 1);
    }
    enum json_tokener_error error = json_tokener_get_error(tokener);
    if (error == json_tokener_success) {
        return FK_OK;
    }
    fk_error_set(err, FK_E_INVALID, "JSON: %s", json_tokener_error_desc(error));
    fk_error_offset(err, json_tokener_get_parse_end(tokener));
    return FK_E_INVALID;
}

fk_code fk_json_read(const char *text, size_t length, fk_values *values, fk_value **ret_value,
                     fk_error *err) {
    fk_code code = fk_json_scan(text, length, err);
    if (code != FK_OK) {
        return code;
    }
    FK_SCOPED(put_json) struct json_object *object = NULL;
    code = parse(text, length, &object, err);
    if (code != FK_OK) {
        return code;
    }
    fk_value *value = convert(object, values);
    if (value == NULL) {
        return fk_error_no_memory(err);
    }
    *ret_value = value;
    return FK_OK;
}
