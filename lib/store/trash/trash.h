/* The trash inside: directories that were renamed to `.trash-<subject>.<n>` where they stood. */
#ifndef FK_STORE_TRASH_H
#define FK_STORE_TRASH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "fontkeep/trash.h"
#include "store/names/trash_name.h"

struct fk_trash_list {
    fk_trash_entry *rows; /* from malloc */
    size_t count;
    size_t capacity;
};

FK_DEFINE_SCOPED(fk_trash_list, fk_trash_list_destroy);

fk_code fk_trash_list_add(fk_trash_list *list, const fk_trash_entry *entry, fk_error *err);

/* Renames the directory `from` of the open directory `parent` (`path` for messages) to an entry of
 * the trash: numbered `preferred` when that is not 0 and free, else one above all in use for the
 * subject. A missing directory is FK_E_IO with ENOENT. Nothing is synced. */
fk_code fk_trash_move(int parent, const char *path, const char *from, const char *subject,
                      uint32_t preferred, fk_trash_name *ret_name, fk_error *err);

/* An entry that stands in `parent`: its id, size and time, as far as they can be had. `run_id` ""
 * for a font. */
void fk_trash_describe(int parent, const fk_trash_name *name, const char *font_id,
                       const char *run_id, fk_trash_entry *ret_entry);

/* The entry of a trash id in the open directory `parent`; of a run under either form of its name.
 * FK_E_RUN_NOT_FOUND, FK_E_FONT_NOT_FOUND. */
fk_code fk_trash_find(int parent, const char *path, const fk_trash_id *id, fk_trash_name *ret_name,
                      fk_error *err);

/* That there is no such entry: FK_E_RUN_NOT_FOUND, of a font FK_E_FONT_NOT_FOUND. */
fk_code fk_trash_not_found(const fk_trash_id *id, fk_error *err);

/* Opens the runs/ of a font, for walks over all fonts; `*ret_runs` -1 (with FK_OK) where there is
 * no such directory: that is `status`'s business. What is there but cannot be opened is an error.
 */
fk_code fk_trash_open_runs(int root, const char *font_id, int *ret_runs, fk_error *err);

#endif
