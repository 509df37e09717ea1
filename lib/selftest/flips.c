#include "selftest/flips.h"

#include <string.h>

#include "os/directory.h"
#include "os/file.h"
#include "os/trial.h"
#include "selftest/scene.h"
#include "store/names/layout.h"

/* Whether the run is found damaged, and the file named. */
static fk_code is_noticed(fk_store *store, const char *run_id, const char *path, bool *ret_is,
                          fk_error *err) {
    fk_run_list *runs = NULL;
    fk_code code = fk_verify(store, FK_SCENE_FONT, run_id, NULL, NULL, &runs, err);
    if (code != FK_OK) {
        return code;
    }
    const fk_run_info *run = fk_run_list_at(runs, 0);
    bool named = false;
    for (size_t i = 0; i < run->problem_count; i++) {
        named =
            named || (run->problems[i].path != NULL && strcmp(run->problems[i].path, path) == 0);
    }
    *ret_is = run->health == FK_CORRUPT && named;
    fk_run_list_destroy(runs);
    return FK_OK;
}

static fk_code flip(fk_store *store, int directory, const char *run_id, const char *path,
                    fk_report *report, fk_error *err) {
    bool noticed = false;
    fk_code code = fk_trial_flip(directory, path, err);
    if (code == FK_OK) {
        report->open.flips++;
        code = is_noticed(store, run_id, path, &noticed, err);
    }
    if (code == FK_OK && !noticed) {
        code = fk_report_add_violation(report, err, "a flipped bit in %s went unnoticed", path);
    }
    return code == FK_OK ? fk_trial_flip(directory, path, err) : code;
}

static fk_code flip_files(fk_store *store, const char *run_id, fk_report *report, fk_error *err) {
    FK_SCOPED(fk_file_closep) int directory = -1;
    fk_run_info *info = NULL;
    fk_code code = fk_get_run_info(store, FK_SCENE_FONT, run_id, &info, err);
    if (code == FK_OK) {
        code = fk_directory_open_path(info->path, &directory, err);
    }
    for (size_t i = 0; code == FK_OK && i < info->file_count; i++) {
        code = flip(store, directory, run_id, info->files[i].path, report, err);
    }
    if (code == FK_OK) {
        code = flip(store, directory, run_id, FK_MANIFEST_FILE, report, err);
    }
    fk_run_info_destroy(info);
    return code;
}

fk_code fk_flips_try(const fk_scratch *scratch, const fk_sample *sample, fk_report *report,
                     fk_error *err) {
    FK_SCOPED(fk_scene_finish) fk_scene scene;
    fk_store *store = NULL;
    fk_scene_init(&scene, scratch, sample, report);
    fk_code code = fk_scene_make(&scene, err);
    if (code == FK_OK) {
        code = fk_scene_open(&scene, FK_DURABILITY_NONE, &store, err);
    }
    if (code == FK_OK) {
        code = flip_files(store, scene.old.text, report, err);
    }
    fk_store_close(store);
    return code == FK_OK ? fk_scene_remove(&scene, err) : code;
}
