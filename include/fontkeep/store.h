/* A store: the directory that keeps all fonts.
 *
 * Threads: one fk_store may be used by many threads at once; any other handle by one at a time. The
 * library starts threads only inside a call and joins them before it returns. It never prints,
 * exits, or changes the process.
 *
 * Processes: a forked child may go on with an fk_store and with what was loaded; a draft belongs to
 * the process that made it, and a child that destroys it touches nothing on disk.
 *
 * Signals: where file sizes are limited (RLIMIT_FSIZE) the system sends SIGXFSZ, which ends the
 * process. Ignore it, as the command and Python do, and a save fails with EFBIG instead.
 */
#ifndef FONTKEEP_STORE_H
#define FONTKEEP_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fontkeep/error.h"
#include "fontkeep/run.h"

FK_BEGIN_DECLS

typedef struct fk_store fk_store;

typedef enum fk_durability {
    FK_DURABILITY_FULL = 0, /* every file and directory is synced before a save returns */
    FK_DURABILITY_NONE,     /* nothing is synced: a power cut may lose or tear the newest runs */
} fk_durability;

#define FK_DEFAULT_MAX_WEIGHTS_BYTES UINT64_C(500000000)

/* Zero means default. Set `size` to sizeof(fk_store_options). */
typedef struct fk_store_options {
    size_t size;
    bool create;         /* make the store's directory (and its parents) when it is missing */
    bool no_create_runs; /* a font without runs/ is an error instead of being mended */
    uint64_t max_weights_bytes; /* largest weights file saved; 0: FK_DEFAULT_MAX_WEIGHTS_BYTES;
                                   loading is not limited */
    fk_durability durability;
} fk_store_options;

/* Opens the store at `path`; NULL means $FONTKEEP_STORE, else "./networks". An empty directory is
 * an empty store. Without `create`, nothing is written. FK_E_STORE_NOT_FOUND, FK_E_ACCESS,
 * FK_E_UNSUPPORTED (a newer store format). The caller closes it; NULL is fine. */
FK_PUBLIC fk_code fk_store_open(const char *path, const fk_store_options *options,
                                fk_store **ret_store, fk_error *err);
FK_PUBLIC void fk_store_close(fk_store *store);

/* The store's path as it was given. Borrowed. */
FK_PUBLIC const char *fk_store_path(const fk_store *store);

/* Makes `.fontkeep/store.json` when it is missing, and gives the store's id (a UUID, 36 characters
 * and a NUL). What `fontkeep init` does behind fk_store_open with `create`. */
FK_PUBLIC fk_code fk_store_init(fk_store *store, char ret_store_id[37], fk_error *err);

/* What stands in a store. */
typedef struct fk_store_report {
    const char *store;    /* its path */
    const char *store_id; /* or NULL: not written yet */
    size_t fonts;
    size_t runs;
    size_t by_health[FK_HEALTH_COUNT]; /* shallow health of every run */
    size_t stages;                     /* drafts under way, or left by a killed process */
    uint64_t trash_bytes;              /* as far as they can be counted */
    const char *const *strangers;      /* paths, relative to the store, that are nothing of ours */
    size_t stranger_count;
} fk_store_report;

/* Looks at everything, shallowly; changes nothing. The caller destroys the report. */
FK_PUBLIC fk_code fk_status(fk_store *store, fk_store_report **ret_report, fk_error *err);
FK_PUBLIC void fk_store_report_destroy(fk_store_report *report);

/* What a recovery did. Paths are relative to the store. */
typedef struct fk_recovery {
    const char *const *removed;
    size_t removed_count;
    const char *const *kept; /* kept[i] stays because of reasons[i] */
    const char *const *reasons;
    size_t kept_count;
} fk_recovery;

/* Removes what killed processes left behind: drafts and half-purged trash whose owner is dead, and
 * generations that were never published. Ends an exchange that was cut off where the file system
 * has none. Never touches a run. */
FK_PUBLIC fk_code fk_recover(fk_store *store, fk_recovery **ret_recovery, fk_error *err);
FK_PUBLIC void fk_recovery_destroy(fk_recovery *recovery);

FK_END_DECLS

#endif
