/* One record of a zip archive: its entry in the directory, held against its local header and the
 * descriptor behind its payload. */
#ifndef FK_CHECKPOINT_ZIP_RECORD_H
#define FK_CHECKPOINT_ZIP_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "checkpoint/zip_read.h"

enum { FK_ZIP_DIRECTORY_HEADER_BYTES = 46 };

typedef struct fk_zip_record {
    fk_zip_entry entry; /* first: fk_zip_index counts on it */
    uint64_t end;       /* offset behind the payload and its descriptor */
    bool named_twice;   /* a damaged one: its local header has the name, too */
} fk_zip_record;

/* Where reading stands in the directory. */
typedef struct fk_zip_cursor {
    const uint8_t *bytes;    /* the file */
    const fk_zip_peek *peek; /* or NULL */
    uint64_t at;             /* of the next directory entry */
    uint64_t end;            /* of the directory */
    uint64_t records_end;    /* records lie before this offset */
    char *names;             /* the next record's name goes here: room for the directory's bytes */
    const uint8_t *prefix;   /* of the first record's name, NULL before it */
    size_t prefix_bytes;
} fk_zip_cursor;

/* Reads the next entry. FK_E_CORRUPT, FK_E_UNSUPPORTED or FK_E_LIMIT with the offset. Where the
 * entry itself is well, and what it describes is FK_E_CORRUPT, `ret_record` has what it
 * says, and the cursor stands behind it; else the name is NULL. */
fk_code fk_zip_record_read(fk_zip_cursor *cursor, fk_zip_record *ret_record, fk_error *err);

/* Takes the prefix off a record's name, `full` in the file, and copies the rest to the cursor's
 * names. The first name decides what the prefix is. FK_E_LIMIT, FK_E_UNSUPPORTED, FK_E_CORRUPT. */
fk_code fk_zip_record_name(fk_zip_cursor *cursor, const uint8_t *full, size_t full_bytes,
                           const char **ret_name, fk_error *err);

#endif
