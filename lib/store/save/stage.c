#include "store/save/stage.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "os/crew.h"
#include "os/directory.h"
#include "os/file.h"
#include "store/names/layout.h"
#include "store/save/staged_file.h"

/* Adds the stage's path to the error of a file in it. */
static fk_code in_stage(const fk_stage *stage, fk_code code, fk_error *err) {
    if (code != FK_OK) {
        fk_error_path_join(err, stage->name);
        fk_error_path_join(err, stage->where->path);
    }
    return code;
}

/* ---- making ------------------------------------------------------------------------------- */

fk_code fk_stage_create(const fk_runs_directory *where, bool durable, fk_stage *ret_stage,
                        fk_error *err) {
    fk_stage stage = FK_STAGE_CLOSED;
    stage.where = where;
    stage.durable = durable;
    fk_code code = fk_stage_lock_make(where->runs, stage.name, stage.lock_name, &stage.lock, err);
    if (code == FK_OK) {
        stage.on_disk = true;
        code = fk_directory_make(where->runs, stage.name, NULL, err);
    }
    if (code == FK_OK) {
        code = fk_directory_open(where->runs, stage.name, &stage.directory, err);
    }
    if (code != FK_OK) {
        fk_error_path_join(err, where->path);
        fk_stage_discard(&stage);
        fk_stage_finish(&stage);
        return code;
    }
    *ret_stage = stage;
    return FK_OK;
}

fk_code fk_stage_make_glyphs(fk_stage *stage, fk_error *err) {
    if (stage->glyphs >= 0) {
        return FK_OK;
    }
    fk_code code = fk_directory_make(stage->directory, FK_GLYPHS_DIRECTORY, NULL, err);
    if (code == FK_OK) {
        code = fk_directory_open(stage->directory, FK_GLYPHS_DIRECTORY, &stage->glyphs, err);
    }
    stage->glyphs_dirty = code == FK_OK;
    return in_stage(stage, code, err);
}

/* ---- files -------------------------------------------------------------------------------- */

static bool grow(fk_stage *stage) {
    if (stage->file_count < stage->file_capacity) {
        return true;
    }
    size_t capacity = stage->file_capacity == 0 ? 32 : 2 * stage->file_capacity;
    fk_stage_file *files = reallocarray(stage->files, capacity, sizeof *files);
    if (files == NULL) {
        return false;
    }
    stage->files = files;
    stage->file_capacity = capacity;
    return true;
}

/* Syncs a file and closes it. After a failed sync nothing is synced again: the save has failed. */
static fk_code settle_file(fk_stage *stage, fk_stage_file *file, fk_error *err) {
    fk_code code = stage->durable ? fk_file_sync(file->fd, file->path, err) : FK_OK;
    if (code == FK_OK) {
        code = fk_file_close(&file->fd, file->path, err);
    }
    fk_file_closep(&file->fd);
    return in_stage(stage, code, err);
}

static fk_code settle_oldest(fk_stage *stage, fk_error *err) {
    return settle_file(stage, &stage->files[stage->first_open++], err);
}

fk_code fk_stage_keep(fk_stage *stage, const char *path, int *fd, fk_error *err) {
    char *copy = strdup(path);
    if (copy == NULL || !grow(stage)) {
        free(copy);
        return fk_error_no_memory(err);
    }
    if (fk_file_is_scarce(*fd)) {
        stage->open_max = stage->file_count - stage->first_open;
    }
    stage->files[stage->file_count++] = (fk_stage_file){.fd = fk_file_take(fd), .path = copy};
    stage->glyphs_dirty = stage->glyphs_dirty || strchr(path, '/') != NULL;
    return stage->file_count - stage->first_open > stage->open_max ? settle_oldest(stage, err)
                                                                   : FK_OK;
}

fk_code fk_stage_write(fk_stage *stage, const char *path, const void *from, size_t bytes,
                       fk_file_digests *ret_digests, fk_error *err) {
    FK_SCOPED(fk_staged_file_destroyp) fk_staged_file *file = NULL;
    FK_SCOPED(fk_file_closep) int fd = -1;
    fk_file_digests digests = {0};
    fk_code code = fk_staged_file_create(stage->directory, path, bytes, stage->durable, &file, err);
    if (code == FK_OK) {
        fk_sink sink = fk_staged_file_sink(file);
        code = fk_sink_write(&sink, from, bytes, NULL, err);
    }
    if (code == FK_OK) {
        code = fk_staged_file_finish(file, &fd, &digests, err);
    }
    if (code != FK_OK) {
        return in_stage(stage, code, err);
    }
    code = fk_stage_keep(stage, path, &fd, err);
    if (code != FK_OK) {
        fk_file_digests_finish(&digests);
        return code;
    }
    *ret_digests = digests;
    return FK_OK;
}

/* ---- the way to the disk ------------------------------------------------------------------ */

/* The files still open, in their order, then eval-glyphs/, then the stage. */
static fk_code settle_item(void *user, const fk_crew_member *member, size_t item, fk_error *err) {
    fk_stage *stage = user;
    size_t open_files = stage->file_count - stage->first_open;
    (void)member;
    if (item < open_files) {
        return settle_file(stage, &stage->files[stage->first_open + item], err);
    }
    bool is_glyphs = stage->glyphs_dirty && item == open_files;
    return in_stage(stage,
                    is_glyphs ? fk_file_sync(stage->glyphs, FK_GLYPHS_DIRECTORY, err)
                              : fk_file_sync(stage->directory, ".", err),
                    err);
}

/* By several threads: the disk answers syncs that come together with one flush of its cache, and
 * none of them has to be there before another, only all before the rename. */
fk_code fk_stage_sync(fk_stage *stage, fk_error *err) {
    size_t items = stage->file_count - stage->first_open;
    for (size_t i = stage->first_open; stage->durable && i < stage->file_count; i++) {
        fk_file_kick(stage->files[i].fd, 0, 0);
    }
    if (stage->durable) {
        items += stage->glyphs_dirty ? 2 : 1;
    }
    fk_code code = fk_crew_run(stage->durable ? fk_crew_size_to_sync(items) : 1, items, settle_item,
                               stage, err);
    stage->first_open = stage->file_count;
    stage->glyphs_dirty = false;
    return code;
}

fk_code fk_stage_publish(fk_stage *stage, const char *name, bool *ret_taken, fk_error *err) {
    assert(stage->on_disk && stage->first_open == stage->file_count); /* I1, I2 */
    bool taken = false;
    fk_code code = fk_directory_publish(stage->where->runs, stage->name, name, &taken, err);
    if (code != FK_OK) {
        fk_error_path_join(err, stage->where->path);
        return code;
    }
    *ret_taken = taken;
    stage->on_disk = taken;
    return FK_OK;
}

void fk_stage_hand_over(fk_stage *stage) {
    assert(stage->on_disk && stage->first_open == stage->file_count); /* I1, I2 */
    stage->on_disk = false;
}

void fk_stage_take_back(fk_stage *stage, const char *name) {
    bool is = false;
    bool taken = false;
    assert(!stage->on_disk);
    if (fk_file_is_at(stage->directory, stage->where->runs, name, &is, NULL) != FK_OK || !is) {
        return; /* the run that was to be replaced: an exchange that could not be undone */
    }
    stage->on_disk =
        fk_directory_publish(stage->where->runs, name, stage->name, &taken, NULL) == FK_OK &&
        !taken;
}

void fk_stage_release(fk_stage *stage) {
    assert(!stage->on_disk);
    fk_file_remove(stage->where->runs, stage->lock_name, NULL);
    fk_file_closep(&stage->lock);
}

void fk_stage_discard(fk_stage *stage) {
    if (!stage->on_disk) {
        return;
    }
    stage->on_disk = false;
    /* A stage that cannot be removed keeps its lock file: so the next sweep sees that it is dead.
     */
    if (fk_directory_remove(stage->where->runs, stage->name, NULL) == FK_OK) {
        fk_file_remove(stage->where->runs, stage->lock_name, NULL);
    }
}

void fk_stage_finish(fk_stage *stage) {
    for (size_t i = 0; i < stage->file_count; i++) {
        fk_file_closep(&stage->files[i].fd);
        free(stage->files[i].path);
    }
    free(stage->files);
    fk_file_closep(&stage->glyphs);
    fk_file_closep(&stage->directory);
    fk_file_closep(&stage->lock);
    *stage = FK_STAGE_CLOSED;
}
