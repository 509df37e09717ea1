#include "os/lock.h"

#include <errno.h>

#include "os/file.h"
#include "os/kernel.h"
#include "os/retry.h"

fk_code fk_lock_open(int directory, const char *path, int *ret_fd, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    fk_retry retry = {0};
    do {
        fd = fk_kernel_current->openat_beneath(
            directory, path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
    } while (fd < 0 && fk_retry_is_due(&retry));
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

fk_code fk_lock_wait(int fd, const char *path, fk_error *err) {
    fk_retry retry = {0};
    bool held = true;
    do {
        fk_code code = fk_lock_try(fd, path, &held, err);
        if (code != FK_OK) {
            return code;
        }
    } while (held && fk_retry_pause(&retry));
    if (!held) {
        return FK_OK;
    }
    fk_error_set(err, FK_E_BUSY, "'%s' is locked by another process", path);
    fk_error_path(err, path);
    fk_error_hint(err, "try again when the other process is done");
    return FK_E_BUSY;
}
