#include "store/handle/run_lock.h"

#include <errno.h>
#include <stdio.h>

#include "base/limits.h"
#include "os/directory.h"
#include "os/file.h"
#include "os/lock.h"
#include "store/handle/stage_lock.h"
#include "store/names/layout.h"

/* The file of somebody who holds it, or was killed with it. */
static fk_code take_existing(int runs, const char *name, int *ret_fd, bool *ret_lost,
                             fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    bool is_there = false;
    fk_error cause = {0};
    fk_code code = fk_lock_open(runs, name, &fd, &cause);
    if (code == FK_OK) {
        /* where the file system has no locks, checks alone keep changes apart */
        code = fk_lock_wait(fd, name, &cause);
        code = code == FK_E_BUSY ? code : FK_OK;
    }
    if (code == FK_OK) {
        code = fk_file_is_at(fd, runs, name, &is_there, &cause);
    }
    bool gone = code != FK_OK && cause.system_errno == ENOENT;
    if (code != FK_OK && !gone) {
        if (err != NULL) {
            *err = cause;
        }
        return code;
    }
    *ret_lost = gone || !is_there;
    if (!*ret_lost) {
        *ret_fd = fk_file_take(&fd);
    }
    return FK_OK;
}

/* Where there is no room for a file, checks alone keep changes apart: what makes room must go on.
 */
static fk_code take(int runs, const char *name, int *ret_fd, bool *ret_lost, fk_error *err) {
    fk_error cause = {0};
    fk_code code = fk_stage_lock_create(runs, name, ret_fd, ret_lost, &cause);
    if (code == FK_E_NO_SPACE) {
        return FK_OK;
    }
    if (code == FK_E_IO && cause.system_errno == EEXIST) {
        return take_existing(runs, name, ret_fd, ret_lost, err);
    }
    if (code != FK_OK && err != NULL) {
        *err = cause;
    }
    return code;
}

fk_code fk_run_lock_take(int runs, const char *path, const char *directory, fk_run_lock *ret_lock,
                         fk_error *err) {
    FK_SCOPED(fk_run_lock_release) fk_run_lock lock = FK_RUN_LOCK_FREE;
    bool lost = true;
    fk_code code = fk_directory_open(runs, ".", &lock.runs, err);
    snprintf(lock.name, sizeof lock.name, FK_STAGE_PREFIX "%s" FK_LOCK_SUFFIX, directory);
    for (unsigned attempt = 0; code == FK_OK && lost && attempt <= FK_LIMIT_RETRIES; attempt++) {
        code = take(runs, lock.name, &lock.fd, &lost, err);
    }
    if (code == FK_OK && lost) {
        code =
            fk_error_set(err, FK_E_BUSY, "others took the lock of run '%s' each time", directory);
    }
    if (code != FK_OK) {
        if (code == FK_E_BUSY) {
            fk_error_hint(err, "another process is changing the run; try again when it is done");
        }
        fk_error_path(err, lock.name);
        fk_error_path_join(err, path);
        return code;
    }
    *ret_lock = lock;
    lock = FK_RUN_LOCK_FREE;
    return FK_OK;
}

void fk_run_lock_release(fk_run_lock *lock) {
    if (lock->fd >= 0) {
        fk_file_remove(lock->runs, lock->name, NULL);
    }
    fk_file_closep(&lock->fd);
    fk_file_closep(&lock->runs);
}
