#include "recorder.h"

#include <errno.h>
#include <fnmatch.h>
#include <linux/fs.h> /* RENAME_EXCHANGE */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "os/kernel.h"

#define CLOCK_SECONDS 1768120200 /* 2026-01-11T08:30:00 */

typedef struct wishes {
    const char *dropped;
    bool exchange_refused;
    size_t action_at;
    void (*action)(void);
} wishes;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static wishes next_wishes;
static uint32_t clock_reads; /* over the whole process: no two runs in one microsecond */
static uint32_t random_reads;
static struct {
    oplog log;
    wishes wishes;
    size_t changes;
} recorder;

/* ---- inodes ------------------------------------------------------------------------------- */

static int inode_of(uint64_t real) {
    return volume_find_real(&recorder.log.volume, real);
}

static int inode_of_fd(int fd) {
    struct stat status;
    harness_check(fstat(fd, &status) == 0, "fstat");
    return inode_of(status.st_ino);
}

/* A path's directory and last name, as numbers; false outside of what is recorded. */
static bool find_place(int at, const char *path, int *ret_directory, int *ret_name) {
    char above[4096];
    snprintf(above, sizeof above, "%s", path);
    char *slash = strrchr(above, '/');
    *ret_name = volume_name(slash != NULL ? slash + 1 : above);
    if (slash != NULL) {
        *slash = '\0';
    }
    struct stat status;
    if (fstatat(at, slash != NULL ? above : "", &status, AT_EMPTY_PATH) != 0) {
        return false;
    }
    *ret_directory = inode_of(status.st_ino);
    return *ret_directory != VOLUME_NONE;
}

static int inode_at(int at, const char *path) {
    struct stat status;
    bool there = fstatat(at, path, &status, AT_SYMLINK_NOFOLLOW) == 0;
    return there ? inode_of(status.st_ino) : VOLUME_NONE;
}

/* ---- the log ------------------------------------------------------------------------------ */

/* Before each change; the mutex is held from here to `leave`. */
static void enter(void) {
    pthread_mutex_lock(&mutex);
    if (recorder.wishes.action != NULL && recorder.changes == recorder.wishes.action_at) {
        const fk_kernel *kernel = fk_kernel_current;
        void (*action)(void) = recorder.wishes.action;
        recorder.wishes.action = NULL;
        fk_kernel_current = &fk_kernel_linux;
        action();
        fk_kernel_current = kernel;
    }
    recorder.changes++;
}

static long leave(long result) {
    int kept = errno;
    pthread_mutex_unlock(&mutex);
    errno = kept;
    return result;
}

/* A file that was made past us has no number: what happens to it is not recorded. */
static void log_set(int at, const char *path, int inode) {
    int directory;
    int name;
    if (inode != VOLUME_NONE && find_place(at, path, &directory, &name)) {
        oplog_op *op = oplog_append(&recorder.log, OPLOG_SET);
        op->directory = directory;
        op->name = name;
        op->inode = inode;
        recorder.log.volume.inodes[inode].name = name;
    }
}

static void log_new(int at, const char *path, bool is_directory) {
    int directory;
    int name;
    struct stat status;
    if (find_place(at, path, &directory, &name)) {
        harness_check(fstatat(at, path, &status, AT_SYMLINK_NOFOLLOW) == 0, path);
        log_set(at, path, volume_add(&recorder.log.volume, is_directory, status.st_ino));
    }
}

static void log_unset(int at, const char *path) {
    int directory;
    int name;
    if (find_place(at, path, &directory, &name)) {
        oplog_op *op = oplog_append(&recorder.log, OPLOG_UNSET);
        op->directory = directory;
        op->name = name;
    }
}

static void log_write(int fd, const void *from, size_t bytes) {
    int inode = inode_of_fd(fd);
    if (inode == VOLUME_NONE) {
        return;
    }
    volume_inode *file = &recorder.log.volume.inodes[inode];
    size_t end = (size_t)lseek(fd, 0, SEEK_CUR);
    harness_check(end - bytes == file->length, "files are written once, from their start");
    file->bytes = realloc(file->bytes, end);
    harness_check(file->bytes != NULL, "memory");
    memcpy(file->bytes + file->length, from, bytes);
    file->length = end;
    oplog_op *op = oplog_append(&recorder.log, OPLOG_WRITE);
    op->inode = inode;
    op->offset = end - bytes;
    op->length = bytes;
}

/* Within one directory a rename is one change; between two it is two. */
static void log_rename(int old_at, const char *old_path, int new_at, const char *new_path,
                       int moved, int replaced, bool exchanged) {
    int from;
    int to;
    int name;
    int other;
    if (!find_place(old_at, old_path, &from, &name) || !find_place(new_at, new_path, &to, &other)) {
        return;
    }
    recorder.log.volume.inodes[moved].name = other;
    if (from != to) {
        harness_check(!exchanged, "exchange between directories");
        log_unset(old_at, old_path);
        log_set(new_at, new_path, moved);
        return;
    }
    oplog_op *op = oplog_append(&recorder.log, exchanged ? OPLOG_SWAP : OPLOG_MOVE);
    op->directory = from;
    op->name = name;
    op->other = other;
    op->inode = moved;
    op->second = replaced;
}

/* ---- the calls ---------------------------------------------------------------------------- */

static int open_any(bool beneath, int at, const char *path, int flags, mode_t mode) {
    int (*call)(int, const char *, int, mode_t) =
        beneath ? fk_kernel_linux.openat_beneath : fk_kernel_linux.openat;
    if ((flags & O_CREAT) == 0) {
        return call(at, path, flags, mode);
    }
    enter();
    harness_check((flags & O_EXCL) != 0, "a file is created, or opened, not both");
    int fd = call(at, path, flags, mode);
    if (fd >= 0) {
        log_new(at, path, false);
    }
    return (int)leave(fd);
}

static int record_openat(int at, const char *path, int flags, mode_t mode) {
    return open_any(false, at, path, flags, mode);
}

static int record_openat_beneath(int at, const char *path, int flags, mode_t mode) {
    return open_any(true, at, path, flags, mode);
}

static ssize_t record_write(int fd, const void *from, size_t bytes) {
    enter();
    ssize_t put = fk_kernel_linux.write(fd, from, bytes);
    if (put > 0) {
        log_write(fd, from, (size_t)put);
    }
    return leave(put);
}

/* No file is written past the cache, in no order that we could tell. */
static int refuse_status_flags(int fd, int flags) {
    (void)fd;
    (void)flags;
    errno = EINVAL;
    return -1;
}

static bool is_dropped(int inode) {
    const char *name = volume_name_text(recorder.log.volume.inodes[inode].name);
    return recorder.wishes.dropped != NULL && fnmatch(recorder.wishes.dropped, name, 0) == 0;
}

/* Not done: nothing is lost where we record, and disks are slow. */
static int record_fsync(int fd) {
    enter();
    int inode = inode_of_fd(fd);
    if (inode != VOLUME_NONE && !is_dropped(inode)) {
        oplog_append(&recorder.log, OPLOG_SYNC)->inode = inode;
    }
    return (int)leave(0);
}

/* Starts something and promises nothing. */
static int record_sync_file_range(int fd, off_t offset, off_t bytes, unsigned flags) {
    (void)fd;
    (void)offset;
    (void)bytes;
    (void)flags;
    return 0;
}

static int record_mkdirat(int at, const char *path, mode_t mode) {
    enter();
    int result = fk_kernel_linux.mkdirat(at, path, mode);
    if (result == 0) {
        log_new(at, path, true);
    }
    return (int)leave(result);
}

static int record_unlinkat(int at, const char *path, int flags) {
    enter();
    int result = fk_kernel_linux.unlinkat(at, path, flags);
    if (result == 0) {
        log_unset(at, path);
    }
    return (int)leave(result);
}

static int record_renameat2(int old_at, const char *old_path, int new_at, const char *new_path,
                            unsigned flags) {
    if (recorder.wishes.exchange_refused && (flags & RENAME_EXCHANGE) != 0) {
        errno = EINVAL;
        return -1;
    }
    enter();
    int moved = inode_at(old_at, old_path);
    int replaced = inode_at(new_at, new_path);
    int result = fk_kernel_linux.renameat2(old_at, old_path, new_at, new_path, flags);
    if (result == 0 && moved != VOLUME_NONE) {
        log_rename(old_at, old_path, new_at, new_path, moved, replaced,
                   (flags & RENAME_EXCHANGE) != 0);
    }
    return (int)leave(result);
}

static int record_renameat(int old_at, const char *old_path, int new_at, const char *new_path) {
    return record_renameat2(old_at, old_path, new_at, new_path, 0);
}

static int record_linkat(int old_at, const char *old_path, int new_at, const char *new_path,
                         int flags) {
    enter();
    int result = fk_kernel_linux.linkat(old_at, old_path, new_at, new_path, flags);
    if (result == 0) {
        log_set(new_at, new_path, inode_at(new_at, new_path));
    }
    return (int)leave(result);
}

static int record_clock_gettime(clockid_t clock, struct timespec *ret_time) {
    if (clock != CLOCK_REALTIME) {
        return fk_kernel_linux.clock_gettime(clock, ret_time);
    }
    *ret_time = (struct timespec){.tv_sec = CLOCK_SECONDS + __atomic_fetch_add(&clock_reads, 1, 0)};
    return 0;
}

static ssize_t record_getrandom(void *into, size_t bytes, unsigned flags) {
    uint8_t *at = into;
    (void)flags;
    uint64_t seed = __atomic_fetch_add(&random_reads, 1, 0);
    for (size_t i = 0; i < bytes; i++) {
        at[i] = (uint8_t)volume_mix(seed, i);
    }
    return (ssize_t)bytes;
}

/* Crews work alone, so that one save leaves the same log each time. That loses no state: what was
 * not synced yet may be on the disk or not, in whatever order the syncs come. */
static bool refuse_thread(pthread_t *ret_thread, void *(*run)(void *user), void *user) {
    (void)ret_thread;
    (void)run;
    (void)user;
    return false;
}

/* ---- start and stop ----------------------------------------------------------------------- */

static fk_kernel table;

void recorder_start(const char *path) {
    recorder.wishes = next_wishes;
    next_wishes = (wishes){0};
    recorder.changes = 0;
    volume_read(&recorder.log.volume, path);
    table = fk_kernel_linux;
    table.openat = record_openat;
    table.openat_beneath = record_openat_beneath;
    table.write = record_write;
    table.set_status_flags = refuse_status_flags;
    table.fsync = record_fsync;
    table.sync_file_range = record_sync_file_range;
    table.mkdirat = record_mkdirat;
    table.unlinkat = record_unlinkat;
    table.renameat = record_renameat;
    table.renameat2 = record_renameat2;
    table.linkat = record_linkat;
    table.clock_gettime = record_clock_gettime;
    table.getrandom = record_getrandom;
    table.start_thread = refuse_thread;
    fk_kernel_current = &table;
}

oplog recorder_stop(void) {
    oplog log = recorder.log;
    fk_kernel_current = &fk_kernel_linux;
    recorder.log = (oplog){0};
    return log;
}

void recorder_drop_syncs(const char *pattern) {
    next_wishes.dropped = pattern;
}

void recorder_refuse_exchange(void) {
    next_wishes.exchange_refused = true;
}

void recorder_before(size_t change, void (*action)(void)) {
    next_wishes.action_at = change;
    next_wishes.action = action;
}

size_t recorder_changes(void) {
    return recorder.changes;
}
