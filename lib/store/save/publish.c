/* The commit protocol. Up to the rename a failure means "not saved, the store is as it was"; behind
 * it only "saved, maybe not durable" is left (I2). Nothing is synced again after a failed sync. */
#include "store/save/publish.h"

#include <string.h>

#include "os/clock.h"
#include "os/file.h"
#include "store/handle/not_durable.h"
#include "store/names/run_id.h"
#include "store/names/scan.h"
#include "store/save/draft_manifest.h"

/* Rounds against others who take each id first; each round somebody's save succeeds. */
enum { ROUNDS_MAX = 10000 };

/* ---- the id ------------------------------------------------------------------------------- */

/* The newest id from a scan of runs/. The look before it stands for what the scan has seen at
 * least. */
static fk_code scan_newest(fk_draft *draft, bool *ret_has_newest, fk_run_id *ret_newest,
                           fk_error *err) {
    FK_SCOPED(fk_scan_finish) fk_scan scan = {0};
    fk_runs_stamp_take(draft->where.runs, &draft->stamp);
    fk_code code = fk_scan_runs(draft->where.runs, draft->where.path, &scan, err);
    if (code != FK_OK) {
        return code;
    }
    fk_font_memory_note(draft->store, draft->memory, scan.has_newest ? &scan.newest : NULL,
                        &draft->stamp);
    fk_font_memory_recall(draft->store, draft->memory, &draft->stamp, ret_has_newest, ret_newest);
    return FK_OK;
}

/* Whether runs/ is as it was when we last looked. */
static bool is_unchanged(const fk_draft *draft) {
    fk_runs_stamp now;
    fk_runs_stamp_take(draft->where.runs, &now);
    return fk_runs_stamp_equal(&now, &draft->stamp);
}

static fk_code choose_id(fk_draft *draft, int64_t now_us, fk_run_id *ret_id, fk_error *err) {
    bool has_newest = false;
    fk_run_id newest;
    fk_code code = FK_OK;
    if (draft->newest_known && is_unchanged(draft)) {
        fk_font_memory_recall(draft->store, draft->memory, &draft->stamp, &has_newest, &newest);
    } else {
        code = scan_newest(draft, &has_newest, &newest, err);
    }
    return code == FK_OK ? fk_run_id_next(now_us, has_newest ? &newest : NULL, ret_id, err) : code;
}

/* `taken` exists, whatever it is: the next id is above it and above all that a fresh scan sees. */
static fk_code choose_id_above(fk_draft *draft, int64_t now_us, const fk_run_id *taken,
                               fk_run_id *ret_id, fk_error *err) {
    bool has_newest = false;
    fk_run_id newest;
    fk_code code = scan_newest(draft, &has_newest, &newest, err);
    if (code != FK_OK) {
        return code;
    }
    bool above = has_newest && strcmp(newest.text, taken->text) > 0;
    return fk_run_id_next(now_us, above ? &newest : taken, ret_id, err);
}

/* ---- the rename --------------------------------------------------------------------------- */

/* The directory is named by the twin where the file system refuses ':'. */
static fk_code publish_as(fk_draft *draft, const fk_run_id *id, bool *ret_taken, fk_error *err) {
    fk_run_id name = *id;
    if (draft->names_refuse_colon) {
        fk_run_id_twin(id, &name);
    }
    return fk_stage_publish(&draft->stage, name.text, ret_taken, err);
}

/* A taken id: the next from a fresh scan, a new manifest, it and the stage synced, renamed again.
 */
static fk_code publish_stage(fk_draft *draft, int64_t now_us, fk_run_id *id, fk_error *err) {
    bool taken = true;
    for (int round = 0; round < ROUNDS_MAX; round++) {
        draft->newest_known = is_unchanged(draft);
        fk_code code = publish_as(draft, id, &taken, err);
        if (code != FK_OK || !taken) {
            return code;
        }
        fk_run_id taken_id = *id;
        code = choose_id_above(draft, now_us, &taken_id, id, err);
        if (code == FK_OK) {
            code = fk_draft_replace_manifest(draft, id, now_us, err);
        }
        if (code == FK_OK) {
            code = fk_stage_sync(&draft->stage, err);
        }
        if (code != FK_OK) {
            return code;
        }
    }
    fk_error_set(err, FK_E_BUSY, "others took each of %d run ids first", ROUNDS_MAX);
    fk_error_hint(err, "try again");
    fk_error_path(err, draft->where.path);
    return FK_E_BUSY;
}

/* ---- the last sync ------------------------------------------------------------------------ */

/* The run is visible. Makes its name durable, lets go of the lock, and remembers how runs/ looks
 * with this id as its newest, if nobody else changed it meanwhile. */
static fk_code settle(fk_draft *draft, const fk_run_id *id, fk_error *err) {
    fk_error cause = {0};
    fk_code code = FK_OK;
    fk_runs_stamp_take(draft->where.runs, &draft->stamp);
    if (draft->stage.durable) {
        code = fk_file_sync(draft->where.runs, draft->where.path, &cause);
    }
    bool alone = draft->newest_known && is_unchanged(draft);
    fk_stage_release(&draft->stage);
    fk_runs_stamp_take(draft->where.runs, &draft->stamp);
    draft->stamp.known = draft->stamp.known && alone;
    fk_font_memory_note(draft->store, draft->memory, id, &draft->stamp);
    return code == FK_OK
               ? FK_OK
               : fk_not_durable(draft->where.path, &cause, err, "run '%s' of font '%s' is saved",
                                id->text, draft->where.font_id.text);
}

/* Everything is synced and nothing visible: the last moment at which the caller can stop it. */
static fk_code ask_to_go_on(fk_draft *draft, fk_error *err) {
    uint64_t bytes = draft->weights_bytes;
    if (draft->progress == NULL || draft->progress(bytes, bytes, draft->progress_user) == 0) {
        return FK_OK;
    }
    return fk_error_set(err, FK_E_CANCELLED, "cancelled before the run appeared");
}

/* ---- the protocol ------------------------------------------------------------------------- */

fk_code fk_publish_sync_font(fk_draft *draft, fk_error *err) {
    bool made = draft->where.made_font || draft->where.made_runs;
    if (!draft->stage.durable ||
        (!made && fk_font_memory_is_marked(draft->store, &draft->memory->synced))) {
        return FK_OK;
    }
    fk_code code = fk_runs_directory_sync(&draft->where, err);
    if (code == FK_OK) {
        fk_font_memory_mark(draft->store, &draft->memory->synced);
    }
    return code;
}

fk_code fk_publish_draft(fk_draft *draft, fk_run_id *ret_run_id, fk_error *err) {
    fk_run_id id;
    int64_t now_us = fk_clock_now_us();
    fk_code code = choose_id(draft, now_us, &id, err);
    if (code == FK_OK) {
        code = fk_draft_write_manifest(draft, &id, now_us, err);
    }
    if (code == FK_OK) {
        code = fk_stage_sync(&draft->stage, err);
    }
    if (code == FK_OK) {
        code = fk_publish_sync_font(draft, err);
    }
    if (code == FK_OK) {
        code = ask_to_go_on(draft, err);
    }
    if (code == FK_OK) {
        code = fk_runs_directory_check(&draft->where, err);
    }
    if (code == FK_OK) {
        code = publish_stage(draft, now_us, &id, err);
    }
    if (code != FK_OK) {
        return code;
    }
    *ret_run_id = id;
    return settle(draft, &id, err);
}
