/* The one failure behind a publishing step: done and visible, but a power cut may undo it (I2). */
#ifndef FK_STORE_NOT_DURABLE_H
#define FK_STORE_NOT_DURABLE_H

#include "base/error.h"

/* "<what was done>, but its last sync failed (<cause>): a power cut may undo it". Gives
 * FK_E_NOT_DURABLE. `path`: of the directory that was synced. */
fk_code fk_not_durable(const char *path, const fk_error *cause, fk_error *err, const char *format,
                       ...) __attribute__((format(printf, 4, 5)));

#endif
