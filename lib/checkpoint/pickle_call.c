#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "checkpoint/pickle_machine.h"
#include "value/values.h"

static fk_code fail(fk_machine *machine, const fk_global *global) {
    return fk_error_set(machine->err, FK_E_CORRUPT,
                        "'%s.%s' is called with arguments it does not take", global->module,
                        global->name);
}

/* Every argument of these calls is a plain value. */
static bool is_kind(const fk_item *item, fk_kind kind) {
    return fk_value_kind(item->value) == kind;
}

static bool is_text(const fk_item *item, const char *text) {
    size_t length;
    return is_kind(item, FK_KIND_STRING) &&
           strcmp(fk_value_as_text(item->value, &length), text) == 0 && length == strlen(text);
}

static bool is_latin1(const fk_item *item) {
    return is_text(item, "latin1") || is_text(item, "latin-1");
}

/* The characters of a str as bytes, each at most U+00FF, as BYTES or BYTEARRAY. */
static fk_code from_latin1(fk_machine *machine, const fk_item *item, fk_kind kind,
                           fk_value **ret_value) {
    size_t length;
    const char *text = fk_value_as_text(item->value, &length);
    fk_code code = fk_machine_charge(machine, length);
    if (code != FK_OK) {
        return code;
    }
    FK_SCOPED(fk_freep) char *bytes = malloc(length + 1);
    if (bytes == NULL) {
        return fk_error_no_memory(machine->err);
    }
    size_t count = 0;
    for (size_t at = 0; at < length; count++) {
        uint32_t character;
        size_t taken = fk_text_decode_utf8(text + at, length - at, &character);
        if (taken == 0 || character > 0xFF) {
            return fk_error_set(machine->err, FK_E_CORRUPT,
                                "bytes are spelled with a character beyond latin-1");
        }
        bytes[count] = (char)character;
        at += taken;
    }
    *ret_value = fk_value_text(machine->values, kind, bytes, count);
    return FK_OK;
}

/* encode(str, "latin1"); bytes(); bytearray(), bytearray(bytes), bytearray(str, "latin-1") */
static fk_code call_bytes(fk_machine *machine, const fk_global *global, const fk_item *arguments,
                          size_t count, fk_value **ret_value) {
    fk_kind kind = global->call == FK_CALL_BYTEARRAY ? FK_KIND_BYTEARRAY : FK_KIND_BYTES;
    if (count == 0 && global->call != FK_CALL_ENCODE) {
        *ret_value = fk_value_text(machine->values, kind, "", 0);
        return FK_OK;
    }
    if (count == 2 && global->call != FK_CALL_BYTES && is_kind(&arguments[0], FK_KIND_STRING) &&
        is_latin1(&arguments[1])) {
        return from_latin1(machine, &arguments[0], kind, ret_value);
    }
    if (count == 1 && global->call == FK_CALL_BYTEARRAY && is_kind(&arguments[0], FK_KIND_BYTES)) {
        size_t length;
        const char *bytes = fk_value_as_text(arguments[0].value, &length);
        *ret_value = fk_value_text(machine->values, kind, bytes, length);
        return fk_machine_charge(machine, length);
    }
    return fail(machine, global);
}

/* set(list), Size(tuple of ints) */
static fk_code call_sequence(fk_machine *machine, const fk_global *global, const fk_item *arguments,
                             size_t count, fk_value **ret_value) {
    bool size = global->call == FK_CALL_SIZE;
    fk_value *made = fk_value_container(machine->values, size ? FK_KIND_SIZE : FK_KIND_SET);
    *ret_value = made;
    if (count == 0 || made == NULL) {
        return FK_OK;
    }
    bool fits = count == 1 &&
                (is_kind(&arguments[0], FK_KIND_TUPLE) || is_kind(&arguments[0], FK_KIND_LIST));
    if (!fits) {
        return fail(machine, global);
    }
    const fk_value *from = arguments[0].value;
    fk_code code = fk_machine_charge(machine, fk_value_count(from) * sizeof(void *));
    for (size_t i = 0; code == FK_OK && i < fk_value_count(from); i++) {
        fk_value *item = fk_value_item(from, i);
        if (size && fk_value_kind(item) != FK_KIND_INT) {
            return fail(machine, global);
        }
        code = size ? FK_OK : fk_machine_check_hashable(machine, item);
        if (code == FK_OK) {
            code = fk_value_append(made, item);
        }
    }
    return code;
}

static fk_code put_pair(fk_machine *machine, const fk_global *global, fk_value *dict,
                        fk_value *pair) {
    fk_kind kind = fk_value_kind(pair);
    if ((kind != FK_KIND_LIST && kind != FK_KIND_TUPLE) || fk_value_count(pair) != 2) {
        return fail(machine, global);
    }
    fk_code code = fk_machine_check_hashable(machine, fk_value_item(pair, 0));
    return code == FK_OK ? fk_value_put(dict, fk_value_item(pair, 0), fk_value_item(pair, 1))
                         : code;
}

/* OrderedDict(), OrderedDict(list of pairs); Counter(), Counter(dict) */
static fk_code call_dict(fk_machine *machine, const fk_global *global, const fk_item *arguments,
                         size_t count, fk_value **ret_value) {
    bool counter = global->call == FK_CALL_COUNTER;
    fk_value *made =
        fk_value_container(machine->values, counter ? FK_KIND_COUNTER : FK_KIND_ORDERED_DICT);
    *ret_value = made;
    if (count == 0 || made == NULL) {
        return FK_OK;
    }
    if (count != 1 || !is_kind(&arguments[0], counter ? FK_KIND_DICT : FK_KIND_LIST)) {
        return fail(machine, global);
    }
    const fk_value *from = arguments[0].value;
    fk_code code = fk_machine_charge(machine, fk_value_count(from) * 2 * sizeof(void *));
    for (size_t i = 0; code == FK_OK && i < fk_value_count(from); i++) {
        code = counter ? fk_value_put(made, fk_value_key(from, i), fk_value_item(from, i))
                       : put_pair(machine, global, made, fk_value_item(from, i));
    }
    return code;
}

static bool is_number(const fk_item *item) {
    return is_kind(item, FK_KIND_FLOAT) || is_kind(item, FK_KIND_INT);
}

static fk_code call_complex(fk_machine *machine, const fk_global *global, const fk_item *arguments,
                            size_t count, fk_value **ret_value) {
    if (count != 2 || !is_number(&arguments[0]) || !is_number(&arguments[1])) {
        return fail(machine, global);
    }
    *ret_value = fk_value_complex(machine->values, fk_value_as_float(arguments[0].value),
                                  fk_value_as_float(arguments[1].value));
    return FK_OK;
}

/* device("cuda", 0), device("cpu"), device("cuda:0"): lower-case letters, digits and '_'. */
static fk_code call_device(fk_machine *machine, const fk_global *global, const fk_item *arguments,
                           size_t count, fk_value **ret_value) {
    if (count < 1 || count > 2 || !is_kind(&arguments[0], FK_KIND_STRING)) {
        return fail(machine, global);
    }
    char text[64];
    size_t length;
    const char *type = fk_value_as_text(arguments[0].value, &length);
    if (length == 0 || length > 32 ||
        strspn(type, "abcdefghijklmnopqrstuvwxyz_:0123456789") != length) {
        return fail(machine, global);
    }
    if (count == 2 && is_kind(&arguments[1], FK_KIND_INT)) {
        snprintf(text, sizeof text, "%s:%lld", type,
                 (long long)fk_value_as_int(arguments[1].value));
    } else if (count == 1 || is_kind(&arguments[1], FK_KIND_NONE)) {
        snprintf(text, sizeof text, "%s", type);
    } else {
        return fail(machine, global);
    }
    *ret_value = fk_value_text(machine->values, FK_KIND_DEVICE, text, strlen(text));
    return FK_OK;
}

/* _get_layout("torch.strided"); the value is the name without "torch." */
static fk_code call_layout(fk_machine *machine, const fk_global *global, const fk_item *arguments,
                           size_t count, fk_value **ret_value) {
    static const char *const layouts[] = {"strided",    "sparse_coo", "sparse_csr", "sparse_csc",
                                          "sparse_bsr", "sparse_bsc", "_mkldnn",    "jagged"};
    if (count != 1 || !is_kind(&arguments[0], FK_KIND_STRING)) {
        return fail(machine, global);
    }
    const char *text = fk_value_as_text(arguments[0].value, NULL);
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
        if (strncmp(text, "torch.", 6) == 0 && strcmp(text + 6, layouts[i]) == 0) {
            *ret_value =
                fk_value_text(machine->values, FK_KIND_LAYOUT, layouts[i], strlen(layouts[i]));
            return FK_OK;
        }
    }
    return fail(machine, global);
}

static bool all_values(const fk_item *arguments, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (arguments[i].kind != FK_ITEM_VALUE) {
            return false;
        }
    }
    return true;
}

static fk_code call_plain(fk_machine *machine, const fk_global *global, const fk_item *arguments,
                          size_t count, fk_value **ret_value) {
    if (!all_values(arguments, count)) {
        return fail(machine, global);
    }
    switch (global->call) {
    case FK_CALL_ORDERED_DICT:
    case FK_CALL_COUNTER:
        return call_dict(machine, global, arguments, count, ret_value);
    case FK_CALL_SET:
    case FK_CALL_SIZE:
        return call_sequence(machine, global, arguments, count, ret_value);
    case FK_CALL_COMPLEX:
        return call_complex(machine, global, arguments, count, ret_value);
    case FK_CALL_DEVICE:
        return call_device(machine, global, arguments, count, ret_value);
    case FK_CALL_LAYOUT:
        return call_layout(machine, global, arguments, count, ret_value);
    default:
        return call_bytes(machine, global, arguments, count, ret_value);
    }
}

fk_code fk_pickle_call(fk_machine *machine, const fk_global *global, const fk_item *arguments,
                       size_t count, fk_value **ret_value) {
    if (global->kind != FK_GLOBAL_CALL) {
        return fk_error_set(machine->err, FK_E_UNSUPPORTED, "'%s.%s' is called", global->module,
                            global->name);
    }
    if (global->call >= FK_CALL_PARAMETER) {
        return fk_pickle_rebuild(machine, global, arguments, count, ret_value);
    }
    fk_value *value = NULL;
    fk_code code = call_plain(machine, global, arguments, count, &value);
    if (code == FK_OK && value == NULL) {
        return fk_error_no_memory(machine->err);
    }
    if (code == FK_OK) {
        *ret_value = value;
    }
    return code;
}
