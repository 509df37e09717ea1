/* Refusals of what is found on disk. Within lib/os only; see also fk_file_error. */
#ifndef FK_OS_FILE_ERROR_H
#define FK_OS_FILE_ERROR_H

#include "base/error.h"

/* FK_E_INVALID: "'path' is `what`", with the errno that told, or 0. */
fk_code fk_file_refuse(fk_error *err, int system_errno, const char *path, const char *what,
                       const char *hint);

#endif
