#include "store/load/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/handle/options.h"
#include "store/load/salvage.h"
#include "store/names/layout.h"
#include "store/run/health.h"
#include "store/run/resolve.h"
#include "store/run/run_file.h"
#include "store/run/weights_check.h"
#include "value/values.h"

/* Takes over the run, also on failure. */
static fk_code create_loaded(fk_run *run, fk_loaded **ret_loaded, fk_error *err) {
    FK_SCOPED(fk_run_closep) fk_run *owned = run;
    FK_SCOPED(fk_loaded_destroyp) fk_loaded *loaded = calloc(1, sizeof *loaded);
    if (loaded == NULL) {
        return fk_error_no_memory(err);
    }
    loaded->run = fk_take(owned);
    loaded->values = fk_values_create();
    if (loaded->values == NULL) {
        return fk_error_no_memory(err);
    }
    *ret_loaded = fk_take(loaded);
    return FK_OK;
}

static void note_version(fk_loaded *loaded) {
    if (strcmp(loaded->weights.version, "v0") != 0) {
        return;
    }
    fk_problem problem = FK_PROBLEM("version", loaded->run->weights_name);
    fk_findings_add(&loaded->run->findings, FK_COMPLETE, &problem,
                    "weights are of version 'v0': no personality vector, no architecture; migrate "
                    "the run to version '%s'",
                    FK_WEIGHTS_VERSION);
    if (loaded->run->info.weights_version == NULL) {
        loaded->run->info.weights_version = "v0";
    }
}

/* Missing and damaged assets are errors of a strict load. Weights that got here may only be damaged
 * when they were salvaged. */
static fk_code be_strict(const fk_run *run, bool salvaged, fk_error *err) {
    for (size_t i = 0; i < run->info.problem_count; i++) {
        const fk_problem *problem = &run->info.problems[i];
        bool missing = strcmp(problem->code, "missing") == 0;
        bool damaged = strcmp(problem->code, "size") == 0 || strcmp(problem->code, "digest") == 0;
        bool weights = fk_text_is(problem->path, run->weights_name);
        if ((missing || damaged) && !(salvaged && weights)) {
            fk_code code = missing ? FK_E_INCOMPLETE : FK_E_CORRUPT;
            fk_error_set(err, code, "'%s' of run '%s': %s", problem->path, run->info.run_id,
                         problem->message);
            fk_error_path(err, problem->path);
            fk_error_offset(err, problem->offset);
            fk_run_file_hint(run, problem->path, "load without strict", err);
            return fk_run_error_path(run, code, err);
        }
    }
    return FK_OK;
}

/* What does not verify is left out, when that is asked for. */
static fk_code load_weights(fk_loaded *loaded, const fk_load_options *options, fk_watch *watch,
                            fk_error *err) {
    fk_error why = {0};
    fk_code code = fk_load_weights(loaded, options, watch, &why);
    if (code == FK_OK) {
        return FK_OK;
    }
    return options->salvage && fk_salvage_may_help(code)
               ? fk_salvage_weights(loaded, watch, &why, err)
               : fk_error_pass(err, &why);
}

/* Weights first: without them the rest is of no use. `assets`: the other files, too. */
static fk_code load_opened(fk_run *run, const fk_load_options *options, bool assets,
                           fk_loaded **ret_loaded, fk_error *err) {
    FK_SCOPED(fk_loaded_destroyp) fk_loaded *loaded = NULL;
    fk_watch watch = FK_WATCH(options->progress, options->progress_user);
    fk_code code = create_loaded(run, &loaded, err);
    if (code != FK_OK) {
        return code;
    }
    watch.total_bytes = assets ? run->info.size_bytes : run->info.weights_bytes;
    code = load_weights(loaded, options, &watch, err);
    if (code != FK_OK) {
        return code;
    }
    if (!assets) {
        code = fk_health_shallow(run, err);
    } else {
        fk_depth depth = options->no_verify ? FK_DEPTH_SIZES : FK_DEPTH_LOAD;
        code = fk_health_deep(run, depth, !options->no_verify, &watch, err);
    }
    if (code == FK_OK) {
        fk_findings_join(&run->findings, &loaded->lost);
        note_version(loaded);
        if (run->manifest == FK_RUN_MANIFEST_NONE) {
            fk_weights_note_format(run, &loaded->map);
        }
        code = fk_health_conclude(run, err);
    }
    if (code == FK_OK && options->strict) {
        code = be_strict(run, options->salvage, err);
    }
    if (code != FK_OK) {
        return code;
    }
    *ret_loaded = fk_take(loaded);
    return FK_OK;
}

static fk_code verifies(fk_store *store, const fk_history *history, const char *font_id,
                        const fk_scan_run *place, bool *ret_does, fk_error *err) {
    FK_SCOPED(fk_run_closep) fk_run *run = NULL;
    fk_code code = fk_run_open_place(store, history->runs, font_id, place, &run, err);
    if (code != FK_OK || run->manifest != FK_RUN_MANIFEST_GOOD ||
        run->info.status != FK_COMPLETED) {
        return code;
    }
    code = fk_health_deep(run, FK_DEPTH_LOAD, false, NULL, err);
    *ret_does = code == FK_OK && run->info.health == FK_COMPLETE;
    return code;
}

/* The newest completed run of a font, but for the run `except`, whose every file verifies. */
static fk_code newest_verified(fk_store *store, const char *font_id, const char *except,
                               fk_run_id *ret_run_id, bool *ret_found, fk_error *err) {
    FK_SCOPED(fk_history_close) fk_history history = {.runs = -1};
    *ret_found = false;
    fk_code code = fk_history_open(store, font_id, &history, err);
    for (size_t i = history.scan.count; code == FK_OK && i-- > 0;) {
        const fk_scan_run *place = &history.scan.runs[i];
        if (strcmp(place->id.text, except) == 0) {
            continue;
        }
        bool does = false;
        fk_code one = verifies(store, &history, font_id, place, &does, err);
        if (one == FK_E_NO_MEMORY) {
            return one;
        }
        if (one == FK_OK && does) {
            *ret_run_id = place->id;
            *ret_found = true;
            return FK_OK;
        }
    }
    return code;
}

/* Whether a failure says that this run cannot be loaded, and another might. */
static bool is_about_run(fk_code code) {
    return code == FK_E_CORRUPT || code == FK_E_INCOMPLETE || code == FK_E_UNSUPPORTED ||
           code == FK_E_IO || code == FK_E_LIMIT;
}

/* Tells in the hint which run to take instead. */
static void name_other_run(const fk_run_id *other, fk_error *err) {
    char before[sizeof err->hint / 2];
    snprintf(before, sizeof before, "%.*s%s", (int)(sizeof before - 8), err->hint,
             err->hint[0] == '\0' ? "" : "; ");
    if (other != NULL) {
        fk_error_hint(err, "%sthe newest run that verifies is '%s'", before, other->text);
    } else {
        fk_error_hint(err, "%sno other run of the font verifies", before);
    }
}

void fk_load_name_newest(const fk_run *run, fk_error *err) {
    fk_run_id other;
    bool found = false;
    if (is_about_run(err->code) && newest_verified(run->store, run->info.font_id, run->info.run_id,
                                                   &other, &found, NULL) == FK_OK) {
        name_other_run(found ? &other : NULL, err);
    }
}

static const char *problem_code(fk_code code) {
    return code == FK_E_INCOMPLETE ? "missing" : code == FK_E_UNSUPPORTED ? "version" : "digest";
}

static fk_code load_other(fk_store *store, const char *font_id, const fk_run_id *other,
                          const fk_load_options *options, const fk_error *why,
                          fk_loaded **ret_loaded, fk_error *err) {
    fk_run *run = NULL;
    FK_SCOPED(fk_loaded_destroyp) fk_loaded *loaded = NULL;
    fk_code code = fk_resolve_and_open(store, font_id, other->text, &run, err);
    if (code == FK_OK) {
        code = load_opened(run, options, true, &loaded, err);
    }
    if (code != FK_OK) {
        return code;
    }
    fk_problem problem = FK_PROBLEM(problem_code(why->code), NULL);
    fk_findings_add(&loaded->run->findings, FK_COMPLETE, &problem,
                    "run '%s' was loaded in place of the latest: %s", other->text, why->message);
    code = fk_health_conclude(loaded->run, err);
    if (code == FK_OK) {
        *ret_loaded = fk_take(loaded);
    }
    return code;
}

static fk_code copy_options(const fk_load_options *options, fk_load_options *ret_options,
                            fk_error *err) {
    fk_code code =
        fk_options_copy(ret_options, sizeof *ret_options, options, "fk_load_options", err);
    if (code == FK_OK && ret_options->salvage && ret_options->no_verify) {
        code = fk_error_set(err, FK_E_USAGE,
                            "salvage needs the check: without it nothing tells what is lost");
        fk_error_hint(err, "salvage with verification, or load without either");
    }
    return code;
}

fk_code fk_load_model(fk_store *store, const char *font_id, const char *run_id,
                      const fk_load_options *options, fk_loaded **ret_loaded, fk_error *err) {
    fk_load_options asked = {0};
    fk_run *run = NULL;
    fk_code code = copy_options(options, &asked, err);
    if (code == FK_OK) {
        code = fk_resolve_and_open(store, font_id, run_id, &run, err);
    }
    if (code != FK_OK) {
        return code;
    }
    fk_run_id failed = run->place.id;
    fk_error why = {0};
    code = load_opened(run, &asked, true, ret_loaded, &why);
    if (code == FK_OK || !is_about_run(code)) {
        return code == FK_OK ? FK_OK : fk_error_pass(err, &why);
    }
    fk_run_id other;
    bool found = false;
    if (newest_verified(store, font_id, failed.text, &other, &found, NULL) == FK_OK) {
        if (found && asked.fallback && fk_resolve_is_latest(run_id)) {
            return load_other(store, font_id, &other, &asked, &why, ret_loaded, err);
        }
        name_other_run(found ? &other : NULL, &why);
    }
    return fk_error_pass(err, &why);
}

fk_code fk_run_load_weights(fk_run *run, const fk_load_options *options, fk_loaded **ret_loaded,
                            fk_error *err) {
    fk_load_options asked = {0};
    fk_run *again = NULL;
    fk_code code = copy_options(options, &asked, err);
    if (code == FK_OK) {
        code = fk_run_open_again(run, &again, err);
    }
    if (code != FK_OK) {
        return code;
    }
    fk_error why = {0};
    code = load_opened(again, &asked, false, ret_loaded, &why);
    if (code == FK_OK) {
        return FK_OK;
    }
    fk_load_name_newest(run, &why);
    return fk_error_pass(err, &why);
}

void fk_loaded_destroy(fk_loaded *loaded) {
    if (loaded == NULL) {
        return;
    }
    fk_values_destroy(loaded->values);
    fk_map_finish(&loaded->map);
    fk_run_close(loaded->run);
    free(loaded);
}

const fk_value *fk_loaded_weights(const fk_loaded *loaded) {
    return loaded->weights.model;
}

const fk_tensor *fk_loaded_personality_vector(const fk_loaded *loaded) {
    return loaded->personality_vector;
}

const fk_value *fk_loaded_architecture(const fk_loaded *loaded) {
    return loaded->weights.architecture;
}

const fk_run_info *fk_loaded_info(const fk_loaded *loaded) {
    return &loaded->run->info;
}
