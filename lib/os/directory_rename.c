/* The renames that publish: one that replaces nothing, and one by which two directories change
 * names. */
#include <errno.h>
#include <stdio.h> /* RENAME_NOREPLACE */
#include <sys/stat.h>

#include "os/directory.h"
#include "os/file.h"
#include "os/file_error.h"
#include "os/kernel.h"
#include "os/retry.h"

/* Whether `name` in `parent` is this very directory. */
static bool is_same(int parent, const char *name, const struct stat *expected) {
    struct stat status;
    return fk_kernel_current->fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           status.st_dev == expected->st_dev && status.st_ino == expected->st_ino;
}

/* Whether a rename failed because kernel or file system do not know its flag. */
static bool is_unknown(int failure) {
    return failure == EINVAL || failure == ENOSYS || failure == EOPNOTSUPP;
}

static bool is_worth_a_try(int failure, fk_retry *retry) {
    errno = failure;
    return failure != 0 && fk_retry_is_due(retry);
}

/* A rename that replaces nothing; 0 or an errno. */
static int rename_to_free_name(int parent, const char *old_name, const char *new_name) {
    const fk_kernel *kernel = fk_kernel_current;
    if (kernel->renameat2(parent, old_name, parent, new_name, RENAME_NOREPLACE) == 0) {
        return 0;
    }
    if (!is_unknown(errno)) {
        return errno;
    }
    return kernel->renameat(parent, old_name, parent, new_name) == 0 ? 0 : errno;
}

fk_code fk_directory_publish(int parent, const char *old_name, const char *new_name,
                             bool *ret_taken, fk_error *err) {
    struct stat directory;
    if (fk_kernel_current->fstatat(parent, old_name, &directory, AT_SYMLINK_NOFOLLOW) != 0) {
        return fk_file_error(err, errno, "rename", old_name);
    }
    int failure;
    fk_retry retry = {0};
    do {
        failure = rename_to_free_name(parent, old_name, new_name);
        /* over a network a rename can work, its answer get lost, and the second try fail */
        if (failure != 0 && is_same(parent, new_name, &directory)) {
            failure = 0;
        }
    } while (is_worth_a_try(failure, &retry));
    /* ENOTDIR: plain rename found a file of that name */
    bool taken = failure == EEXIST || failure == ENOTEMPTY || failure == ENOTDIR;
    if (failure != 0 && !taken) {
        return fk_file_error(err, failure, "rename", old_name);
    }
    *ret_taken = taken;
    return FK_OK;
}

fk_code fk_directory_exchange(int parent, const char *one, const char *other, bool *ret_unknown,
                              fk_error *err) {
    const fk_kernel *kernel = fk_kernel_current;
    struct stat first;
    struct stat second;
    if (kernel->fstatat(parent, one, &first, AT_SYMLINK_NOFOLLOW) != 0) {
        return fk_file_error(err, errno, "rename", one);
    }
    if (kernel->fstatat(parent, other, &second, AT_SYMLINK_NOFOLLOW) != 0) {
        return fk_file_error(err, errno, "rename", other);
    }
    int failure;
    fk_retry retry = {0};
    do {
        failure = kernel->renameat2(parent, one, parent, other, RENAME_EXCHANGE) == 0 ? 0 : errno;
        /* a second exchange would undo the first */
        if (failure != 0 && is_same(parent, one, &second) && is_same(parent, other, &first)) {
            failure = 0;
        }
    } while (is_worth_a_try(failure, &retry));
    if (failure != 0 && !is_unknown(failure)) {
        return fk_file_error(err, failure, "rename", one);
    }
    *ret_unknown = failure != 0;
    return FK_OK;
}
