/* Writing past the page cache (O_DIRECT): twice as fast as through it where a processor is short,
 * and nothing else is pushed out of it. Only whole blocks of aligned memory go that way; whatever
 * the kernel or the file system refuses is written through the cache. */
#ifndef FK_OS_DIRECT_FILE_H
#define FK_OS_DIRECT_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define FK_DIRECT_BLOCK_BYTES                                                                      \
    ((size_t)4096) /* memory, length and file position: multiples of it                            \
                    */

/* Asks for it, on a file that fk_file_create made; whether it was granted. */
bool fk_direct_file_begin(int fd);
/* As fk_file_write. `*direct` tells whether fk_direct_file_begin's grant still holds: a part that
 * is no whole number of blocks, such as the end of the file, a refusal, or a short write in the
 * middle of a block ends it, and what is left then goes through the cache. */
fk_code fk_direct_file_write(int fd, bool *direct, const void *from, size_t bytes, const char *path,
                             fk_error *err);

#endif
