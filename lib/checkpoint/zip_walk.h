/* The records of a zip archive whose directory is lost, cut off or damaged: each local header leads
 * to the end of its payload, where the next one begins. */
#ifndef FK_CHECKPOINT_ZIP_WALK_H
#define FK_CHECKPOINT_ZIP_WALK_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "checkpoint/zip_record.h"

/* Zeroed memory is none. */
typedef struct fk_zip_walk {
    fk_zip_record *records; /* [count], from malloc, in the order of the file */
    size_t count;
    char *names;  /* theirs, from malloc */
    uint64_t end; /* the first byte that belongs to none of them */
} fk_zip_walk;

void fk_zip_walk_finish(fk_zip_walk *walk);

/* Goes from the first byte as far as whole records stand one behind the other. What a header says
 * is taken as it is; whether a payload is what was saved is for its CRC to tell. But no CRC covers
 * a name. Records whose names start with `numbered` ("data/") are believed as far as they stand in
 * the order of torch.save: 0, 1, 2, or sorted as texts, 0, 1, 10, 11, 2. Behind those the walk
 * ends. Only FK_E_NO_MEMORY. */
fk_code fk_zip_walk_records(const uint8_t *bytes, size_t length, const char *numbered,
                            fk_zip_walk *ret_walk, fk_error *err);

#endif
