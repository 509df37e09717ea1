/* What the writer and the readers of a manifest share.
 *
 *     {
 *       "manifest_version": 1,       the head: what stands before FILES_START
 *       ...
 *       "written_by": "...",
 *       "files": [                   FILES_START ends behind the bracket
 *         {"path": ...},
 *         {"path": ...}
 *       ],                           SELF_START begins at the comma; `self` digests all before it
 *       "self": "<64 hex>"           END begins at the quote behind the digest
 *     }
 */
#ifndef FK_STORE_MANIFEST_PARTS_H
#define FK_STORE_MANIFEST_PARTS_H

#include "store/manifest/manifest.h"

#define FK_MANIFEST_FILES_START "\n  \"files\": ["
#define FK_MANIFEST_SELF_START  ",\n  \"self\": \""
#define FK_MANIFEST_END         "\"\n}\n"

/* Pieces of a file of so many bytes: at least one. */
static inline uint64_t fk_manifest_pieces(uint64_t bytes) {
    return bytes == 0 ? 1 : (bytes - 1) / FK_PIECE_BYTES + 1;
}

/* The reason why a manifest is damaged, in `err`; gives FK_E_CORRUPT. */
fk_code fk_manifest_damaged(fk_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Reads `array`, the JSON of `files`, into `info` and checks it against the head's numbers.
 * FK_E_CORRUPT or FK_E_NO_MEMORY. */
fk_code fk_manifest_read_files(const char *array, size_t length, fk_values *values,
                               fk_run_info *info, fk_error *err);

#endif
