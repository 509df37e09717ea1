#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_output.h"

static void print_json(const fk_error *error) {
    fk_values *values = fk_values_create();
    fk_value *inner = fk_value_container(values, FK_KIND_DICT);
    fk_value *outer = fk_value_container(values, FK_KIND_DICT);
    cli_json_put(values, inner, "code", fk_value_string(values, fk_code_name(error->code)));
    cli_json_put(values, inner, "message", cli_json_text(values, error->message));
    cli_json_put(values, inner, "hint",
                 cli_json_text(values, error->hint[0] == '\0' ? NULL : error->hint));
    cli_json_put(values, inner, "path",
                 cli_json_text(values, error->path[0] == '\0' ? NULL : error->path));
    cli_json_put(values, outer, "error", inner);
    cli_json_print(stderr, outer);
    fk_values_destroy(values);
}

int cli_fail(cli_context *context) {
    const fk_error *error = &context->error;
    fflush(stdout);
    if (context->json) {
        print_json(error);
        return fk_code_exit_status(error->code);
    }
    fprintf(stderr, "fontkeep: %s\n", error->message);
    if (error->path[0] != '\0' && strstr(error->message, error->path) == NULL) {
        fprintf(stderr, "    in: %s", error->path);
        if (error->offset != FK_NO_OFFSET) {
            fprintf(stderr, ", byte %llu", (unsigned long long)error->offset);
        }
        fputc('\n', stderr);
    }
    if (error->hint[0] != '\0') {
        fprintf(stderr, "  hint: %s\n", error->hint);
    }
    return fk_code_exit_status(error->code);
}

fk_code cli_fail_usage(cli_context *context, const char *format, ...) {
    context->error = (fk_error){.code = FK_E_USAGE, .offset = FK_NO_OFFSET};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(context->error.message, sizeof context->error.message, format, arguments);
    va_end(arguments);
    if (context->command != NULL) {
        cli_fail_hint(context, "'fontkeep %s --help' tells how it is used", context->command->name);
    }
    return FK_E_USAGE;
}

void cli_fail_hint(cli_context *context, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(context->error.hint, sizeof context->error.hint, format, arguments);
    va_end(arguments);
}

void cli_warn(const cli_context *context, const char *format, ...) {
    if (context->quiet) {
        return;
    }
    fputs("fontkeep: warning: ", stderr);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}
