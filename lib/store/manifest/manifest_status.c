#include <string.h>

#include "store/manifest/manifest.h"

static const char *const names[] = {
    [FK_COMPLETED] = "completed",
    [FK_FAILED] = "failed",
    [FK_INTERRUPTED] = "interrupted",
};

const char *fk_run_status_name(fk_run_status status) {
    return (unsigned)status < FK_STATUS_UNKNOWN ? names[status] : "unknown";
}

fk_run_status fk_run_status_from_name(const char *name) {
    for (unsigned i = 0; i < FK_STATUS_UNKNOWN; i++) {
        if (strcmp(names[i], name) == 0) {
            return (fk_run_status)i;
        }
    }
    return FK_STATUS_UNKNOWN;
}
