#include "json_output.h"

#include <stdlib.h>
#include <string.h>

void cli_json_put(fk_values *values, fk_value *object, const char *key, fk_value *item) {
    (void)values;
    if (fk_value_set(object, key, item) != FK_OK) {
        abort();
    }
}

void cli_json_append(fk_value *array, fk_value *item) {
    if (fk_value_append(array, item) != FK_OK) {
        abort();
    }
}

/* Length of the UTF-8 sequence at `text`, 0 when it is none. JSON's writer is the judge. */
static size_t utf8_sequence(const char *text) {
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = bytes[0] < 0x80   ? 1
                    : bytes[0] < 0xC2 ? 0
                    : bytes[0] < 0xE0 ? 2
                    : bytes[0] < 0xF0 ? 3
                    : bytes[0] < 0xF5 ? 4
                                      : 0;
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (bytes[0] == 0xE0 && bytes[1] < 0xA0) || (bytes[0] == 0xF0 && bytes[1] < 0x90);
    bool outside = (bytes[0] == 0xED && bytes[1] > 0x9F) || (bytes[0] == 0xF4 && bytes[1] > 0x8F);
    return overlong || outside ? 0 : length;
}

fk_value *cli_json_text(fk_values *values, const char *text) {
    if (text == NULL) {
        return fk_value_none(values);
    }
    char *clean = malloc(strlen(text) * 3 + 1);
    if (clean == NULL) {
        abort();
    }
    size_t used = 0;
    while (*text != '\0') {
        size_t length = utf8_sequence(text);
        memcpy(clean + used, length == 0 ? "\xEF\xBF\xBD" : text, length == 0 ? 3 : length);
        used += length == 0 ? 3 : length;
        text += length == 0 ? 1 : length;
    }
    fk_value *value = fk_value_text(values, FK_KIND_STRING, clean, used);
    free(clean);
    return value;
}

fk_value *cli_json_number(fk_values *values, uint64_t number) {
    return fk_value_int(values, number > INT64_MAX ? INT64_MAX : (int64_t)number);
}

fk_value *cli_json_copy(fk_values *values, const fk_value *value) {
    return value == NULL ? fk_value_none(values) : fk_value_copy(values, value);
}

fk_value *cli_json_shape(fk_values *values, const int64_t *shape, size_t rank) {
    fk_value *list = fk_value_container(values, FK_KIND_LIST);
    for (size_t i = 0; i < rank; i++) {
        cli_json_append(list, fk_value_int(values, shape[i]));
    }
    return list;
}

fk_value *cli_json_problem(fk_values *values, const fk_problem *problem) {
    fk_value *object = fk_value_container(values, FK_KIND_DICT);
    bool placed = problem->offset != FK_NO_OFFSET;
    fk_value *none = fk_value_none(values);
    cli_json_put(values, object, "code", cli_json_text(values, problem->code));
    cli_json_put(values, object, "path", cli_json_text(values, problem->path));
    cli_json_put(values, object, "tensor", cli_json_text(values, problem->tensor));
    cli_json_put(values, object, "offset",
                 placed ? cli_json_number(values, problem->offset) : none);
    cli_json_put(values, object, "length",
                 placed ? cli_json_number(values, problem->length) : none);
    cli_json_put(values, object, "message", cli_json_text(values, problem->message));
    return object;
}

fk_value *cli_json_problems(fk_values *values, const fk_problem *problems, size_t count) {
    fk_value *list = fk_value_container(values, FK_KIND_LIST);
    for (size_t i = 0; i < count; i++) {
        cli_json_append(list, cli_json_problem(values, &problems[i]));
    }
    return list;
}

fk_value *cli_json_time(fk_values *values, int64_t time_us) {
    char text[FK_TIME_BYTES + 1];
    if (time_us == FK_NO_TIME || !fk_time_format(time_us, text)) {
        return fk_value_none(values);
    }
    size_t length = strlen(text);
    memcpy(text + length, "Z", 2);
    return fk_value_string(values, text);
}

fk_value *cli_json_run(fk_values *values, const fk_run_info *info) {
    fk_value *object = fk_value_container(values, FK_KIND_DICT);
    bool known = info->status != FK_STATUS_UNKNOWN;
    fk_value *none = fk_value_none(values);
    cli_json_put(values, object, "font_id", cli_json_text(values, info->font_id));
    cli_json_put(values, object, "run_id", cli_json_text(values, info->run_id));
    cli_json_put(values, object, "status",
                 known ? cli_json_text(values, fk_run_status_name(info->status)) : none);
    cli_json_put(values, object, "health", cli_json_text(values, fk_health_name(info->health)));
    cli_json_put(values, object, "problems",
                 cli_json_problems(values, info->problems, info->problem_count));
    cli_json_put(values, object, "started_at", cli_json_time(values, info->started_at_us));
    cli_json_put(values, object, "ended_at", cli_json_time(values, info->ended_at_us));
    cli_json_put(values, object, "training", cli_json_copy(values, info->training));
    cli_json_put(values, object, "metrics", cli_json_copy(values, info->metrics));
    cli_json_put(values, object, "size_bytes", cli_json_number(values, info->size_bytes));
    return object;
}

fk_value *cli_json_personality(fk_values *values, const fk_run_info *info) {
    if (!info->has_personality) {
        return fk_value_none(values);
    }
    fk_value *object = fk_value_container(values, FK_KIND_DICT);
    cli_json_put(values, object, "dtype",
                 cli_json_text(values, fk_dtype_name(info->personality_dtype)));
    cli_json_put(values, object, "shape",
                 cli_json_shape(values, info->personality_shape, info->personality_rank));
    return object;
}

void cli_json_write(FILE *stream, const fk_value *value) {
    char *text = NULL;
    if (fk_json_write(value, &text, NULL, NULL) != FK_OK) {
        abort();
    }
    fputs(text, stream);
    free(text);
}

void cli_json_print(FILE *stream, const fk_value *document) {
    cli_json_write(stream, document);
    fputs("\n", stream);
}
