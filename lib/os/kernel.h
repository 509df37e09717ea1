/* The table of kernel calls: everything fontkeep asks of the system goes through it, so that a test
 * can count, fail, delay or crash any call. Members behave as the system calls of their names: -1
 * and errno on failure. Only files of lib/os look at it. start_thread is fk_thread_start. */
#ifndef FK_OS_KERNEL_H
#define FK_OS_KERNEL_H

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/utsname.h>
#include <time.h>

typedef struct fk_kernel {
    /* looking */
    int (*openat)(int directory, const char *path, int flags, mode_t mode);
    /* openat that neither leaves `directory` nor follows any symbolic link: openat2, or, where that
     * is missing or forbidden, one component at a time. ELOOP or ENOTDIR for a link, EXDEV for a
     * path that leads out. */
    int (*openat_beneath)(int directory, const char *path, int flags, mode_t mode);
    int (*openat2)(int directory, const char *path, int flags, mode_t mode); /* or -1 and ENOSYS */
    int (*close)(int fd);
    int (*fstat)(int fd, struct stat *ret_status);
    int (*fstatat)(int directory, const char *path, struct stat *ret_status, int flags);
    int (*fstatfs)(int fd, struct statfs *ret_status);
    int (*fstatvfs)(int fd, struct statvfs *ret_status);
    ssize_t (*getdents)(int fd, void *entries, size_t bytes); /* struct dirent64 */
    ssize_t (*pread)(int fd, void *into, size_t bytes, off_t offset);
    void *(*mmap)(void *address, size_t bytes, int protection, int flags, int fd, off_t offset);
    int (*munmap)(void *address, size_t bytes);
    int (*madvise)(void *address, size_t bytes, int advice);
    /* changing */
    ssize_t (*write)(int fd, const void *from, size_t bytes);
    ssize_t (*pwrite)(int fd, const void *from, size_t bytes, off_t offset);
    int (*fsync)(int fd);
    int (*sync_file_range)(int fd, off_t offset, off_t bytes, unsigned flags);
    int (*fallocate)(int fd, int mode, off_t offset, off_t bytes);
    int (*mkdirat)(int directory, const char *path, mode_t mode);
    int (*unlinkat)(int directory, const char *path, int flags);
    int (*renameat)(int old_directory, const char *old_path, int new_directory,
                    const char *new_path);
    int (*renameat2)(int old_directory, const char *old_path, int new_directory,
                     const char *new_path, unsigned flags);
    int (*linkat)(int old_directory, const char *old_path, int new_directory, const char *new_path,
                  int flags);
    int (*set_lock)(int fd, struct flock *lock); /* fcntl F_OFD_SETLK */
    int (*set_status_flags)(int fd, int flags);  /* fcntl F_SETFL */
    /* the rest of the world */
    int (*clock_gettime)(clockid_t clock, struct timespec *ret_time);
    int (*nanosleep)(const struct timespec *time, struct timespec *ret_left);
    ssize_t (*getrandom)(void *into, size_t bytes, unsigned flags);
    pid_t (*getpid)(void);
    int (*uname)(struct utsname *ret_name);
    char *(*getcwd)(char *into, size_t bytes);        /* NULL and errno on failure */
    int (*get_open_files_limit)(uint64_t *ret_files); /* getrlimit RLIMIT_NOFILE, the soft one */
    bool (*start_thread)(pthread_t *ret_thread, void *(*run)(void *user), void *user);
    /* processes, for os/trial alone */
    pid_t (*fork)(void);
    pid_t (*waitpid)(pid_t child, int *ret_status, int options);
    int (*kill)(pid_t process, int signal_number);
    unsigned (*alarm)(unsigned seconds);
    void (*leave)(int status); /* _exit */
} fk_kernel;

/* The real calls. */
extern const fk_kernel fk_kernel_linux;

/* The table in force: fk_kernel_linux, unless a test put another in its place (while no other
 * thread is about). */
extern const fk_kernel *fk_kernel_current;

#endif
