/* Patience with the kernel, decided here for every call: which failures are worth another try, and
 * when. Within lib/os only.
 *
 *     fk_retry retry = {0};
 *     do {
 *         fd = fk_kernel_current->openat(...);
 *     } while (fd < 0 && fk_retry_is_due(&retry));
 *
 * Without this: fsync (after a failure the kernel may have dropped the data), close (it has closed
 * all the same) and set_lock (that a lock is held is an answer; fk_lock_wait waits for it).
 */
#ifndef FK_OS_RETRY_H
#define FK_OS_RETRY_H

#include <stdbool.h>

/* What one call has cost so far. Begins zeroed. */
typedef struct fk_retry {
    unsigned pauses;
} fk_retry;

/* Whether the call that just failed with `errno` is to be made again: at once after EINTR; when
 * what it works on is busy (EBUSY, EAGAIN, ETXTBSY) after a pause, 3 times at most. Keeps errno. */
bool fk_retry_is_due(fk_retry *retry);

/* Pauses for 50 ms, then 100, then 200; false, without a pause, when all three were taken. */
bool fk_retry_pause(fk_retry *retry);

#endif
