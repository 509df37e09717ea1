#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Texts are formatted with room for one character more than fits, so that the copy that cuts them
 * can see it whole. */
enum { UTF8_BYTES_MAX = 4 };

static const struct {
    fk_code code;
    const char *name;
    int exit_status;
} codes[] = {
    {FK_OK, "ok", 0},
    {FK_E_USAGE, "usage", 2},
    {FK_E_STORE_NOT_FOUND, "store_not_found", 3},
    {FK_E_FONT_NOT_FOUND, "font_not_found", 3},
    {FK_E_RUN_NOT_FOUND, "run_not_found", 3},
    {FK_E_FONT_EXISTS, "font_exists", 4},
    {FK_E_INVALID, "invalid", 4},
    {FK_E_CORRUPT, "corrupt", 5},
    {FK_E_INCOMPLETE, "incomplete", 5},
    {FK_E_BUSY, "busy", 6},
    {FK_E_NO_SPACE, "no_space", 7},
    {FK_E_ACCESS, "access", 8},
    {FK_E_IO, "io", 8},
    {FK_E_NO_MEMORY, "no_memory", 8},
    {FK_E_UNSUPPORTED, "unsupported", 9},
    {FK_E_LIMIT, "limit", 9},
    {FK_E_NOT_DURABLE, "not_durable", 10},
    {FK_E_CANCELLED, "cancelled", 130},
};

const char *fk_code_name(fk_code code) {
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i].code == code) {
            return codes[i].name;
        }
    }
    return "unknown";
}

int fk_code_exit_status(fk_code code) {
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i].code == code) {
            return codes[i].exit_status;
        }
    }
    return 8;
}

fk_code fk_error_set(fk_error *err, fk_code code, const char *format, ...) {
    if (err == NULL) {
        return code;
    }
    err->code = code;
    err->subject = FK_SUBJECT_NONE;
    err->system_errno = 0;
    err->offset = FK_NO_OFFSET;
    err->path[0] = '\0';
    err->hint[0] = '\0';
    /* the arguments may point into *err */
    char message[sizeof err->message + UTF8_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    fk_text_copy(err->message, sizeof err->message, message);
    return code;
}

fk_code fk_error_pass(fk_error *err, const fk_error *error) {
    if (err != NULL) {
        *err = *error;
    }
    return error->code;
}

void fk_error_add(fk_error *err, const char *format, ...) {
    if (err == NULL) {
        return;
    }
    char more[sizeof err->message + UTF8_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(more, sizeof more, format, arguments);
    va_end(arguments);
    size_t length = strlen(err->message);
    fk_text_copy(err->message + length, sizeof err->message - length, more);
}

void fk_error_subject(fk_error *err, fk_subject subject) {
    if (err != NULL) {
        err->subject = subject;
    }
}

void fk_error_offset(fk_error *err, uint64_t offset) {
    if (err != NULL) {
        err->offset = offset;
    }
}

void fk_error_path(fk_error *err, const char *path) {
    if (err != NULL) {
        fk_text_copy(err->path, sizeof err->path, path);
    }
}

void fk_error_path_join(fk_error *err, const char *parent) {
    if (err == NULL) {
        return;
    }
    char joined[sizeof err->path];
    const char *slash = err->path[0] == '\0' ? "" : "/";
    size_t used = fk_text_copy(joined, sizeof joined, parent);
    used += fk_text_copy(joined + used, sizeof joined - used, slash);
    fk_text_copy(joined + used, sizeof joined - used, err->path);
    fk_text_copy(err->path, sizeof err->path, joined);
}

void fk_error_hint(fk_error *err, const char *format, ...) {
    if (err == NULL) {
        return;
    }
    char hint[sizeof err->hint + UTF8_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(hint, sizeof hint, format, arguments);
    va_end(arguments);
    fk_text_copy(err->hint, sizeof err->hint, hint);
}

fk_code fk_error_no_memory(fk_error *err) {
    fk_code code = fk_error_set(err, FK_E_NO_MEMORY, "out of memory");
    fk_error_hint(err, "free memory, or load with mmap");
    return code;
}
