#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "os/file_error.h"
#include "os/kernel.h"
#include "os/place.h"
#include "os/retry.h"

enum {
    FILE_MODE = 0666,
    SPARE_FILES = 16, /* what any step may need to open beyond the files it keeps */
};

static const char hint[] = "put a regular file in its place";

void fk_file_closep(int *fd) {
    if (*fd >= 0) {
        int kept = errno;
        fk_kernel_current->close(*fd);
        errno = kept;
        *fd = -1;
    }
}

int fk_file_take(int *fd) {
    int taken = *fd;
    *fd = -1;
    return taken;
}

static const char *kind_name(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "a directory, not a file";
    case S_IFIFO:
        return "a pipe, not a regular file";
    case S_IFSOCK:
        return "a socket, not a regular file";
    default:
        return "a device, not a regular file";
    }
}

/* Looks at what was opened; anything but a regular file is refused. */
static fk_code check_regular(int fd, const char *path, struct stat *ret_status, fk_error *err) {
    struct stat status;
    if (fk_kernel_current->fstat(fd, &status) != 0) {
        return fk_file_error(err, errno, "look at", path);
    }
    if (!S_ISREG(status.st_mode)) {
        return fk_file_refuse(err, 0, path, kind_name(status.st_mode), hint);
    }
    if (ret_status != NULL) {
        *ret_status = status;
    }
    return FK_OK;
}

static fk_code set_open_error(fk_error *err, int system_errno, const char *path) {
    switch (system_errno) {
    case ELOOP:
        return fk_file_refuse(err, system_errno, path, "or leads through a symbolic link", hint);
    case EXDEV:
        return fk_file_refuse(err, system_errno, path, "outside the directory it should be in",
                              hint);
    case ENXIO:
        return fk_file_refuse(err, system_errno, path, "a socket or pipe, not a regular file",
                              hint);
    default:
        return fk_file_error(err, system_errno, "open", path);
    }
}

/* O_NONBLOCK: opening a pipe or a device must not wait for its other end. */
fk_code fk_file_open(int directory, const char *path, int *ret_fd, struct stat *ret_status,
                     fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    fk_retry retry = {0};
    do {
        fd = fk_kernel_current->openat_beneath(
            directory, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
    } while (fd < 0 && fk_retry_is_due(&retry));
    if (fd < 0) {
        return set_open_error(err, errno, path);
    }
    fk_code code = check_regular(fd, path, ret_status, err);
    if (code == FK_OK) {
        *ret_fd = fk_file_take(&fd);
    }
    return code;
}

fk_code fk_file_open_path(const char *path, int *ret_fd, struct stat *ret_status, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    fk_retry retry = {0};
    do {
        fd = fk_kernel_current->openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                                       0);
    } while (fd < 0 && fk_retry_is_due(&retry));
    if (fd < 0) {
        return errno == ENXIO ? set_open_error(err, errno, path)
                              : fk_file_error(err, errno, "open", path);
    }
    fk_code code = check_regular(fd, path, ret_status, err);
    if (code == FK_OK) {
        *ret_fd = fk_file_take(&fd);
    }
    return code;
}

fk_code fk_file_create(int directory, const char *path, int *ret_fd, fk_error *err) {
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const fk_kernel *kernel = fk_kernel_current;
    int fd;
    fk_retry retry = {0};
    do {
        fd = directory == AT_FDCWD ? kernel->openat(directory, path, flags, FILE_MODE)
                                   : kernel->openat_beneath(directory, path, flags, FILE_MODE);
    } while (fd < 0 && fk_retry_is_due(&retry));
    if (fd < 0) {
        return fk_file_error(err, errno, "create", path);
    }
    *ret_fd = fd;
    return FK_OK;
}

fk_code fk_file_read_at(int fd, void *into, size_t bytes, uint64_t offset, const char *path,
                        fk_error *err) {
    uint64_t end;
    if (!fk_checked_add(offset, bytes, &end) || end > INT64_MAX) {
        return fk_error_set(err, FK_E_LIMIT,
                            "a read of %zu bytes at %" PRIu64 " is beyond any file", bytes, offset);
    }
    size_t done = 0;
    fk_retry retry = {0};
    while (done < bytes) {
        ssize_t got = fk_kernel_current->pread(fd, (uint8_t *)into + done, bytes - done,
                                               (off_t)(offset + done));
        if (got < 0 && fk_retry_is_due(&retry)) {
            continue;
        }
        if (got < 0) {
            fk_code code = fk_file_error(err, errno, "read", path);
            fk_error_offset(err, offset + done);
            return code;
        }
        if (got == 0) {
            fk_code code = fk_error_set(err, FK_E_CORRUPT, "'%s' ends %zu bytes too early", path,
                                        bytes - done);
            fk_error_path(err, path);
            fk_error_offset(err, offset + done);
            fk_error_hint(err, "restore the file from a copy");
            return code;
        }
        done += (size_t)got;
    }
    return FK_OK;
}

fk_code fk_file_read_whole(int fd, uint64_t bytes_max, const char *path, void **ret_bytes,
                           size_t *ret_length, fk_error *err) {
    struct stat status = {0};
    fk_code code = check_regular(fd, path, &status, err);
    if (code != FK_OK) {
        return code;
    }
    if ((uint64_t)status.st_size > bytes_max) {
        code = fk_error_set(err, FK_E_LIMIT,
                            "'%s' has %" PRIu64 " bytes, more than the %" PRIu64 " allowed", path,
                            (uint64_t)status.st_size, bytes_max);
        fk_error_path(err, path);
        fk_error_hint(err, "check that it is the right file");
        return code;
    }
    uint64_t capacity;
    FK_SCOPED(fk_freep) uint8_t *bytes = NULL;
    if (fk_checked_add((uint64_t)status.st_size, 1, &capacity)) {
        bytes = malloc(capacity);
    }
    if (bytes == NULL) {
        return fk_error_no_memory(err);
    }
    code = fk_file_read_at(fd, bytes, (size_t)status.st_size, 0, path, err);
    if (code != FK_OK) {
        return code;
    }
    bytes[status.st_size] = '\0';
    *ret_length = (size_t)status.st_size;
    *ret_bytes = fk_take(bytes);
    return FK_OK;
}

/* At the file position, or at `*offset`. */
static fk_code write_all(int fd, const uint8_t *from, size_t bytes, const uint64_t *offset,
                         const char *path, fk_error *err) {
    size_t done = 0;
    fk_retry retry = {0};
    while (done < bytes) {
        ssize_t put = offset == NULL ? fk_kernel_current->write(fd, from + done, bytes - done)
                                     : fk_kernel_current->pwrite(fd, from + done, bytes - done,
                                                                 (off_t)(*offset + done));
        if (put < 0 && fk_retry_is_due(&retry)) {
            continue;
        }
        if (put <= 0) { /* a write of nothing would go on for ever */
            return fk_file_error(err, put < 0 ? errno : EIO, "write", path);
        }
        done += (size_t)put;
    }
    return FK_OK;
}

fk_code fk_file_write(int fd, const void *from, size_t bytes, const char *path, fk_error *err) {
    return write_all(fd, from, bytes, NULL, path, err);
}

fk_code fk_file_write_at(int fd, const void *from, size_t bytes, uint64_t offset, const char *path,
                         fk_error *err) {
    return write_all(fd, from, bytes, &offset, path, err);
}

fk_code fk_file_reserve(int fd, uint64_t bytes, const char *path, fk_error *err) {
    if (bytes == 0) {
        return FK_OK;
    }
    if (bytes > INT64_MAX) {
        return fk_file_error(err, EFBIG, "reserve space for", path);
    }
    int result;
    fk_retry retry = {0};
    do {
        result = fk_kernel_current->fallocate(fd, 0, 0, (off_t)bytes);
    } while (result != 0 && fk_retry_is_due(&retry));
    /* a file system that cannot reserve tells of a full disk when it is written to */
    if (result != 0 && errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL) {
        return fk_file_error(err, errno, "reserve space for", path);
    }
    return FK_OK;
}

void fk_file_kick(int fd, uint64_t offset, uint64_t bytes) {
    (void)fk_kernel_current->sync_file_range(fd, (off_t)offset, (off_t)bytes,
                                             SYNC_FILE_RANGE_WRITE);
}

/* Some file systems know no sync of directories; there is nothing to be had from them. */
static bool is_directory_without_sync(int fd, int system_errno) {
    struct stat status;
    return (system_errno == EINVAL || system_errno == EOPNOTSUPP) &&
           fk_kernel_current->fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
}

fk_code fk_file_sync(int fd, const char *path, fk_error *err) {
    int result;
    do {
        result = fk_kernel_current->fsync(fd);
    } while (result != 0 && errno == EINTR);
    int system_errno = errno;
    if (result != 0 && !is_directory_without_sync(fd, system_errno)) {
        return fk_file_error(err, system_errno, "sync", path);
    }
    return FK_OK;
}

bool fk_file_is_scarce(int fd) {
    uint64_t limit;
    return fk_kernel_current->get_open_files_limit(&limit) == 0 &&
           (uint64_t)fd + SPARE_FILES >= limit;
}

fk_code fk_file_close(int *fd, const char *path, fk_error *err) {
    int closing = fk_file_take(fd);
    if (closing >= 0 && fk_kernel_current->close(closing) != 0) {
        return fk_file_error(err, errno, "close", path);
    }
    return FK_OK;
}

fk_code fk_file_look(int directory, const char *path, struct stat *ret_status, bool *ret_missing,
                     fk_error *err) {
    FK_SCOPED(fk_place_finish) fk_place place;
    struct stat status;
    int result = fk_place_init(&place, directory, path);
    if (result == 0) {
        fk_retry retry = {0};
        do {
            result = fk_kernel_current->fstatat(place.directory, place.name, &status,
                                                AT_SYMLINK_NOFOLLOW);
        } while (result != 0 && fk_retry_is_due(&retry));
    }
    /* ENOTDIR: what should be a directory above it is none, so it is missing, too */
    bool missing = result != 0 && (errno == ENOENT || errno == ENOTDIR);
    if (result != 0 && !missing) {
        return errno == ELOOP || errno == EXDEV ? set_open_error(err, errno, path)
                                                : fk_file_error(err, errno, "look at", path);
    }
    *ret_missing = missing;
    if (!missing) {
        *ret_status = status;
    }
    return FK_OK;
}

fk_code fk_file_is_at(int fd, int directory, const char *path, bool *ret_is, fk_error *err) {
    struct stat named = {0};
    struct stat opened = {0};
    bool missing = false;
    fk_code code = fk_file_look(directory, path, &named, &missing, err);
    if (code == FK_OK && fk_kernel_current->fstat(fd, &opened) != 0) {
        code = fk_file_error(err, errno, "look at", path);
    }
    if (code == FK_OK) {
        *ret_is = !missing && named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
    }
    return code;
}

fk_code fk_file_remove(int directory, const char *path, fk_error *err) {
    FK_SCOPED(fk_place_finish) fk_place place;
    int result = fk_place_init(&place, directory, path);
    if (result == 0) {
        fk_retry retry = {0};
        do {
            result = fk_kernel_current->unlinkat(place.directory, place.name, 0);
        } while (result != 0 && fk_retry_is_due(&retry));
    }
    return result == 0 || errno == ENOENT ? FK_OK : fk_file_error(err, errno, "remove", path);
}

fk_code fk_file_link(int old_directory, const char *old_path, int new_directory,
                     const char *new_path, fk_error *err) {
    FK_SCOPED(fk_place_finish) fk_place from;
    FK_SCOPED(fk_place_finish) fk_place to = {.opened = -1};
    if (fk_place_init(&from, old_directory, old_path) != 0) {
        return fk_file_error(err, errno, "link", old_path);
    }
    int result = fk_place_init(&to, new_directory, new_path);
    if (result == 0) {
        fk_retry retry = {0};
        do {
            result = fk_kernel_current->linkat(from.directory, from.name, to.directory, to.name, 0);
        } while (result != 0 && fk_retry_is_due(&retry));
    }
    return result == 0 ? FK_OK : fk_file_error(err, errno, "link", new_path);
}

fk_code fk_file_rename(int directory, const char *old_path, const char *new_path, fk_error *err) {
    FK_SCOPED(fk_place_finish) fk_place from;
    FK_SCOPED(fk_place_finish) fk_place to = {.opened = -1};
    if (fk_place_init(&from, directory, old_path) != 0) {
        return fk_file_error(err, errno, "rename", old_path);
    }
    int result = fk_place_init(&to, directory, new_path);
    if (result == 0) {
        fk_retry retry = {0};
        do {
            result = fk_kernel_current->renameat(from.directory, from.name, to.directory, to.name);
        } while (result != 0 && fk_retry_is_due(&retry));
    }
    return result == 0 ? FK_OK : fk_file_error(err, errno, "rename", new_path);
}
