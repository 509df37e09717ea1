#include "store/handle/font_memory.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "os/clock.h"
#include "os/file.h"

void fk_runs_stamp_take(int runs, fk_runs_stamp *ret_stamp) {
    struct stat status;
    bool missing = false;
    *ret_stamp = (fk_runs_stamp){.known = false};
    if (fk_file_look(runs, ".", &status, &missing, NULL) != FK_OK || missing) {
        return;
    }
    *ret_stamp = (fk_runs_stamp){
        .known = true,
        .device = status.st_dev,
        .inode = status.st_ino,
        .links = status.st_nlink,
        .size = status.st_size,
        .modified = status.st_mtim,
        .changed = status.st_ctim,
    };
}

static bool same_time(struct timespec one, struct timespec other) {
    return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

bool fk_runs_stamp_equal(const fk_runs_stamp *one, const fk_runs_stamp *other) {
    return one->known && other->known && one->device == other->device &&
           one->inode == other->inode && one->links == other->links && one->size == other->size &&
           same_time(one->modified, other->modified) && same_time(one->changed, other->changed);
}

fk_font_memories *fk_font_memories_create(void) {
    fk_font_memories *memories = calloc(1, sizeof *memories);
    if (memories == NULL || pthread_mutex_init(&memories->mutex, NULL) != 0) {
        free(memories);
        return NULL;
    }
    memories->pid = fk_identity_pid();
    return memories;
}

void fk_font_memories_destroy(fk_font_memories *memories) {
    if (memories == NULL || memories->pid != fk_identity_pid()) {
        return;
    }
    while (memories->fonts != NULL) {
        fk_font_memory *next = memories->fonts->next;
        free(memories->fonts);
        memories->fonts = next;
    }
    pthread_mutex_destroy(&memories->mutex);
    free(memories);
}

/* Those of this process, made when it was forked since; NULL when memory is short. */
static fk_font_memories *own(fk_store *store) {
    fk_font_memories *found = atomic_load(&store->memories);
    if (found->pid == fk_identity_pid()) {
        return found;
    }
    fk_font_memories *fresh = fk_font_memories_create();
    if (fresh == NULL || atomic_compare_exchange_strong(&store->memories, &found, fresh)) {
        return fresh;
    }
    fk_font_memories_destroy(fresh); /* another thread was faster */
    return found;
}

static fk_font_memories *enter(fk_store *store) {
    fk_font_memories *memories = atomic_load(&store->memories);
    assert(memories->pid == fk_identity_pid()); /* fk_font_memory_get saw to it */
    pthread_mutex_lock(&memories->mutex);
    return memories;
}

static void leave(fk_font_memories *memories) {
    pthread_mutex_unlock(&memories->mutex);
}

static fk_font_memory *find(const fk_font_memories *memories, const char *font_id) {
    for (fk_font_memory *memory = memories->fonts; memory != NULL; memory = memory->next) {
        if (strcmp(memory->font_id.text, font_id) == 0) {
            return memory;
        }
    }
    return NULL;
}

static fk_font_memory *add(fk_font_memories *memories, const char *font_id) {
    fk_font_memory *memory = calloc(1, sizeof *memory);
    if (memory != NULL) {
        fk_text_copy(memory->font_id.text, sizeof memory->font_id.text, font_id);
        memory->next = memories->fonts;
        memories->fonts = memory;
    }
    return memory;
}

fk_font_memory *fk_font_memory_get(fk_store *store, const char *font_id,
                                   const fk_runs_stamp *stamp) {
    if (own(store) == NULL) {
        return NULL;
    }
    fk_font_memories *memories = enter(store);
    fk_font_memory *memory = find(memories, font_id);
    if (memory == NULL) {
        memory = add(memories, font_id);
    }
    if (memory != NULL && (memory->device != stamp->device || memory->inode != stamp->inode)) {
        *memory = (fk_font_memory){
            .next = memory->next,
            .font_id = memory->font_id,
            .device = stamp->device,
            .inode = stamp->inode,
        };
    }
    leave(memories);
    return memory;
}

bool fk_font_memory_mark(fk_store *store, bool *flag) {
    fk_font_memories *memories = enter(store);
    bool before = *flag;
    *flag = true;
    leave(memories);
    return before;
}

bool fk_font_memory_is_marked(fk_store *store, const bool *flag) {
    fk_font_memories *memories = enter(store);
    bool marked = *flag;
    leave(memories);
    return marked;
}

bool fk_font_memory_recall(fk_store *store, fk_font_memory *memory, const fk_runs_stamp *stamp,
                           bool *ret_has_newest, fk_run_id *ret_newest) {
    fk_font_memories *memories = enter(store);
    bool holds = fk_runs_stamp_equal(&memory->stamp, stamp);
    *ret_has_newest = memory->has_newest;
    *ret_newest = memory->newest;
    leave(memories);
    return holds;
}

void fk_font_memory_note(fk_store *store, fk_font_memory *memory, const fk_run_id *id,
                         const fk_runs_stamp *stamp) {
    fk_font_memories *memories = enter(store);
    if (id != NULL && (!memory->has_newest || strcmp(id->text, memory->newest.text) > 0)) {
        memory->has_newest = true;
        memory->newest = *id;
    }
    memory->stamp = *stamp;
    leave(memories);
}
