/* Every limit on what comes from outside, by name. */
#ifndef FK_BASE_LIMITS_H
#define FK_BASE_LIMITS_H

#include <stdint.h>

/* checkpoint files */
#define FK_LIMIT_ZIP_ENTRIES    1000000u /* records in one zip checkpoint */
#define FK_LIMIT_ZIP_NAME_BYTES 512u     /* one record's name */
#define FK_LIMIT_LEGACY_KEY     64u      /* bytes of a storage's key, before PyTorch 1.6 */
#define FK_LIMIT_PICKLE_BYTES   (UINT64_C(64) << 20) /* data.pkl */
#define FK_LIMIT_PICKLE_OPCODES 16000000u
#define FK_LIMIT_PICKLE_STACK   1000000u
#define FK_LIMIT_STRING_BYTES   (UINT32_C(16) << 20) /* one str or bytes in a pickle */
#define FK_LIMIT_BIG_INT_BYTES  255u
#define FK_LIMIT_RANK           64u /* dimensions of a tensor */
#define FK_LIMIT_EXPANDED_BYTES                                                                    \
    (UINT64_C(16) << 20)                   /* a personality vector beyond its file's size */
#define FK_LIMIT_DEPTH           1000u     /* nesting of values */
#define FK_LIMIT_ITEMS           16000000u /* items of one list, entries of one dict */
#define FK_LIMIT_REPEATS         4000000u  /* visits of values within containers that occur again */
#define FK_LIMIT_COMPARED_VALUES 17000000u /* of two objects, shared ones counted each time */
#define FK_LIMIT_FINDINGS        10000u    /* what one inspection tells */
#define FK_LIMIT_LISTED_BYTES                                                                      \
    (UINT64_C(16) << 20)               /* tensors listed of one file, beyond the file's size */
#define FK_LIMIT_KEY_SHOWN_BYTES 4096u /* of a key in a dotted path; the rest is cut */
#define FK_LIMIT_COMPARED_BYTES                                                                    \
    (UINT64_C(256) << 20) /* of long keys, to find duplicates in one pickle */

/* JSON and manifests */
#define FK_LIMIT_JSON_BYTES         (UINT64_C(16) << 20)
#define FK_LIMIT_JSON_WRITTEN_BYTES (UINT64_C(1) << 30)
#define FK_LIMIT_JSON_DEPTH         64u
#define FK_LIMIT_MANIFEST_BYTES     (UINT64_C(16) << 20)
#define FK_LIMIT_RUN_FILES          100000u
#define FK_LIMIT_PROBLEMS           1000u /* problems kept of one run */

/* images */
#define FK_LIMIT_PNG_BYTES  (UINT64_C(64) << 20)
#define FK_LIMIT_PNG_SIDE   16384u /* pixels */
#define FK_LIMIT_PNG_PIXELS (UINT64_C(64) << 20)
#define FK_LIMIT_SHEET_SIDE 4096u /* pixels of a contact sheet */

/* names */
#define FK_LIMIT_FONT_ID_BYTES   100u
#define FK_LIMIT_LABEL_BYTES     200u /* a glyph's label */
#define FK_LIMIT_FILE_NAME_BYTES 255u

/* patience */
#define FK_LIMIT_RETRIES 3u

#endif
