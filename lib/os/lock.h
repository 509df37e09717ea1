/* Locks that die with their holder: open file description locks on a file. */
#ifndef FK_OS_LOCK_H
#define FK_OS_LOCK_H

#include <stdbool.h>

#include "base/error.h"

/* An existing lock file for locking (read-write), beneath `directory`; no symbolic links. A missing
 * one is FK_E_IO with ENOENT. */
fk_code fk_lock_open(int directory, const char *path, int *ret_fd, fk_error *err);

/* Takes the lock of the file `fd` without waiting. `*ret_held` true (with FK_OK) when somebody else
 * has it. */
fk_code fk_lock_try(int fd, const char *path, bool *ret_held, fk_error *err);

/* Takes the lock, with three pauses of 50, 100 and 200 ms while somebody else has it; then
 * FK_E_BUSY. */
fk_code fk_lock_wait(int fd, const char *path, fk_error *err);

#endif
