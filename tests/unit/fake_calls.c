#include "fake_calls.h"

#include <dirent.h>
#include <errno.h>
#include <unistd.h>

/* looking */

static int end_open(fake_verdict verdict, const char *call, int fd, const char *path, int flags) {
    if (verdict.system_errno != 0 && fd >= 0) {
        fk_kernel_linux.close(fd);
    }
    int result = (int)fake_call_end(verdict, fd);
    if ((flags & O_CREAT) != 0) {
        fake_call_record(result, "%s %s", call, path);
    }
    fake_call_remember(result, path, (flags & (O_CREAT | O_WRONLY | O_RDWR)) != 0);
    return result;
}

static int fake_openat(int directory, const char *path, int flags, mode_t mode) {
    fake_verdict verdict = fake_call_begin_at("openat", path);
    int fd = fake_call_is_done(verdict) ? fk_kernel_linux.openat(directory, path, flags, mode) : -1;
    return end_open(verdict, "openat", fd, path, flags);
}

static int fake_openat_beneath(int directory, const char *path, int flags, mode_t mode) {
    fake_verdict verdict = fake_call_begin_at("openat_beneath", path);
    int fd = fake_call_is_done(verdict)
                 ? fk_kernel_linux.openat_beneath(directory, path, flags, mode)
                 : -1;
    return end_open(verdict, "openat_beneath", fd, path, flags);
}

static int fake_openat2(int directory, const char *path, int flags, mode_t mode) {
    fake_verdict verdict = fake_call_begin_at("openat2", path);
    int fd =
        fake_call_is_done(verdict) ? fk_kernel_linux.openat2(directory, path, flags, mode) : -1;
    return end_open(verdict, "openat2", fd, path, flags);
}

/* A close that fails has closed all the same, as on Linux. */
static int fake_close(int fd) {
    fake_verdict verdict = fake_call_begin("close");
    fake_file file = fake_call_known(fd);
    fake_call_remember(fd, "", false);
    int result = (int)fake_call_end(verdict, fk_kernel_linux.close(fd));
    if (file.changing) {
        fake_call_record(result, "close %s", file.name);
    }
    return result;
}

static int fake_fstat(int fd, struct stat *ret_status) {
    fake_verdict verdict = fake_call_begin("fstat");
    return (int)fake_call_end(
        verdict, fake_call_is_done(verdict) ? fk_kernel_linux.fstat(fd, ret_status) : -1);
}

static int fake_fstatat(int directory, const char *path, struct stat *ret_status, int flags) {
    fake_verdict verdict = fake_call_begin_at("fstatat", path);
    bool done = fake_call_is_done(verdict);
    int result = done ? fk_kernel_linux.fstatat(directory, path, ret_status, flags) : -1;
    return (int)fake_call_end(verdict, result);
}

static int fake_fstatfs(int fd, struct statfs *ret_status) {
    fake_verdict verdict = fake_call_begin("fstatfs");
    int result = fake_call_is_done(verdict) ? fk_kernel_linux.fstatfs(fd, ret_status) : -1;
    if (result == 0 && fake_call_file_system() != 0) {
        ret_status->f_type = fake_call_file_system();
    }
    return (int)fake_call_end(verdict, result);
}

static int fake_fstatvfs(int fd, struct statvfs *ret_status) {
    fake_verdict verdict = fake_call_begin("fstatvfs");
    int result = fake_call_is_done(verdict) ? fk_kernel_linux.fstatvfs(fd, ret_status) : -1;
    if (result == 0 && fake_call_free_bytes() != UINT64_MAX) {
        ret_status->f_frsize = 1;
        ret_status->f_bavail = fake_call_free_bytes();
    }
    return (int)fake_call_end(verdict, result);
}

static ssize_t fake_getdents(int fd, void *entries, size_t bytes) {
    fake_verdict verdict = fake_call_begin("getdents");
    ssize_t got = fake_call_is_done(verdict) ? fk_kernel_linux.getdents(fd, entries, bytes) : -1;
    for (ssize_t at = 0; !fake_call_tells_types() && at < got;) {
        struct dirent64 *entry = (struct dirent64 *)((char *)entries + at);
        entry->d_type = DT_UNKNOWN;
        at += entry->d_reclen;
    }
    return fake_call_end(verdict, got);
}

static ssize_t fake_pread(int fd, void *into, size_t bytes, off_t offset) {
    fake_verdict verdict = fake_call_begin("pread");
    bytes = fake_call_moved_at_once(bytes);
    return fake_call_end(
        verdict, fake_call_is_done(verdict) ? fk_kernel_linux.pread(fd, into, bytes, offset) : -1);
}

static void *fake_mmap(void *address, size_t bytes, int protection, int flags, int fd,
                       off_t offset) {
    fake_verdict verdict = fake_call_begin("mmap");
    if (verdict.system_errno != 0) {
        errno = verdict.system_errno;
        return (void *)-1;
    }
    return fk_kernel_linux.mmap(address, bytes, protection, flags, fd, offset);
}

static int fake_munmap(void *address, size_t bytes) {
    fake_verdict verdict = fake_call_begin("munmap");
    return (int)fake_call_end(
        verdict, fake_call_is_done(verdict) ? fk_kernel_linux.munmap(address, bytes) : -1);
}

static int fake_madvise(void *address, size_t bytes, int advice) {
    fake_verdict verdict = fake_call_begin("madvise");
    bool done = fake_call_is_done(verdict);
    return (int)fake_call_end(verdict, done ? fk_kernel_linux.madvise(address, bytes, advice) : -1);
}

/* changing */

/* As O_DIRECT wants it. */
static fake_verdict begin_write(const char *call, int fd, const void *from, size_t bytes,
                                off_t offset) {
    fake_verdict verdict = fake_call_begin(call);
    bool whole_blocks = ((uintptr_t)from | bytes | (uint64_t)offset) % 4096 == 0;
    if (verdict.system_errno == 0 && fake_call_known(fd).direct &&
        (!whole_blocks || !fake_call_may_be_direct())) {
        verdict.system_errno = EINVAL;
    }
    return verdict;
}

static ssize_t fake_write(int fd, const void *from, size_t bytes) {
    fake_verdict verdict = begin_write("write", fd, from, bytes, lseek(fd, 0, SEEK_CUR));
    bytes = fake_call_moved_at_once(bytes);
    ssize_t result = fake_call_is_done(verdict) ? fk_kernel_linux.write(fd, from, bytes) : -1;
    result = fake_call_end(verdict, result);
    fake_call_record(result, "write %s", fake_call_known(fd).name);
    return result;
}

static ssize_t fake_pwrite(int fd, const void *from, size_t bytes, off_t offset) {
    fake_verdict verdict = begin_write("pwrite", fd, from, bytes, offset);
    bytes = fake_call_moved_at_once(bytes);
    ssize_t result =
        fake_call_is_done(verdict) ? fk_kernel_linux.pwrite(fd, from, bytes, offset) : -1;
    result = fake_call_end(verdict, result);
    fake_call_record(result, "pwrite %s", fake_call_known(fd).name);
    return result;
}

static int fake_fsync(int fd) {
    fake_verdict verdict = fake_call_begin("fsync");
    int result =
        (int)fake_call_end(verdict, fake_call_is_done(verdict) ? fk_kernel_linux.fsync(fd) : -1);
    fake_call_record(result, "fsync %s", fake_call_known(fd).name);
    return result;
}

static int fake_sync_file_range(int fd, off_t offset, off_t bytes, unsigned flags) {
    fake_verdict verdict = fake_call_begin("sync_file_range");
    bool done = fake_call_is_done(verdict);
    int result = done ? fk_kernel_linux.sync_file_range(fd, offset, bytes, flags) : -1;
    result = (int)fake_call_end(verdict, result);
    fake_call_record(result, "sync_file_range %s", fake_call_known(fd).name);
    return result;
}

static int fake_fallocate(int fd, int mode, off_t offset, off_t bytes) {
    fake_verdict verdict = fake_call_begin("fallocate");
    int result =
        fake_call_is_done(verdict) ? fk_kernel_linux.fallocate(fd, mode, offset, bytes) : -1;
    result = (int)fake_call_end(verdict, result);
    fake_call_record(result, "fallocate %s", fake_call_known(fd).name);
    return result;
}

static int fake_mkdirat(int directory, const char *path, mode_t mode) {
    fake_verdict verdict = fake_call_begin_at("mkdirat", path);
    int result = fake_call_is_done(verdict) ? fk_kernel_linux.mkdirat(directory, path, mode) : -1;
    result = (int)fake_call_end(verdict, result);
    fake_call_record(result, "mkdirat %s", path);
    return result;
}

static int fake_unlinkat(int directory, const char *path, int flags) {
    fake_verdict verdict = fake_call_begin_at("unlinkat", path);
    int result = fake_call_is_done(verdict) ? fk_kernel_linux.unlinkat(directory, path, flags) : -1;
    result = (int)fake_call_end(verdict, result);
    fake_call_record(result, "unlinkat %s", path);
    return result;
}

static int fake_renameat(int old_directory, const char *old_path, int new_directory,
                         const char *new_path) {
    fake_verdict verdict = fake_call_begin_at("renameat", new_path);
    bool done = fake_call_is_done(verdict);
    int result =
        done ? fk_kernel_linux.renameat(old_directory, old_path, new_directory, new_path) : -1;
    result = (int)fake_call_end(verdict, result);
    fake_call_record(result, "renameat %s -> %s", old_path, new_path);
    return result;
}

static int fake_renameat2(int old_directory, const char *old_path, int new_directory,
                          const char *new_path, unsigned flags) {
    fake_verdict verdict = fake_call_begin_at("renameat2", new_path);
    if (verdict.system_errno == 0 && flags != 0 && fake_call_flags_refused()) {
        verdict.system_errno = EINVAL;
    }
    int result = -1;
    if (fake_call_is_done(verdict)) {
        result = fk_kernel_linux.renameat2(old_directory, old_path, new_directory, new_path, flags);
    }
    result = (int)fake_call_end(verdict, result);
    fake_call_record(result, "renameat2 %s -> %s", old_path, new_path);
    return result;
}

static int fake_linkat(int old_directory, const char *old_path, int new_directory,
                       const char *new_path, int flags) {
    fake_verdict verdict = fake_call_begin_at("linkat", new_path);
    int result = -1;
    if (fake_call_is_done(verdict)) {
        result = fk_kernel_linux.linkat(old_directory, old_path, new_directory, new_path, flags);
    }
    result = (int)fake_call_end(verdict, result);
    fake_call_record(result, "linkat %s -> %s", old_path, new_path);
    return result;
}

static int fake_set_lock(int fd, struct flock *lock) {
    fake_verdict verdict = fake_call_begin("set_lock");
    int result = (int)fake_call_end(
        verdict, fake_call_is_done(verdict) ? fk_kernel_linux.set_lock(fd, lock) : -1);
    fake_call_record(result, "set_lock %s", fake_call_known(fd).name);
    return result;
}

static int fake_set_status_flags(int fd, int flags) {
    fake_verdict verdict = fake_call_begin("set_status_flags");
    bool direct = (flags & O_DIRECT) != 0;
    bool done = fake_call_is_done(verdict);
    int result = done ? fk_kernel_linux.set_status_flags(fd, flags & ~O_DIRECT) : -1;
    if (result == 0) {
        fake_call_remember_direct(fd, direct);
    }
    result = (int)fake_call_end(verdict, result);
    fake_call_record(result, "set_status_flags %s%s", fake_call_known(fd).name,
                     direct ? " O_DIRECT" : "");
    return result;
}

/* the rest of the world */

static int fake_clock_gettime(clockid_t clock, struct timespec *ret_time) {
    fake_verdict verdict = fake_call_begin("clock_gettime");
    int64_t time_us = fake_call_time_us();
    if (fake_call_is_done(verdict) && time_us != INT64_MIN) {
        int64_t micro = ((time_us % 1000000) + 1000000) % 1000000; /* positive before 1970, too */
        *ret_time = (struct timespec){(time_us - micro) / 1000000, micro * 1000};
        return (int)fake_call_end(verdict, 0);
    }
    bool done = fake_call_is_done(verdict);
    return (int)fake_call_end(verdict, done ? fk_kernel_linux.clock_gettime(clock, ret_time) : -1);
}

static int fake_nanosleep(const struct timespec *time, struct timespec *ret_left) {
    fake_verdict verdict = fake_call_begin("nanosleep");
    if (verdict.system_errno != 0) {
        *ret_left = *time;
    } else {
        fake_call_sleep((uint64_t)time->tv_sec * 1000 + (uint64_t)time->tv_nsec / 1000000);
    }
    return (int)fake_call_end(verdict, 0);
}

static ssize_t fake_getrandom(void *into, size_t bytes, unsigned flags) {
    fake_verdict verdict = fake_call_begin("getrandom");
    return fake_call_end(
        verdict, fake_call_is_done(verdict) ? fk_kernel_linux.getrandom(into, bytes, flags) : -1);
}

static pid_t fake_getpid(void) {
    fake_call_begin("getpid");
    return fake_call_pid() != 0 ? fake_call_pid() : fk_kernel_linux.getpid();
}

static int fake_uname(struct utsname *ret_name) {
    fake_verdict verdict = fake_call_begin("uname");
    return (int)fake_call_end(verdict,
                              fake_call_is_done(verdict) ? fk_kernel_linux.uname(ret_name) : -1);
}

static char *fake_getcwd(char *into, size_t bytes) {
    fake_verdict verdict = fake_call_begin("getcwd");
    if (verdict.system_errno != 0) {
        errno = verdict.system_errno;
        return NULL;
    }
    return fk_kernel_linux.getcwd(into, bytes);
}

static int fake_get_open_files_limit(uint64_t *ret_files) {
    fake_verdict verdict = fake_call_begin("get_open_files_limit");
    bool done = fake_call_is_done(verdict);
    return (int)fake_call_end(verdict, done ? fk_kernel_linux.get_open_files_limit(ret_files) : -1);
}

static bool fake_start_thread(pthread_t *ret_thread, void *(*run)(void *user), void *user) {
    fake_verdict verdict = fake_call_begin("start_thread");
    return fake_call_threads() && fake_call_is_done(verdict) &&
           fk_kernel_linux.start_thread(ret_thread, run, user);
}

static pid_t fake_fork(void) {
    fake_verdict verdict = fake_call_begin("fork");
    return (pid_t)fake_call_end(verdict, fake_call_is_done(verdict) ? fk_kernel_linux.fork() : -1);
}

static pid_t fake_waitpid(pid_t child, int *ret_status, int options) {
    fake_verdict verdict = fake_call_begin("waitpid");
    bool done = fake_call_is_done(verdict);
    return (pid_t)fake_call_end(verdict,
                                done ? fk_kernel_linux.waitpid(child, ret_status, options) : -1);
}

static int fake_kill(pid_t process, int signal_number) {
    fake_verdict verdict = fake_call_begin("kill");
    bool done = fake_call_is_done(verdict);
    return (int)fake_call_end(verdict, done ? fk_kernel_linux.kill(process, signal_number) : -1);
}

static unsigned fake_alarm(unsigned seconds) {
    fake_call_begin("alarm");
    return fk_kernel_linux.alarm(seconds);
}

static void fake_leave(int status) {
    fake_call_begin("leave");
    fk_kernel_linux.leave(status);
}

const fk_kernel fake_kernel = {
    .openat = fake_openat,
    .openat_beneath = fake_openat_beneath,
    .openat2 = fake_openat2,
    .close = fake_close,
    .fstat = fake_fstat,
    .fstatat = fake_fstatat,
    .fstatfs = fake_fstatfs,
    .fstatvfs = fake_fstatvfs,
    .getdents = fake_getdents,
    .pread = fake_pread,
    .mmap = fake_mmap,
    .munmap = fake_munmap,
    .madvise = fake_madvise,
    .write = fake_write,
    .pwrite = fake_pwrite,
    .fsync = fake_fsync,
    .sync_file_range = fake_sync_file_range,
    .fallocate = fake_fallocate,
    .mkdirat = fake_mkdirat,
    .unlinkat = fake_unlinkat,
    .renameat = fake_renameat,
    .renameat2 = fake_renameat2,
    .linkat = fake_linkat,
    .set_lock = fake_set_lock,
    .set_status_flags = fake_set_status_flags,
    .clock_gettime = fake_clock_gettime,
    .nanosleep = fake_nanosleep,
    .getrandom = fake_getrandom,
    .getpid = fake_getpid,
    .uname = fake_uname,
    .getcwd = fake_getcwd,
    .get_open_files_limit = fake_get_open_files_limit,
    .start_thread = fake_start_thread,
    .fork = fake_fork,
    .waitpid = fake_waitpid,
    .kill = fake_kill,
    .alarm = fake_alarm,
    .leave = fake_leave,
};
