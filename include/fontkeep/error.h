/* Results and errors.
 *
 * Every call that can fail returns an fk_code: FK_OK (0), or a negative code. Details go to an
 * fk_error that belongs to the caller, is always the last parameter, and may be NULL. Nothing is
 * allocated to report a failure, and `ret_*` parameters are untouched by a call that fails
 * (fk_save_model's and fk_draft_commit's `ret_run_id` with FK_E_NOT_DURABLE is the one exception).
 */
#ifndef FONTKEEP_ERROR_H
#define FONTKEEP_ERROR_H

#include <stdint.h>

#include "fontkeep/export.h"

FK_BEGIN_DECLS

typedef enum fk_code {
    FK_OK = 0,
    FK_E_USAGE = -1, /* the call itself is off: an argument is missing or contradicts another */
    FK_E_STORE_NOT_FOUND = -2, /* the store's directory does not exist (any more) */
    FK_E_FONT_NOT_FOUND = -3,
    FK_E_RUN_NOT_FOUND = -4,
    FK_E_FONT_EXISTS = -5,
    FK_E_INVALID = -6, /* input breaks a rule: a font id, an image, feedback, a number */
    FK_E_CORRUPT =
        -7, /* bytes on disk are not those that were saved, or no valid file of their format */
    FK_E_INCOMPLETE = -8,   /* a file that should be there is missing */
    FK_E_BUSY = -9,         /* another process holds what is needed, after 3 retries */
    FK_E_NO_SPACE = -10,    /* disk or quota is full; nothing was kept */
    FK_E_ACCESS = -11,      /* permissions or a read-only file system forbid it */
    FK_E_IO = -12,          /* the system reported an error; `system_errno` tells which */
    FK_E_NO_MEMORY = -13,   /* memory could not be had */
    FK_E_UNSUPPORTED = -14, /* a newer version, an unknown format, or data that cannot be stored */
    FK_E_LIMIT = -15,       /* a size, count, depth or length beyond its limit */
    FK_E_NOT_DURABLE =
        -16,              /* saved and visible, but the last sync failed: a power cut may undo it */
    FK_E_CANCELLED = -17, /* the progress callback asked to stop; nothing was kept */
} fk_code;

/* What a code of several meanings is about; a language binding picks its exception by it. */
typedef enum fk_subject {
    FK_SUBJECT_NONE = 0,
    FK_SUBJECT_FONT_ID, /* FK_E_INVALID: the font id breaks the rule */
    FK_SUBJECT_VERSION, /* FK_E_UNSUPPORTED: a newer version of a format */
    FK_SUBJECT_DATA, /* FK_E_UNSUPPORTED: an object or file that fontkeep does not store or read */
} fk_subject;

#define FK_NO_OFFSET UINT64_MAX /* `offset` when no byte offset applies */

/* One failure. Texts are UTF-8, NUL-terminated, cut where they do not fit, and empty where they do
 * not apply. */
typedef struct fk_error {
    fk_code code;
    fk_subject subject;
    int system_errno;   /* errno of the failed system call, or 0 */
    uint64_t offset;    /* byte offset in `path` or in the input, or FK_NO_OFFSET */
    char path[4096];    /* the file or directory concerned */
    char message[1024]; /* what is wrong: one line, no final stop */
    char hint[1024];    /* what to do next: an action */
} fk_error;

/* The name of a code as JSON output spells it: "font_not_found", "no_space"; "ok" for FK_OK. Static
 * text. */
FK_PUBLIC const char *fk_code_name(fk_code code);

/* The exit status of the command for a code: 0, 2 to 10, or 130. */
FK_PUBLIC int fk_code_exit_status(fk_code code);

/* Progress of a long call, in bytes. A non-zero answer cancels the call: it cleans up and returns
 * FK_E_CANCELLED. Called on the caller's thread only. */
typedef int (*fk_progress)(uint64_t done_bytes, uint64_t total_bytes, void *user);

FK_END_DECLS

#endif
