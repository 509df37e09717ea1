#include "store/handle/not_durable.h"

#include <stdarg.h>
#include <stdio.h>

fk_code fk_not_durable(const char *path, const fk_error *cause, fk_error *err, const char *format,
                       ...) {
    char done[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(done, sizeof done, format, arguments);
    va_end(arguments);
    fk_error_set(err, FK_E_NOT_DURABLE,
                 "%s, but its last sync failed (%s): a power cut may undo it", done,
                 cause->message);
    fk_error_hint(err, "check the disk; if the run matters, save it again elsewhere");
    fk_error_path(err, path);
    if (err != NULL) {
        err->system_errno = cause->system_errno;
    }
    return FK_E_NOT_DURABLE;
}
