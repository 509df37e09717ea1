/* The trash: what was removed, and generations of runs that newer ones replaced. It stays in the
 * store, and comes back by fk_restore, until fk_purge. */
#ifndef FONTKEEP_TRASH_H
#define FONTKEEP_TRASH_H

#include "fontkeep/font.h"
#include "fontkeep/run.h"
#include "fontkeep/store.h"

FK_BEGIN_DECLS

#define FK_TRASH_ID_BYTES 160

/* One entry of the trash: a whole font, or one run of a font that is there. */
typedef struct fk_trash_entry {
    char trash_id[FK_TRASH_ID_BYTES]; /* "1-fruity.1", "1-fruity/2026-01-11T08:30:00.000000.1" */
    fk_font_id font_id;
    fk_run_id run_id;      /* "" for a whole font */
    uint64_t bytes;        /* what purging it would free: files held elsewhere, too, do not count */
    int64_t removed_at_us; /* when it came here, or FK_NO_TIME */
} fk_trash_entry;

/* Moves a run, whatever its health, to the trash; with `run_id` NULL the whole font ("latest" is
 * the latest run). FK_E_FONT_NOT_FOUND, FK_E_RUN_NOT_FOUND; FK_E_BUSY: another process is changing
 * the run. FK_E_NOT_DURABLE sets `*ret_entry`, too: it is removed, but a power cut may undo that.
 */
FK_PUBLIC fk_code fk_rm(fk_store *store, const char *font_id, const char *run_id,
                        fk_trash_entry *ret_entry, fk_error *err);

typedef struct fk_trash_list fk_trash_list;

/* What is in the trash, by font, run and number. The caller destroys the list; what
 * fk_trash_list_at gives is borrowed from it. */
FK_PUBLIC fk_code fk_trash(fk_store *store, fk_trash_list **ret_trash, fk_error *err);
FK_PUBLIC void fk_trash_list_destroy(fk_trash_list *trash);
FK_PUBLIC size_t fk_trash_list_count(const fk_trash_list *trash);
FK_PUBLIC const fk_trash_entry *fk_trash_list_at(const fk_trash_list *trash, size_t index);

/* Puts an entry back, and gives the entry that it was. A generation of a run that is there becomes
 * the run's newest generation, and the one that was there goes to the trash. FK_E_RUN_NOT_FOUND,
 * FK_E_FONT_NOT_FOUND: no such entry; FK_E_FONT_EXISTS: another font has the id by now;
 * FK_E_INVALID: no trash id, or the run was removed and a newer generation of it is in the trash,
 * which comes back first; FK_E_BUSY. FK_E_NOT_DURABLE sets `*ret_entry`, too. */
FK_PUBLIC fk_code fk_restore(fk_store *store, const char *trash_id, fk_trash_entry *ret_entry,
                             fk_error *err);

/* Removes an entry, or with `trash_id` NULL all that fk_trash lists, for good: there is no way
 * back. Gives what was removed, `bytes` what each freed. An error leaves what was not reached yet.
 * FK_E_RUN_NOT_FOUND, FK_E_FONT_NOT_FOUND, FK_E_INVALID. */
FK_PUBLIC fk_code fk_purge(fk_store *store, const char *trash_id, fk_trash_list **ret_purged,
                           fk_error *err);

FK_END_DECLS

#endif
