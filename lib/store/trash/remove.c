/* fk_rm: a run or a font goes to the trash by one rename. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "os/directory.h"
#include "os/file.h"
#include "store/handle/handle.h"
#include "store/handle/not_durable.h"
#include "store/handle/runs_directory.h"
#include "store/run/resolve.h"
#include "store/trash/settle.h"
#include "store/trash/trash.h"

/* The entry that a rename made, and that the rename is durable. */
static fk_code conclude(fk_store *store, int parent, const char *path, const fk_trash_name *name,
                        const char *font_id, const char *run_id, fk_trash_entry *ret_entry,
                        fk_error *err) {
    fk_error cause = {0};
    fk_code code = FK_OK;
    if (store->durability == FK_DURABILITY_FULL) {
        code = fk_file_sync(parent, ".", &cause);
    }
    fk_trash_describe(parent, name, font_id, run_id, ret_entry);
    return code == FK_OK
               ? FK_OK
               : fk_not_durable(path, &cause, err, "'%s' is in the trash", ret_entry->trash_id);
}

/* ---- a run -------------------------------------------------------------------------------- */

static fk_code gone_meanwhile(const fk_runs_directory *where, const char *run_id, fk_error *err) {
    fk_error_set(err, FK_E_RUN_NOT_FOUND, "run '%s' of font '%s' is gone", run_id,
                 where->font_id.text);
    fk_error_hint(err, "another process removed it just now: look into the trash");
    return FK_E_RUN_NOT_FOUND;
}

static fk_code remove_run(fk_store *store, const fk_runs_directory *where, const char *run_id,
                          fk_trash_entry *ret_entry, fk_error *err) {
    FK_SCOPED(fk_run_lock_release) fk_run_lock lock = FK_RUN_LOCK_FREE;
    fk_scan_run place;
    fk_trash_name name;
    fk_error cause = {0};
    fk_code code = fk_resolve_in(store, where, run_id, &place, err);
    if (code == FK_OK) {
        code = fk_settle_run(store, where, &place, &lock, err);
    }
    if (code != FK_OK) {
        return code;
    }
    const char *directory = place.directory.text;
    code = fk_trash_move(where->runs, where->path, directory, directory, 0, &name, &cause);
    if (code == FK_E_IO && cause.system_errno == ENOENT) {
        return gone_meanwhile(where, place.id.text, err);
    }
    if (code != FK_OK) {
        if (err != NULL) {
            *err = cause;
        }
        return code;
    }
    return conclude(store, where->runs, where->path, &name, where->font_id.text, place.id.text,
                    ret_entry, err);
}

static fk_code remove_run_of(fk_store *store, const char *font_id, const char *run_id,
                             fk_trash_entry *ret_entry, fk_error *err) {
    fk_runs_directory where = FK_RUNS_DIRECTORY_CLOSED;
    fk_code code = fk_runs_directory_open(store, font_id, false, &where, err);
    if (code == FK_OK) {
        code = remove_run(store, &where, run_id, ret_entry, err);
    }
    fk_runs_directory_close(&where);
    return code;
}

/* ---- a font ------------------------------------------------------------------------------- */

static fk_code remove_font(fk_store *store, const char *font_id, fk_trash_entry *ret_entry,
                           fk_error *err) {
    FK_SCOPED(fk_file_closep) int root = -1;
    FK_SCOPED(fk_file_closep) int font = -1;
    fk_trash_name name;
    fk_code code = fk_store_open_root(store, &root, err);
    if (code == FK_OK) {
        code = fk_store_open_font(store, root, font_id, &font, err);
    }
    if (code == FK_OK) {
        code = fk_trash_move(root, store->path, font_id, font_id, 0, &name, err);
    }
    return code == FK_OK ? conclude(store, root, store->path, &name, font_id, "", ret_entry, err)
                         : code;
}

fk_code fk_rm(fk_store *store, const char *font_id, const char *run_id, fk_trash_entry *ret_entry,
              fk_error *err) {
    return run_id == NULL ? remove_font(store, font_id, ret_entry, err)
                          : remove_run_of(store, font_id, run_id, ret_entry, err);
}
