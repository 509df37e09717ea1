#include "os/kernel.h"

#include <errno.h>
#include <limits.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h> /* renameat */
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/thread.h"

static int real_openat(int directory, const char *path, int flags, mode_t mode) {
    return openat(directory, path, flags, mode);
}

/* The directory `name` of `length` bytes within `directory`, only to look further from there. */
static int open_component(int directory, const char *name, size_t length) {
    char component[NAME_MAX + 1];
    if (length > NAME_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(component, name, length);
    component[length] = '\0';
    if (strcmp(component, "..") == 0) {
        errno = EXDEV;
        return -1;
    }
    return openat(directory, component, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* close that keeps errno, for ways out of a failure. */
static void close_quietly(int fd) {
    int kept = errno;
    close(fd);
    errno = kept;
}

/* What openat2 does for us, one component at a time: no component may be a link. */
static int open_by_components(int directory, const char *path, int flags, mode_t mode) {
    int at = directory;
    const char *name = path;
    if (*name == '/') {
        errno = EXDEV;
        return -1;
    }
    for (const char *slash; (slash = strchr(name, '/')) != NULL;) {
        int next = open_component(at, name, (size_t)(slash - name));
        if (at != directory) {
            close_quietly(at);
        }
        if (next < 0) {
            return -1;
        }
        at = next;
        name = slash + strspn(slash, "/");
    }
    int fd = -1;
    if (strcmp(name, "..") == 0) {
        errno = EXDEV;
    } else {
        fd = openat(at, *name == '\0' && *path != '\0' ? "." : name, flags | O_NOFOLLOW, mode);
    }
    if (at != directory) {
        close_quietly(at);
    }
    return fd;
}

static int real_openat2(int directory, const char *path, int flags, mode_t mode) {
    /* openat2 refuses a mode where nothing is created */
    struct open_how how = {
        .flags = (unsigned)flags,
        .mode = (flags & O_CREAT) != 0 ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

static int real_openat_beneath(int directory, const char *path, int flags, mode_t mode) {
    int fd = real_openat2(directory, path, flags, mode);
    /* EPERM: container runtimes of old answer so to calls they do not know */
    if (fd >= 0 || (errno != ENOSYS && errno != EPERM)) {
        return fd;
    }
    return open_by_components(directory, path, flags, mode);
}

static ssize_t real_getdents(int fd, void *entries, size_t bytes) {
    return getdents64(fd, entries, bytes);
}

static int real_set_lock(int fd, struct flock *lock) {
    return fcntl(fd, F_OFD_SETLK, lock);
}

static int real_set_status_flags(int fd, int flags) {
    return fcntl(fd, F_SETFL, flags);
}

static int real_clock_gettime(clockid_t clock, struct timespec *ret_time) {
    return clock_gettime(clock, ret_time);
}

static int real_get_open_files_limit(uint64_t *ret_files) {
    struct rlimit limit;
    int result = getrlimit(RLIMIT_NOFILE, &limit);
    *ret_files = result == 0 ? limit.rlim_cur : 0;
    return result;
}

const fk_kernel fk_kernel_linux = {
    .openat = real_openat,
    .openat_beneath = real_openat_beneath,
    .openat2 = real_openat2,
    .close = close,
    .fstat = fstat,
    .fstatat = fstatat,
    .fstatfs = fstatfs,
    .fstatvfs = fstatvfs,
    .getdents = real_getdents,
    .pread = pread,
    .mmap = mmap,
    .munmap = munmap,
    .madvise = madvise,
    .write = write,
    .pwrite = pwrite,
    .fsync = fsync,
    .sync_file_range = sync_file_range,
    .fallocate = fallocate,
    .mkdirat = mkdirat,
    .unlinkat = unlinkat,
    .renameat = renameat,
    .renameat2 = renameat2,
    .linkat = linkat,
    .set_lock = real_set_lock,
    .set_status_flags = real_set_status_flags,
    .clock_gettime = real_clock_gettime,
    .nanosleep = nanosleep,
    .getrandom = getrandom,
    .getpid = getpid,
    .uname = uname,
    .getcwd = getcwd,
    .get_open_files_limit = real_get_open_files_limit,
    .start_thread = fk_thread_start,
    .fork = fork,
    .waitpid = waitpid,
    .kill = kill,
    .alarm = alarm,
    .leave = _exit,
};

const fk_kernel *fk_kernel_current = &fk_kernel_linux;
