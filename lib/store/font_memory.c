#include "store/font_memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
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

static fk_font_memory *find(fk_store *store, const char *font_id) {
    for (fk_font_memory *memory = store->fonts; memory != NULL; memory = memory->next) {
        if (strcmp(memory->font_id.text, font_id) == 0) {
            return memory;
        }
    }
    return NULL;
}

static fk_font_memory *add(fk_store *store, const char *font_id) {
    fk_font_memory *memory = calloc(1, sizeof *memory);
    if (memory != NULL) {
        fk_text_copy(memory->font_id.text, sizeof memory->font_id.text, font_id);
        memory->next = store->fonts;
        store->fonts = memory;
    }
    return memory;
}

fk_font_memory *fk_font_memory_get(fk_store *store, const char *font_id,
                                   const fk_runs_stamp *stamp) {
    pthread_mutex_lock(&store->mutex);
    fk_font_memory *memory = find(store, font_id);
    if (memory == NULL) {
        memory = add(store, font_id);
    }
    if (memory != NULL && (memory->device != stamp->device || memory->inode != stamp->inode)) {
        *memory = (fk_font_memory){
            .next = memory->next,
            .font_id = memory->font_id,
            .device = stamp->device,
            .inode = stamp->inode,
        };
    }
    pthread_mutex_unlock(&store->mutex);
    return memory;
}

bool fk_font_memory_mark(fk_store *store, bool *flag) {
    pthread_mutex_lock(&store->mutex);
    bool before = *flag;
    *flag = true;
    pthread_mutex_unlock(&store->mutex);
    return before;
}

bool fk_font_memory_is_marked(fk_store *store, const bool *flag) {
    pthread_mutex_lock(&store->mutex);
    bool marked = *flag;
    pthread_mutex_unlock(&store->mutex);
    return marked;
}

bool fk_font_memory_recall(fk_store *store, fk_font_memory *memory, const fk_runs_stamp *stamp,
                           bool *ret_has_newest, fk_run_id *ret_newest) {
    pthread_mutex_lock(&store->mutex);
    bool holds = fk_runs_stamp_equal(&memory->stamp, stamp);
    *ret_has_newest = memory->has_newest;
    *ret_newest = memory->newest;
    pthread_mutex_unlock(&store->mutex);
    return holds;
}

void fk_font_memory_note(fk_store *store, fk_font_memory *memory, const fk_run_id *id,
                         const fk_runs_stamp *stamp) {
    pthread_mutex_lock(&store->mutex);
    if (id != NULL && (!memory->has_newest || strcmp(id->text, memory->newest.text) > 0)) {
        memory->has_newest = true;
        memory->newest = *id;
    }
    memory->stamp = *stamp;
    pthread_mutex_unlock(&store->mutex);
}

void fk_font_memory_destroy_all(fk_font_memory *fonts) {
    while (fonts != NULL) {
        fk_font_memory *next = fonts->next;
        free(fonts);
        fonts = next;
    }
}
