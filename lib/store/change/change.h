/* What adopt, migrate and regenerate have in common: one run after another gets a new generation.
 */
#ifndef FK_STORE_CHANGE_H
#define FK_STORE_CHANGE_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "fontkeep/change.h"
#include "store/change/generation.h"

/* One kind of change. */
typedef struct fk_changer {
    /* Whether a run of a font, opened without its files, may need the change at all; not asked of
     * one run alone. */
    bool (*concerns)(const fk_run *run);
    /* Writes the files of a new generation into its draft, and notes each that is new or another
     * with fk_change_note. `*ret_needed` false (with FK_OK): the run stays as it is. */
    fk_code (*fill)(void *user, fk_generation *generation, fk_change_list *changes,
                    bool *ret_needed, fk_error *err);
    void *user;
    bool lists_unchanged; /* a run that needs nothing has a row, too */
    fk_progress progress; /* or NULL */
    void *progress_user;
} fk_changer;

fk_code fk_change_list_create(fk_change_list **ret_changes, fk_error *err);
FK_DEFINE_SCOPED(fk_change_list, fk_change_list_destroy);

/* Notes a file of the run under way; run.json is noted by itself. */
fk_code fk_change_note(fk_change_list *changes, const char *path, fk_error *err);

/* Notes what is wrong with the run under way, and stays so. */
fk_code fk_change_note_left(fk_change_list *changes, const fk_problem *problem, fk_error *err);

/* Changes one run (full id, twin, "latest" or NULL) and adds its row, unless nothing was needed. A
 * run that another process changes at the same moment is tried again, 3 times. FK_E_NOT_DURABLE
 * adds the row, too. */
fk_code fk_change_run(fk_change_list *changes, fk_store *store, const char *font_id,
                      const char *run_id, const fk_changer *changer, fk_error *err);

/* The same for all runs of a font. What is wrong with one of them (FK_E_CORRUPT, FK_E_INCOMPLETE,
 * FK_E_UNSUPPORTED, FK_E_INVALID, FK_E_LIMIT, FK_E_BUSY) becomes its row, and the others go on;
 * every other failure is one of the call. */
fk_code fk_change_font(fk_change_list *changes, fk_store *store, const char *font_id,
                       const fk_changer *changer, fk_error *err);

#endif
