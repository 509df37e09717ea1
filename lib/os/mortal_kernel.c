#include "os/mortal_kernel.h"

#include <signal.h>

#include "os/kernel.h"

static const fk_kernel *behind; /* the table that was in force */
static size_t deadly;           /* call; 0: none */
static volatile fk_mortal_state *state;

static void step(const char *call) {
    state->call = call;
    if (state->calls + 1 == deadly) {
        behind->kill(behind->getpid(), SIGKILL);
    }
    state->calls++;
}

/* A call as it is, but for the step in front. */
#define MORTAL(type, call, parameters, arguments)                                                  \
    static type mortal_##call parameters {                                                         \
        step(#call);                                                                               \
        return behind->call arguments;                                                             \
    }

MORTAL(int, openat, (int directory, const char *path, int flags, mode_t mode),
       (directory, path, flags, mode))
MORTAL(int, openat_beneath, (int directory, const char *path, int flags, mode_t mode),
       (directory, path, flags, mode))
MORTAL(int, close, (int fd), (fd))
MORTAL(int, fstat, (int fd, struct stat *status), (fd, status))
MORTAL(int, fstatat, (int directory, const char *path, struct stat *status, int flags),
       (directory, path, status, flags))
MORTAL(int, fstatfs, (int fd, struct statfs *status), (fd, status))
MORTAL(int, fstatvfs, (int fd, struct statvfs *status), (fd, status))
MORTAL(ssize_t, getdents, (int fd, void *entries, size_t bytes), (fd, entries, bytes))
MORTAL(ssize_t, pread, (int fd, void *into, size_t bytes, off_t offset), (fd, into, bytes, offset))
MORTAL(ssize_t, write, (int fd, const void *from, size_t bytes), (fd, from, bytes))
MORTAL(ssize_t, pwrite, (int fd, const void *from, size_t bytes, off_t offset),
       (fd, from, bytes, offset))
MORTAL(int, fsync, (int fd), (fd))
MORTAL(int, sync_file_range, (int fd, off_t offset, off_t bytes, unsigned flags),
       (fd, offset, bytes, flags))
MORTAL(int, fallocate, (int fd, int mode, off_t offset, off_t bytes), (fd, mode, offset, bytes))
MORTAL(int, mkdirat, (int directory, const char *path, mode_t mode), (directory, path, mode))
MORTAL(int, unlinkat, (int directory, const char *path, int flags), (directory, path, flags))
MORTAL(int, renameat,
       (int old_directory, const char *old_path, int new_directory, const char *new_path),
       (old_directory, old_path, new_directory, new_path))
MORTAL(int, renameat2,
       (int old_directory, const char *old_path, int new_directory, const char *new_path,
        unsigned flags),
       (old_directory, old_path, new_directory, new_path, flags))
MORTAL(int, linkat,
       (int old_directory, const char *old_path, int new_directory, const char *new_path,
        int flags),
       (old_directory, old_path, new_directory, new_path, flags))
MORTAL(int, set_lock, (int fd, struct flock *lock), (fd, lock))
MORTAL(int, set_status_flags, (int fd, int flags), (fd, flags))

/* So that the calls come in the same order every time. */
static bool no_thread(pthread_t *ret_thread, void *(*run)(void *user), void *user) {
    (void)ret_thread;
    (void)run;
    (void)user;
    return false;
}

void fk_mortal_kernel_install(size_t kill_at, volatile fk_mortal_state *state_to_tell) {
    static fk_kernel mortal;
    behind = fk_kernel_current;
    deadly = kill_at;
    state = state_to_tell;
    mortal = *behind; /* memory, time and identity leave no trace on the disk */
    mortal.openat = mortal_openat;
    mortal.openat_beneath = mortal_openat_beneath;
    mortal.close = mortal_close;
    mortal.fstat = mortal_fstat;
    mortal.fstatat = mortal_fstatat;
    mortal.fstatfs = mortal_fstatfs;
    mortal.fstatvfs = mortal_fstatvfs;
    mortal.getdents = mortal_getdents;
    mortal.pread = mortal_pread;
    mortal.write = mortal_write;
    mortal.pwrite = mortal_pwrite;
    mortal.fsync = mortal_fsync;
    mortal.sync_file_range = mortal_sync_file_range;
    mortal.fallocate = mortal_fallocate;
    mortal.mkdirat = mortal_mkdirat;
    mortal.unlinkat = mortal_unlinkat;
    mortal.renameat = mortal_renameat;
    mortal.renameat2 = mortal_renameat2;
    mortal.linkat = mortal_linkat;
    mortal.set_lock = mortal_set_lock;
    mortal.set_status_flags = mortal_set_status_flags;
    mortal.start_thread = no_thread;
    fk_kernel_current = &mortal;
}
