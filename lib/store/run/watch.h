/* Watching a long call: bytes done, told to the caller's progress function; its wish to stop. */
#ifndef FK_STORE_WATCH_H
#define FK_STORE_WATCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Zeroed memory watches nothing. */
typedef struct fk_watch {
    fk_progress progress; /* or NULL */
    void *user;
    pthread_t caller; /* the thread that is told */
    uint64_t total_bytes;
    _Atomic uint64_t done_bytes; /* counted by every thread */
    atomic_bool stopped;         /* the caller asked to */
} fk_watch;

/* A watch that tells the thread that makes it. */
#define FK_WATCH(progress_, user_)                                                                 \
    { .progress = (progress_), .user = (user_), .caller = pthread_self() }

/* Counts bytes; from any thread. `watch` may be NULL. */
static inline void fk_watch_count(fk_watch *watch, uint64_t bytes) {
    if (watch != NULL) {
        atomic_fetch_add(&watch->done_bytes, bytes);
    }
}

/* Tells the caller, when this is the caller's thread. False, on any thread: it asked to stop. */
static inline bool fk_watch_tell(fk_watch *watch) {
    if (watch == NULL || watch->progress == NULL) {
        return true;
    }
    if (pthread_equal(watch->caller, pthread_self())) {
        uint64_t done = atomic_load(&watch->done_bytes);
        uint64_t total = done > watch->total_bytes ? done : watch->total_bytes;
        if (watch->progress(done, total, watch->user) != 0) {
            atomic_store(&watch->stopped, true);
        }
    }
    return !atomic_load(&watch->stopped);
}

#endif
