/* fk_migrate: weights of version v0 become v1. */
#include <string.h>

#include "base/buffer.h"
#include "checkpoint/torch_read.h"
#include "os/file.h"
#include "os/map.h"
#include "store/change/adopt.h"
#include "store/change/change.h"
#include "store/load/load.h"
#include "store/manifest/weights.h"
#include "store/names/layout.h"
#include "store/save/draft_weights.h"
#include "value/compare.h"
#include "value/values.h"

/* ---- the check ---------------------------------------------------------------------------- */

static fk_code differs(const char *path, fk_error *err) {
    fk_error_set(err, FK_E_CORRUPT,
                 "the weights that were written differ from the old ones at '%s'", path);
    fk_error_path(err, FK_WEIGHTS_FILE);
    fk_error_hint(err, "check memory and disk; the run was left as it was");
    return FK_E_CORRUPT;
}

static fk_code compare(const char *name, const fk_value *old, const fk_value *fresh,
                       fk_error *err) {
    FK_SCOPED(fk_buffer_finish) fk_buffer path = {0};
    bool equal = false;
    if (old == NULL || fresh == NULL) {
        return old == fresh ? FK_OK : differs(name, err);
    }
    if (!fk_buffer_append_text(&path, name)) {
        return fk_error_no_memory(err);
    }
    fk_code code = fk_value_compare(old, fresh, &equal, &path, err);
    return code == FK_OK && !equal ? differs((const char *)path.bytes, err) : code;
}

/* Reads the new weights back from the stage. L1: `values` look into `map`. */
static fk_code check_written(fk_draft *draft, const fk_value *model, const fk_value *vector,
                             fk_error *err) {
    FK_SCOPED(fk_map_finish) fk_map map = {0};
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    FK_SCOPED(fk_file_closep) int fd = -1;
    struct stat status;
    fk_value *top = NULL;
    fk_weights fresh = {0};
    if (values == NULL) {
        return fk_error_no_memory(err);
    }
    fk_code code = fk_file_open(draft->stage.directory, FK_WEIGHTS_FILE, &fd, &status, err);
    if (code == FK_OK) {
        code = fk_map_file(fd, (size_t)status.st_size, FK_WEIGHTS_FILE, &map, err);
    }
    if (code == FK_OK) {
        code = fk_torch_read(map.data, map.bytes, FK_READ_CHECK_CRC, values, &top, err);
    }
    if (code == FK_OK) {
        code = fk_weights_unwrap(top, &fresh, err);
    }
    if (code == FK_OK) {
        code = compare("model", model, fresh.model, err);
    }
    return code == FK_OK ? compare("personality_vector", vector, fresh.personality_vector, err)
                         : code;
}

/* ---- a run -------------------------------------------------------------------------------- */

static fk_code write_weights(fk_generation *it, const fk_value *model, const fk_value *vector,
                             fk_error *err) {
    FK_SCOPED(fk_weights_plan_destroyp) fk_weights_plan *plan = NULL;
    fk_code code = fk_weights_plan_create(it->store, model, vector, NULL, &plan, err);
    if (code == FK_OK) {
        code = fk_draft_set_planned_weights(it->draft, plan, err);
    }
    return code == FK_OK ? check_written(it->draft, model, vector, err) : code;
}

/* Unless the manifest says that there is nothing to do; without one, the weights themselves tell.
 */
static bool may_be_old(const fk_run *run) {
    const char *version = run->info.weights_version;
    bool without = run->manifest == FK_RUN_MANIFEST_GOOD && !run->info.has_weights;
    bool fresh = version != NULL && strcmp(version, FK_WEIGHTS_VERSION) == 0;
    return run->weights_name != NULL && !without && !fresh;
}

static fk_code fill(void *user, fk_generation *it, fk_change_list *changes, bool *ret_needed,
                    fk_error *err) {
    const fk_value *vector = user;
    FK_SCOPED(fk_loaded_destroyp) fk_loaded *loaded = NULL;
    const fk_load_options options = {.size = sizeof options};
    *ret_needed = false;
    if (!may_be_old(it->run)) {
        return FK_OK;
    }
    fk_code code = fk_run_load_weights(it->source, &options, &loaded, err);
    if (code != FK_OK || strcmp(loaded->weights.version, "v0") != 0) {
        return code;
    }
    *ret_needed = true;
    if (it->run->manifest == FK_RUN_MANIFEST_NONE) {
        code = fk_adopt_fill(it, false, changes, err);
    }
    if (code == FK_OK) {
        code = write_weights(it, loaded->weights.model, vector, err);
    }
    return code == FK_OK ? fk_change_note(changes, FK_WEIGHTS_FILE, err) : code;
}

static fk_code check_vector(const fk_value *vector, fk_error *err) {
    if (vector == NULL || fk_value_kind(vector) == FK_KIND_TENSOR) {
        return FK_OK;
    }
    fk_error_set(err, FK_E_INVALID, "the personality vector is of kind %s, not a tensor",
                 fk_kind_name(fk_value_kind(vector)));
    fk_error_hint(err, "give a tensor of any shape");
    return FK_E_INVALID;
}

fk_code fk_migrate(fk_store *store, const char *font_id, const char *run_id,
                   const fk_value *personality_vector, fk_progress progress, void *progress_user,
                   fk_change_list **ret_changes, fk_error *err) {
    FK_SCOPED(fk_change_list_destroyp) fk_change_list *changes = NULL;
    const fk_changer changer = {.concerns = may_be_old,
                                .fill = fill,
                                .user = (void *)(uintptr_t)personality_vector,
                                .progress = progress,
                                .progress_user = progress_user};
    fk_code code = check_vector(personality_vector, err);
    if (code == FK_OK) {
        code = fk_change_list_create(&changes, err);
    }
    if (code == FK_OK && run_id == NULL) {
        code = fk_change_font(changes, store, font_id, &changer, err);
    } else if (code == FK_OK) {
        code = fk_change_run(changes, store, font_id, run_id, &changer, err);
    }
    if (code == FK_OK || code == FK_E_NOT_DURABLE) {
        *ret_changes = fk_take(changes);
    }
    return code;
}
