#include "os/directory.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "base/text.h"
#include "os/file.h"
#include "os/file_error.h"
#include "os/kernel.h"
#include "os/place.h"
#include "os/retry.h"

enum { DIRECTORY_MODE = 0777 };

static const char hint[] = "put a directory in its place";

static fk_code set_open_error(fk_error *err, int system_errno, const char *path) {
    switch (system_errno) {
    case ENOTDIR:
        return fk_file_refuse(err, system_errno, path, "no directory", hint);
    case ELOOP:
        return fk_file_refuse(err, system_errno, path, "or leads through a symbolic link", hint);
    case EXDEV:
        return fk_file_refuse(err, system_errno, path, "outside the directory it should be in",
                              hint);
    default:
        return fk_file_error(err, system_errno, "open", path);
    }
}

fk_code fk_directory_open_path(const char *path, int *ret_fd, fk_error *err) {
    int fd;
    fk_retry retry = {0};
    do {
        fd = fk_kernel_current->openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    } while (fd < 0 && fk_retry_is_due(&retry));
    if (fd < 0) {
        return errno == ENOTDIR ? set_open_error(err, errno, path)
                                : fk_file_error(err, errno, "open", path);
    }
    *ret_fd = fd;
    return FK_OK;
}

fk_code fk_directory_open(int parent, const char *path, int *ret_fd, fk_error *err) {
    int fd;
    fk_retry retry = {0};
    do {
        fd = fk_kernel_current->openat_beneath(parent, path,
                                               O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    } while (fd < 0 && fk_retry_is_due(&retry));
    if (fd < 0) {
        return set_open_error(err, errno, path);
    }
    *ret_fd = fd;
    return FK_OK;
}

/* mkdir at a place; 0 or an errno, EEXIST when something of that name is there. */
static int make_at(int directory, const char *name) {
    int result;
    fk_retry retry = {0};
    do {
        result = fk_kernel_current->mkdirat(directory, name, DIRECTORY_MODE);
    } while (result != 0 && fk_retry_is_due(&retry));
    return result == 0 ? 0 : errno;
}

static fk_code check_directory(int directory, const char *name, int flags, const char *path,
                               fk_error *err) {
    struct stat status;
    if (fk_kernel_current->fstatat(directory, name, &status, flags) != 0) {
        return fk_file_error(err, errno, "look at", path);
    }
    return S_ISDIR(status.st_mode) ? FK_OK
                                   : fk_file_refuse(err, ENOTDIR, path, "no directory", hint);
}

fk_code fk_directory_make(int parent, const char *path, bool *ret_made, fk_error *err) {
    FK_SCOPED(fk_place_finish) fk_place place;
    if (fk_place_init(&place, parent, path) != 0) {
        return set_open_error(err, errno, path);
    }
    int failure = make_at(place.directory, place.name);
    fk_code code = FK_OK;
    if (failure == EEXIST) {
        code = check_directory(place.directory, place.name, AT_SYMLINK_NOFOLLOW, path, err);
    } else if (failure != 0) {
        code = fk_file_error(err, failure, "create", path);
    }
    if (code == FK_OK && ret_made != NULL) {
        *ret_made = failure == 0;
    }
    return code;
}

static fk_code sync_path(const char *path, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    fk_code code = fk_directory_open_path(path, &fd, err);
    return code == FK_OK ? fk_file_sync(fd, path, err) : code;
}

/* Syncs the directory that `path` stands in, so that its name survives a power cut. */
static fk_code sync_parent(char *path, fk_error *err) {
    char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path) {
        return sync_path(slash == NULL ? "." : "/", err);
    }
    *slash = '\0';
    fk_code code = sync_path(path, err);
    *slash = '/';
    return code;
}

static fk_code make_and_sync(char *path, bool *ret_made, fk_error *err) {
    struct stat status;
    if (fk_kernel_current->fstatat(AT_FDCWD, path, &status, 0) == 0) {
        return S_ISDIR(status.st_mode) ? FK_OK
                                       : fk_file_refuse(err, ENOTDIR, path, "no directory", hint);
    }
    int failure = make_at(AT_FDCWD, path);
    if (failure == EEXIST) { /* another process made it in the meantime, or a link leads nowhere */
        return check_directory(AT_FDCWD, path, 0, path, err);
    }
    *ret_made = failure == 0;
    return failure == 0 ? sync_parent(path, err) : fk_file_error(err, failure, "create", path);
}

static size_t length_without_slashes(const char *path) {
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    return length;
}

static void cut_slashes(char *path) {
    path[length_without_slashes(path)] = '\0';
}

/* What is too long for the kernel is not there: its parents, which are shorter, may be. */
static void unmake(char *path, size_t made) {
    while (made > 0) {
        cut_slashes(path);
        char *slash = strrchr(path, '/');
        (void)fk_directory_remove_empty(AT_FDCWD, path, NULL);
        if (strlen(path) <= made || slash == NULL) {
            return;
        }
        slash[1] = '\0';
    }
}

/* Notes in `made` the length of the first path that is new. */
static fk_code make_next(char *path, size_t *made, fk_error *err) {
    bool is_new = false;
    fk_code code = make_and_sync(path, &is_new, err);
    if (is_new && *made == 0) {
        *made = strlen(path);
    }
    return code;
}

fk_code fk_directory_make_path(const char *path, size_t *ret_made, fk_error *err) {
    if (*path == '\0') {
        return fk_file_error(err, ENOENT, "create", path);
    }
    FK_SCOPED(fk_freep) char *partial = strdup(path);
    if (partial == NULL) {
        return fk_error_no_memory(err);
    }
    cut_slashes(partial);
    size_t made = 0;
    fk_code code = FK_OK;
    char *slash = partial + strspn(partial, "/");
    while (code == FK_OK && (slash = strchr(slash, '/')) != NULL) {
        *slash = '\0';
        code = make_next(partial, &made, err);
        *slash = '/';
        slash += strspn(slash, "/");
    }
    if (code == FK_OK) {
        code = make_next(partial, &made, err);
    }
    if (code != FK_OK) {
        unmake(partial, made);
    } else if (ret_made != NULL) {
        *ret_made = made;
    }
    return code;
}

void fk_directory_unmake_path(const char *path, size_t made) {
    char partial[PATH_MAX]; /* what cleans up must not need memory */
    size_t length = length_without_slashes(path);
    if (length < sizeof partial) { /* no longer one can be made */
        memcpy(partial, path, length);
        partial[length] = '\0';
        unmake(partial, made);
    }
}

/* Appends the components of `path`, each behind a slash, but for "." and empty ones. */
static char *append_components(char *into, const char *path) {
    while (*path != '\0') {
        size_t length = strcspn(path, "/");
        if (length > 0 && !(length == 1 && *path == '.')) {
            *into++ = '/';
            memcpy(into, path, length);
            into += length;
        }
        path += length;
        path += strspn(path, "/");
    }
    *into = '\0';
    return into;
}

fk_code fk_directory_absolute(const char *path, char **ret_absolute, fk_error *err) {
    char working[PATH_MAX] = "";
    if (*path != '/' && fk_kernel_current->getcwd(working, sizeof working) == NULL) {
        return fk_file_error(err, errno, "look at", "the working directory");
    }
    char *absolute = malloc(strlen(working) + strlen(path) + 3);
    if (absolute == NULL) {
        return fk_error_no_memory(err);
    }
    char *end = append_components(append_components(absolute, working), path);
    if (end == absolute) {
        fk_text_copy(absolute, 2, "/");
    }
    *ret_absolute = absolute;
    return FK_OK;
}

fk_code fk_directory_remove_empty(int parent, const char *path, fk_error *err) {
    FK_SCOPED(fk_place_finish) fk_place place;
    int result = fk_place_init(&place, parent, path);
    if (result == 0) {
        fk_retry retry = {0};
        do {
            result = fk_kernel_current->unlinkat(place.directory, place.name, AT_REMOVEDIR);
        } while (result != 0 && fk_retry_is_due(&retry));
    }
    bool fine = result == 0 || errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST;
    return fine ? FK_OK : fk_file_error(err, errno, "remove", path);
}
