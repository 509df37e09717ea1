/* Reading zip archives as PyTorch writes them: stored records, central directory, zip64. Strict:
 * whatever two descriptions of the same thing disagree on is an error with its offset, never a
 * choice. Nothing is copied. */
#ifndef FK_CHECKPOINT_ZIP_READ_H
#define FK_CHECKPOINT_ZIP_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

/* One record. `name` is without the archive's prefix ("data.pkl", "data/0", "version"). */
typedef struct fk_zip_entry {
    const char *name; /* NUL-terminated, owned by the fk_zip */
    uint64_t header;  /* offset of the local header */
    uint64_t offset;  /* offset of the payload */
    uint64_t bytes;   /* of the payload */
    uint32_t crc32;   /* as recorded; 0 also stands for "not computed" */
    bool damaged;     /* only the name in the directory is known, and bytes in which it must lie,
                         header and all: `bytes` from `offset` on */
} fk_zip_entry;

/* Where the bytes are a mapped file: told before the few bytes that describe a record, among the
 * payloads, are looked at. So the caller can see to it that no more comes into memory. */
typedef struct fk_zip_peek {
    void (*announce)(void *user, uint64_t offset, uint64_t bytes);
    void *user;
} fk_zip_peek;

/* An archive's bytes, which must outlive the fk_zip. */
typedef struct fk_zip_source {
    const uint8_t *bytes;
    size_t length;
    const char *numbered;    /* NULL: whatever is damaged is an error; else records may be, and of
                                those whose names start so ("data/"), which differ by a digit, one
                                name that is right is not enough */
    const fk_zip_peek *peek; /* or NULL; looked at while opening */
} fk_zip_source;

typedef struct fk_zip fk_zip;

/* Whether the bytes start like a zip archive. */
bool fk_zip_recognise(const uint8_t *bytes, size_t length);

/* Reads the directory of an archive, and what stands around each record. FK_E_CORRUPT with the
 * offset, FK_E_UNSUPPORTED for a compressed or encrypted record, FK_E_LIMIT. */
fk_code fk_zip_open(const fk_zip_source *source, fk_zip **ret_zip, fk_error *err);
/* The same without a look at the directory, as far as whole records stand one behind the other from
 * the first byte on, those that are `numbered` (not NULL) in their order. FK_E_CORRUPT when there
 * are none. */
fk_code fk_zip_open_walked(const fk_zip_source *source, fk_zip **ret_zip, fk_error *err);
void fk_zip_close(fk_zip *zip);
FK_DEFINE_SCOPED(fk_zip, fk_zip_close);

size_t fk_zip_count(const fk_zip *zip);
const fk_zip_entry *fk_zip_at(const fk_zip *zip, size_t index); /* in the order of the directory */
const fk_zip_entry *fk_zip_find(const fk_zip *zip, const char *name); /* exact; or NULL */
/* The index of an entry of this archive. */
size_t fk_zip_index(const fk_zip *zip, const fk_zip_entry *entry);
/* How many records are `damaged`. */
size_t fk_zip_damaged(const fk_zip *zip);
/* Of an archive that was opened without its directory, and whose records end before that: the first
 * byte behind them, from where on lies what is not found. Else FK_NO_OFFSET. */
uint64_t fk_zip_rest(const fk_zip *zip);
/* Whether the payload of a record that is not `damaged` has the CRC recorded, or (`*ret_computed`
 * false) none was computed when it was written. */
bool fk_zip_check(const fk_zip *zip, const fk_zip_entry *entry, bool *ret_computed);

#endif
