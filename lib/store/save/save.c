/* fk_save_model: a whole run in one call. All input is checked before anything is made on disk. */
#include <stdio.h>

#include "base/text.h"
#include "store/handle/options.h"
#include "store/names/glyph_name.h"
#include "store/names/layout.h"
#include "store/save/draft.h"
#include "store/save/draft_feedback.h"
#include "store/save/draft_images.h"
#include "store/save/draft_weights.h"
#include "value/values.h"

static fk_code check_parts(const fk_model *model, fk_run_status status, fk_error *err) {
    const char *missing = NULL;
    if (model->weights == NULL) {
        missing = "weights";
    } else if (model->sample_image == NULL) {
        missing = "sample_image";
    } else if (model->feedback == NULL) {
        missing = "feedback";
    }
    if (status == FK_COMPLETED && missing != NULL) {
        fk_error_set(err, FK_E_USAGE, "%s is missing; a completed run needs it", missing);
        fk_error_hint(err, "give it, or save the run with status failed or interrupted");
        return FK_E_USAGE;
    }
    if (model->eval_glyphs == NULL && model->eval_glyph_count > 0) {
        return fk_error_set(err, FK_E_USAGE, "eval_glyphs is missing, but its count is %zu",
                            model->eval_glyph_count);
    }
    if (model->weights == NULL &&
        (model->personality_vector != NULL || model->architecture != NULL)) {
        return fk_error_set(err, FK_E_USAGE,
                            "a personality vector or architecture goes with weights only");
    }
    return FK_OK;
}

static fk_code check_glyph(const fk_glyph *glyph, fk_error *err) {
    char file_name[FK_GLYPH_FILE_BYTES];
    char path[sizeof FK_GLYPHS_DIRECTORY + 1 + FK_GLYPH_FILE_BYTES];
    if (glyph->label == NULL) {
        return fk_error_set(err, FK_E_USAGE, "a glyph has no label");
    }
    fk_code code = fk_glyph_name_from_label(glyph->label, file_name, err);
    if (code != FK_OK) {
        return code;
    }
    snprintf(path, sizeof path, "%s/%s", FK_GLYPHS_DIRECTORY, file_name);
    return fk_image_check(&glyph->image, path, err);
}

static fk_code check_assets(const fk_model *model, fk_error *err) {
    fk_code code = FK_OK;
    if (model->sample_image != NULL) {
        code = fk_image_check(model->sample_image, FK_SAMPLE_FILE, err);
    }
    for (size_t i = 0; code == FK_OK && i < model->eval_glyph_count; i++) {
        code = check_glyph(&model->eval_glyphs[i], err);
    }
    return code;
}

static fk_code check_feedback(const fk_model *model, fk_error *err) {
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    FK_SCOPED(fk_buffer_finish) fk_buffer text = {0};
    fk_value *read = NULL;
    if (model->feedback == NULL) {
        return FK_OK;
    }
    return values != NULL ? fk_feedback_prepare(model->feedback, values, &text, &read, err)
                          : fk_error_no_memory(err);
}

static fk_code check_model(fk_store *store, const fk_model *model, fk_weights_plan **ret_plan,
                           fk_error *err) {
    fk_run_metadata metadata = {0};
    fk_code code = fk_draft_check_metadata(model->metadata, &metadata, err);
    if (code == FK_OK) {
        code = check_parts(model, metadata.status, err);
    }
    if (code == FK_OK) {
        code = check_assets(model, err);
    }
    if (code == FK_OK) {
        code = check_feedback(model, err);
    }
    if (code == FK_OK && model->weights != NULL) {
        code = fk_weights_plan_create(store, model->weights, model->personality_vector,
                                      model->architecture, ret_plan, err);
    }
    return code;
}

static fk_code add_assets(fk_draft *draft, const fk_model *model, fk_error *err) {
    fk_code code = FK_OK;
    if (model->sample_image != NULL) {
        code = fk_draft_set_sample(draft, model->sample_image, err);
    }
    for (size_t i = 0; code == FK_OK && i < model->eval_glyph_count; i++) {
        code = fk_draft_add_glyph(draft, model->eval_glyphs[i].label, &model->eval_glyphs[i].image,
                                  err);
    }
    if (code == FK_OK && model->feedback != NULL) {
        code = fk_draft_set_feedback(draft, model->feedback, err);
    }
    return code;
}

/* The small files are written while the last of the weights are digested. */
static fk_code fill_draft(fk_draft *draft, const fk_model *model, fk_weights_plan *plan,
                          fk_error *err) {
    FK_SCOPED(fk_staged_file_destroyp) fk_staged_file *weights = NULL;
    if (plan == NULL) {
        return add_assets(draft, model, err);
    }
    fk_code code = fk_draft_begin_weights(draft, plan, &weights, err);
    if (code == FK_OK) {
        code = add_assets(draft, model, err);
    }
    return code == FK_OK ? fk_draft_finish_weights(draft, plan, weights, err) : code;
}

fk_code fk_save_model(fk_store *store, const char *font_id, const fk_model *given,
                      fk_run_id *ret_run_id, fk_error *err) {
    FK_SCOPED(fk_weights_plan_destroyp) fk_weights_plan *plan = NULL;
    FK_SCOPED(fk_draft_destroyp) fk_draft *draft = NULL;
    fk_model model = {0};
    fk_code code = fk_options_copy(&model, sizeof model, given, "fk_model", err);
    if (code == FK_OK) {
        code = fk_font_id_check(font_id, err);
    }
    if (code == FK_OK) {
        code = check_model(store, &model, &plan, err);
    }
    if (code == FK_OK) {
        code = fk_draft_create(store, font_id, model.metadata, &draft, err);
    }
    if (code == FK_OK) {
        code = fill_draft(draft, &model, plan, err);
    }
    return code == FK_OK ? fk_draft_commit(draft, ret_run_id, err) : code;
}
