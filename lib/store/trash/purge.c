/* fk_purge: what is in the trash is removed for good. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "os/directory.h"
#include "os/file.h"
#include "store/handle/handle.h"
#include "store/handle/run_lock.h"
#include "store/handle/runs_directory.h"
#include "store/trash/discard.h"
#include "store/trash/trash.h"
#include "store/trash/unpublished.h"

/* Removes an entry of the open directory `parent`, and notes what that freed. */
static fk_code purge_in(fk_store *store, int parent, const char *path, const fk_trash_id *target,
                        const fk_trash_name *name, fk_trash_list *list, fk_error *err) {
    fk_trash_entry entry;
    char directory[FK_TRASH_NAME_BYTES];
    fk_error cause = {0};
    fk_trash_name_format(name, directory);
    fk_trash_describe(parent, name, target->font_id.text, target->run_id.text, &entry);
    fk_code code = fk_trash_list_add(list, &entry, err); /* while nothing is removed yet */
    if (code != FK_OK) {
        return code;
    }
    code = fk_discard(&(fk_discarded){.parent = parent,
                                      .path = path,
                                      .name = directory,
                                      .expected = -1,
                                      .durable = store->durability == FK_DURABILITY_FULL},
                      &cause);
    if (code == FK_OK) {
        return FK_OK;
    }
    list->count--;
    if (cause.system_errno == ENOENT) {
        return fk_trash_not_found(target, err);
    }
    if (err != NULL) {
        *err = cause;
    }
    return code;
}

static fk_code purge_font(fk_store *store, const fk_trash_id *target, fk_trash_list *list,
                          fk_error *err) {
    FK_SCOPED(fk_file_closep) int root = -1;
    fk_trash_name name;
    fk_code code = fk_store_open_root(store, &root, err);
    if (code == FK_OK) {
        code = fk_trash_find(root, store->path, target, &name, err);
    }
    return code == FK_OK ? purge_in(store, root, store->path, target, &name, list, err) : code;
}

/* Under the lock of the run: an entry that a change of it is just using is not taken away. */
static fk_code purge_run_in(fk_store *store, const fk_runs_directory *where,
                            const fk_trash_id *target, fk_trash_list *list, fk_error *err) {
    FK_SCOPED(fk_run_lock_release) fk_run_lock lock = FK_RUN_LOCK_FREE;
    fk_trash_name name;
    bool unpublished = false;
    fk_code code = fk_trash_find(where->runs, where->path, target, &name, err);
    if (code == FK_OK) {
        code = fk_run_lock_take(where->runs, where->path, name.subject, &lock, err);
    }
    if (code == FK_OK) {
        code =
            fk_unpublished_judge(store, where->runs, where->font_id.text, &name, &unpublished, err);
    }
    if (code != FK_OK) {
        return code;
    }
    return unpublished ? fk_trash_not_found(target, err)
                       : purge_in(store, where->runs, where->path, target, &name, list, err);
}

static fk_code purge_run(fk_store *store, const fk_trash_id *target, fk_trash_list *list,
                         fk_error *err) {
    fk_runs_directory where = FK_RUNS_DIRECTORY_CLOSED;
    fk_code code = fk_runs_directory_open(store, target->font_id.text, false, &where, err);
    if (code == FK_OK) {
        code = purge_run_in(store, &where, target, list, err);
    }
    fk_runs_directory_close(&where);
    return code;
}

static fk_code purge_one(fk_store *store, const char *trash_id, fk_trash_list *list,
                         fk_error *err) {
    fk_trash_id target;
    fk_code code = fk_trash_id_parse(trash_id, &target, err);
    if (code != FK_OK) {
        return code;
    }
    return fk_trash_id_is_font(&target) ? purge_font(store, &target, list, err)
                                        : purge_run(store, &target, list, err);
}

static fk_code purge_all(fk_store *store, fk_trash_list *list, fk_error *err) {
    FK_SCOPED(fk_trash_list_destroyp) fk_trash_list *all = NULL;
    fk_code code = fk_trash(store, &all, err);
    for (size_t i = 0; code == FK_OK && i < all->count; i++) {
        fk_error cause = {0};
        code = purge_one(store, all->rows[i].trash_id, list, &cause);
        if (code == FK_E_RUN_NOT_FOUND || code == FK_E_FONT_NOT_FOUND) {
            code = FK_OK; /* somebody else was faster */
        } else if (code != FK_OK && err != NULL) {
            *err = cause;
        }
    }
    return code;
}

fk_code fk_purge(fk_store *store, const char *trash_id, fk_trash_list **ret_purged, fk_error *err) {
    FK_SCOPED(fk_trash_list_destroyp) fk_trash_list *list = calloc(1, sizeof *list);
    if (list == NULL) {
        return fk_error_no_memory(err);
    }
    fk_code code =
        trash_id == NULL ? purge_all(store, list, err) : purge_one(store, trash_id, list, err);
    if (code == FK_OK) {
        *ret_purged = fk_take(list);
    }
    return code;
}
