/* A new generation of a run: whole, in the run's place, the old one in the trash.
 *
 *     fk_generation_create(store, "1-fruity", run_id, &generation, err);
 *     fk_draft_set_sample(generation->draft, &image, err);      replaces or adds files
 *     fk_generation_publish(generation, err);                   all other files are carried over
 *
 * G1 What the draft says about itself is what the run said, but for what setting a part changes.
 * G2 Files that are carried over keep the digests of the old manifest: damage is never vouched for
 * anew. G3 The lock of the run is held from the first look at it to the end. */
#ifndef FK_STORE_GENERATION_H
#define FK_STORE_GENERATION_H

#include "base/cleanup.h"
#include "base/error.h"
#include "store/handle/run_lock.h"
#include "store/run/run.h"
#include "store/save/draft.h"

typedef struct fk_generation {
    fk_store *store;
    fk_run_lock lock;
    fk_run *run;     /* what is to be replaced */
    fk_run *source;  /* what the files come from: `run`, or an entry of the trash */
    fk_draft *draft; /* the new generation */
} fk_generation;

/* Takes the lock, opens the run (full id, twin, "latest" or NULL) with its manifest, and makes an
 * empty draft. A damaged or newer manifest is refused: FK_E_CORRUPT, FK_E_UNSUPPORTED; one that is
 * missing is not. FK_E_FONT_NOT_FOUND, FK_E_RUN_NOT_FOUND, FK_E_BUSY. The caller destroys it. */
fk_code fk_generation_create(fk_store *store, const char *font_id, const char *run_id,
                             fk_generation **ret_generation, fk_error *err);
/* The same for the content of an entry of the trash, which stands in runs/ as `entry` and whose
 * manifest is intact; `place` is the run. Takes over `where` and `lock`, also on failure. */
fk_code fk_generation_create_from_trash(fk_store *store, fk_runs_directory *where,
                                        fk_run_lock *lock, const fk_scan_run *place,
                                        const char *entry, fk_generation **ret_generation,
                                        fk_error *err);

/* Reads a file of the new generation whole: from the draft where that has it, else from the run,
 * checked. FK_E_INCOMPLETE, FK_E_CORRUPT as fk_run_read_file. The caller frees `*ret_bytes`. */
fk_code fk_generation_read_file(const fk_generation *it, const char *path, void **ret_bytes,
                                size_t *ret_length, fk_error *err);

/* Carries over what the draft does not have, and lets run and draft change places. After every
 * failure but FK_E_NOT_DURABLE the run is as it was. FK_E_BUSY: another process changed it. The
 * generation can then only be destroyed. */
fk_code fk_generation_publish(fk_generation *it, fk_error *err);

/* Removes what was not published. NULL is fine. */
void fk_generation_destroy(fk_generation *it);
FK_DEFINE_SCOPED(fk_generation, fk_generation_destroy);

#endif
