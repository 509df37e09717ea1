#include "os/direct_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/types.h>

#include "os/file.h"
#include "os/kernel.h"
#include "os/retry.h"

bool fk_direct_file_begin(int fd) {
    return fk_kernel_current->set_status_flags(fd, O_DIRECT) == 0;
}

static fk_code end(int fd, bool *direct, const char *path, fk_error *err) {
    *direct = false;
    return fk_kernel_current->set_status_flags(fd, 0) == 0
               ? FK_OK
               : fk_file_error(err, errno, "write", path);
}

/* Writes blocks while they are taken; how far that went. */
static fk_code write_blocks(int fd, const uint8_t *from, size_t bytes, const char *path,
                            size_t *ret_done, fk_error *err) {
    size_t done = 0;
    fk_retry retry = {0};
    while (done < bytes && (bytes - done) % FK_DIRECT_BLOCK_BYTES == 0) {
        ssize_t put = fk_kernel_current->write(fd, from + done, bytes - done);
        if (put < 0 && fk_retry_is_due(&retry)) {
            continue;
        }
        if (put < 0 && errno == EINVAL) {
            break;
        }
        if (put <= 0) { /* a write of nothing would go on for ever */
            return fk_file_error(err, put < 0 ? errno : EIO, "write", path);
        }
        done += (size_t)put;
    }
    *ret_done = done;
    return FK_OK;
}

fk_code fk_direct_file_write(int fd, bool *direct, const void *from, size_t bytes, const char *path,
                             fk_error *err) {
    size_t done = 0;
    fk_code code = FK_OK;
    if (*direct) {
        code = write_blocks(fd, from, bytes, path, &done, err);
    }
    if (code == FK_OK && *direct && done < bytes) {
        code = end(fd, direct, path, err);
    }
    return code == FK_OK ? fk_file_write(fd, (const uint8_t *)from + done, bytes - done, path, err)
                         : code;
}
