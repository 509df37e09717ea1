/* One file of a stage while it is written: the sink of every writer.
 *
 * What is written is copied once, into private memory of at most 12 MiB; CRC-32, digests and the
 * kernel's write all work on that copy. So memory that another thread changes meanwhile cannot make
 * a file whose digests do not hold. */
#ifndef FK_STORE_STAGED_FILE_H
#define FK_STORE_STAGED_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "digest/digest.h"
#include "digest/sink.h"

#define FK_STAGED_KICK_BYTES       (UINT64_C(8) << 20)   /* write-back starts so often */
#define FK_STAGED_KICK_BYTES_MIN   (UINT64_C(256) << 10) /* and at the end for so much */
#define FK_STAGED_DIRECT_BYTES_MIN (UINT64_C(4) << 20)   /* so large is large */

typedef struct fk_staged_file fk_staged_file;

/* Creates the file `path` of the open directory `stage`, which must not exist; its space is
 * reserved when it is large (over 1 MiB). `bytes` is its size. A large one that will be synced
 * (`durable`) is written past the page cache where that is granted. */
fk_code fk_staged_file_create(int stage, const char *path, uint64_t bytes, bool durable,
                              fk_staged_file **ret_file, fk_error *err);
/* The sink that writes to it. It may be ahead of the disk: a failed write comes back with a later
 * one, or with finish. */
fk_sink fk_staged_file_sink(fk_staged_file *file);
/* Writes out what is left and ends the file, which must have its `bytes` by now. It is not synced:
 * the caller does so through the descriptor, which it closes; it finishes the digests, too. */
fk_code fk_staged_file_finish(fk_staged_file *file, int *ret_fd, fk_file_digests *ret_digests,
                              fk_error *err);
void fk_staged_file_destroy(fk_staged_file *file);
FK_DEFINE_SCOPED(fk_staged_file, fk_staged_file_destroy);

#endif
