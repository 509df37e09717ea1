#include "digest/digest_thread.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 8, SLOT_BYTES = 1 << 20 };

/*      first          first + count
 *        v              v
 *  | .. | full | full | filling | .. |      the thread takes at `first`, the caller fills behind
 */
struct fk_digest_thread {
    fk_piece_list *list;
    uint8_t *ring;  /* [SLOTS][SLOT_BYTES] */
    size_t filling; /* bytes in the slot being filled; the caller's alone */
    pthread_t thread;
    bool joined;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    size_t slot_bytes[SLOTS];
    size_t first;
    size_t count; /* full slots */
    bool ended;   /* no slot will follow */
    fk_code code; /* the thread's failure: what comes after it is dropped */
    fk_error error;
};

/* Waits for a full slot; false when there will be none. The mutex is held. */
static bool wait_for_slot(fk_digest_thread *thread) {
    while (thread->count == 0 && !thread->ended) {
        pthread_cond_wait(&thread->changed, &thread->mutex);
    }
    return thread->count > 0;
}

static void *run(void *user) {
    fk_digest_thread *thread = user;
    pthread_mutex_lock(&thread->mutex);
    while (wait_for_slot(thread)) {
        size_t slot = thread->first;
        size_t bytes = thread->slot_bytes[slot];
        if (thread->code == FK_OK) {
            pthread_mutex_unlock(&thread->mutex);
            fk_error error;
            fk_code code =
                fk_piece_list_update(thread->list, thread->ring + slot * SLOT_BYTES, bytes, &error);
            pthread_mutex_lock(&thread->mutex);
            if (code != FK_OK && thread->code == FK_OK) {
                thread->code = code;
                thread->error = error;
            }
        }
        thread->first = (slot + 1) % SLOTS;
        thread->count--;
        pthread_cond_broadcast(&thread->changed);
    }
    pthread_mutex_unlock(&thread->mutex);
    return NULL;
}

/* The process's signals are not for our thread. */
static bool start(fk_digest_thread *thread) {
    pthread_attr_t attributes;
    sigset_t all;
    sigfillset(&all);
    if (pthread_attr_init(&attributes) != 0) {
        return false;
    }
    bool started = pthread_attr_setsigmask_np(&attributes, &all) == 0 &&
                   pthread_create(&thread->thread, &attributes, run, thread) == 0;
    pthread_attr_destroy(&attributes);
    return started;
}

static void release(fk_digest_thread *thread) {
    pthread_mutex_destroy(&thread->mutex);
    pthread_cond_destroy(&thread->changed);
    free(thread->ring);
    free(thread);
}

fk_digest_thread *fk_digest_thread_create(fk_piece_list *list) {
    fk_digest_thread *thread = calloc(1, sizeof *thread);
    if (thread == NULL) {
        return NULL;
    }
    thread->list = list;
    thread->ring = malloc((size_t)SLOTS * SLOT_BYTES);
    pthread_mutex_init(&thread->mutex, NULL);
    pthread_cond_init(&thread->changed, NULL);
    if (thread->ring == NULL || !start(thread)) {
        release(thread);
        return NULL;
    }
    return thread;
}

/* Tells the thread that nothing follows, and waits for its end. */
static void join(fk_digest_thread *thread, bool abandon) {
    if (thread->joined) {
        return;
    }
    pthread_mutex_lock(&thread->mutex);
    thread->ended = true;
    if (abandon && thread->code == FK_OK) {
        thread->code = FK_E_CANCELLED;
    }
    pthread_cond_broadcast(&thread->changed);
    pthread_mutex_unlock(&thread->mutex);
    pthread_join(thread->thread, NULL);
    thread->joined = true;
}

void fk_digest_thread_destroy(fk_digest_thread *thread) {
    if (thread != NULL) {
        join(thread, true);
        release(thread);
    }
}

/* Hands the slot being filled to the thread, and waits until the next one is free to fill. */
static fk_code publish(fk_digest_thread *thread, fk_error *err) {
    pthread_mutex_lock(&thread->mutex);
    thread->slot_bytes[(thread->first + thread->count) % SLOTS] = thread->filling;
    thread->count++;
    thread->filling = 0;
    pthread_cond_broadcast(&thread->changed);
    while (thread->count == SLOTS) {
        pthread_cond_wait(&thread->changed, &thread->mutex);
    }
    fk_code code = thread->code;
    if (code != FK_OK && err != NULL) {
        *err = thread->error;
    }
    pthread_mutex_unlock(&thread->mutex);
    return code;
}

/* The slot being filled; its place does not move while the thread takes from the other end. */
static uint8_t *filling_slot(fk_digest_thread *thread) {
    pthread_mutex_lock(&thread->mutex);
    size_t slot = (thread->first + thread->count) % SLOTS;
    pthread_mutex_unlock(&thread->mutex);
    return thread->ring + slot * SLOT_BYTES;
}

fk_code fk_digest_thread_update(fk_digest_thread *thread, const void *from, size_t bytes,
                                fk_error *err) {
    const uint8_t *next = from;
    fk_code code = FK_OK;
    while (code == FK_OK && bytes > 0) {
        size_t room = SLOT_BYTES - thread->filling;
        size_t part = bytes < room ? bytes : room;
        memcpy(filling_slot(thread) + thread->filling, next, part);
        thread->filling += part;
        next += part;
        bytes -= part;
        if (thread->filling == SLOT_BYTES) {
            code = publish(thread, err);
        }
    }
    return code;
}

fk_code fk_digest_thread_finish(fk_digest_thread *thread, fk_error *err) {
    if (thread->filling > 0) {
        publish(thread, NULL);
    }
    join(thread, false);
    if (thread->code != FK_OK && err != NULL) {
        *err = thread->error;
    }
    return thread->code;
}
