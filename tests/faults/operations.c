#include "operations.h"

#include <stdio.h>
#include <string.h>

#include "change.h"
#include "harness.h"
#include "tree.h"

#define RUN     "2026-01-11T08:30:00.000000"
#define STAGE   ".stage-0123456789abcdef0123456789abcdef"
#define GLYPHS  1
#define IN_RUNS OPERATION_FONT "/runs/"

static void prepare_run(const char *path, const fk_model *model) {
    harness_check(operation_first_save.run(path, model, NULL) == FK_OK, "prepare");
}

/* ---- save from files ---------------------------------------------------------------------- */

static fk_code fill_from_files(fk_draft *draft, const char *run, const fk_model *model,
                               fk_error *err) {
    char weights[512];
    char glyphs[512];
    snprintf(weights, sizeof weights, "%s/weights", run);
    snprintf(glyphs, sizeof glyphs, "%s/eval-glyphs", run);
    fk_code code = fk_draft_set_weights_file(draft, weights, NULL, NULL, err);
    if (code == FK_OK) {
        code = fk_draft_set_sample(draft, model->sample_image, err);
    }
    if (code == FK_OK) {
        code = fk_draft_set_feedback(draft, model->feedback, err);
    }
    return code == FK_OK ? fk_draft_add_glyph_directory(draft, glyphs, err) : code;
}

/* The files are those of the run that is there. */
static fk_code save_files(const char *path, const fk_model *model, fk_error *err) {
    char run[300];
    fk_store *store = NULL;
    fk_draft *draft = NULL;
    fk_run_id id;
    snprintf(run, sizeof run, "%s/" IN_RUNS RUN, path);
    fk_code code = fk_store_open(path, NULL, &store, err);
    if (code == FK_OK) {
        code = fk_draft_create(store, OPERATION_FONT, model->metadata, &draft, err);
    }
    if (code == FK_OK) {
        code = fill_from_files(draft, run, model, err);
    }
    if (code == FK_OK) {
        code = fk_draft_commit(draft, &id, err);
    }
    fk_draft_destroy(draft);
    fk_store_close(store);
    return code;
}

/* ---- recover ------------------------------------------------------------------------------ */

/* A stage whose owner is dead: nobody holds its lock. */
static void prepare_dead_stage(const char *path, const fk_model *model) {
    char from[300];
    char to[300];
    char lock[310];
    prepare_run(path, model);
    harness_check(operation_second_save.run(path, model, NULL) == FK_OK, "prepare");
    snprintf(from, sizeof from, "%s/" IN_RUNS RUN "-0001", path);
    snprintf(to, sizeof to, "%s/" IN_RUNS STAGE, path);
    harness_check(rename(from, to) == 0, from);
    snprintf(lock, sizeof lock, "%s.lock", to);
    tree_write(lock, "", 0);
}

/* ---- all of them -------------------------------------------------------------------------- */

static const operation more[] = {
    {"save from files", prepare_run, save_files, 0},
    {"recover", prepare_dead_stage, operation_recover, OPERATION_RUNS_STAY},
};

size_t operations_all(const operation *into[OPERATIONS_MAX]) {
    size_t count = 0;
    into[count++] = &operation_first_save;
    into[count++] = &operation_second_save;
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        into[count++] = &more[i];
    }
    for (size_t i = 0; i < CHANGE_COUNT; i++) {
        into[count++] = &change_operations[i];
    }
    return count;
}
