#include "digest/chunk_ring.h"

void fk_chunk_ring_init(fk_chunk_ring *ring, void *memory, size_t slots, size_t slot_bytes) {
    *ring = (fk_chunk_ring){.memory = memory, .slots = slots, .slot_bytes = slot_bytes};
    pthread_mutex_init(&ring->mutex, NULL);
    pthread_cond_init(&ring->arrived, NULL);
    pthread_cond_init(&ring->room, NULL);
    for (size_t i = 0; i < FK_CHUNK_TAKERS_MAX; i++) {
        ring->wanted[i] = FK_CHUNK_NONE;
    }
}

void fk_chunk_ring_finish(fk_chunk_ring *ring) {
    pthread_mutex_destroy(&ring->mutex);
    pthread_cond_destroy(&ring->arrived);
    pthread_cond_destroy(&ring->room);
}

uint8_t *fk_chunk_ring_at(const fk_chunk_ring *ring, uint64_t chunk) {
    return ring->memory + chunk % ring->slots * ring->slot_bytes;
}

/* The slot of the next chunk holds one that a taker still needs. The mutex is held. */
static bool is_full(const fk_chunk_ring *ring) {
    for (size_t i = 0; i < FK_CHUNK_TAKERS_MAX; i++) {
        if (ring->wanted[i] + ring->slots <= ring->filled) {
            return true;
        }
    }
    return false;
}

fk_code fk_chunk_ring_wait_for_room(fk_chunk_ring *ring, fk_error *err) {
    pthread_mutex_lock(&ring->mutex);
    while (!ring->stopped && is_full(ring)) {
        pthread_cond_wait(&ring->room, &ring->mutex);
    }
    pthread_mutex_unlock(&ring->mutex);
    return fk_chunk_ring_outcome(ring, err);
}

void fk_chunk_ring_publish(fk_chunk_ring *ring) {
    pthread_mutex_lock(&ring->mutex);
    ring->filled++;
    pthread_cond_broadcast(&ring->arrived);
    pthread_mutex_unlock(&ring->mutex);
}

void fk_chunk_ring_want(fk_chunk_ring *ring, size_t taker, uint64_t chunk) {
    pthread_mutex_lock(&ring->mutex);
    bool was_full = is_full(ring);
    ring->wanted[taker] = chunk;
    if (was_full && !is_full(ring)) {
        pthread_cond_signal(&ring->room);
    }
    pthread_mutex_unlock(&ring->mutex);
}

bool fk_chunk_ring_wait_for_chunk(fk_chunk_ring *ring, uint64_t chunk) {
    pthread_mutex_lock(&ring->mutex);
    while (!ring->stopped && chunk != FK_CHUNK_NONE && chunk >= ring->filled) {
        pthread_cond_wait(&ring->arrived, &ring->mutex);
    }
    bool found = !ring->stopped && chunk != FK_CHUNK_NONE;
    pthread_mutex_unlock(&ring->mutex);
    return found;
}

void fk_chunk_ring_stop(fk_chunk_ring *ring, fk_code code, const fk_error *error) {
    pthread_mutex_lock(&ring->mutex);
    if (ring->code == FK_OK && code != FK_OK) {
        ring->code = code;
        ring->error = *error;
    }
    ring->stopped = true;
    pthread_cond_broadcast(&ring->arrived);
    pthread_cond_signal(&ring->room);
    pthread_mutex_unlock(&ring->mutex);
}

fk_code fk_chunk_ring_outcome(fk_chunk_ring *ring, fk_error *err) {
    pthread_mutex_lock(&ring->mutex);
    fk_code code = ring->code;
    if (code != FK_OK && err != NULL) {
        *err = ring->error;
    }
    pthread_mutex_unlock(&ring->mutex);
    return code;
}
