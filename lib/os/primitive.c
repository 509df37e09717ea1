#include "os/primitive.h"

#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h> /* RENAME_NOREPLACE */
#include <sys/stat.h>

#include "os/clock.h"
#include "os/direct_file.h"
#include "os/directory.h"
#include "os/file.h"
#include "os/kernel.h"
#include "os/lock.h"
#include "os/trial.h"

/* The result of a call: it worked, it is not to be had here, or something else is wrong. */
static fk_code judge(int result, const char *verb, bool *ret_works, fk_error *err) {
    int failure = result < 0 ? errno : 0;
    bool missing = failure == EINVAL || failure == ENOSYS || failure == EOPNOTSUPP ||
                   failure == EPERM || failure == ENOLCK || failure == EMLINK;
    if (failure != 0 && !missing) {
        return fk_file_error(err, failure, verb, "a file made for a test");
    }
    *ret_works = failure == 0;
    return FK_OK;
}

static fk_code make_file(int directory, const char *name, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    return fk_file_create(directory, name, &fd, err);
}

/* A directory with a file in it. */
static fk_code make_full_directory(int directory, const char *name, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    fk_code code = fk_directory_make(directory, name, NULL, err);
    if (code == FK_OK) {
        code = fk_directory_open(directory, name, &fd, err);
    }
    return code == FK_OK ? make_file(fd, name, err) : code;
}

static fk_code make_two(int directory, fk_error *err) {
    fk_code code = make_full_directory(directory, "one", err);
    return code == FK_OK ? make_full_directory(directory, "other", err) : code;
}

/* Whether the directory `name` holds a file `file`. */
static bool holds(int directory, const char *name, const char *file) {
    char path[32];
    struct stat status;
    bool missing = true;
    snprintf(path, sizeof path, "%s/%s", name, file);
    return fk_file_look(directory, path, &status, &missing, NULL) == FK_OK && !missing;
}

/* ---- names -------------------------------------------------------------------------------- */

static fk_code try_exclusive_create(int directory, bool *ret_works, fk_error *err) {
    const fk_kernel *kernel = fk_kernel_current;
    fk_code code = make_full_directory(directory, "one", err);
    if (code == FK_OK) {
        code = make_file(directory, "file", err);
    }
    if (code != FK_OK) {
        return code;
    }
    FK_SCOPED(fk_file_closep)
    int fd = kernel->openat(directory, "file", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
    *ret_works = fd < 0 && errno == EEXIST && kernel->mkdirat(directory, "one", 0777) != 0 &&
                 errno == EEXIST;
    return FK_OK;
}

static fk_code try_rename_noreplace(int directory, bool *ret_works, fk_error *err) {
    const fk_kernel *kernel = fk_kernel_current;
    fk_code code = make_two(directory, err);
    if (code != FK_OK) {
        return code;
    }
    int to_free = kernel->renameat2(directory, "one", directory, "free", RENAME_NOREPLACE);
    code = judge(to_free, "rename", ret_works, err);
    if (code == FK_OK && *ret_works) {
        int to_taken = kernel->renameat2(directory, "free", directory, "other", RENAME_NOREPLACE);
        *ret_works = to_taken != 0 && errno == EEXIST && holds(directory, "other", "other");
    }
    return code;
}

static fk_code try_rename_refuses(int directory, bool *ret_works, fk_error *err) {
    fk_code code = make_two(directory, err);
    if (code == FK_OK) {
        bool refused = fk_kernel_current->renameat(directory, "one", directory, "other") != 0 &&
                       (errno == ENOTEMPTY || errno == EEXIST);
        *ret_works = refused && holds(directory, "other", "other");
    }
    return code;
}

static fk_code try_rename_exchange(int directory, bool *ret_works, fk_error *err) {
    fk_code code = make_two(directory, err);
    if (code != FK_OK) {
        return code;
    }
    code =
        judge(fk_kernel_current->renameat2(directory, "one", directory, "other", RENAME_EXCHANGE),
              "rename", ret_works, err);
    *ret_works = *ret_works && holds(directory, "one", "other") && holds(directory, "other", "one");
    return code;
}

static fk_code try_hard_links(int directory, bool *ret_works, fk_error *err) {
    fk_code code = make_file(directory, "one", err);
    return code == FK_OK ? judge(fk_kernel_current->linkat(directory, "one", directory, "other", 0),
                                 "link", ret_works, err)
                         : code;
}

/* File systems refuse such names with all kinds of errors. */
static fk_code try_colon_names(int directory, bool *ret_works, fk_error *err) {
    fk_code code = make_file(directory, "10-30", err);
    *ret_works = code == FK_OK && make_file(directory, "10:30", NULL) == FK_OK;
    return code;
}

static fk_code try_case_sensitive(int directory, bool *ret_works, fk_error *err) {
    struct stat status;
    bool missing = false;
    fk_code code = make_file(directory, "case", err);
    if (code == FK_OK) {
        code = fk_file_look(directory, "CASE", &status, &missing, err);
    }
    *ret_works = missing;
    return code;
}

/* ---- data --------------------------------------------------------------------------------- */

static fk_code try_file_sync(int directory, bool *ret_works, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    fk_code code = fk_file_create(directory, "one", &fd, err);
    if (code == FK_OK) {
        code = fk_file_write(fd, "x", 1, "one", err);
    }
    return code == FK_OK ? judge(fk_kernel_current->fsync(fd), "sync", ret_works, err) : code;
}

static fk_code try_directory_sync(int directory, bool *ret_works, fk_error *err) {
    return judge(fk_kernel_current->fsync(directory), "sync", ret_works, err);
}

static fk_code try_reserve(int directory, bool *ret_works, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    fk_code code = fk_file_create(directory, "one", &fd, err);
    return code == FK_OK
               ? judge(fk_kernel_current->fallocate(fd, 0, 0, 1 << 16), "reserve", ret_works, err)
               : code;
}

static fk_code try_direct_io(int directory, bool *ret_works, fk_error *err) {
    static alignas(FK_DIRECT_BLOCK_BYTES) const uint8_t block[FK_DIRECT_BLOCK_BYTES];
    FK_SCOPED(fk_file_closep) int fd = -1;
    fk_code code = fk_file_create(directory, "one", &fd, err);
    fk_direct_file file;
    *ret_works = code == FK_OK && fk_direct_file_begin(&file, fd, "one");
    return *ret_works ? judge((int)fk_kernel_current->pwrite(fd, block, sizeof block, 0), "write",
                              ret_works, err)
                      : code;
}

/* A time may have no parts of a second by chance, but not five times. */
static fk_code try_fine_times(int directory, bool *ret_works, fk_error *err) {
    *ret_works = false;
    for (int i = 0; i < 5 && !*ret_works; i++) {
        char name[] = {(char)('a' + i), '\0'};
        struct stat status = {0};
        bool missing = false;
        fk_code code = make_file(directory, name, err);
        if (code == FK_OK) {
            code = fk_file_look(directory, name, &status, &missing, err);
        }
        if (code != FK_OK) {
            return code;
        }
        *ret_works = status.st_mtim.tv_nsec != 0;
        if (!*ret_works) {
            fk_clock_sleep_ms(7);
        }
    }
    return FK_OK;
}

/* ---- locks -------------------------------------------------------------------------------- */

/* What is tried from another process: FK_E_BUSY when the lock is seen there. */
static fk_code look_at_lock(void *user, fk_error *err) {
    const int *directory = user;
    FK_SCOPED(fk_file_closep) int fd = -1;
    bool held = false;
    fk_code code = fk_lock_open(*directory, "lock", &fd, err);
    if (code == FK_OK) {
        code = fk_lock_try(fd, "lock", &held, err);
    }
    return code == FK_OK && held ? FK_E_BUSY : code;
}

static fk_code lock_file(int directory, int *ret_fd, bool *ret_works, fk_error *err) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    fk_code code = fk_file_create(directory, "lock", ret_fd, err);
    return code == FK_OK
               ? judge(fk_kernel_current->set_lock(*ret_fd, &lock), "lock", ret_works, err)
               : code;
}

static fk_code try_locks(int directory, bool *ret_works, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    return lock_file(directory, &fd, ret_works, err);
}

static fk_code try_locks_exclude(int directory, bool *ret_works, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    fk_trial other = {.code = FK_OK};
    bool locks = false;
    fk_code code = lock_file(directory, &fd, &locks, err);
    if (code != FK_OK || !locks) {
        *ret_works = true;
        return code;
    }
    bool seen_here = look_at_lock(&directory, NULL) == FK_E_BUSY;
    code = fk_trial_run(look_at_lock, &directory, 0, &other, err);
    *ret_works = seen_here && other.code == FK_E_BUSY;
    return code;
}

/* ---- the kernel --------------------------------------------------------------------------- */

static fk_code try_openat2(int directory, bool *ret_works, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    fd = fk_kernel_current->openat2(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    return judge(fd, "open", ret_works, err);
}

fk_code fk_primitive_try(fk_primitive_kind kind, int directory, bool *ret_works, fk_error *err) {
    static fk_code (*const tries[FK_PRIMITIVE_COUNT])(int directory, bool *ret_works,
                                                      fk_error *err) = {
        [FK_PRIMITIVE_EXCLUSIVE_CREATE] = try_exclusive_create,
        [FK_PRIMITIVE_RENAME_NOREPLACE] = try_rename_noreplace,
        [FK_PRIMITIVE_RENAME_REFUSES] = try_rename_refuses,
        [FK_PRIMITIVE_RENAME_EXCHANGE] = try_rename_exchange,
        [FK_PRIMITIVE_FILE_SYNC] = try_file_sync,
        [FK_PRIMITIVE_DIRECTORY_SYNC] = try_directory_sync,
        [FK_PRIMITIVE_LOCKS] = try_locks,
        [FK_PRIMITIVE_LOCKS_EXCLUDE] = try_locks_exclude,
        [FK_PRIMITIVE_HARD_LINKS] = try_hard_links,
        [FK_PRIMITIVE_COLON_NAMES] = try_colon_names,
        [FK_PRIMITIVE_CASE_SENSITIVE] = try_case_sensitive,
        [FK_PRIMITIVE_RESERVE] = try_reserve,
        [FK_PRIMITIVE_DIRECT_IO] = try_direct_io,
        [FK_PRIMITIVE_FINE_TIMES] = try_fine_times,
        [FK_PRIMITIVE_OPENAT2] = try_openat2,
    };
    bool works = false;
    fk_code code = tries[kind](directory, &works, err);
    if (code == FK_OK) {
        *ret_works = works;
    }
    return code;
}
