/* Writing the zip container of PyTorch 2.7 and later, byte for byte (reference:
 * PyTorchStreamWriter): records stored and 64-byte aligned, sizes and CRC behind the payload and in
 * the directory, zip64 trailer. Streams; never seeks. */
#ifndef FK_CHECKPOINT_ZIP_WRITE_H
#define FK_CHECKPOINT_ZIP_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "digest/sink.h"

typedef struct fk_zip_writer fk_zip_writer;

/* The prefix of every record's name is "archive". The sink must outlive the writer. */
fk_code fk_zip_writer_create(const fk_sink *sink, fk_zip_writer **ret_writer, fk_error *err);
void fk_zip_writer_destroy(fk_zip_writer *writer);
FK_DEFINE_SCOPED(fk_zip_writer, fk_zip_writer_destroy);

/* One record, whole. `name` is without the prefix, at most FK_LIMIT_ZIP_NAME_BYTES with it.
 * FK_E_LIMIT beyond FK_LIMIT_ZIP_ENTRIES; whatever the sink gives. */
fk_code fk_zip_writer_add(fk_zip_writer *writer, const char *name, const void *bytes,
                          uint64_t length, fk_error *err);
/* The serialization id over the records so far (its half over the CRCs; the half over the names is
 * zeros, since it depends on the C++ library that computes it), the directory and the trailer. */
fk_code fk_zip_writer_finish(fk_zip_writer *writer, fk_error *err);

/* The bytes an archive will have: feed it the records in order, then ask. Start from zeroed memory.
 */
typedef struct fk_zip_size {
    uint64_t records_bytes;
    uint64_t directory_bytes;
    uint64_t entries;
    bool overflow; /* beyond 64 bits */
} fk_zip_size;
void fk_zip_size_add(fk_zip_size *size, const char *name, uint64_t length);
/* With the serialization id, the directory and the trailer; UINT64_MAX when 64 bits are too few. */
uint64_t fk_zip_size_finish(const fk_zip_size *size);

#endif
