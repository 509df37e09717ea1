/* The files of a run: opened beneath its directory, compared with the manifest. */
#ifndef FK_STORE_RUN_FILE_H
#define FK_STORE_RUN_FILE_H

#include <stdint.h>

#include "base/error.h"
#include "store/run/health.h"
#include "store/run/run.h"
#include "store/run/watch.h"

/* Opens a file. With `listed` (may be NULL) its size must be that of the manifest. Errors:
 * FK_E_INCOMPLETE missing; FK_E_CORRUPT no regular file, or another size; else what the system
 * said. `ret_problem` (may be NULL) then tells the same as a problem without message. */
fk_code fk_run_file_open(const fk_run *run, const char *path, const fk_run_file *listed,
                         int *ret_fd, uint64_t *ret_bytes, fk_problem *ret_problem, fk_error *err);

/* Reads every byte of a file that is open and compares the digests, at FK_DEPTH_FULL the SHA-256 of
 * every piece. FK_E_CORRUPT names the bytes of the damaged pieces; `ret_damaged` (may be NULL; from
 * malloc, one flag per piece) then tells which they are. `into` as in fk_pieces_job. */
fk_code fk_run_file_check(const fk_run *run, const fk_run_file *listed, fk_depth depth, int fd,
                          uint8_t *into, fk_watch *watch, bool **ret_damaged, fk_error *err);

/* Opens and checks a file of the manifest; what is wrong becomes a problem of the run's findings.
 * Fails only for want of memory, or when cancelled. */
fk_code fk_run_file_examine(fk_run *run, const fk_run_file *listed, fk_depth depth, fk_watch *watch,
                            fk_error *err);

/* Hints at the command that makes a file anew, where one can; `otherwise` is the other way out. */
void fk_run_file_hint(const fk_run *run, const char *path, const char *otherwise, fk_error *err);

/* Reads a file of `bytes` that is open whole into memory of its own. The caller frees
 * `*ret_bytes`. */
fk_code fk_run_file_read(const fk_run *run, const char *path, const fk_run_file *listed,
                         void **ret_bytes, size_t *ret_length, fk_error *err);

#endif
