#include "os/retry.h"

#include <errno.h>

#include "base/limits.h"
#include "os/clock.h"

enum { FIRST_PAUSE_MS = 50 };

bool fk_retry_pause(fk_retry *retry) {
    if (retry->pauses == FK_LIMIT_RETRIES) {
        return false;
    }
    fk_clock_sleep_ms(FIRST_PAUSE_MS << retry->pauses++);
    return true;
}

bool fk_retry_is_due(fk_retry *retry) {
    int kept = errno;
    bool due = kept == EINTR;
    if (kept == EBUSY || kept == EAGAIN || kept == ETXTBSY) {
        due = fk_retry_pause(retry);
    }
    errno = kept;
    return due;
}
