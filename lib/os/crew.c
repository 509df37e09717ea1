#include "os/crew.h"

#include <pthread.h>
#include <stdint.h>
#include <unistd.h>

#include "os/kernel.h"

enum {
    COMPUTING_MAX = 4,     /* more share the memory's bandwidth, and each has its buffers */
    ITEMS_TO_WAIT_FOR = 8, /* of fewer, starting a thread takes longer than they do */
    ITEMS_TO_SYNC = 2,     /* so here; a disk's flush takes as long as starting several */
    SYNCING_MAX = 8        /* of more, starting them all takes as long as they save */
};

typedef struct crew {
    size_t items;
    fk_crew_work work;
    void *user;
    atomic_size_t next_item;
    atomic_size_t next_member;
    atomic_bool stopping;
    pthread_mutex_t mutex; /* guards the two below */
    fk_code code;          /* of the first failure */
    fk_error *err;
} crew;

static void fail(crew *all, fk_code code, const fk_error *error) {
    pthread_mutex_lock(&all->mutex);
    if (all->code == FK_OK) {
        all->code = code;
        if (all->err != NULL) {
            *all->err = *error;
        }
    }
    pthread_mutex_unlock(&all->mutex);
    atomic_store(&all->stopping, true);
}

static void take_part(crew *all, size_t index) {
    const fk_crew_member member = {.index = index, .stopping = &all->stopping};
    fk_error error = {0};
    while (!fk_crew_is_stopping(&member)) {
        size_t item = atomic_fetch_add(&all->next_item, 1);
        if (item >= all->items) {
            return;
        }
        fk_code code = all->work(all->user, &member, item, &error);
        if (code != FK_OK) {
            fail(all, code, &error);
        }
    }
}

static void *run_member(void *user) {
    crew *all = user;
    take_part(all, atomic_fetch_add(&all->next_member, 1));
    return NULL;
}

size_t fk_crew_size_to_compute(size_t items) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t size = processors < 1 ? 1 : (size_t)processors;
    size = size < COMPUTING_MAX ? size : COMPUTING_MAX;
    return items < size ? items : size;
}

size_t fk_crew_size_to_wait(size_t items) {
    size_t size = items / ITEMS_TO_WAIT_FOR + 1;
    return size < FK_CREW_MAX ? size : FK_CREW_MAX;
}

size_t fk_crew_size_to_sync(size_t items) {
    size_t size = items / ITEMS_TO_SYNC + 1;
    return size < SYNCING_MAX ? size : SYNCING_MAX;
}

fk_code fk_crew_run(size_t size, size_t items, fk_crew_work work, void *user, fk_error *err) {
    crew all = {.items = items, .work = work, .user = user, .err = err};
    pthread_t threads[FK_CREW_MAX];
    size_t started = 0;
    size = size < FK_CREW_MAX ? size : FK_CREW_MAX;
    pthread_mutex_init(&all.mutex, NULL);
    atomic_store(&all.next_member, 1);
    while (started + 1 < size &&
           fk_kernel_current->start_thread(&threads[started], run_member, &all)) {
        started++;
    }
    take_part(&all, 0);
    for (size_t i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
    }
    pthread_mutex_destroy(&all.mutex);
    return all.code;
}
