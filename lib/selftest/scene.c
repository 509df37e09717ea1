#include "selftest/scene.h"

#include <stdlib.h>
#include <string.h>

#include "os/directory.h"

#define STORE_NAME "networks"

void fk_scene_init(fk_scene *scene, const fk_scratch *scratch, const fk_sample *sample,
                   const fk_report *report) {
    *scene = (fk_scene){
        .scratch = scratch,
        .sample = sample,
        .recover_waits = !fk_report_has(report, "local") || !fk_report_has(report, "locks"),
    };
}

void fk_scene_finish(fk_scene *scene) {
    fk_buffer_finish(&scene->files);
    free(scene->path);
    scene->path = NULL;
}

static fk_code make_path(fk_scene *scene, fk_error *err) {
    FK_SCOPED(fk_buffer_finish) fk_buffer path = {0};
    size_t length = 0;
    if (scene->path == NULL) {
        fk_buffer_append_format(&path, "%s/" STORE_NAME, scene->scratch->path);
        scene->path = fk_buffer_take(&path, &length);
    }
    return scene->path != NULL ? FK_OK : fk_error_no_memory(err);
}

fk_code fk_scene_open(const fk_scene *scene, fk_durability durability, fk_store **ret_store,
                      fk_error *err) {
    fk_store_options options = {.size = sizeof options, .create = true, .durability = durability};
    return fk_store_open(scene->path, &options, ret_store, err);
}

/* ---- files -------------------------------------------------------------------------------- */

/* The files of a run, by name and digest, but for one: all runs of a scene have the same. */
static fk_code describe_files(fk_store *store, const char *run_id, const char *but, fk_buffer *into,
                              fk_error *err) {
    fk_run_info *info = NULL;
    fk_code code = fk_get_run_info(store, FK_SCENE_FONT, run_id, &info, err);
    if (code != FK_OK) {
        return code;
    }
    for (size_t i = 0; i < info->file_count; i++) {
        if (but == NULL || strcmp(info->files[i].path, but) != 0) {
            fk_buffer_append_format(into, "%s %s\n", info->files[i].path, info->files[i].sha256[0]);
        }
    }
    fk_run_info_destroy(info);
    return into->failed ? fk_error_no_memory(err) : FK_OK;
}

static fk_code broken(fk_error *err, const char *what, const char *name) {
    return fk_error_set(err, FK_E_CORRUPT, "%s%s%s", name, name[0] == '\0' ? "" : " ", what);
}

static fk_code check_files(const fk_buffer *wanted, fk_store *store, const char *run_id,
                           const char *but, fk_error *err) {
    FK_SCOPED(fk_buffer_finish) fk_buffer files = {0};
    fk_code code = describe_files(store, run_id, but, &files, err);
    if (code == FK_OK && (files.length == 0 || files.length != wanted->length ||
                          memcmp(files.bytes, wanted->bytes, files.length) != 0)) {
        code = broken(err, "has other files than were saved", run_id);
    }
    return code;
}

/* What the operation made anew verifies; the rest is as it was. */
static fk_code check_target(const fk_scene *scene, const fk_scene_rules *rules, fk_store *store,
                            fk_error *err) {
    FK_SCOPED(fk_buffer_finish) fk_buffer wanted = {0};
    if (rules->remade == NULL) {
        return check_files(&scene->files, store, scene->target.text, NULL, err);
    }
    fk_code code = describe_files(store, scene->old.text, rules->remade, &wanted, err);
    return code == FK_OK ? check_files(&wanted, store, scene->target.text, rules->remade, err)
                         : code;
}

/* ---- making ------------------------------------------------------------------------------- */

static fk_code save(const fk_scene *scene, fk_store *store, fk_run_id *ret_run_id, fk_error *err) {
    return fk_save_model(store, FK_SCENE_FONT, &scene->sample->model, ret_run_id, err);
}

fk_code fk_scene_make(fk_scene *scene, fk_error *err) {
    fk_store *store = NULL;
    fk_code code = make_path(scene, err);
    if (code == FK_OK) {
        code = fk_scene_open(scene, FK_DURABILITY_NONE, &store, err);
    }
    if (code == FK_OK) {
        code = save(scene, store, &scene->old, err);
    }
    if (code == FK_OK) {
        code = save(scene, store, &scene->target, err);
    }
    if (code == FK_OK && scene->files.length == 0) {
        code = describe_files(store, scene->old.text, NULL, &scene->files, err);
    }
    fk_store_close(store);
    return code;
}

fk_code fk_scene_remove(fk_scene *scene, fk_error *err) {
    return fk_directory_remove(scene->scratch->directory, STORE_NAME, err);
}

/* ---- checking ----------------------------------------------------------------------------- */

/* What was seen of the runs. */
typedef struct sight {
    bool old;
    bool target;
    size_t others;
} sight;

static fk_code check_run(const fk_scene *scene, const fk_scene_rules *rules, fk_store *store,
                         const fk_run_info *run, sight *seen, fk_error *err) {
    bool is_old = strcmp(run->run_id, scene->old.text) == 0;
    bool is_target = strcmp(run->run_id, scene->target.text) == 0;
    seen->old = seen->old || is_old;
    seen->target = seen->target || is_target;
    seen->others += !is_old && !is_target;
    if (is_target && run->health != FK_COMPLETE && run->health == rules->target_at_first) {
        return FK_OK;
    }
    if (run->health != FK_COMPLETE) {
        return fk_error_set(err, FK_E_CORRUPT, "run %s is %s", run->run_id,
                            fk_health_name(run->health));
    }
    return is_target ? check_target(scene, rules, store, err)
                     : check_files(&scene->files, store, run->run_id, NULL, err);
}

/* Every run that can be seen is whole, to the byte. */
static fk_code check_runs(const fk_scene *scene, const fk_scene_rules *rules, fk_store *store,
                          sight *ret_seen, fk_error *err) {
    fk_run_list *runs = NULL;
    sight seen = {false};
    fk_code code = fk_verify(store, FK_SCENE_FONT, NULL, NULL, NULL, &runs, err);
    for (size_t i = 0; code == FK_OK && i < fk_run_list_count(runs); i++) {
        code = check_run(scene, rules, store, fk_run_list_at(runs, i), &seen, err);
    }
    fk_run_list_destroy(runs);
    if (code == FK_OK && !seen.old) {
        code = broken(err, "is gone", scene->old.text);
    }
    *ret_seen = seen;
    return code;
}

static fk_code is_in_trash(const fk_scene *scene, fk_store *store, bool *ret_is, fk_error *err) {
    fk_trash_list *trash = NULL;
    fk_code code = fk_trash(store, &trash, err);
    *ret_is = false;
    for (size_t i = 0; code == FK_OK && i < fk_trash_list_count(trash); i++) {
        const char *run_id = fk_trash_list_at(trash, i)->run_id.text;
        *ret_is = *ret_is || strcmp(run_id, scene->target.text) == 0;
    }
    fk_trash_list_destroy(trash);
    return code;
}

/* Once recovered: nothing is lost, nothing came twice, and what had ended is as it should be. */
static fk_code check_outcome(const fk_scene *scene, const fk_scene_rules *rules, fk_store *store,
                             bool ended, fk_error *err) {
    sight seen = {false};
    bool trashed = false;
    fk_code code = check_runs(scene, rules, store, &seen, err);
    if (code == FK_OK) {
        code = is_in_trash(scene, store, &trashed, err);
    }
    if (code != FK_OK) {
        return code;
    }
    if (!seen.target && !trashed) {
        return broken(err, "is lost", scene->target.text);
    }
    if (seen.others > rules->new_runs || (ended && seen.others != rules->new_runs)) {
        return fk_error_set(err, FK_E_CORRUPT, "%zu new runs appeared", seen.others);
    }
    return !ended || seen.target == rules->target_live
               ? FK_OK
               : broken(err, "is not where it should be", scene->target.text);
}

static fk_code recover(fk_store *store, size_t *ret_removed, size_t *ret_kept, fk_error *err) {
    fk_recovery *recovery = NULL;
    fk_code code = fk_recover(store, &recovery, err);
    if (code == FK_OK) {
        *ret_removed = recovery->removed_count;
        *ret_kept = recovery->kept_count;
        fk_recovery_destroy(recovery);
    }
    return code;
}

static fk_code check_recovery(const fk_scene *scene, fk_store *store, fk_error *err) {
    fk_store_report *report = NULL;
    size_t removed = 0;
    size_t kept = 0;
    fk_code code = recover(store, &removed, &kept, err);
    if (code == FK_OK) {
        code = recover(store, &removed, &kept, err);
    }
    if (code == FK_OK && removed > 0) {
        code = broken(err, "recover had to be called twice", "");
    }
    if (code == FK_OK) {
        code = fk_status(store, &report, err);
    }
    bool clean = code == FK_OK && report->stranger_count == 0 && report->stages <= kept &&
                 (kept == 0 || scene->recover_waits);
    if (code == FK_OK && !clean) {
        code = broken(err, "recover left something behind", "");
    }
    fk_store_report_destroy(report);
    return code;
}

/* The next save; its run takes the place of nobody. */
static fk_code check_next_save(const fk_scene *scene, const fk_scene_rules *rules, fk_store *store,
                               fk_error *err) {
    fk_run_id id;
    sight before = {false};
    sight after = {false};
    fk_code code = check_runs(scene, rules, store, &before, err);
    if (code == FK_OK) {
        code = save(scene, store, &id, err);
    }
    if (code == FK_OK) {
        code = check_runs(scene, rules, store, &after, err);
    }
    if (code == FK_OK && (after.others != before.others + 1 || after.target != before.target)) {
        code = broken(err, "took the place of another run", id.text);
    }
    return code;
}

fk_code fk_scene_check(fk_scene *scene, const fk_scene_rules *rules, bool ended, fk_error *err) {
    fk_store *store = NULL;
    sight seen = {false};
    fk_scene_rules now = *rules;
    now.target_at_first = ended ? FK_COMPLETE : now.target_at_first;
    fk_code code = fk_scene_open(scene, FK_DURABILITY_NONE, &store, err);
    if (code == FK_OK) {
        code = check_runs(scene, &now, store, &seen, err);
    }
    if (code == FK_OK) {
        code = check_recovery(scene, store, err);
    }
    if (code == FK_OK) {
        code = check_outcome(scene, &now, store, ended, err);
    }
    if (code == FK_OK) {
        code = check_next_save(scene, &now, store, err);
    }
    fk_store_close(store);
    return code;
}
