#include <math.h>
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "value/values.h"
#include "json/json.h"
#include "json/keys.h"
#include "json/scan.h"

/* Reads a text that was scanned: its grammar, its numbers, its strings and its depth are good, so
 * nothing is checked again, and NULL can only mean that memory is short. */
typedef struct reader {
    const char *text;
    size_t length;
    size_t at;
    fk_values *values;
    fk_buffer unescaped;
} reader;

static fk_value *read_value(reader *from);

static void reader_finish(reader *from) {
    fk_buffer_finish(&from->unescaped);
}

static char skip_space(reader *from) {
    while (from->at < from->length && fk_json_is_space(from->text[from->at])) {
        from->at++;
    }
    return from->at < from->length ? from->text[from->at] : '\0';
}

/* ---- strings */

static fk_value *unescape(reader *from, const fk_json_key *string) {
    from->unescaped.length = 0;
    for (size_t at = 0; at < string->length;) {
        char bytes[4];
        size_t length = fk_text_encode_utf8(fk_json_key_character(string, &at), bytes);
        if (!fk_buffer_append(&from->unescaped, bytes, length)) {
            return NULL;
        }
    }
    return fk_value_text(from->values, FK_KIND_STRING, from->unescaped.bytes,
                         from->unescaped.length);
}

static fk_value *read_string(reader *from) {
    size_t start = ++from->at;
    bool escaped = false;
    while (from->text[from->at] != '"') {
        escaped = escaped || from->text[from->at] == '\\';
        from->at += from->text[from->at] == '\\' ? 2 : 1;
    }
    const fk_json_key string = {from->text + start, from->at++ - start};
    return escaped ? unescape(from, &string)
                   : fk_value_text(from->values, FK_KIND_STRING, string.text, string.length);
}

/* ---- words and numbers */

static int64_t read_integer(const char *text, size_t length) {
    bool negative = text[0] == '-';
    int64_t number = 0;
    for (size_t i = negative; i < length; i++) {
        int digit = text[i] - '0';
        number = number * 10 + (negative ? -digit : digit);
    }
    return number;
}

static fk_value *read_number(reader *from, const char *text, size_t length) {
    double number = 0;
    if (fk_json_is_integer(text, length)) {
        return fk_value_int(from->values, read_integer(text, length));
    }
    (void)fk_text_to_double(text, length, &number);
    return fk_value_float(from->values, number);
}

static bool ends_word(char byte) {
    return fk_json_is_space(byte) || byte == ',' || byte == ']' || byte == '}';
}

static fk_value *read_word(reader *from) {
    const char *text = from->text + from->at;
    size_t length = 0;
    while (from->at < from->length && !ends_word(from->text[from->at])) {
        from->at++;
        length++;
    }
    switch (text[0]) {
    case 'n':
        return fk_value_none(from->values);
    case 't':
    case 'f':
        return fk_value_bool(from->values, text[0] == 't');
    case 'N':
        return fk_value_float(from->values, (double)NAN);
    case 'I':
        return fk_value_float(from->values, (double)INFINITY);
    default:
        return length > 1 && text[1] == 'I' ? fk_value_float(from->values, -(double)INFINITY)
                                            : read_number(from, text, length);
    }
}

/* ---- containers */

static fk_value *read_array(reader *from) {
    fk_value *list = fk_value_container(from->values, FK_KIND_LIST);
    from->at++;
    while (skip_space(from) != ']') {
        if (fk_value_append(list, read_value(from)) != FK_OK) {
            return NULL;
        }
        from->at += skip_space(from) == ',';
    }
    from->at++;
    return list;
}

static fk_value *read_object(reader *from) {
    fk_value *dict = fk_value_container(from->values, FK_KIND_DICT);
    from->at++;
    while (skip_space(from) != '}') {
        fk_value *key = read_string(from);
        skip_space(from);
        from->at++; /* the colon */
        /* the scan found no key twice, so none is looked for */
        if (fk_value_put(dict, key, read_value(from)) != FK_OK) {
            return NULL;
        }
        from->at += skip_space(from) == ',';
    }
    from->at++;
    return dict;
}

static fk_value *read_value(reader *from) {
    switch (skip_space(from)) {
    case '{':
        return read_object(from);
    case '[':
        return read_array(from);
    case '"':
        return read_string(from);
    default:
        return read_word(from);
    }
}

fk_code fk_json_read(const char *text, size_t length, fk_values *values, fk_value **ret_value,
                     fk_error *err) {
    fk_code code = fk_json_scan(text, length, err);
    if (code != FK_OK) {
        return code;
    }
    FK_SCOPED(reader_finish) reader from = {.text = text, .length = length, .values = values};
    fk_value *value = read_value(&from);
    if (value == NULL) {
        return fk_error_no_memory(err);
    }
    *ret_value = value;
    return FK_OK;
}
