#include "store/manifest/feedback.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/names/layout.h"
#include "json/json.h"

/* ---- types */

static bool is_dict(const fk_value *value) {
    fk_kind kind = fk_value_kind(value);
    return kind == FK_KIND_DICT || kind == FK_KIND_ORDERED_DICT || kind == FK_KIND_COUNTER;
}

static bool is_string(const fk_value *value) {
    return fk_value_kind(value) == FK_KIND_STRING;
}

static bool is_number(const fk_value *value) {
    fk_kind kind = fk_value_kind(value);
    if (kind == FK_KIND_INT || kind == FK_KIND_FLOAT) {
        return true;
    }
    const char *text = kind == FK_KIND_STRING ? fk_value_as_text(value, NULL) : "";
    return strcmp(text, "NaN") == 0 || strcmp(text, "Infinity") == 0 ||
           strcmp(text, "-Infinity") == 0;
}

static bool is_count(const fk_value *value) {
    return fk_value_kind(value) == FK_KIND_INT && fk_value_as_int(value) >= 0;
}

static bool is_list(const fk_value *value) {
    return fk_value_kind(value) == FK_KIND_LIST || fk_value_kind(value) == FK_KIND_TUPLE;
}

/* The known members. Where `items` is set every item of the member must pass it too. */
static const struct {
    const char *name;
    bool (*fits)(const fk_value *value);
    bool (*items)(const fk_value *value);
    const char *wanted;
} members[] = {
    {"metrics", is_dict, is_number, "a dict of numbers"},
    {"epochs", is_count, NULL, "an integer that is not negative"},
    {"loss_history", is_list, is_number, "a list of numbers"},
    {"ratings", is_dict, NULL, "a dict"},
    {"notes", is_string, NULL, "a string"},
};

/* ---- checking */

static fk_code refuse(fk_error *err, const char *name, const char *wanted, const fk_value *found) {
    fk_error_set(err, FK_E_INVALID, "feedback member '%s' must be %s, not %s", name, wanted,
                 fk_kind_name(fk_value_kind(found)));
    fk_error_hint(err, "correct '%s', or give it another name", name);
    return FK_E_INVALID;
}

/* "metrics.loss" or "loss_history.3", for the message. */
static fk_code refuse_item(fk_error *err, const char *name, const fk_value *member, size_t index) {
    char path[256];
    if (is_list(member)) {
        snprintf(path, sizeof path, "%s.%zu", name, index);
    } else {
        const fk_value *key = fk_value_key(member, index);
        snprintf(path, sizeof path, "%s.%.*s", name, 200,
                 is_string(key) ? fk_value_as_text(key, NULL) : "?");
    }
    return refuse(err, path, "a number", fk_value_item(member, index));
}

static fk_code check_member(const fk_value *feedback, size_t which, fk_error *err) {
    const fk_value *member = fk_value_get(feedback, members[which].name);
    if (member == NULL) {
        return FK_OK;
    }
    if (!members[which].fits(member)) {
        return refuse(err, members[which].name, members[which].wanted, member);
    }
    for (size_t i = 0; members[which].items != NULL && i < fk_value_count(member); i++) {
        if (!members[which].items(fk_value_item(member, i))) {
            return refuse_item(err, members[which].name, member, i);
        }
    }
    return FK_OK;
}

/* The schema's major version; ours where there is none. */
static fk_code check_schema(const fk_value *feedback, long *ret_major, fk_error *err) {
    const fk_value *schema = fk_value_get(feedback, "feedback_schema");
    *ret_major = strtol(FK_FEEDBACK_SCHEMA, NULL, 10);
    if (schema == NULL) {
        return FK_OK;
    }
    if (!is_string(schema)) {
        return refuse(err, "feedback_schema", "a string such as '" FK_FEEDBACK_SCHEMA "'", schema);
    }
    const char *text = fk_value_as_text(schema, NULL);
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || (text[digits] != '\0' && text[digits] != '.')) {
        fk_error_set(err, FK_E_INVALID,
                     "feedback member 'feedback_schema' is '%.64s', which is no version", text);
        fk_error_hint(err, "leave it out, or write '" FK_FEEDBACK_SCHEMA "'");
        return FK_E_INVALID;
    }
    *ret_major = strtol(text, NULL, 10);
    return FK_OK;
}

fk_code fk_feedback_check(const fk_value *feedback, bool *ret_newer, fk_error *err) {
    if (!is_dict(feedback)) {
        fk_error_set(err, FK_E_INVALID, "feedback must be an object, not %s",
                     fk_kind_name(fk_value_kind(feedback)));
        fk_error_hint(err, "put it into an object: {\"notes\": ...}");
        return FK_E_INVALID;
    }
    long major;
    fk_code code = check_schema(feedback, &major, err);
    bool newer = code == FK_OK && major > strtol(FK_FEEDBACK_SCHEMA, NULL, 10);
    for (size_t i = 0; code == FK_OK && !newer && i < sizeof members / sizeof members[0]; i++) {
        code = check_member(feedback, i, err);
    }
    if (code == FK_OK && ret_newer != NULL) {
        *ret_newer = newer;
    }
    return code;
}

/* ---- the file */

fk_code fk_feedback_write(const fk_value *feedback, fk_buffer *buffer, fk_error *err) {
    fk_code code = fk_json_check_keys(feedback, "feedback", err);
    fk_buffer_append_byte(buffer, '{');
    bool first = fk_value_get(feedback, "feedback_schema") != NULL;
    if (!first) {
        fk_buffer_append_text(buffer, "\n  \"feedback_schema\": \"" FK_FEEDBACK_SCHEMA "\"");
    }
    for (size_t i = 0; code == FK_OK && i < fk_value_count(feedback); i++) {
        fk_buffer_append_text(buffer, first ? "\n  " : ",\n  ");
        first = false;
        /* check_keys saw no NUL */
        code = fk_json_append_member(buffer, fk_value_as_text(fk_value_key(feedback, i), NULL),
                                     fk_value_item(feedback, i), err);
    }
    fk_buffer_append_text(buffer, "\n}\n");
    return code == FK_OK && buffer->failed ? fk_error_no_memory(err) : code;
}

fk_code fk_feedback_read(const char *text, size_t length, fk_values *values,
                         fk_value **ret_feedback, fk_error *err) {
    fk_value *feedback = NULL;
    fk_code code = fk_json_read(text, length, values, &feedback, err);
    if (code != FK_OK) {
        return code;
    }
    if (!is_dict(feedback)) {
        return fk_feedback_check(feedback, NULL, err);
    }
    fk_json_revive_numbers(fk_value_get(feedback, "metrics"));
    fk_json_revive_numbers(fk_value_get(feedback, "loss_history"));
    *ret_feedback = feedback;
    return FK_OK;
}

fk_value *fk_feedback_metrics(const fk_value *feedback, fk_values *values) {
    const fk_value *metrics = fk_value_get(feedback, "metrics");
    fk_value *numbers = fk_value_container(values, FK_KIND_DICT);
    size_t count = metrics != NULL && is_dict(metrics) ? fk_value_count(metrics) : 0;
    for (size_t i = 0; numbers != NULL && i < count; i++) {
        if (!is_string(fk_value_key(metrics, i)) || !is_number(fk_value_item(metrics, i))) {
            continue;
        }
        fk_value *number = fk_value_copy(values, fk_value_item(metrics, i));
        if (number != NULL) {
            fk_json_revive_numbers(number);
        }
        fk_value *key = fk_value_copy(values, fk_value_key(metrics, i));
        if (fk_value_put(numbers, key, number) != FK_OK) {
            return NULL;
        }
    }
    return numbers;
}
