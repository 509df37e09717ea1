#include "store/trash/sweep.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "os/clock.h"
#include "os/directory.h"
#include "os/file.h"
#include "os/lock.h"
#include "store/handle/stage_lock.h"
#include "store/names/layout.h"
#include "store/names/run_id.h"
#include "store/trash/exchange.h"

enum { NAME_BYTES = 300, REASON_BYTES = 512 };

#define QUIET_SECONDS (24L * 60 * 60)
#define CHANGING_NOW  ((time_t)INT64_MAX) /* newer than whatever a file system takes for now */

/* One stage under judgement. Directory and lock file are looked for by name, whichever of them the
 * listing showed: the other may have come in since, and must not be left without it. */
typedef struct suspect {
    int runs;
    char stage[NAME_BYTES];
    char lock[NAME_BYTES];
    bool had_stage; /* the listing showed it */
    int lock_fd;
    fk_identity owner;
    char reason[REASON_BYTES]; /* why it is kept */
} suspect;

static bool keep(suspect *it, const char *reason) {
    fk_text_copy(it->reason, sizeof it->reason, reason);
    return false;
}

/* ---- by time ------------------------------------------------------------------------------ */

static void take_newest(int directory, const char *name, time_t *newest) {
    struct stat status;
    bool missing = false;
    if (fk_file_look(directory, name, &status, &missing, NULL) == FK_OK && !missing &&
        status.st_mtim.tv_sec > *newest) {
        *newest = status.st_mtim.tv_sec;
    }
}

/* The newest change of a directory's entries; what cannot be listed may be changing now. */
static void take_newest_below(int parent, const char *name, time_t *newest) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    FK_SCOPED(fk_names_finish) fk_names names = {0};
    take_newest(parent, name, newest);
    if (fk_directory_open(parent, name, &fd, NULL) != FK_OK) {
        return;
    }
    if (fk_directory_list(fd, name, &names, NULL) != FK_OK) {
        *newest = CHANGING_NOW;
    }
    for (size_t i = 0; i < names.count; i++) {
        take_newest(fd, names.names[i], newest);
    }
}

static time_t newest_change(const suspect *it) {
    time_t newest = 0;
    char glyphs[NAME_BYTES + sizeof FK_GLYPHS_DIRECTORY];
    snprintf(glyphs, sizeof glyphs, "%s/%s", it->stage, FK_GLYPHS_DIRECTORY);
    take_newest(it->runs, it->lock, &newest);
    take_newest_below(it->runs, it->stage, &newest);
    take_newest_below(it->runs, glyphs, &newest);
    return newest;
}

/* What the file system, maybe on another machine, takes for now: the time of a fresh file. */
static bool file_system_time(int runs, time_t *ret_now) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    char unused[FK_STAGE_NAME_BYTES];
    char probe[FK_STAGE_LOCK_NAME_BYTES];
    if (fk_stage_lock_name(unused, probe, NULL) != FK_OK ||
        fk_file_create(runs, probe, &fd, NULL) != FK_OK) {
        return false;
    }
    *ret_now = 0;
    take_newest(runs, probe, ret_now);
    fk_file_remove(runs, probe, NULL);
    return *ret_now != 0;
}

static bool is_dead_by_time(suspect *it) {
    time_t now;
    time_t newest = newest_change(it);
    if (!file_system_time(it->runs, &now)) {
        return keep(it, "nothing can be written here, so nothing can be removed");
    }
    if (now - newest > QUIET_SECONDS) {
        return true;
    }
    if (it->owner.host[0] != '\0') {
        snprintf(it->reason, sizeof it->reason,
                 "host '%s' may still write it: it changed within 24 hours", it->owner.host);
        return false;
    }
    return keep(it, "nobody knows who writes it, and it changed within 24 hours");
}

/* ---- by its lock -------------------------------------------------------------------------- */

static bool owner_was_here(const suspect *it) {
    fk_identity self;
    fk_identity_current(&self);
    return self.boot_id[0] != '\0' && strcmp(self.boot_id, it->owner.boot_id) == 0 &&
           strcmp(self.host, it->owner.host) == 0;
}

/* The run that a stage by its name is for, or NULL. Such a stage is whole, and its writer, should
 * it live, notices that it went: there is no need to wait. */
static const char *run_of_stage(const suspect *it) {
    fk_run_id id;
    const char *directory = it->stage + strlen(FK_STAGE_PREFIX);
    return it->had_stage && fk_run_id_parse(directory, &id, NULL, NULL) ? directory : NULL;
}

/* The lock of a run is made again and again under one name: what we hold may be gone by now. */
static bool is_same_lock(const suspect *it) {
    bool is = false;
    return fk_file_is_at(it->lock_fd, it->runs, it->lock, &is, NULL) == FK_OK && is;
}

static bool is_dead_by_lock(suspect *it) {
    bool held = false;
    fk_stage_lock_read(it->lock_fd, &it->owner);
    fk_code code = fk_lock_try(it->lock_fd, it->lock, &held, NULL);
    if (code == FK_OK && !held && !is_same_lock(it)) {
        return keep(it, "it was finished just now");
    }
    if (code == FK_OK && held) {
        snprintf(it->reason, sizeof it->reason, "process %d on host '%s' is writing it",
                 it->owner.pid, it->owner.host);
        return false;
    }
    if (code == FK_OK &&
        (fk_directory_is_local(it->runs) || owner_was_here(it) || run_of_stage(it) != NULL)) {
        return true;
    }
    return is_dead_by_time(it);
}

/* `had_lock`: the listing showed the lock file. */
static bool is_dead(suspect *it, bool had_lock) {
    fk_error cause = {0};
    fk_code code = fk_lock_open(it->runs, it->lock, &it->lock_fd, &cause);
    if (code == FK_OK) {
        return is_dead_by_lock(it);
    }
    if (cause.system_errno == ENOENT) {
        return had_lock ? keep(it, "it was finished just now")
                        : run_of_stage(it) != NULL || is_dead_by_time(it);
    }
    snprintf(it->reason, sizeof it->reason, "its lock file cannot be opened: %.400s",
             cause.message);
    return false;
}

/* ---- the sweep ---------------------------------------------------------------------------- */

/* A stage by the name of a run is a new generation whose exchange was cut off. */
static fk_code remove_stage(suspect *it, bool *ret_placed, fk_error *err) {
    const char *directory = run_of_stage(it);
    return directory != NULL ? fk_exchange_finish(it->runs, directory, ret_placed, err)
                             : fk_directory_remove(it->runs, it->stage, err);
}

/* The lock file goes last: what is left of a stage stays known as dead. */
static bool remove_suspect(suspect *it) {
    fk_error cause = {0};
    bool placed = false;
    fk_code code = remove_stage(it, &placed, &cause);
    if (code == FK_OK) {
        code = fk_file_remove(it->runs, it->lock, &cause);
    }
    if (code != FK_OK) {
        return keep(it, cause.message);
    }
    if (placed) {
        return keep(it, "it got its place as a run: that change had been cut off");
    }
    return true;
}

static fk_code judge(int runs, const fk_names *names, const char *stage, fk_sweep_visitor visit,
                     void *user, fk_error *err) {
    suspect it = {.runs = runs, .lock_fd = -1};
    fk_text_copy(it.stage, sizeof it.stage, stage);
    size_t length = fk_text_copy(it.lock, sizeof it.lock, stage);
    fk_text_copy(it.lock + length, sizeof it.lock - length, FK_LOCK_SUFFIX);
    it.had_stage = fk_names_contain(names, it.stage);
    bool had_lock = fk_names_contain(names, it.lock);
    bool removed = is_dead(&it, had_lock) && remove_suspect(&it);
    fk_file_closep(&it.lock_fd);
    return visit != NULL ? visit(user, it.had_stage ? it.stage : it.lock, removed, it.reason, err)
                         : FK_OK;
}

/* Each stage once, though two names may tell of it. */
static fk_code judge_name(int runs, const fk_names *names, const char *name, fk_sweep_visitor visit,
                          void *user, fk_error *err) {
    char stage[NAME_BYTES];
    fk_text_copy(stage, sizeof stage, name);
    if (fk_text_ends_with(name, FK_LOCK_SUFFIX)) {
        stage[strlen(stage) - strlen(FK_LOCK_SUFFIX)] = '\0';
        if (fk_names_contain(names, stage)) {
            return FK_OK;
        }
    }
    return judge(runs, names, stage, visit, user, err);
}

fk_code fk_sweep(int parent, const char *path, fk_sweep_visitor visit, void *user, fk_error *err) {
    FK_SCOPED(fk_names_finish) fk_names names = {0};
    fk_code code = fk_directory_list(parent, path, &names, err);
    for (size_t i = 0; code == FK_OK && i < names.count; i++) {
        if (fk_text_starts_with(names.names[i], FK_STAGE_PREFIX)) {
            code = judge_name(parent, &names, names.names[i], visit, user, err);
        }
    }
    return code;
}
