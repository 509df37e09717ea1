#include "input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

enum { FILE_BYTES_MAX = 64 << 20 };

static fk_code unreadable(cli_context *context, const char *path, int system_errno) {
    cli_fail_usage(context, "cannot read '%s': %s", path, strerror(system_errno));
    context->error.code = system_errno == EACCES || system_errno == EPERM ? FK_E_ACCESS : FK_E_IO;
    context->error.system_errno = system_errno;
    snprintf(context->error.path, sizeof context->error.path, "%s", path);
    cli_fail_hint(context, "check the path and its permissions");
    return context->error.code;
}

fk_code cli_input_file(cli_context *context, const char *path, char **ret_bytes,
                       size_t *ret_length) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return unreadable(context, path, errno);
    }
    char *bytes = NULL;
    size_t length = 0;
    size_t capacity = 0;
    do {
        capacity = capacity == 0 ? 65536 : capacity * 2;
        char *larger = realloc(bytes, capacity + 1);
        if (larger == NULL) {
            abort();
        }
        bytes = larger;
        length += fread(bytes + length, 1, capacity - length, file);
    } while (!feof(file) && !ferror(file) && length < FILE_BYTES_MAX);
    int failed = ferror(file) ? errno : length >= FILE_BYTES_MAX ? EFBIG : 0;
    fclose(file);
    if (failed != 0) {
        free(bytes);
        return unreadable(context, path, failed);
    }
    bytes[length] = '\0';
    *ret_bytes = bytes;
    *ret_length = length;
    return FK_OK;
}

static bool is_inline(const char *given) {
    char first = given[strspn(given, " \t\r\n")];
    return first == '{' || first == '[';
}

void cli_input_blame(cli_context *context, const char *option) {
    const char *given = cli_context_option(context, option);
    snprintf(context->error.path, sizeof context->error.path, "%s",
             is_inline(given) ? option : given);
}

fk_code cli_input_object(cli_context *context, const char *option, fk_values *values,
                         fk_value **ret_value) {
    const char *given = cli_context_option(context, option);
    if (given == NULL) {
        return FK_OK;
    }
    bool inline_text = is_inline(given);
    char *text = NULL;
    size_t length = strlen(given);
    fk_code code = inline_text ? FK_OK : cli_input_file(context, given, &text, &length);
    if (code != FK_OK) {
        return code;
    }
    fk_value *value = NULL;
    code = fk_json_read(inline_text ? given : text, length, values, &value, &context->error);
    free(text);
    if (code == FK_OK && fk_value_kind(value) != FK_KIND_DICT) {
        cli_fail_usage(context, "--%s is no JSON object", option);
        code = context->error.code = FK_E_INVALID;
    }
    if (code != FK_OK) {
        cli_input_blame(context, option);
        return code;
    }
    *ret_value = value;
    return FK_OK;
}

fk_code cli_input_count(cli_context *context, const char *option, size_t *ret_count) {
    const char *given = cli_context_option(context, option);
    if (given == NULL) {
        return FK_OK;
    }
    errno = 0;
    char *end = NULL;
    unsigned long long number = strtoull(given, &end, 10);
    if (given[0] < '0' || given[0] > '9' || *end != '\0' || errno != 0) {
        return cli_fail_usage(context, "--%s '%s' is no whole number", option, given);
    }
    *ret_count = (size_t)number;
    return FK_OK;
}

fk_code cli_input_time(cli_context *context, const char *option, int64_t *ret_time_us) {
    const char *given = cli_context_option(context, option);
    if (given == NULL || fk_time_parse(given, true, ret_time_us)) {
        return FK_OK;
    }
    cli_fail_usage(context, "--%s '%s' is no time", option, given);
    cli_fail_hint(context, "write it as 2026-01-11T08:30:00Z");
    return FK_E_USAGE;
}
