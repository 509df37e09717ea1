/* A ring of chunks: one filler, and takers that look at the chunks where they lie, each in order
 * and at its own pace. A taker may skip chunks; memory is filled anew once no taker is before it.
 * Within lib/digest only.
 *
 *      slowest taker    filled
 *        v                v
 *  | .. | full | full | filling | .. |
 */
#ifndef FK_DIGEST_CHUNK_RING_H
#define FK_DIGEST_CHUNK_RING_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { FK_CHUNK_TAKERS_MAX = 5 };

#define FK_CHUNK_NONE (UINT64_MAX / 2) /* what a taker wants that has seen all it needs */

typedef struct fk_chunk_ring {
    uint8_t *memory; /* borrowed: [slots][slot_bytes] */
    size_t slots;
    size_t slot_bytes;
    pthread_mutex_t mutex;                /* guards what follows */
    pthread_cond_t arrived;               /* a chunk, or the end: takers wait for it */
    pthread_cond_t room;                  /* for one, or the end: the filler does */
    uint64_t filled;                      /* chunks 0 .. filled - 1 were handed over */
    uint64_t wanted[FK_CHUNK_TAKERS_MAX]; /* the chunk each taker is at or waits for */
    bool stopped;
    fk_code code; /* of the first failure */
    fk_error error;
} fk_chunk_ring;

/* No taker wants anything yet. */
void fk_chunk_ring_init(fk_chunk_ring *ring, void *memory, size_t slots, size_t slot_bytes);
void fk_chunk_ring_finish(fk_chunk_ring *ring);

/* Where chunk number `chunk` lies. */
uint8_t *fk_chunk_ring_at(const fk_chunk_ring *ring, uint64_t chunk);

/* Waits until the next chunk may be filled; the failure, once one stopped the ring. */
fk_code fk_chunk_ring_wait_for_room(fk_chunk_ring *ring, fk_error *err);
/* Hands the chunk over that was filled. */
void fk_chunk_ring_publish(fk_chunk_ring *ring);

/* The taker is done with everything before `chunk`, which it wants next, or FK_CHUNK_NONE. */
void fk_chunk_ring_want(fk_chunk_ring *ring, size_t taker, uint64_t chunk);
/* Waits for a chunk. False: it is FK_CHUNK_NONE, or the ring was stopped. */
bool fk_chunk_ring_wait_for_chunk(fk_chunk_ring *ring, uint64_t chunk);

/* Nobody waits or takes any more. The first failure stays. */
void fk_chunk_ring_stop(fk_chunk_ring *ring, fk_code code, const fk_error *error);
/* That failure, or FK_OK. */
fk_code fk_chunk_ring_outcome(fk_chunk_ring *ring, fk_error *err);

#endif
