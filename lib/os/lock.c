#include "os/lock.h"

#include <errno.h>

#include "base/limits.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/kernel.h"

enum { BACKOFF_MS = 50 };

fk_code fk_lock_open(int directory, const char *path, int *ret_fd, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    do {
        fd = fk_kernel_current->openat_beneath(
            directory, path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0 && errno != ELOOP) {
        return fk_file_error(err, errno, "lock", path);
    }
    struct stat status = {0}; /* of a symbolic link: no regular file */
    if (fd >= 0 && fk_kernel_current->fstat(fd, &status) != 0) {
        return fk_file_error(err, errno, "look at", path);
    }
    if (!S_ISREG(status.st_mode)) {
        fk_code code = fk_error_set(err, FK_E_INVALID, "lock '%s' is no regular file", path);
        fk_error_path(err, path);
        fk_error_hint(err, "remove it");
        return code;
    }
    *ret_fd = fk_file_take(&fd);
    return FK_OK;
}

fk_code fk_lock_try(int fd, const char *path, bool *ret_held, fk_error *err) {
    int result;
    do {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET}; /* the whole file */
        result = fk_kernel_current->set_lock(fd, &lock);
    } while (result != 0 && errno == EINTR);
    bool held = result != 0 && (errno == EAGAIN || errno == EACCES);
    if (result != 0 && !held) {
        return fk_file_error(err, errno, "lock", path);
    }
    *ret_held = held;
    return FK_OK;
}

typedef struct waiting {
    int fd;
    const char *path;
} waiting;

static fk_code attempt_lock(void *user, fk_error *err) {
    const waiting *lock = user;
    bool held = false;
    fk_code code = fk_lock_try(lock->fd, lock->path, &held, err);
    if (code != FK_OK || !held) {
        return code;
    }
    code = fk_error_set(err, FK_E_BUSY, "'%s' is locked by another process", lock->path);
    fk_error_path(err, lock->path);
    fk_error_hint(err, "try again when the other process is done");
    return code;
}

fk_code fk_lock_wait(int fd, const char *path, fk_error *err) {
    waiting lock = {fd, path};
    return fk_lock_retry(attempt_lock, &lock, err);
}

fk_code fk_lock_retry(fk_code (*attempt)(void *user, fk_error *err), void *user, fk_error *err) {
    fk_code code = attempt(user, err);
    uint32_t pause_ms = BACKOFF_MS;
    for (unsigned retry = 0; code == FK_E_BUSY && retry < FK_LIMIT_RETRIES; retry++) {
        fk_clock_sleep_ms(pause_ms);
        pause_ms *= 2;
        code = attempt(user, err);
    }
    return code;
}
