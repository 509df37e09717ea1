/* A callback for progress, which counts and may stop. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdint.h>

typedef struct progress_seen {
    uint64_t calls;
    uint64_t done; /* the last call told these two */
    uint64_t total;
    uint64_t stop_at; /* this call asks to stop; 0: none does */
} progress_seen;

/* `user` is a progress_seen. What is done never grows less, nor beyond the total. */
static inline int progress_see(uint64_t done, uint64_t total, void *user) {
    progress_seen *seen = user;
    assert_true(done >= seen->done && done <= total);
    seen->calls++;
    seen->done = done;
    seen->total = total;
    return seen->calls == seen->stop_at;
}

#endif
