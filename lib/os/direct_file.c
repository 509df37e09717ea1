#include "os/direct_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/types.h>

#include "os/file.h"
#include "os/kernel.h"
#include "os/retry.h"

bool fk_direct_file_begin(fk_direct_file *file, int fd, const char *path) {
    file->fd = fd;
    file->path = path;
    bool granted = fk_kernel_current->set_status_flags(fd, O_DIRECT) == 0;
    atomic_init(&file->granted, granted);
    return granted;
}

/* What others write past the cache at this moment is no less good for it. Who finds the grant ended
 * must find the kernel told, too: the last chunk, no whole block, may be another thread's. */
static fk_code end(fk_direct_file *file, fk_error *err) {
    if (fk_kernel_current->set_status_flags(file->fd, 0) != 0) {
        return fk_file_error(err, errno, "write", file->path);
    }
    atomic_store(&file->granted, false);
    return FK_OK;
}

/* Writes blocks while they are taken; how far that went. */
static fk_code write_blocks(const fk_direct_file *file, const uint8_t *from, size_t bytes,
                            uint64_t offset, size_t *ret_done, fk_error *err) {
    size_t done = 0;
    fk_retry retry = {0};
    while (done < bytes && (bytes - done) % FK_DIRECT_BLOCK_BYTES == 0) {
        ssize_t put =
            fk_kernel_current->pwrite(file->fd, from + done, bytes - done, (off_t)(offset + done));
        if (put < 0 && fk_retry_is_due(&retry)) {
            continue;
        }
        if (put < 0 && errno == EINVAL) {
            break;
        }
        if (put <= 0) { /* a write of nothing would go on for ever */
            return fk_file_error(err, put < 0 ? errno : EIO, "write", file->path);
        }
        done += (size_t)put;
    }
    *ret_done = done;
    return FK_OK;
}

fk_code fk_direct_file_write_at(fk_direct_file *file, const void *from, size_t bytes,
                                uint64_t offset, fk_error *err) {
    size_t done = 0;
    fk_code code = FK_OK;
    if (atomic_load(&file->granted)) {
        code = write_blocks(file, from, bytes, offset, &done, err);
        if (code == FK_OK && done < bytes) {
            code = end(file, err);
        }
    }
    if (code != FK_OK || done == bytes) {
        return code;
    }
    offset += done;
    code = fk_file_write_at(file->fd, (const uint8_t *)from + done, bytes - done, offset,
                            file->path, err);
    if (code == FK_OK) {
        fk_file_kick(file->fd, offset, bytes - done);
    }
    return code;
}
