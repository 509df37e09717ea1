#include "store/save/draft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "fontkeep/time.h"
#include "os/clock.h"
#include "store/handle/options.h"
#include "store/names/font_id.h"
#include "store/names/layout.h"
#include "store/names/run_id.h"
#include "store/save/publish.h"
#include "store/trash/sweep.h"
#include "value/values.h"
#include "json/json.h"

/* ---- what a run says about itself --------------------------------------------------------- */

static fk_code check_time(int64_t time_us, const char *name, fk_error *err) {
    char text[FK_TIME_BYTES];
    return fk_time_format(time_us, text)
               ? FK_OK
               : fk_error_set(err, FK_E_INVALID, "%s is outside the years 1 to 9999", name);
}

/* An id must come of it. */
static fk_code check_clock(fk_error *err) {
    fk_code code = check_time(fk_clock_now_us(), "the system's clock", err);
    if (code != FK_OK) {
        fk_error_hint(err, "set the system's clock");
    }
    return code;
}

static fk_code check_training(const fk_value *training, fk_error *err) {
    fk_kind kind = fk_value_kind(training);
    if (kind != FK_KIND_DICT && kind != FK_KIND_ORDERED_DICT) {
        fk_error_set(err, FK_E_INVALID, "training is of kind %s, not a dict", fk_kind_name(kind));
        fk_error_hint(err, "give the training parameters as a dict");
        return FK_E_INVALID;
    }
    FK_SCOPED(fk_buffer_finish) fk_buffer text = {0};
    return fk_json_append_member(&text, "training", training, err);
}

static fk_code check_parent(const char *parent_run_id, fk_error *err) {
    fk_run_id id;
    if (fk_run_id_parse(parent_run_id, &id, NULL, NULL)) {
        return FK_OK;
    }
    fk_error_set(err, FK_E_INVALID, "parent '%s' is no run id", parent_run_id);
    fk_error_hint(err, "give a full run id, such as 2026-01-11T08:30:00.000000");
    return FK_E_INVALID;
}

fk_code fk_draft_check_metadata(const fk_run_metadata *given, fk_run_metadata *ret_metadata,
                                fk_error *err) {
    fk_run_metadata metadata = {0};
    fk_code code = fk_options_copy(&metadata, sizeof metadata, given, "fk_run_metadata", err);
    if (code == FK_OK && metadata.status != FK_COMPLETED && metadata.status != FK_FAILED &&
        metadata.status != FK_INTERRUPTED) {
        code =
            fk_error_set(err, FK_E_INVALID, "status %d is none of completed, failed, interrupted",
                         (int)metadata.status);
    }
    if (code == FK_OK) {
        code = check_time(metadata.started_at_us, "started_at", err);
    }
    if (code == FK_OK) {
        code = check_time(metadata.ended_at_us, "ended_at", err);
    }
    if (code == FK_OK && metadata.training != NULL) {
        code = check_training(metadata.training, err);
    }
    if (code == FK_OK && metadata.parent_run_id != NULL) {
        code = check_parent(metadata.parent_run_id, err);
    }
    if (code == FK_OK) {
        *ret_metadata = metadata;
    }
    return code;
}

static fk_code take_metadata(fk_draft *draft, const fk_run_metadata *metadata, fk_error *err) {
    draft->status = metadata->status;
    draft->started_at_us =
        metadata->started_at_us != 0 ? metadata->started_at_us : fk_clock_now_us();
    draft->ended_at_us = metadata->ended_at_us;
    draft->progress = metadata->progress;
    draft->progress_user = metadata->progress_user;
    if (metadata->parent_run_id != NULL) {
        draft->has_parent =
            fk_run_id_parse(metadata->parent_run_id, &draft->parent_run_id, NULL, NULL);
    }
    if (metadata->training != NULL) {
        draft->training = fk_value_copy(draft->values, metadata->training);
        if (draft->training == NULL) {
            return fk_error_no_memory(err);
        }
    }
    return FK_OK;
}

/* ---- making ------------------------------------------------------------------------------- */

/* Once per open store and font: removes what killed savers left, and finds out which names runs/
 * takes, before anything large is written. */
static fk_code get_acquainted(fk_draft *draft, fk_error *err) {
    fk_store *store = draft->store;
    fk_font_memory *memory = draft->memory;
    if (!fk_font_memory_mark(store, &memory->swept)) {
        fk_sweep(draft->where.runs, draft->where.path, NULL, NULL, NULL);
    }
    if (!fk_font_memory_is_marked(store, &memory->names_known)) {
        bool refused = false;
        fk_code code = fk_runs_directory_probe_colon(&draft->where, &refused, err);
        if (code != FK_OK) {
            return code;
        }
        if (refused) {
            fk_font_memory_mark(store, &memory->names_refuse_colon);
        }
        fk_font_memory_mark(store, &memory->names_known);
    }
    draft->names_refuse_colon = fk_font_memory_is_marked(store, &memory->names_refuse_colon);
    return FK_OK;
}

/* Looks at runs/ before and after our stage came into it: when nobody else changed it since the
 * last save, commit need not scan it. */
static fk_code make_stage(fk_draft *draft, fk_error *err) {
    fk_store *store = draft->store;
    fk_runs_stamp before;
    bool has_newest = false;
    fk_run_id newest;
    fk_runs_stamp_take(draft->where.runs, &before);
    draft->memory = fk_font_memory_get(store, draft->where.font_id.text, &before);
    if (draft->memory == NULL) {
        return fk_error_no_memory(err);
    }
    draft->newest_known =
        fk_font_memory_recall(store, draft->memory, &before, &has_newest, &newest);
    fk_code code = get_acquainted(draft, err);
    if (code == FK_OK) {
        code = fk_stage_create(&draft->where, store->durability == FK_DURABILITY_FULL,
                               &draft->stage, err);
    }
    fk_runs_stamp_take(draft->where.runs, &draft->stamp);
    return code;
}

static fk_code enter(fk_draft *draft, const char *font_id, bool create_font, fk_error *err) {
    fk_code code = fk_runs_directory_open(draft->store, font_id, create_font, &draft->where, err);
    if (code == FK_OK) {
        code = make_stage(draft, err);
    }
    if (code != FK_OK) {
        fk_runs_directory_abandon(&draft->where);
        fk_runs_directory_close(&draft->where);
        draft->where = FK_RUNS_DIRECTORY_CLOSED;
    }
    return code;
}

/* Another save that failed may take the font it made away again, just when we stepped in. */
static fk_code enter_patiently(fk_draft *draft, const char *font_id, bool create_font,
                               fk_error *err) {
    fk_error cause = {0};
    fk_code code = enter(draft, font_id, create_font, &cause);
    for (unsigned retry = 0;
         code == FK_E_IO && cause.system_errno == ENOENT && create_font && retry < FK_LIMIT_RETRIES;
         retry++) {
        code = enter(draft, font_id, create_font, &cause);
    }
    if (code != FK_OK && err != NULL) {
        *err = cause;
    }
    return code;
}

static fk_draft *new_draft(fk_store *store) {
    fk_draft *draft = calloc(1, sizeof *draft);
    if (draft == NULL) {
        return NULL;
    }
    draft->store = store;
    draft->pid = fk_identity_pid();
    draft->generation = 1;
    draft->where = FK_RUNS_DIRECTORY_CLOSED;
    draft->stage = FK_STAGE_CLOSED;
    draft->values = fk_values_create();
    if (draft->values == NULL) {
        fk_draft_destroy(draft);
        return NULL;
    }
    return draft;
}

fk_code fk_draft_create(fk_store *store, const char *font_id, const fk_run_metadata *metadata,
                        fk_draft **ret_draft, fk_error *err) {
    fk_run_metadata checked = {0};
    FK_SCOPED(fk_draft_destroyp) fk_draft *draft = NULL;
    fk_code code = fk_font_id_check(font_id, err);
    if (code == FK_OK) {
        code = fk_draft_check_metadata(metadata, &checked, err);
    }
    if (code == FK_OK) {
        code = check_clock(err);
    }
    if (code != FK_OK) {
        return code;
    }
    draft = new_draft(store);
    if (draft == NULL) {
        return fk_error_no_memory(err);
    }
    code = take_metadata(draft, &checked, err);
    if (code == FK_OK) {
        code = enter_patiently(draft, font_id, !checked.no_create_font, err);
    }
    if (code == FK_OK) {
        *ret_draft = fk_take(draft);
    }
    return code;
}

/* Dtype and shape of the personality vector, as a tensor without elements. */
static fk_code take_personality(fk_draft *draft, const fk_run_info *info, fk_error *err) {
    if (!info->has_personality) {
        return FK_OK;
    }
    fk_tensor *tensor = fk_values_allocate(draft->values, sizeof *tensor);
    if (tensor == NULL) {
        return fk_error_no_memory(err);
    }
    *tensor = (fk_tensor){.dtype = info->personality_dtype,
                          .rank = (uint32_t)info->personality_rank,
                          .shape = info->personality_shape};
    draft->personality_vector = tensor;
    return FK_OK;
}

static fk_code take_info(fk_draft *draft, const fk_run_info *info, fk_error *err) {
    draft->status = info->status;
    draft->started_at_us = info->started_at_us;
    draft->ended_at_us = info->ended_at_us;
    draft->training = info->training;
    draft->metrics = info->metrics;
    draft->feedback_schema = info->feedback_schema;
    draft->weights_version = info->weights_version;
    draft->generation = info->generation;
    draft->others = info->manifest;
    if (info->parent_run_id != NULL) {
        draft->has_parent = fk_run_id_parse(info->parent_run_id, &draft->parent_run_id, NULL, NULL);
    }
    return take_personality(draft, info, err);
}

fk_code fk_draft_create_from_run(fk_store *store, fk_runs_directory *where, const fk_run *source,
                                 fk_draft **ret_draft, fk_error *err) {
    FK_SCOPED(fk_draft_destroyp) fk_draft *draft = new_draft(store);
    if (draft == NULL) {
        fk_runs_directory_close(where);
        return fk_error_no_memory(err);
    }
    draft->where = *where;
    *where = FK_RUNS_DIRECTORY_CLOSED;
    fk_code code = take_info(draft, &source->info, err);
    if (code == FK_OK) {
        code = make_stage(draft, err);
    }
    if (code == FK_OK) {
        *ret_draft = fk_take(draft);
    }
    return code;
}

void fk_draft_destroy(fk_draft *draft) {
    if (draft == NULL) {
        return;
    }
    if (draft->pid == fk_identity_pid()) { /* D3 */
        fk_stage_discard(&draft->stage);
        fk_runs_directory_abandon(&draft->where);
    }
    fk_stage_finish(&draft->stage);
    fk_runs_directory_close(&draft->where);
    fk_manifest_files_finish(&draft->files);
    fk_values_destroy(draft->values);
    free(draft);
}

/* ---- parts -------------------------------------------------------------------------------- */

fk_code fk_draft_check_open(const fk_draft *draft, bool is_set, const char *part, fk_error *err) {
    if (draft->pid != fk_identity_pid()) {
        fk_error_set(err, FK_E_USAGE, "the draft belongs to process %d", draft->pid);
        fk_error_hint(err, "make a draft of your own after fork");
    } else if (draft->finished) {
        fk_error_set(err, FK_E_USAGE, "the draft was committed already");
        fk_error_hint(err, "make a new draft");
    } else if (draft->broken) {
        fk_error_set(err, FK_E_USAGE, "the draft cannot go on: writing a part of it failed");
        fk_error_hint(err, "destroy it and make a new one");
    } else if (is_set) {
        fk_error_set(err, FK_E_USAGE, "the %s of this draft was set already", part);
        fk_error_hint(err, "set each part once");
    } else {
        return FK_OK;
    }
    return FK_E_USAGE;
}

fk_code fk_draft_written(fk_draft *draft, fk_code code) {
    if (code != FK_OK) {
        draft->broken = true;
    }
    return code;
}

fk_code fk_draft_write_file(fk_draft *draft, const char *path, const char *label, const void *from,
                            size_t bytes, fk_error *err) {
    fk_file_digests digests = {0};
    fk_code code = fk_stage_write(&draft->stage, path, from, bytes, &digests, err);
    if (code == FK_OK) {
        code = fk_manifest_files_add(&draft->files, path, label, &digests, err);
    }
    return fk_draft_written(draft, code);
}

/* ---- committing --------------------------------------------------------------------------- */

static fk_code check_complete(const fk_draft *draft, fk_error *err) {
    const char *missing[3];
    size_t count = 0;
    if (!draft->has_weights) {
        missing[count++] = "weights";
    }
    if (!draft->has_sample) {
        missing[count++] = "a sample";
    }
    if (!draft->has_feedback) {
        missing[count++] = "feedback";
    }
    if (draft->status != FK_COMPLETED || count == 0) {
        return FK_OK;
    }
    fk_error_set(err, FK_E_INVALID, "a completed run lacks %s%s%s%s%s", missing[0],
                 count > 2 ? ", " : "", count > 2 ? missing[1] : "", count > 1 ? " and " : "",
                 count > 1 ? missing[count - 1] : "");
    fk_error_hint(err, "set what is missing, or save the run as failed or interrupted");
    return FK_E_INVALID;
}

void fk_draft_identify_store(fk_draft *draft) {
    char store_id[37];
    if (!fk_font_memory_is_marked(draft->store, &draft->memory->identified) &&
        fk_store_ensure_identity(draft->store, draft->where.root, store_id, NULL) == FK_OK) {
        fk_font_memory_mark(draft->store, &draft->memory->identified);
    }
}

static fk_code publish(fk_draft *draft, fk_run_id *ret_run_id, fk_error *err) {
    fk_code code = check_complete(draft, err);
    if (code == FK_OK && draft->status == FK_COMPLETED) {
        code = fk_stage_make_glyphs(&draft->stage, err);
    }
    return code == FK_OK ? fk_publish_draft(draft, ret_run_id, err) : code;
}

fk_code fk_draft_commit(fk_draft *draft, fk_run_id *ret_run_id, fk_error *err) {
    fk_code code = fk_draft_check_open(draft, false, "", err);
    if (code != FK_OK) {
        return code;
    }
    draft->finished = true;
    code = publish(draft, ret_run_id, err);
    if (code == FK_OK || code == FK_E_NOT_DURABLE) {
        draft->where.made_font = false;
        draft->where.made_runs = false;
        fk_draft_identify_store(draft);
    } else {
        fk_stage_discard(&draft->stage);
        fk_runs_directory_abandon(&draft->where);
    }
    return code;
}
