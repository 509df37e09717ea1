#include "store/trash/exchange.h"

#include <stdio.h>
#include <sys/stat.h>

#include "os/directory.h"
#include "os/file.h"
#include "store/handle/not_durable.h"
#include "store/names/layout.h"

enum { STAGE_BYTES = 80 };

static void name_stage(const char *directory, char into[STAGE_BYTES]) {
    snprintf(into, STAGE_BYTES, FK_STAGE_PREFIX "%s", directory);
}

static fk_code busy(const fk_exchange *it, fk_error *err) {
    fk_error_set(err, FK_E_BUSY, "another process changed run '%s' at the same moment",
                 it->directory);
    fk_error_hint(err, "try again");
    return FK_E_BUSY;
}

/* What came into the trash must be what was to be replaced (I6). */
static fk_code check_replaced(const fk_exchange *it, fk_error *err) {
    bool is = false;
    fk_code code = fk_file_is_at(it->replaced, it->runs, it->entry, &is, err);
    return code == FK_OK && !is ? busy(it, err) : code;
}

/* A rename to a name that must be free. */
static fk_code move(const fk_exchange *it, const char *from, const char *to, fk_error *err) {
    bool taken = false;
    fk_code code = fk_directory_publish(it->runs, from, to, &taken, err);
    return code == FK_OK && taken ? busy(it, err) : code;
}

static fk_code sync_runs(const fk_exchange *it, fk_error *err) {
    return it->durable ? fk_file_sync(it->runs, ".", err) : FK_OK;
}

/* ---- two renames -------------------------------------------------------------------------- */

/* The stage's name is durable before the run leaves its place: so that whatever happens between the
 * two renames, the sweep finds a stage to put there. */
static fk_code make_stage(const fk_exchange *it, const char *stage, fk_error *err) {
    fk_code code = move(it, it->entry, stage, err);
    if (code == FK_OK) {
        code = sync_runs(it, err);
        if (code != FK_OK) {
            (void)move(it, stage, it->entry, NULL);
        }
    }
    return code;
}

static fk_code put_run_away(const fk_exchange *it, const char *stage, fk_error *err) {
    fk_code code = move(it, it->directory, it->entry, err);
    bool moved = code == FK_OK;
    if (moved) {
        code = check_replaced(it, err);
    }
    if (code != FK_OK) {
        if (moved) {
            (void)move(it, it->entry, it->directory, NULL);
        }
        (void)move(it, stage, it->entry, NULL);
    }
    return code;
}

/* From the first sync that fails on, nothing is synced again: `*ret_unsynced` tells why. */
static fk_code put_stage_in_place(const fk_exchange *it, const char *stage, fk_error *ret_unsynced,
                                  fk_error *err) {
    fk_code unsynced = sync_runs(it, ret_unsynced);
    fk_code code = move(it, stage, it->directory, err);
    if (code != FK_OK) {
        (void)move(it, it->entry, it->directory, NULL);
        (void)move(it, stage, it->entry, NULL);
        return code;
    }
    if (unsynced == FK_OK) {
        unsynced = sync_runs(it, ret_unsynced);
    }
    return unsynced == FK_OK ? FK_OK : FK_E_NOT_DURABLE;
}

static fk_code rename_twice(const fk_exchange *it, fk_error *ret_unsynced, fk_error *err) {
    char stage[STAGE_BYTES];
    name_stage(it->directory, stage);
    fk_code code = make_stage(it, stage, err);
    if (code == FK_OK) {
        code = put_run_away(it, stage, err);
    }
    return code == FK_OK ? put_stage_in_place(it, stage, ret_unsynced, err) : code;
}

/* ---- the exchange ------------------------------------------------------------------------- */

/* The new generation stays, though it may stand in the place of another than it was made for. */
static fk_code cannot_undo(const fk_exchange *it, const fk_error *why, fk_error *err) {
    if (why->code == FK_E_BUSY) {
        fk_error_set(err, FK_E_NOT_DURABLE,
                     "run '%s' has a new generation in the place of one that another process made "
                     "at the same moment, and that cannot be put back: it is '%s' now",
                     it->directory, it->entry);
    } else {
        fk_error_set(err, FK_E_NOT_DURABLE,
                     "run '%s' has a new generation; what that replaced can neither be looked at "
                     "(%s) nor put back: it is '%s' now",
                     it->directory, why->message, it->entry);
    }
    fk_error_hint(err, "keep the new generation, or restore the other one from the trash");
    fk_error_path(err, it->path);
    return FK_E_NOT_DURABLE;
}

static fk_code undo(const fk_exchange *it, const fk_error *why, fk_error *err) {
    bool unknown = false;
    if (fk_directory_exchange(it->runs, it->entry, it->directory, &unknown, NULL) != FK_OK) {
        return cannot_undo(it, why, err);
    }
    return fk_error_pass(err, why);
}

static fk_code exchange(const fk_exchange *it, fk_error *ret_unsynced, fk_error *err) {
    fk_error why = {0};
    bool unknown = false;
    fk_code code = fk_directory_exchange(it->runs, it->entry, it->directory, &unknown, err);
    if (code == FK_OK && unknown) {
        return rename_twice(it, ret_unsynced, err);
    }
    if (code != FK_OK) {
        return code;
    }
    if (check_replaced(it, &why) != FK_OK) {
        return undo(it, &why, err);
    }
    return sync_runs(it, ret_unsynced) == FK_OK ? FK_OK : FK_E_NOT_DURABLE;
}

fk_code fk_exchange_run(const fk_exchange *it, fk_error *err) {
    fk_error unsynced = {0};
    fk_code code = exchange(it, &unsynced, err);
    if (code == FK_E_NOT_DURABLE && unsynced.code != FK_OK) {
        return fk_not_durable(it->path, &unsynced, err, "run '%s' has a new generation",
                              it->directory);
    }
    if (code != FK_OK && code != FK_E_NOT_DURABLE) {
        fk_error_path_join(err, it->path);
    }
    return code;
}

fk_code fk_exchange_finish(int runs, const char *directory, bool *ret_placed, fk_error *err) {
    char stage[STAGE_BYTES];
    struct stat status;
    bool missing = false;
    bool taken = false;
    *ret_placed = false;
    name_stage(directory, stage);
    fk_code code = fk_file_look(runs, stage, &status, &missing, err);
    if (code != FK_OK || missing) {
        return code;
    }
    code = fk_directory_publish(runs, stage, directory, &taken, err);
    if (code == FK_OK && taken) {
        return fk_directory_remove(runs, stage, err);
    }
    *ret_placed = code == FK_OK;
    return code == FK_OK ? fk_file_sync(runs, ".", err) : code;
}
