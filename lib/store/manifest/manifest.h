/* run.json: the metadata of a run, and size and digests of its every file. docs/format/manifest.md
 * has the format. M1 `files` is sorted by path and last but for `self`. M2 every top-level member
 * starts a line with exactly two spaces, and no nested line does. M3 `self` is the SHA-256 of every
 * byte before `,\n  "self": "<hex>"\n}\n`, the file's end. */
#ifndef FK_STORE_MANIFEST_H
#define FK_STORE_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "digest/digest.h"
#include "fontkeep/run.h"

typedef struct fk_manifest_file {
    char *path;  /* from malloc, relative to the run's directory */
    char *label; /* of a glyph, or NULL */
    fk_file_digests digests;
} fk_manifest_file;

/* The `files` of a manifest that is being written, in any order. Zeroed memory is an empty list. */
typedef struct fk_manifest_files {
    fk_manifest_file *items; /* from malloc */
    size_t count;
    size_t capacity;
} fk_manifest_files;

/* Takes over the digests (also on failure). FK_E_NO_MEMORY, FK_E_LIMIT. */
fk_code fk_manifest_files_add(fk_manifest_files *files, const char *path, const char *label,
                              fk_file_digests *digests, fk_error *err);
bool fk_manifest_files_have(const fk_manifest_files *files, const char *path);
void fk_manifest_files_finish(fk_manifest_files *files);

/* What a writer says; the rest follows from the files. */
typedef struct fk_manifest_head {
    const char *font_id;
    const char *run_id;
    fk_run_status status;
    int64_t started_at_us;
    int64_t ended_at_us;
    const fk_value *training;            /* dict or NULL */
    const fk_value *metrics;             /* dict or NULL */
    const char *weights_version;         /* NULL: null */
    const char *feedback_schema;         /* NULL: null */
    const char *parent_run_id;           /* NULL: null */
    const fk_tensor *personality_vector; /* its dtype and shape; NULL: null */
    uint64_t generation;                 /* 1 is left out */
    const fk_value *others; /* the `manifest` of another generation, whose unknown members are
                               passed through, or NULL */
} fk_manifest_head;

/* Appends the whole file. Sorts `files`. FK_E_INVALID: a path twice, a time outside the years 0001
 * to 9999 (FK_NO_TIME is null); FK_E_LIMIT; FK_E_UNSUPPORTED: `training` or `metrics` hold what
 * JSON has no form for. */
fk_code fk_manifest_write(const fk_manifest_head *head, fk_manifest_files *files, fk_buffer *buffer,
                          fk_error *err);

/* The status of a name, or FK_STATUS_UNKNOWN. */
fk_run_status fk_run_status_from_name(const char *name);

typedef enum fk_manifest_state {
    FK_MANIFEST_GOOD = 0,
    FK_MANIFEST_DAMAGED, /* `self` fails, or a member is missing or of the wrong type */
    FK_MANIFEST_NEWER,   /* manifest_version is higher than ours; version and self are all that is
                            known to hold */
} fk_manifest_state;

/* Reads a manifest into `info` (texts and values go to `values`; health, problems, path are left
 * alone). `with_files`: the `files` too. FK_OK with a state and, unless good, a one-line reason in
 * `err`'s message (and its offset); failures are FK_E_NO_MEMORY only. A damaged manifest fills in
 * nothing, a newer one `manifest` at most. Non-finite numbers in `training` and `metrics` are
 * floats again. */
fk_code fk_manifest_read(const char *text, size_t length, bool with_files, fk_values *values,
                         fk_manifest_state *ret_state, fk_run_info *info, fk_error *err);

#endif
