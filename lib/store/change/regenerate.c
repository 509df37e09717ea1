/* fk_regenerate: images of a run that are missing or damaged are made anew. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "os/file.h"
#include "store/change/adopt.h"
#include "store/change/change.h"
#include "store/change/sample_sheet.h"
#include "store/handle/options.h"
#include "store/load/load.h"
#include "store/names/layout.h"
#include "store/run/run_file.h"
#include "store/save/draft_images.h"

/* The regeneration of one run. */
typedef struct regeneration {
    const fk_regenerate_options *options;
    fk_generation *generation;
    fk_change_list *changes;
    fk_watch watch;
    bool changed;
} regeneration;

/* ---- what is left as it is ---------------------------------------------------------------- */

static fk_code leave(regeneration *it, const char *path, bool missing, const char *why,
                     fk_error *err) {
    char message[1024];
    fk_problem problem = FK_PROBLEM(missing ? "missing" : "digest", path);
    snprintf(message, sizeof message, "'%s' is %s, and stays so: %s", path,
             missing ? "missing" : "damaged", why);
    problem.message = message;
    return fk_change_note_left(it->changes, &problem, err);
}

static fk_code leave_for_a_copy(regeneration *it, const char *path, bool missing, fk_error *err) {
    return leave(it, path, missing, "nothing can make it anew, restore it from a copy", err);
}

/* ---- drawing ------------------------------------------------------------------------------ */

static fk_code note_made(regeneration *it, const char *path, fk_error *err) {
    it->changed = true;
    return fk_change_note(it->changes, path, err);
}

enum { SUBJECT_BYTES = FK_LIMIT_LABEL_BYTES + 16 };

static const char *name_subject(const char *label, char into[SUBJECT_BYTES]) {
    snprintf(into, SUBJECT_BYTES, label == NULL ? "the sample" : "glyph '%s'", label);
    return into;
}

static fk_code refuse_drawing(const char *label, const fk_error *why, fk_error *err) {
    char subject[SUBJECT_BYTES];
    fk_error_set(err, why->code, "the image drawn for %s cannot be kept: %s",
                 name_subject(label, subject), why->message);
    fk_error_offset(err, why->offset);
    fk_error_path(err, why->path);
    fk_error_hint(err, "%s", why->hint);
    return why->code;
}

/* A renderer tells in its own words what is wrong, but not what only the store can know. */
static fk_code fail_drawing(const char *label, fk_code given, const fk_error *why, fk_error *err) {
    char subject[SUBJECT_BYTES];
    fk_code code = given == FK_E_BUSY || given == FK_E_NOT_DURABLE ? FK_E_INVALID : given;
    if (why->message[0] == '\0') {
        fk_error_set(err, code, "the renderer failed for %s", name_subject(label, subject));
    } else if (err != NULL) {
        *err = *why;
        err->code = code;
    }
    return code;
}

static fk_code render(regeneration *it, const char *label, const char *path, fk_error *err) {
    const fk_rendering wanted = {.label = label, .path = path, .run = it->generation->run};
    fk_image image = {0};
    fk_error why = {.offset = FK_NO_OFFSET};
    fk_code code = it->options->renderer(&wanted, &image, it->options->renderer_user, &why);
    if (code != FK_OK) {
        return fail_drawing(label, code, &why, err);
    }
    code = fk_image_check(&image, path, &why);
    if (code != FK_OK) {
        return refuse_drawing(label, &why, err);
    }
    code = fk_draft_write_image(it->generation->draft, path, label, &image, err);
    return code == FK_OK ? note_made(it, path, err) : code;
}

/* ---- the sample --------------------------------------------------------------------------- */

static fk_code draw_sheet(regeneration *it, bool missing, fk_error *err) {
    FK_SCOPED(fk_buffer_finish) fk_buffer png = {0};
    bool made = false;
    fk_code code = fk_sample_sheet_make(it->generation, &png, &made, err);
    if (code != FK_OK) {
        return code;
    }
    if (!made) {
        return leave(it, FK_SAMPLE_FILE, missing,
                     "there is no glyph to make a contact sheet of, only a renderer can draw it",
                     err);
    }
    const fk_image image = {.bytes = png.bytes, .length = png.length};
    code = fk_draft_write_image(it->generation->draft, FK_SAMPLE_FILE, NULL, &image, err);
    return code == FK_OK ? note_made(it, FK_SAMPLE_FILE, err) : code;
}

static fk_code make_sample(regeneration *it, bool missing, fk_error *err) {
    return it->options->render_sample ? render(it, NULL, FK_SAMPLE_FILE, err)
                                      : draw_sheet(it, missing, err);
}

/* ---- a run with a manifest ---------------------------------------------------------------- */

typedef enum file_state { FILE_GOOD = 0, FILE_MISSING, FILE_DAMAGED } file_state;

/* What stands in the place of a file that the manifest lists. A sector that cannot be read is
 * damage; what may pass (no more descriptors, say) is an error. */
static fk_code examine(regeneration *it, const fk_run_file *listed, file_state *ret_state,
                       fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    const fk_run *run = it->generation->run;
    uint64_t bytes = 0;
    fk_error why = {0};
    fk_code code = fk_run_file_open(run, listed->path, listed, &fd, &bytes, NULL, &why);
    if (code == FK_OK) {
        code = fk_run_file_check(run, listed, FK_DEPTH_LOAD, fd, NULL, &it->watch, NULL, &why);
    }
    bool damaged = code == FK_E_CORRUPT || (code == FK_E_IO && why.system_errno == EIO);
    *ret_state = code == FK_E_INCOMPLETE ? FILE_MISSING : damaged ? FILE_DAMAGED : FILE_GOOD;
    if (code == FK_OK || *ret_state != FILE_GOOD) {
        return FK_OK;
    }
    if (err != NULL) {
        *err = why;
    }
    return fk_run_error_path(run, code, err);
}

/* Any file but the weights; of the sample only the state is told. */
static fk_code mend_file(regeneration *it, const fk_run_file *listed, file_state *sample,
                         fk_error *err) {
    file_state state = FILE_GOOD;
    fk_code code = examine(it, listed, &state, err);
    if (code == FK_OK && !fk_watch_tell(&it->watch)) {
        code = fk_error_set(err, FK_E_CANCELLED, "cancelled");
    }
    if (code != FK_OK) {
        return code;
    }
    if (strcmp(listed->path, FK_SAMPLE_FILE) == 0) {
        *sample = state;
        return FK_OK;
    }
    if (state == FILE_GOOD) {
        return FK_OK;
    }
    if (listed->label == NULL) {
        return leave_for_a_copy(it, listed->path, state == FILE_MISSING, err);
    }
    return it->options->renderer != NULL
               ? render(it, listed->label, listed->path, err)
               : leave(it, listed->path, state == FILE_MISSING, "only a renderer can draw it", err);
}

/* Damaged weights are never carried into a generation that looks mended. */
static fk_code check_weights(regeneration *it, fk_error *err) {
    FK_SCOPED(fk_loaded_destroyp) fk_loaded *loaded = NULL;
    const fk_load_options options = {.size = sizeof options,
                                     .mmap = true,
                                     .progress = it->watch.progress,
                                     .progress_user = it->watch.user};
    fk_run *run = it->generation->run;
    struct stat status;
    bool missing = false;
    bool wanted = run->info.has_weights || run->info.status == FK_COMPLETED;
    fk_code code = fk_file_look(run->directory, FK_WEIGHTS_FILE, &status, &missing, err);
    if (code != FK_OK || !wanted) {
        return code;
    }
    return missing ? leave_for_a_copy(it, FK_WEIGHTS_FILE, true, err)
                   : fk_run_load_weights(run, &options, &loaded, err);
}

/* eval-glyphs/ itself, which a completed run has even without glyphs. */
static fk_code mend_glyphs_directory(regeneration *it, fk_error *err) {
    const fk_run *run = it->generation->run;
    struct stat status;
    bool missing = false;
    fk_code code = fk_file_look(run->directory, FK_GLYPHS_DIRECTORY, &status, &missing, err);
    if (code != FK_OK || run->info.glyphs > 0 || (!missing && S_ISDIR(status.st_mode))) {
        return code;
    }
    return note_made(it, FK_GLYPHS_DIRECTORY, err);
}

static fk_code mend(regeneration *it, fk_error *err) {
    const fk_run_info *info = &it->generation->run->info;
    bool completed = info->status == FK_COMPLETED;
    file_state sample = FILE_GOOD;
    fk_code code = check_weights(it, err);
    for (size_t i = 0; code == FK_OK && i < info->file_count; i++) {
        if (strcmp(info->files[i].path, FK_WEIGHTS_FILE) != 0) {
            code = mend_file(it, &info->files[i], &sample, err);
        }
    }
    if (code == FK_OK && completed && fk_run_find_file(info, FK_FEEDBACK_FILE) == NULL) {
        code = leave_for_a_copy(it, FK_FEEDBACK_FILE, true, err);
    }
    if (completed && fk_run_find_file(info, FK_SAMPLE_FILE) == NULL) {
        sample = FILE_MISSING;
    }
    if (code == FK_OK && sample != FILE_GOOD) {
        code = make_sample(it, sample == FILE_MISSING, err);
    }
    return code == FK_OK && completed ? mend_glyphs_directory(it, err) : code;
}

/* ---- a run without a manifest ------------------------------------------------------------- */

static bool stands(const fk_run *run, const char *name, mode_t kind) {
    struct stat status;
    bool missing = false;
    return fk_file_look(run->directory, name, &status, &missing, NULL) == FK_OK && !missing &&
           (status.st_mode & S_IFMT) == kind;
}

/* With its sample such a run is adopted; without a need for one it stays as it is. */
static fk_code mend_by_hand(regeneration *it, fk_error *err) {
    const fk_run *run = it->generation->run;
    fk_draft *draft = it->generation->draft;
    fk_code code = FK_OK;
    if (run->weights_name == NULL) {
        code = leave_for_a_copy(it, FK_WEIGHTS_FILE, true, err);
    }
    if (code == FK_OK && !stands(run, FK_FEEDBACK_FILE, S_IFREG)) {
        code = leave_for_a_copy(it, FK_FEEDBACK_FILE, true, err);
    }
    if (code == FK_OK && !stands(run, FK_GLYPHS_DIRECTORY, S_IFDIR)) {
        code = leave_for_a_copy(it, FK_GLYPHS_DIRECTORY, true, err);
    }
    if (code != FK_OK || stands(run, FK_SAMPLE_FILE, S_IFREG)) {
        return code;
    }
    code = fk_adopt_fill(it->generation, true, it->changes, err);
    if (code == FK_OK) {
        code = make_sample(it, true, err);
    }
    if (it->changed && draft->has_weights && draft->has_feedback && draft->stage.glyphs >= 0) {
        draft->status = FK_COMPLETED;
    }
    return code;
}

/* ---- the call ----------------------------------------------------------------------------- */

static fk_code fill(void *user, fk_generation *generation, fk_change_list *changes,
                    bool *ret_needed, fk_error *err) {
    const fk_regenerate_options *options = user;
    const fk_run *run = generation->run;
    regeneration it = {.options = options,
                       .generation = generation,
                       .changes = changes,
                       .watch = FK_WATCH(options->progress, options->progress_user)};
    it.watch.total_bytes = run->info.size_bytes;
    it.watch.done_bytes = run->info.weights_bytes;
    fk_code code = run->manifest == FK_RUN_MANIFEST_NONE ? mend_by_hand(&it, err) : mend(&it, err);
    *ret_needed = it.changed;
    return code;
}

static fk_code check_options(const fk_regenerate_options *given, fk_regenerate_options *ret_options,
                             fk_error *err) {
    fk_code code =
        fk_options_copy(ret_options, sizeof *ret_options, given, "fk_regenerate_options", err);
    if (code == FK_OK && ret_options->render_sample && ret_options->renderer == NULL) {
        code = fk_error_set(err, FK_E_USAGE, "a sample cannot be rendered without a renderer");
        fk_error_hint(err, "give a renderer, or let the sample be a contact sheet");
    }
    return code;
}

fk_code fk_regenerate(fk_store *store, const char *font_id, const char *run_id,
                      const fk_regenerate_options *options, fk_change_list **ret_changes,
                      fk_error *err) {
    FK_SCOPED(fk_change_list_destroyp) fk_change_list *changes = NULL;
    fk_regenerate_options asked = {0};
    fk_code code = check_options(options, &asked, err);
    const fk_changer changer = {.fill = fill,
                                .user = &asked,
                                .lists_unchanged = true,
                                .progress = asked.progress,
                                .progress_user = asked.progress_user};
    if (code == FK_OK) {
        code = fk_change_list_create(&changes, err);
    }
    if (code == FK_OK) {
        code = fk_change_run(changes, store, font_id, run_id, &changer, err);
    }
    if (code == FK_OK || code == FK_E_NOT_DURABLE) {
        *ret_changes = fk_take(changes);
    }
    return code;
}
