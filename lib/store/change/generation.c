#include "store/change/generation.h"

#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/text.h"
#include "os/clock.h"
#include "os/file.h"
#include "store/change/carry.h"
#include "store/run/resolve.h"
#include "store/run/run_file.h"
#include "store/save/draft_manifest.h"
#include "store/save/publish.h"
#include "store/trash/exchange.h"
#include "store/trash/settle.h"
#include "store/trash/trash.h"

/* ---- making ------------------------------------------------------------------------------- */

void fk_generation_destroy(fk_generation *it) {
    if (it == NULL) {
        return;
    }
    fk_run_lock_release(&it->lock); /* while runs/ is open */
    fk_draft_destroy(it->draft);
    if (it->source != it->run) {
        fk_run_close(it->source);
    }
    fk_run_close(it->run);
    free(it);
}

static fk_code open_run(fk_store *store, const fk_runs_directory *where, const fk_scan_run *place,
                        fk_run **ret_run, fk_error *err) {
    fk_error cause = {0};
    fk_code code =
        fk_run_open_place(store, where->runs, where->font_id.text, place, ret_run, &cause);
    if (code == FK_E_IO && cause.system_errno == ENOENT) {
        fk_error_set(err, FK_E_RUN_NOT_FOUND, "run '%s' of font '%s' is gone", place->id.text,
                     where->font_id.text);
        fk_error_hint(err, "another process removed it just now: look into the trash");
        return FK_E_RUN_NOT_FOUND;
    }
    if (code != FK_OK && err != NULL) {
        *err = cause;
    }
    return code;
}

/* The number of the new generation: above both. A run without a manifest counts as 0. */
static uint64_t next_number(const fk_run *run, const fk_run *source) {
    uint64_t live = run->manifest == FK_RUN_MANIFEST_GOOD ? run->info.generation : 0;
    uint64_t other = source->manifest == FK_RUN_MANIFEST_GOOD ? source->info.generation : 0;
    return (live > other ? live : other) + 1;
}

/* Run and source are open; `where` goes to the draft. */
static fk_code make_draft(fk_generation *it, fk_runs_directory *where, fk_error *err) {
    fk_code code = fk_draft_create_from_run(it->store, where, it->source, &it->draft, err);
    if (code == FK_OK) {
        it->draft->generation = next_number(it->run, it->source);
    }
    return code;
}

static fk_generation *new_generation(fk_store *store) {
    fk_generation *it = calloc(1, sizeof *it);
    if (it != NULL) {
        *it = (fk_generation){.store = store, .lock = FK_RUN_LOCK_FREE};
    }
    return it;
}

/* From names to a place, then under its lock. */
static fk_code enter(fk_generation *it, fk_runs_directory *where, const char *run_id,
                     fk_error *err) {
    fk_scan_run place;
    fk_code code = fk_resolve_in(it->store, where, run_id, &place, err);
    if (code == FK_OK) {
        code = fk_settle_run(it->store, where, &place, &it->lock, err);
    }
    if (code == FK_OK) {
        code = open_run(it->store, where, &place, &it->run, err);
    }
    if (code == FK_OK) {
        it->source = it->run;
        code = fk_run_check_manifest(it->run, err);
    }
    return code == FK_OK ? make_draft(it, where, err) : code;
}

fk_code fk_generation_create(fk_store *store, const char *font_id, const char *run_id,
                             fk_generation **ret_generation, fk_error *err) {
    fk_runs_directory where = FK_RUNS_DIRECTORY_CLOSED;
    FK_SCOPED(fk_generation_destroyp) fk_generation *it = new_generation(store);
    if (it == NULL) {
        return fk_error_no_memory(err);
    }
    fk_code code = fk_runs_directory_open(store, font_id, false, &where, err);
    if (code == FK_OK) {
        code = enter(it, &where, run_id, err);
    }
    if (code != FK_OK) {
        fk_run_lock_release(&it->lock);
        fk_runs_directory_close(&where);
        return code;
    }
    *ret_generation = fk_take(it);
    return FK_OK;
}

static fk_code enter_from_trash(fk_generation *it, fk_runs_directory *where,
                                const fk_scan_run *place, const char *entry, fk_error *err) {
    fk_scan_run trashed = {.id = place->id};
    fk_text_copy(trashed.directory.text, sizeof trashed.directory.text, entry);
    fk_code code = open_run(it->store, where, place, &it->run, err);
    if (code == FK_OK) {
        code = open_run(it->store, where, &trashed, &it->source, err);
    }
    if (code == FK_OK) {
        code = fk_run_check_manifest(it->source, err);
    }
    if (code == FK_OK) {
        code = fk_run_check_readable(it->run, err);
    }
    return code == FK_OK ? make_draft(it, where, err) : code;
}

fk_code fk_generation_create_from_trash(fk_store *store, fk_runs_directory *where,
                                        fk_run_lock *lock, const fk_scan_run *place,
                                        const char *entry, fk_generation **ret_generation,
                                        fk_error *err) {
    FK_SCOPED(fk_generation_destroyp) fk_generation *it = new_generation(store);
    fk_code code = FK_OK;
    if (it == NULL) {
        code = fk_error_no_memory(err);
    } else {
        it->lock = *lock;
        *lock = FK_RUN_LOCK_FREE;
        code = enter_from_trash(it, where, place, entry, err);
    }
    if (code != FK_OK) {
        fk_run_lock_release(it == NULL ? lock : &it->lock);
        fk_runs_directory_close(where);
        return code;
    }
    *ret_generation = fk_take(it);
    return FK_OK;
}

/* ---- reading ------------------------------------------------------------------------------ */

fk_code fk_generation_read_file(const fk_generation *it, const char *path, void **ret_bytes,
                                size_t *ret_length, fk_error *err) {
    const fk_run_file *listed = fk_run_find_file(&it->source->info, path);
    if (!fk_manifest_files_have(&it->draft->files, path)) {
        return fk_run_file_read(it->source, path, listed, ret_bytes, ret_length, err);
    }
    FK_SCOPED(fk_file_closep) int fd = -1;
    fk_code code = fk_file_open(it->draft->stage.directory, path, &fd, NULL, err);
    return code == FK_OK
               ? fk_file_read_whole(fd, FK_LIMIT_PNG_BYTES, path, ret_bytes, ret_length, err)
               : code;
}

/* ---- publishing --------------------------------------------------------------------------- */

/* What the disk said, or that somebody else removed the run. */
static fk_code pass_on(const fk_generation *it, fk_code code, const fk_error *cause,
                       fk_error *err) {
    if (code == FK_E_IO && cause->system_errno == ENOENT) {
        fk_error_set(err, FK_E_RUN_NOT_FOUND, "run '%s' of font '%s' was removed meanwhile",
                     it->run->place.id.text, it->draft->where.font_id.text);
        fk_error_path(err, it->run->info.path);
        fk_error_hint(err, "look into the trash");
        return FK_E_RUN_NOT_FOUND;
    }
    return code == FK_OK ? FK_OK : fk_error_pass(err, cause);
}

static fk_code carry(fk_generation *it, fk_error *err) {
    fk_error cause = {0};
    fk_code code = fk_carry_rest(it->draft, it->source, &cause);
    return pass_on(it, code, &cause, err);
}

static fk_code write_and_sync(fk_generation *it, fk_error *err) {
    fk_draft *draft = it->draft;
    fk_code code = carry(it, err);
    if (code == FK_OK && draft->status == FK_COMPLETED) {
        code = fk_stage_make_glyphs(&draft->stage, err);
    }
    if (code == FK_OK) {
        code = fk_draft_write_manifest(draft, &it->run->place.id, fk_clock_now_us(), err);
    }
    if (code == FK_OK) {
        code = fk_stage_sync(&draft->stage, err);
    }
    return code == FK_OK ? fk_publish_sync_font(draft, err) : code;
}

/* The stage becomes an entry of the trash, durably: a crash from here on leaves a whole generation
 * that was never published, or, behind the exchange, the old one. Its number is the generation's
 * where that is free (unpublished.h). */
static fk_code put_beside(fk_generation *it, fk_trash_name *ret_name, fk_error *err) {
    fk_stage *stage = &it->draft->stage;
    const fk_runs_directory *where = &it->draft->where;
    uint64_t generation = it->draft->generation;
    uint32_t preferred = generation <= FK_TRASH_NUMBER_MAX ? (uint32_t)generation : 0;
    fk_code code = fk_trash_move(where->runs, where->path, stage->name,
                                 it->run->place.directory.text, preferred, ret_name, err);
    if (code != FK_OK) {
        return code;
    }
    fk_stage_hand_over(stage);
    if (stage->durable) {
        code = fk_file_sync(where->runs, where->path, err);
    }
    return code;
}

static fk_code change_places(fk_generation *it, const char *entry, fk_error *err) {
    const fk_runs_directory *where = &it->draft->where;
    const fk_exchange exchange = {
        .runs = where->runs,
        .path = where->path,
        .directory = it->run->place.directory.text,
        .entry = entry,
        .replaced = it->run->directory,
        .durable = it->draft->stage.durable,
    };
    fk_error cause = {0};
    fk_code code = fk_exchange_run(&exchange, &cause);
    return pass_on(it, code, &cause, err);
}

fk_code fk_generation_publish(fk_generation *it, fk_error *err) {
    fk_stage *stage = &it->draft->stage;
    fk_trash_name name;
    char entry[FK_TRASH_NAME_BYTES];
    fk_code code = write_and_sync(it, err);
    it->draft->finished = true;
    if (code == FK_OK) {
        code = fk_runs_directory_check(&it->draft->where, err);
    }
    if (code != FK_OK) {
        return code;
    }
    code = put_beside(it, &name, err);
    if (stage->on_disk) {
        return code;
    }
    fk_trash_name_format(&name, entry);
    if (code == FK_OK) {
        code = change_places(it, entry, err);
    }
    if (code == FK_OK || code == FK_E_NOT_DURABLE) {
        fk_stage_release(stage);
        fk_draft_identify_store(it->draft);
    } else {
        fk_stage_take_back(stage, entry);
    }
    return code;
}
