/* The pieces of one file, read and checked by several threads.
 *
 * A crew that computes (os/crew.h) shares the pieces; a file of one piece is checked on the
 * caller's thread alone. */
#ifndef FK_STORE_PIECES_H
#define FK_STORE_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "fontkeep/run.h"
#include "store/run/watch.h"

typedef struct fk_pieces_job {
    int fd;
    const char *path;        /* for messages */
    uint64_t bytes;          /* of the file */
    const fk_run_file *file; /* its digests, or NULL: nothing is compared */
    bool sha256;             /* SHA-256 of every piece, even where there is an XXH3 */
    bool past_failures; /* what the system fails to read counts as zeros: the digests, or CRCs, then
                           tell that it is not what it was */
    uint8_t *into;   /* memory for the whole file, or NULL: it passes through a buffer per thread */
    fk_watch *watch; /* or NULL */
} fk_pieces_job;

/* How many pieces a file of `bytes` has: at least 1. */
size_t fk_pieces_count(uint64_t bytes);

/* Reads every byte. `ret_damaged` ([pieces], may be NULL without `file`) tells of each piece
 * whether a digest differs. Damage is no error; a file that ends early is FK_E_CORRUPT, one that
 * cannot be read FK_E_IO, both with the offset. FK_E_CANCELLED. */
fk_code fk_pieces_check(const fk_pieces_job *job, bool *ret_damaged, fk_error *err);

#endif
