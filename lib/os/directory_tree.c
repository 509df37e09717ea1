#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "os/directory.h"
#include "os/kernel.h"
#include "os/retry.h"
#include "os/walk.h"

static int unlink_name(int directory, const char *name, int flags) {
    int result;
    fk_retry retry = {0};
    do {
        result = fk_kernel_current->unlinkat(directory, name, flags);
    } while (result != 0 && fk_retry_is_due(&retry));
    return result == 0 ? 0 : errno;
}

static int remove_file(void *user, int directory, const char *name) {
    (void)user;
    return unlink_name(directory, name, 0);
}

static int remove_directory(void *user, int directory, const char *name) {
    (void)user;
    return unlink_name(directory, name, AT_REMOVEDIR);
}

fk_code fk_directory_remove(int parent, const char *name, fk_error *err) {
    const fk_walk walk = {.visit = remove_file, .leave = remove_directory, .verb = "remove"};
    return fk_walk_tree(&walk, parent, name, err);
}

/* A file that was met under one of several names. */
typedef struct linked {
    dev_t device;
    ino_t inode;
    nlink_t links; /* in the whole file system */
    uint64_t bytes;
} linked;

static int count_file(void *user, int directory, const char *name) {
    fk_byte_sum *sum = user;
    struct stat status;
    if (fk_kernel_current->fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno;
    }
    if (S_ISDIR(status.st_mode)) {
        return EISDIR;
    }
    if (!S_ISREG(status.st_mode)) {
        return 0;
    }
    if (status.st_nlink < 2) {
        sum->bytes += (uint64_t)status.st_size;
        return 0;
    }
    linked file = {status.st_dev, status.st_ino, status.st_nlink, (uint64_t)status.st_size};
    return fk_buffer_append(&sum->linked, &file, sizeof file) ? 0 : ENOMEM;
}

static int compare_linked(const void *one, const void *other) {
    const linked *a = one;
    const linked *b = other;
    if (a->device != b->device) {
        return a->device < b->device ? -1 : 1;
    }
    return a->inode < b->inode ? -1 : a->inode > b->inode;
}

/* The bytes of the files all of whose names were met. */
static uint64_t sum_linked(const fk_buffer *buffer) {
    linked *files = (linked *)(void *)buffer->bytes;
    size_t count = buffer->length / sizeof *files;
    if (count > 1) {
        qsort(files, count, sizeof *files, compare_linked);
    }
    uint64_t bytes = 0;
    for (size_t first = 0, next; first < count; first = next) {
        for (next = first + 1; next < count && compare_linked(&files[first], &files[next]) == 0;) {
            next++;
        }
        bytes += next - first >= files[first].links ? files[first].bytes : 0;
    }
    return bytes;
}

fk_code fk_byte_sum_add(fk_byte_sum *sum, int parent, const char *name, fk_error *err) {
    const fk_walk walk = {.visit = count_file, .user = sum, .verb = "look at"};
    return fk_walk_tree(&walk, parent, name, err);
}

uint64_t fk_byte_sum_bytes(const fk_byte_sum *sum) {
    return sum->bytes + sum_linked(&sum->linked);
}

void fk_byte_sum_finish(fk_byte_sum *sum) {
    fk_buffer_finish(&sum->linked);
}

fk_code fk_directory_bytes(int parent, const char *name, uint64_t *ret_bytes, fk_error *err) {
    FK_SCOPED(fk_byte_sum_finish) fk_byte_sum sum = {0};
    fk_code code = fk_byte_sum_add(&sum, parent, name, err);
    if (code == FK_OK) {
        *ret_bytes = fk_byte_sum_bytes(&sum);
    }
    return code;
}
