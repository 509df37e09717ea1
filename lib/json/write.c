#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "value/values.h"
#include "json/json.h"

#define REPLACEMENT_CHARACTER "\xEF\xBF\xBD"

typedef struct json_writer {
    fk_buffer *buffer;
    fk_buffer path; /* dotted, of the value that is being written */
    size_t depth;
    fk_error *err;
} json_writer;

static fk_code write_value(json_writer *writer, const fk_value *value);

static void writer_finish(json_writer *writer) {
    fk_buffer_finish(&writer->path);
}

/* ---- strings */

/* How many bytes from `text` on stand for themselves. */
static size_t plain_length(const char *text, size_t length) {
    size_t plain = 0;
    while (plain < length && text[plain] >= ' ' && text[plain] <= '~' && text[plain] != '"' &&
           text[plain] != '\\') {
        plain++;
    }
    return plain;
}

bool fk_json_append_string(fk_buffer *buffer, const char *text, size_t length) {
    static const char short_escapes[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* what, then its letter */
    fk_buffer_append_byte(buffer, '"');
    for (size_t at = 0; at < length && !buffer->failed;) {
        size_t plain = plain_length(text + at, length - at);
        if (plain > 0) {
            fk_buffer_append(buffer, text + at, plain);
            at += plain;
            continue;
        }
        unsigned char byte = (unsigned char)text[at];
        uint32_t character;
        size_t taken = fk_text_decode_utf8(text + at, length - at, &character);
        const char *escape = NULL;
        for (const char *one = short_escapes; escape == NULL && *one != '\0'; one += 2) {
            escape = (unsigned char)*one == byte ? one : NULL;
        }
        if (taken == 0) {
            fk_buffer_append_text(buffer, REPLACEMENT_CHARACTER);
        } else if (escape != NULL) {
            fk_buffer_append_byte(buffer, '\\');
            fk_buffer_append_byte(buffer, (uint8_t)escape[1]);
        } else if (byte < 0x20) {
            fk_buffer_append_format(buffer, "\\u%04x", (unsigned)byte);
        } else {
            fk_buffer_append(buffer, text + at, taken);
        }
        at += taken == 0 ? 1 : taken;
    }
    return fk_buffer_append_byte(buffer, '"');
}

static bool is_utf8(const char *text, size_t length) {
    for (size_t at = 0; at < length;) {
        uint32_t character;
        size_t taken = fk_text_decode_utf8(text + at, length - at, &character);
        if (taken == 0) {
            return false;
        }
        at += taken;
    }
    return true;
}

/* ---- errors */

static fk_code refuse_at(fk_error *err, const char *path, const char *what) {
    fk_code code = fk_error_set(err, FK_E_UNSUPPORTED, "JSON has no form for %s at '%s'", what,
                                path[0] == '\0' ? "the top" : path);
    fk_error_subject(err, FK_SUBJECT_DATA);
    fk_error_hint(err, "convert it to numbers, text, lists or dicts, or keep it in the weights");
    return code;
}

static const char *path_text(const json_writer *writer) {
    return writer->path.bytes == NULL ? "" : (const char *)writer->path.bytes;
}

/* ---- keys */

static int compare_keys(const void *one, const void *other) {
    size_t one_length;
    size_t other_length;
    const char *one_text = fk_value_as_text(*(const fk_value *const *)one, &one_length);
    const char *other_text = fk_value_as_text(*(const fk_value *const *)other, &other_length);
    size_t common = one_length < other_length ? one_length : other_length;
    int order = memcmp(one_text, other_text, common);
    return order != 0 ? order : (one_length > other_length) - (one_length < other_length);
}

static fk_code check_key(const fk_value *key, const char *path, fk_error *err) {
    if (fk_value_kind(key) != FK_KIND_STRING) {
        char what[64] = "a key that is no string but ";
        fk_text_copy(what + strlen(what), sizeof what - strlen(what),
                     fk_kind_name(fk_value_kind(key)));
        return refuse_at(err, path, what);
    }
    size_t length;
    const char *text = fk_value_as_text(key, &length);
    if (memchr(text, '\0', length) != NULL) {
        return refuse_at(err, path, "a key with a NUL");
    }
    return is_utf8(text, length) ? FK_OK : refuse_at(err, path, "a key that is no UTF-8");
}

static fk_code check_duplicates(const fk_value *dict, const char *path, fk_error *err) {
    size_t count = fk_value_count(dict);
    FK_SCOPED(fk_freep) const fk_value **keys = reallocarray(NULL, count, sizeof *keys);
    if (keys == NULL) {
        return fk_error_no_memory(err);
    }
    for (size_t i = 0; i < count; i++) {
        keys[i] = fk_value_key(dict, i);
    }
    qsort(keys, count, sizeof *keys, compare_keys);
    for (size_t i = 1; i < count; i++) {
        if (compare_keys(&keys[i - 1], &keys[i]) == 0) {
            fk_error_set(err, FK_E_INVALID, "duplicate key '%s' at '%s'",
                         fk_value_as_text(keys[i], NULL), path[0] == '\0' ? "the top" : path);
            fk_error_hint(err, "give each key once");
            return FK_E_INVALID;
        }
    }
    return FK_OK;
}

fk_code fk_json_check_keys(const fk_value *dict, const char *path, fk_error *err) {
    for (size_t i = 0; i < fk_value_count(dict); i++) {
        fk_code code = check_key(fk_value_key(dict, i), path, err);
        if (code != FK_OK) {
            return code;
        }
    }
    return fk_value_count(dict) < 2 ? FK_OK : check_duplicates(dict, path, err);
}

/* ---- values */

static fk_code write_string(json_writer *writer, const fk_value *value) {
    size_t length;
    const char *text = fk_value_as_text(value, &length);
    if (!is_utf8(text, length)) {
        return refuse_at(writer->err, path_text(writer), "text that is no UTF-8");
    }
    fk_json_append_string(writer->buffer, text, length);
    return FK_OK;
}

static void write_float(json_writer *writer, double number) {
    char text[FK_TEXT_DOUBLE_BYTES];
    if (isnan(number)) {
        fk_text_copy(text, sizeof text, "\"NaN\"");
    } else if (isinf(number)) {
        fk_text_copy(text, sizeof text, number > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    } else {
        fk_text_from_double(number, text);
    }
    fk_buffer_append_text(writer->buffer, text);
}

/* Appends ".name" or ".index" to the path; the caller cuts it back. */
static fk_code enter(json_writer *writer, const fk_value *key, size_t index) {
    if (writer->path.length > 0) {
        fk_buffer_append_byte(&writer->path, '.');
    }
    if (key != NULL) {
        fk_buffer_append_text(&writer->path, fk_value_as_text(key, NULL));
    } else {
        fk_buffer_append_format(&writer->path, "%zu", index);
    }
    return writer->path.failed ? fk_error_no_memory(writer->err) : FK_OK;
}

static void leave(json_writer *writer, size_t length) {
    if (writer->path.bytes != NULL) {
        writer->path.length = length;
        writer->path.bytes[length] = '\0';
    }
}

static fk_code write_items(json_writer *writer, const fk_value *value, bool object) {
    for (size_t i = 0; i < fk_value_count(value); i++) {
        const fk_value *key = object ? fk_value_key(value, i) : NULL;
        fk_buffer_append_text(writer->buffer, i > 0 ? ", " : "");
        if (key != NULL) {
            fk_code code = write_string(writer, key);
            if (code != FK_OK) {
                return code;
            }
            fk_buffer_append_text(writer->buffer, ": ");
        }
        size_t length = writer->path.length;
        fk_code code = enter(writer, key, i);
        code = code == FK_OK ? write_value(writer, fk_value_item(value, i)) : code;
        leave(writer, length);
        if (code != FK_OK) {
            return code;
        }
    }
    return FK_OK;
}

static fk_code write_container(json_writer *writer, const fk_value *value, bool object) {
    if (writer->depth == FK_LIMIT_JSON_DEPTH) {
        fk_error_set(writer->err, FK_E_LIMIT, "nesting deeper than %u levels at '%s'",
                     FK_LIMIT_JSON_DEPTH, path_text(writer));
        fk_error_hint(writer->err, "store flatter data");
        return FK_E_LIMIT;
    }
    fk_code code = object ? fk_json_check_keys(value, path_text(writer), writer->err) : FK_OK;
    if (code != FK_OK) {
        return code;
    }
    writer->depth++;
    fk_buffer_append_byte(writer->buffer, object ? '{' : '[');
    code = write_items(writer, value, object);
    fk_buffer_append_byte(writer->buffer, object ? '}' : ']');
    writer->depth--;
    return code;
}

static fk_code refuse_kind(json_writer *writer, fk_kind kind) {
    char what[64] = "an object of type ";
    fk_text_copy(what + strlen(what), sizeof what - strlen(what), fk_kind_name(kind));
    return refuse_at(writer->err, path_text(writer),
                     kind == FK_KIND_BIG_INT ? "an integer beyond 64 bits" : what);
}

static fk_code write_value(json_writer *writer, const fk_value *value) {
    fk_kind kind = fk_value_kind(value);
    if (writer->buffer->length > FK_LIMIT_JSON_WRITTEN_BYTES) {
        fk_error_set(writer->err, FK_E_LIMIT, "JSON text longer than %llu bytes, reached at '%s'",
                     (unsigned long long)FK_LIMIT_JSON_WRITTEN_BYTES, path_text(writer));
        fk_error_hint(writer->err, "keep large data as tensors");
        return FK_E_LIMIT;
    }
    switch (kind) {
    case FK_KIND_NONE:
        fk_buffer_append_text(writer->buffer, "null");
        return FK_OK;
    case FK_KIND_BOOL:
        fk_buffer_append_text(writer->buffer, fk_value_as_bool(value) ? "true" : "false");
        return FK_OK;
    case FK_KIND_INT:
        fk_buffer_append_format(writer->buffer, "%" PRId64, fk_value_as_int(value));
        return FK_OK;
    case FK_KIND_FLOAT:
        write_float(writer, fk_value_as_float(value));
        return FK_OK;
    case FK_KIND_STRING:
        return write_string(writer, value);
    case FK_KIND_LIST:
    case FK_KIND_TUPLE:
    case FK_KIND_SIZE:
    case FK_KIND_SET:
        return write_container(writer, value, false);
    case FK_KIND_DICT:
    case FK_KIND_ORDERED_DICT:
    case FK_KIND_COUNTER:
        return write_container(writer, value, true);
    default:
        return refuse_kind(writer, kind);
    }
}

static fk_code append_at(fk_buffer *buffer, const fk_value *value, const char *path, size_t depth,
                         fk_error *err) {
    FK_SCOPED(writer_finish)
    json_writer writer = {.buffer = buffer, .depth = depth, .err = err};
    if (!fk_buffer_append_text(&writer.path, path)) {
        return fk_error_no_memory(err);
    }
    fk_code code = write_value(&writer, value);
    return code == FK_OK && buffer->failed ? fk_error_no_memory(err) : code;
}

fk_code fk_json_append(fk_buffer *buffer, const fk_value *value, const char *path, fk_error *err) {
    return append_at(buffer, value, path, 0, err);
}

fk_code fk_json_append_member(fk_buffer *buffer, const char *key, const fk_value *value,
                              fk_error *err) {
    fk_json_append_string(buffer, key, strlen(key));
    fk_buffer_append_text(buffer, ": ");
    return append_at(buffer, value, key, 1, err);
}

fk_code fk_json_write(const fk_value *value, char **ret_text, size_t *ret_length, fk_error *err) {
    FK_SCOPED(fk_buffer_finish) fk_buffer buffer = {0};
    fk_code code = fk_json_append(&buffer, value, "", err);
    if (code != FK_OK) {
        return code;
    }
    char *text = fk_buffer_take(&buffer, ret_length);
    if (text == NULL) {
        return fk_error_no_memory(err);
    }
    *ret_text = text;
    return FK_OK;
}
