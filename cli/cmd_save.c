#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "fail.h"
#include "input.h"
#include "json_output.h"
#include "progress.h"

static fk_code read_status(cli_context *context, fk_run_status *ret_status) {
    const char *text = cli_context_option(context, "status");
    for (fk_run_status status = FK_COMPLETED; text != NULL && status < FK_STATUS_UNKNOWN;
         status++) {
        if (strcmp(text, fk_run_status_name(status)) == 0) {
            *ret_status = status;
            return FK_OK;
        }
    }
    return text == NULL
               ? FK_OK
               : cli_fail_usage(context, "--status '%s' is none of completed, failed, interrupted",
                                text);
}

/* A completed run is saved with everything. */
static fk_code check_required(cli_context *context, fk_run_status status) {
    static const char *const required[] = {"weights", "sample", "glyphs", "feedback"};
    for (size_t i = 0; status == FK_COMPLETED && i < 4; i++) {
        if (cli_context_option(context, required[i]) == NULL) {
            return cli_fail_usage(context, "--%s is missing; a completed run needs it",
                                  required[i]);
        }
    }
    return FK_OK;
}

static fk_code read_metadata(cli_context *context, fk_store *store, fk_values *values,
                             fk_run_metadata *metadata, fk_run_id *parent) {
    const char *parent_text = cli_context_option(context, "parent");
    fk_value *training = NULL;
    fk_code code = fk_font_id_check(cli_context_argument(context, 0), &context->error);
    if (code == FK_OK) {
        code = read_status(context, &metadata->status);
    }
    if (code == FK_OK) {
        code = check_required(context, metadata->status);
    }
    if (code == FK_OK) {
        code = cli_input_time(context, "started", &metadata->started_at_us);
    }
    if (code == FK_OK) {
        code = cli_input_time(context, "ended", &metadata->ended_at_us);
    }
    if (code == FK_OK) {
        code = cli_input_object(context, "training", values, &training);
        metadata->training = training;
    }
    if (code == FK_OK && parent_text != NULL) {
        const char *font_id = cli_context_argument(context, 0);
        code = fk_resolve_run(store, font_id, parent_text, parent, &context->error);
        metadata->parent_run_id = parent->text;
    }
    return code;
}

/* Before there is a draft: what is refused leaves no trace. */
static fk_code plan_weights(cli_context *context, fk_store *store, fk_values *values,
                            fk_weights_plan **ret_plan) {
    const char *path = cli_context_option(context, "weights");
    const char *personality_path = cli_context_option(context, "personality");
    fk_value *personality = NULL;
    fk_value *architecture = NULL;
    fk_code code = FK_OK;
    if (path == NULL) {
        if (personality_path != NULL || cli_context_option(context, "architecture") != NULL) {
            cli_warn(context, "without --weights no personality vector or architecture is kept");
        }
        return FK_OK;
    }
    if (personality_path != NULL) {
        code = fk_read_tensor_file(personality_path, values, &personality, &context->error);
    }
    if (code == FK_OK) {
        code = cli_input_object(context, "architecture", values, &architecture);
    }
    if (code == FK_OK) {
        code = fk_weights_plan_create_from_file(store, path, personality, architecture, ret_plan,
                                                &context->error);
    }
    return code;
}

/* What is wrong with a file is wrong with the user's file; the rest concerns the store. */
static bool is_about_input(const fk_error *error) {
    return error->code == FK_E_INVALID || error->code == FK_E_UNSUPPORTED ||
           error->code == FK_E_LIMIT;
}

static fk_code set_sample(cli_context *context, fk_draft *draft) {
    const char *path = cli_context_option(context, "sample");
    char *bytes = NULL;
    size_t length = 0;
    if (path == NULL) {
        return FK_OK;
    }
    fk_code code = cli_input_file(context, path, &bytes, &length);
    if (code != FK_OK) {
        return code;
    }
    fk_image image = {.bytes = bytes, .length = length};
    code = fk_draft_set_sample(draft, &image, &context->error);
    free(bytes);
    if (code != FK_OK && is_about_input(&context->error)) {
        snprintf(context->error.path, sizeof context->error.path, "%s", path);
    }
    return code;
}

static fk_code set_feedback(cli_context *context, fk_draft *draft, const fk_value *feedback) {
    fk_code code = fk_draft_set_feedback(draft, feedback, &context->error);
    if (code != FK_OK && is_about_input(&context->error)) {
        cli_input_blame(context, "feedback");
    }
    return code;
}

static fk_code fill(cli_context *context, const fk_value *feedback, fk_weights_plan *plan,
                    fk_draft *draft) {
    const char *glyphs = cli_context_option(context, "glyphs");
    fk_code code = feedback != NULL ? set_feedback(context, draft, feedback) : FK_OK;
    if (code == FK_OK) {
        code = set_sample(context, draft);
    }
    if (code == FK_OK && glyphs != NULL) {
        code = fk_draft_add_glyph_directory(draft, glyphs, &context->error);
    }
    if (code == FK_OK && plan != NULL) {
        code = fk_draft_set_planned_weights(draft, plan, &context->error);
    }
    return code;
}

static void print(const cli_context *context, const char *font_id, const char *run_id) {
    if (!context->json) {
        printf("%s\n", run_id);
        return;
    }
    fk_values *values = fk_values_create();
    fk_value *document = fk_value_container(values, FK_KIND_DICT);
    cli_json_put(values, document, "font_id", cli_json_text(values, font_id));
    cli_json_put(values, document, "run_id", cli_json_text(values, run_id));
    cli_json_print(stdout, document);
    fk_values_destroy(values);
}

static fk_code write_run(cli_context *context, fk_store *store, const fk_run_metadata *metadata,
                         const fk_value *feedback, fk_weights_plan *plan, fk_run_id *ret_run_id) {
    fk_draft *draft = NULL;
    fk_code code =
        fk_draft_create(store, cli_context_argument(context, 0), metadata, &draft, &context->error);
    if (code == FK_OK) {
        code = fill(context, feedback, plan, draft);
    }
    if (code == FK_OK) {
        code = fk_draft_commit(draft, ret_run_id, &context->error);
    }
    fk_draft_destroy(draft);
    return code;
}

static fk_code save(cli_context *context, fk_store *store, fk_values *values,
                    fk_run_id *ret_run_id) {
    fk_run_metadata metadata = {.size = sizeof metadata};
    fk_run_id parent;
    fk_value *feedback = NULL;
    fk_weights_plan *plan = NULL;
    cli_progress progress;
    fk_code code = read_metadata(context, store, values, &metadata, &parent);
    if (code == FK_OK) {
        code = cli_input_object(context, "feedback", values, &feedback);
    }
    if (code != FK_OK) {
        return code;
    }
    cli_progress_begin(&progress, context, "saving");
    metadata.progress = cli_progress_step;
    metadata.progress_user = &progress;
    code = plan_weights(context, store, values, &plan);
    if (code == FK_OK) {
        code = write_run(context, store, &metadata, feedback, plan, ret_run_id);
    }
    fk_weights_plan_destroy(plan);
    cli_progress_end(&progress);
    return code;
}

/* The one command with a limit of its own. */
static fk_code open_store(cli_context *context, fk_store **ret_store) {
    static const char limit[] = "max-weights-bytes";
    size_t bytes = 0;
    fk_code code = cli_input_count(context, limit, &bytes);
    if (code == FK_OK && bytes == 0 && cli_context_option(context, limit) != NULL) {
        code = cli_fail_usage(context, "--%s 0 lets nothing through", limit);
    }
    if (code != FK_OK) {
        return code;
    }
    fk_store_options options = {.size = sizeof options, .max_weights_bytes = bytes};
    return fk_store_open(context->store_path, &options, ret_store, &context->error);
}

int cli_cmd_save(cli_context *context) {
    fk_store *store = NULL;
    fk_run_id run_id;
    fk_values *values = fk_values_create();
    fk_code code = open_store(context, &store);
    if (code == FK_OK) {
        code = save(context, store, values, &run_id);
    }
    if (code == FK_OK || code == FK_E_NOT_DURABLE) {
        print(context, cli_context_argument(context, 0), run_id.text);
    }
    fk_values_destroy(values);
    fk_store_close(store);
    return code == FK_OK ? 0 : cli_fail(context);
}
