/* Changes of runs that are there: each publishes a whole new generation in the run's place, and
 * keeps the one before in the trash. */
#ifndef FONTKEEP_CHANGE_H
#define FONTKEEP_CHANGE_H

#include "fontkeep/store.h"
#include "fontkeep/value.h"

FK_BEGIN_DECLS

/* What became of one run. Borrowed from its list. */
typedef struct fk_change {
    const char *font_id;
    const char *run_id;
    const char *const *changed; /* files of the new generation that are new or others than before,
                                   run.json among them, sorted; none when the run was refused */
    size_t changed_count;
    fk_code code;        /* FK_OK, or why the run was left as it was */
    const char *message; /* of that failure, or "" */
    const char *hint;
    const char *path; /* of the file that is to blame, or "" */
} fk_change;

typedef struct fk_change_list fk_change_list;

FK_PUBLIC void fk_change_list_destroy(fk_change_list *changes); /* NULL is fine */
FK_PUBLIC size_t fk_change_list_count(const fk_change_list *changes);
FK_PUBLIC const fk_change *fk_change_list_at(const fk_change_list *changes, size_t index);

/* Gives every run of a font that has no manifest one: its files are checked (weights by their CRCs,
 * images and feedback by their format) and digested; weights.pt and weights.pth become `weights`. A
 * run with a damaged file, or with nothing in it, is refused by name, and the others go on. Such a
 * run ended at the instant of its id, and when it started is not known; it is completed when all
 * four of its files are there, else interrupted. FK_E_NOT_DURABLE sets `*ret_changes`, too; the
 * caller destroys it. */
FK_PUBLIC fk_code fk_adopt(fk_store *store, const char *font_id, fk_progress progress,
                           void *progress_user, fk_change_list **ret_changes, fk_error *err);

/* Writes weights of version v0 anew as v1, of one run, or with `run_id` NULL of all runs of the
 * font: the whole top object becomes `model`, `personality_vector` (a tensor value, or NULL) the
 * vector. What was written is read back and compared with the old weights, tensor by tensor, before
 * the generation is published. Runs that are v1 already, or have no weights, are not listed. */
FK_PUBLIC fk_code fk_migrate(fk_store *store, const char *font_id, const char *run_id,
                             const fk_value *personality_vector, fk_progress progress,
                             void *progress_user, fk_change_list **ret_changes, fk_error *err);

FK_END_DECLS

#endif
