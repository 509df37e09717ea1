#include "store/trash/settle.h"

#include <string.h>

#include "base/cleanup.h"
#include "os/directory.h"
#include "store/names/run_id.h"
#include "store/trash/exchange.h"
#include "store/trash/unpublished.h"

static fk_code remove_unpublished(fk_store *store, const fk_runs_directory *where,
                                  const fk_run_id *run_id, fk_error *err) {
    FK_SCOPED(fk_names_finish) fk_names names = {0};
    fk_code code = fk_directory_list(where->runs, where->path, &names, err);
    for (size_t i = 0; code == FK_OK && i < names.count; i++) {
        fk_trash_name name;
        fk_run_id id;
        bool removed = false;
        if (fk_trash_name_parse(names.names[i], &name) &&
            fk_run_id_parse(name.subject, &id, NULL, NULL) && strcmp(id.text, run_id->text) == 0) {
            code = fk_unpublished_remove(store, where->runs, where->path, where->font_id.text,
                                         &name, &removed, err);
        }
    }
    return code;
}

fk_code fk_settle_run(fk_store *store, const fk_runs_directory *where, const fk_scan_run *place,
                      fk_run_lock *ret_lock, fk_error *err) {
    FK_SCOPED(fk_run_lock_release) fk_run_lock lock = FK_RUN_LOCK_FREE;
    bool placed = false;
    fk_code code = fk_run_lock_take(where->runs, where->path, place->directory.text, &lock, err);
    if (code == FK_OK) {
        code = fk_exchange_finish(where->runs, place->directory.text, &placed, err);
    }
    if (code == FK_OK) {
        code = remove_unpublished(store, where, &place->id, err);
    }
    if (code == FK_OK) {
        *ret_lock = lock;
        lock = FK_RUN_LOCK_FREE;
    }
    return code;
}
