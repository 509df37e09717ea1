/* A crew: several threads that share one list of items. The caller's thread is one of them; the
 * others are started inside the call, joined before it returns, and fewer, or none, when the system
 * has none to give. */
#ifndef FK_OS_CREW_H
#define FK_OS_CREW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* At most so many threads work for one call, the caller's own counted. Looking at names and small
 * files is waiting: on a cold disk the more at once the better, whatever the number of processors.
 */
enum { FK_CREW_MAX = 16 };

/* The thread that works on an item. */
typedef struct fk_crew_member {
    size_t index; /* below the crew's size; 0 is the caller's own thread */
    const atomic_bool *stopping;
} fk_crew_member;

/* Works on one item. Any code but FK_OK stops the crew: no further item is begun. */
typedef fk_code (*fk_crew_work)(void *user, const fk_crew_member *member, size_t item,
                                fk_error *err);

/* Whether another member failed: long work may end early, with FK_OK. */
static inline bool fk_crew_is_stopping(const fk_crew_member *member) {
    return atomic_load_explicit(member->stopping, memory_order_relaxed);
}

/* The size of a crew for work that keeps a processor busy: `items`, but not more than there are
 * processors, nor more than 4. */
size_t fk_crew_size_to_compute(size_t items);
/* The size of a crew for work that waits for the disk: so many that each has a few items. */
size_t fk_crew_size_to_wait(size_t items);
/* The size of a crew that syncs `items` files: few of them are worth a thread already. */
size_t fk_crew_size_to_sync(size_t items);

/* Calls `work` once for each of `items` items, on `size` threads at most. Items are begun in their
 * order; the first failure is the call's. */
fk_code fk_crew_run(size_t size, size_t items, fk_crew_work work, void *user, fk_error *err);

#endif
