/* Writing past the page cache (O_DIRECT): twice as fast as through it where a processor is short,
 * and nothing else is pushed out of it. Only whole blocks of aligned memory go that way; whatever
 * the kernel or the file system refuses is written through the cache. */
#ifndef FK_OS_DIRECT_FILE_H
#define FK_OS_DIRECT_FILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define FK_DIRECT_BLOCK_BYTES                                                                      \
    ((size_t)4096) /* memory, length and file position: multiples of it                            \
                    */

typedef struct fk_direct_file {
    int fd;              /* the caller's */
    const char *path;    /* borrowed; for messages */
    atomic_bool granted; /* until something does not go past the cache */
} fk_direct_file;

/* Asks for it, on a file that fk_file_create made; whether it was granted. */
bool fk_direct_file_begin(fk_direct_file *file, int fd, const char *path);
/* As fk_file_write_at; several threads may do so at a time, each elsewhere, and a disk likes that.
 * A part that is no whole number of blocks, such as the end of the file, a refusal, or a short
 * write in the middle of a block ends the grant: what is left then goes through the cache, and
 * write-back of it is started. */
fk_code fk_direct_file_write_at(fk_direct_file *file, const void *from, size_t bytes,
                                uint64_t offset, fk_error *err);

#endif
