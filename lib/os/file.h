/* Files: open, read, write, sync, rename, remove. Paths are relative to an open directory wherever
 * possible.
 *
 * Errors of this folder: EACCES, EPERM, EROFS become FK_E_ACCESS (with the mode needed in the
 * hint), ENOSPC and EDQUOT FK_E_NO_SPACE, EBUSY, EAGAIN and ETXTBSY FK_E_BUSY, ENOMEM
 * FK_E_NO_MEMORY, everything else FK_E_IO; `system_errno` is set, and `path` is what was passed.
 * ENOENT stays FK_E_IO with system_errno ENOENT: the caller knows what is missing. What was
 * interrupted or is busy is tried again, as os/retry.h says.
 */
#ifndef FK_OS_FILE_H
#define FK_OS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/error.h"

/* A descriptor for FK_SCOPED(fk_file_closep): initialise to -1. */
void fk_file_closep(int *fd);
/* Hands a scoped descriptor over; the variable is -1 from now on. */
int fk_file_take(int *fd);

/* Fills in an error from the errno of a failed `verb` ("open", "rename") on `path`. Returns the
 * code. */
fk_code fk_file_error(fk_error *err, int system_errno, const char *verb, const char *path);

/* A regular file for reading, beneath `directory` (openat2; no symbolic links, FIFOs or devices:
 * FK_E_INVALID). `ret_status` may be NULL. */
fk_code fk_file_open(int directory, const char *path, int *ret_fd, struct stat *ret_status,
                     fk_error *err);
/* A file the user named, relative to the working directory: links are followed; a directory or
 * device is refused. */
fk_code fk_file_open_path(const char *path, int *ret_fd, struct stat *ret_status, fk_error *err);
/* A new file for reading and writing, mode 0666 less the umask, close-on-exec; EEXIST is an error.
 * Here and below, `directory` AT_FDCWD stands for a path the user named, where links are followed;
 * else no symbolic link is, and no path leads out of `directory`. */
fk_code fk_file_create(int directory, const char *path, int *ret_fd, fk_error *err);

/* Reads exactly `bytes` at `offset`; a shorter file is FK_E_CORRUPT with the offset where it ends.
 */
fk_code fk_file_read_at(int fd, void *into, size_t bytes, uint64_t offset, const char *path,
                        fk_error *err);
/* Reads a whole regular file, FK_E_LIMIT beyond `bytes_max`. The caller frees `*ret_bytes`; a NUL
 * stands behind. */
fk_code fk_file_read_whole(int fd, uint64_t bytes_max, const char *path, void **ret_bytes,
                           size_t *ret_length, fk_error *err);
/* Writes everything at the file position, however short single writes are. */
fk_code fk_file_write(int fd, const void *from, size_t bytes, const char *path, fk_error *err);
/* The same at `offset`; the file position stays. */
fk_code fk_file_write_at(int fd, const void *from, size_t bytes, uint64_t offset, const char *path,
                         fk_error *err);

/* Reserves space for a file of `bytes`, which has that size from now on: FK_E_NO_SPACE at once
 * where it cannot be had. File systems without fallocate are fine; the file grows there. */
fk_code fk_file_reserve(int fd, uint64_t bytes, const char *path, fk_error *err);
/* Starts write-back of a range and does not wait; never an error (fk_file_sync tells). */
void fk_file_kick(int fd, uint64_t offset, uint64_t bytes);
/* fsync of a file or a directory. After a failure nothing about the file may be believed: never
 * sync it again. A file system that knows no sync of directories (EINVAL) is fine. */
fk_code fk_file_sync(int fd, const char *path, fk_error *err);
/* Whether the process may soon open no more files: `fd`, fresh, is among the last it may have. */
bool fk_file_is_scarce(int fd);
/* close with its result checked; `*fd` is -1 afterwards in any case. */
fk_code fk_file_close(int *fd, const char *path, fk_error *err);

/* lstat relative to `directory`. Missing also when what should be a directory above it is none.
 * False with *ret_missing true when there is none (FK_OK). */
fk_code fk_file_look(int directory, const char *path, struct stat *ret_status, bool *ret_missing,
                     fk_error *err);
/* Whether `path` beneath `directory` names the file or directory that is open as `fd`: somebody may
 * have put another in its place. */
fk_code fk_file_is_at(int fd, int directory, const char *path, bool *ret_is, fk_error *err);
fk_code fk_file_remove(int directory, const char *path,
                       fk_error *err); /* unlink; a missing file is fine */
fk_code fk_file_link(int old_directory, const char *old_path, int new_directory,
                     const char *new_path, fk_error *err);
/* Replaces `new_path` atomically. */
fk_code fk_file_rename(int directory, const char *old_path, const char *new_path, fk_error *err);

#endif
