#include "store/change/adopt.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "digest/digest.h"
#include "os/file.h"
#include "png/png_image.h"
#include "store/change/carry.h"
#include "store/load/load.h"
#include "store/manifest/feedback.h"
#include "store/names/glyph_name.h"
#include "store/names/layout.h"
#include "store/names/run_id.h"
#include "store/run/inside.h"
#include "store/save/draft_weights.h"
#include "value/values.h"

/* ---- files -------------------------------------------------------------------------------- */

static fk_code digest_bytes(int fd, const char *path, uint64_t bytes, fk_file_digests *ret_digests,
                            fk_error *err) {
    FK_SCOPED(fk_freep) void *memory = malloc(fk_digest_stream_memory(bytes));
    FK_SCOPED(fk_digest_stream_destroyp) fk_digest_stream *stream = NULL;
    const fk_chunk_writer nowhere = {0}; /* it is only digested */
    if (memory == NULL) {
        return fk_error_no_memory(err);
    }
    fk_code code = fk_digest_stream_create(bytes, memory, &nowhere, &stream, err);
    uint64_t done = 0;
    do { /* an empty file has a chunk, too */
        uint8_t *chunk = NULL;
        size_t now = 0;
        code = code == FK_OK ? fk_digest_stream_next(stream, &chunk, &now, err) : code;
        if (code == FK_OK) {
            code = fk_file_read_at(fd, chunk, now, done, path, err);
        }
        if (code == FK_OK) {
            fk_digest_stream_push(stream);
        }
        done += now;
    } while (code == FK_OK && done < bytes);
    return code == FK_OK ? fk_digest_stream_finish(stream, ret_digests, err) : code;
}

/* Lists a file that was carried into the stage. */
static fk_code list_file(fk_draft *draft, const char *path, const char *label, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    struct stat status;
    fk_file_digests digests = {0};
    fk_code code = fk_file_open(draft->stage.directory, path, &fd, &status, err);
    if (code == FK_OK) {
        code = digest_bytes(fd, path, (uint64_t)status.st_size, &digests, err);
    }
    return code == FK_OK ? fk_manifest_files_add(&draft->files, path, label, &digests, err) : code;
}

/* The bytes of a small file in the stage. */
static fk_code read_staged(fk_draft *draft, const char *path, uint64_t bytes_max, void **ret_bytes,
                           size_t *ret_length, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    fk_code code = fk_file_open(draft->stage.directory, path, &fd, NULL, err);
    return code == FK_OK ? fk_file_read_whole(fd, bytes_max, path, ret_bytes, ret_length, err)
                         : code;
}

static fk_code adopt_image(fk_generation *it, const char *path, const char *label, bool *ret_there,
                           fk_error *err) {
    FK_SCOPED(fk_freep) void *bytes = NULL;
    size_t length = 0;
    bool missing = false;
    fk_code code = fk_carry_file(it->draft, it->source, path, path, &missing, err);
    *ret_there = !missing;
    if (code != FK_OK || missing) {
        return code;
    }
    code = read_staged(it->draft, path, FK_LIMIT_PNG_BYTES, &bytes, &length, err);
    if (code == FK_OK) {
        code = fk_png_check(bytes, length, NULL, err);
        fk_error_path(code == FK_OK ? NULL : err, path);
    }
    return code == FK_OK ? list_file(it->draft, path, label, err) : code;
}

/* Glyphs that cannot be listed are not the same as none; what is no directory is a stranger. */
static fk_code read_inside(const fk_run *run, fk_inside *ret_inside, fk_error *err) {
    fk_code code = fk_inside_read(run, ret_inside, err);
    if (code != FK_OK || ret_inside->has_glyphs || ret_inside->no_glyphs.code == FK_E_INVALID) {
        return code;
    }
    if (ret_inside->no_glyphs.code != FK_OK && err != NULL) {
        *err = ret_inside->no_glyphs;
    }
    return ret_inside->no_glyphs.code;
}

static fk_code adopt_glyphs(fk_generation *it, bool *ret_there, fk_error *err) {
    FK_SCOPED(fk_inside_finish) fk_inside inside = {0};
    fk_code code = read_inside(it->source, &inside, err);
    *ret_there = inside.has_glyphs;
    if (code == FK_OK && inside.has_glyphs) {
        code = fk_stage_make_glyphs(&it->draft->stage, err);
    }
    for (size_t i = 0; code == FK_OK && i < inside.glyphs.count; i++) {
        char path[sizeof FK_GLYPHS_DIRECTORY + NAME_MAX + 2];
        char label[FK_LABEL_BYTES];
        bool there = false;
        const char *name = inside.glyphs.names[i];
        if (name[0] == '.' || !fk_text_ends_with(name, ".png")) {
            continue; /* a stranger: carried over, not listed */
        }
        snprintf(path, sizeof path, FK_GLYPHS_DIRECTORY "/%s", name);
        fk_glyph_name_to_label(name, label);
        code = adopt_image(it, path, label, &there, err);
    }
    return code;
}

static fk_code adopt_feedback(fk_generation *it, bool *ret_there, fk_error *err) {
    FK_SCOPED(fk_freep) void *text = NULL;
    size_t length = 0;
    bool missing = false;
    fk_value *feedback = NULL;
    fk_draft *draft = it->draft;
    fk_code code =
        fk_carry_file(draft, it->source, FK_FEEDBACK_FILE, FK_FEEDBACK_FILE, &missing, err);
    *ret_there = !missing;
    if (code != FK_OK || missing) {
        return code;
    }
    code = read_staged(draft, FK_FEEDBACK_FILE, FK_LIMIT_JSON_BYTES, &text, &length, err);
    if (code == FK_OK) {
        code = fk_feedback_read(text, length, draft->values, &feedback, err);
    }
    if (code == FK_OK) {
        code = fk_feedback_check(feedback, NULL, err);
    }
    if (code != FK_OK) {
        fk_error_path(err, FK_FEEDBACK_FILE);
        return code;
    }
    const fk_value *schema = fk_value_get(feedback, "feedback_schema");
    draft->metrics = fk_feedback_metrics(feedback, draft->values);
    draft->feedback_schema = schema != NULL ? fk_value_as_text(schema, NULL) : FK_FEEDBACK_SCHEMA;
    return draft->metrics != NULL ? list_file(draft, FK_FEEDBACK_FILE, NULL, err)
                                  : fk_error_no_memory(err);
}

/* ---- weights ------------------------------------------------------------------------------ */

/* What weights that can be loaded tell the manifest. Errors name the whole path. */
static fk_code describe_weights(fk_generation *it, fk_error *err) {
    FK_SCOPED(fk_loaded_destroyp) fk_loaded *loaded = NULL;
    fk_draft *draft = it->draft;
    if (it->source->weights_name == NULL) {
        return FK_OK;
    }
    const fk_load_options options = {
        .size = sizeof options, .progress = draft->progress, .progress_user = draft->progress_user};
    fk_code code = fk_run_load_weights(it->source, &options, &loaded, err);
    if (code != FK_OK) {
        return code;
    }
    fk_value *version = fk_value_string(draft->values, loaded->weights.version);
    if (version == NULL) {
        return fk_error_no_memory(err);
    }
    draft->weights_version = fk_value_as_text(version, NULL);
    return fk_draft_note_personality(draft, loaded->personality_vector, err);
}

static fk_code adopt_weights(fk_generation *it, fk_change_list *changes, bool *ret_there,
                             fk_error *err) {
    const char *name = it->source->weights_name;
    bool missing = false;
    *ret_there = name != NULL;
    if (name == NULL) {
        return FK_OK;
    }
    fk_code code = fk_carry_file(it->draft, it->source, name, FK_WEIGHTS_FILE, &missing, err);
    if (code == FK_OK) {
        code = list_file(it->draft, FK_WEIGHTS_FILE, NULL, err);
    }
    if (code == FK_OK && strcmp(name, FK_WEIGHTS_FILE) != 0) {
        code = fk_change_note(changes, FK_WEIGHTS_FILE, err);
    }
    it->draft->has_weights = code == FK_OK;
    return code;
}

/* ---- a run -------------------------------------------------------------------------------- */

static fk_code nothing_there(const fk_run *run, fk_error *err) {
    fk_error_set(err, FK_E_INCOMPLETE, "run '%s' has no file of a run in it", run->info.run_id);
    fk_error_hint(err, "remove it");
    return FK_E_INCOMPLETE;
}

static void tell_times(fk_draft *draft, const fk_run_id *id) {
    fk_run_id unused;
    draft->started_at_us = FK_NO_TIME;
    draft->ended_at_us = FK_NO_TIME;
    (void)fk_run_id_parse(id->text, &unused, &draft->ended_at_us, NULL);
}

/* Errors name paths within the run. */
static fk_code adopt_files(fk_generation *it, bool weights, fk_change_list *changes,
                           fk_error *err) {
    bool has_weights = !weights;
    bool has_sample = false;
    bool has_feedback = false;
    bool has_glyphs = false;
    fk_code code = weights ? adopt_weights(it, changes, &has_weights, err) : FK_OK;
    if (code == FK_OK) {
        code = adopt_image(it, FK_SAMPLE_FILE, NULL, &has_sample, err);
    }
    if (code == FK_OK) {
        code = adopt_feedback(it, &has_feedback, err);
    }
    if (code == FK_OK) {
        code = adopt_glyphs(it, &has_glyphs, err);
    }
    if (code == FK_OK && !has_weights && !has_sample && !has_feedback && !has_glyphs) {
        code = nothing_there(it->source, err);
    }
    it->draft->has_sample = has_sample;
    it->draft->has_feedback = has_feedback;
    bool whole = has_weights && has_sample && has_feedback && has_glyphs;
    it->draft->status = whole ? FK_COMPLETED : FK_INTERRUPTED;
    tell_times(it->draft, &it->run->place.id);
    return code;
}

fk_code fk_adopt_fill(fk_generation *it, bool weights, fk_change_list *changes, fk_error *err) {
    fk_code code = weights ? describe_weights(it, err) : FK_OK;
    if (code != FK_OK) {
        return code;
    }
    code = adopt_files(it, weights, changes, err);
    return code == FK_OK ? FK_OK : fk_run_error_path(it->source, code, err);
}

static bool has_no_manifest(const fk_run *run) {
    return run->manifest == FK_RUN_MANIFEST_NONE;
}

/* One that cannot be read may be none of ours: the change itself will tell why not. */
static bool may_have_none(const fk_run *run) {
    return has_no_manifest(run) || run->manifest == FK_RUN_MANIFEST_UNREADABLE;
}

static fk_code fill(void *user, fk_generation *generation, fk_change_list *changes,
                    bool *ret_needed, fk_error *err) {
    (void)user;
    *ret_needed = has_no_manifest(generation->run);
    return *ret_needed ? fk_adopt_fill(generation, true, changes, err) : FK_OK;
}

fk_code fk_adopt(fk_store *store, const char *font_id, fk_progress progress, void *progress_user,
                 fk_change_list **ret_changes, fk_error *err) {
    FK_SCOPED(fk_change_list_destroyp) fk_change_list *changes = NULL;
    const fk_changer changer = {.concerns = may_have_none,
                                .fill = fill,
                                .progress = progress,
                                .progress_user = progress_user};
    fk_code code = fk_change_list_create(&changes, err);
    if (code == FK_OK) {
        code = fk_change_font(changes, store, font_id, &changer, err);
    }
    if (code == FK_OK || code == FK_E_NOT_DURABLE) {
        *ret_changes = fk_take(changes);
    }
    return code;
}
