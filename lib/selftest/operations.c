#include "selftest/operations.h"

#include <string.h>

#include "checkpoint/torch_write.h"
#include "digest/digest.h"
#include "fontkeep/change.h"
#include "os/directory.h"
#include "os/file.h"
#include "store/names/layout.h"

static fk_code run_save(const fk_scene *scene, fk_store *store, fk_error *err) {
    fk_run_id id;
    return fk_save_model(store, FK_SCENE_FONT, &scene->sample->model, &id, err);
}

static fk_code run_rm(const fk_scene *scene, fk_store *store, fk_error *err) {
    fk_trash_entry entry;
    return fk_rm(store, FK_SCENE_FONT, scene->target.text, &entry, err);
}

static fk_code prepare_restore(fk_scene *scene, fk_store *store, fk_error *err) {
    fk_trash_entry entry;
    fk_code code = fk_rm(store, FK_SCENE_FONT, scene->target.text, &entry, err);
    if (code == FK_OK) {
        memcpy(scene->trash_id, entry.trash_id, sizeof scene->trash_id);
    }
    return code;
}

static fk_code run_restore(const fk_scene *scene, fk_store *store, fk_error *err) {
    fk_trash_entry entry;
    return fk_restore(store, scene->trash_id, &entry, err);
}

/* ---- changes of a run --------------------------------------------------------------------- */

static fk_code open_target(const fk_scene *scene, fk_store *store, int *ret_directory,
                           fk_error *err) {
    fk_run_info *info = NULL;
    fk_code code = fk_get_run_info(store, FK_SCENE_FONT, scene->target.text, &info, err);
    if (code == FK_OK) {
        code = fk_directory_open_path(info->path, ret_directory, err);
    }
    fk_run_info_destroy(info);
    return code;
}

static fk_code lose_file(const fk_scene *scene, fk_store *store, const char *name, fk_error *err) {
    FK_SCOPED(fk_file_closep) int directory = -1;
    fk_code code = open_target(scene, store, &directory, err);
    return code == FK_OK ? fk_file_remove(directory, name, err) : code;
}

/* One run was to be changed. */
static fk_code check_changes(fk_code code, fk_change_list *changes, const char *what,
                             fk_error *err) {
    if (code == FK_OK &&
        (fk_change_list_count(changes) != 1 || fk_change_list_at(changes, 0)->code != FK_OK)) {
        code = fk_error_set(err, FK_E_CORRUPT, "a run was not %s", what);
    }
    fk_change_list_destroy(changes);
    return code;
}

/* The target loses its manifest, as if an older program had made it. */
static fk_code prepare_adopt(fk_scene *scene, fk_store *store, fk_error *err) {
    return lose_file(scene, store, FK_MANIFEST_FILE, err);
}

static fk_code run_adopt(const fk_scene *scene, fk_store *store, fk_error *err) {
    (void)scene;
    fk_change_list *changes = NULL;
    fk_code code = fk_adopt(store, FK_SCENE_FONT, NULL, NULL, &changes, err);
    return check_changes(code, changes, "adopted", err);
}

static fk_code prepare_regenerate(fk_scene *scene, fk_store *store, fk_error *err) {
    return lose_file(scene, store, FK_SAMPLE_FILE, err);
}

static fk_code run_regenerate(const fk_scene *scene, fk_store *store, fk_error *err) {
    fk_change_list *changes = NULL;
    fk_code code = fk_regenerate(store, FK_SCENE_FONT, scene->target.text, NULL, &changes, err);
    return check_changes(code, changes, "regenerated", err);
}

static fk_code append_bytes(void *user, const void *from, size_t bytes, uint32_t *crc32,
                            fk_error *err) {
    if (crc32 != NULL) {
        *crc32 = fk_crc32_update(*crc32, from, bytes);
    }
    return fk_buffer_append(user, from, bytes) ? FK_OK : fk_error_no_memory(err);
}

/* What torch.save writes of a state dict alone. */
static fk_code write_old_weights(const fk_scene *scene, int directory, fk_error *err) {
    FK_SCOPED(fk_torch_writer_destroyp) fk_torch_writer *writer = NULL;
    FK_SCOPED(fk_buffer_finish) fk_buffer file = {0};
    FK_SCOPED(fk_file_closep) int fd = -1;
    const fk_sink sink = {.write = append_bytes, .user = &file};
    fk_code code = fk_torch_writer_create(scene->sample->model.weights, &writer, err);
    if (code == FK_OK) {
        code = fk_torch_writer_write(writer, &sink, NULL, NULL, err);
    }
    if (code == FK_OK) {
        code = fk_file_create(directory, FK_WEIGHTS_FILE, &fd, err);
    }
    if (code == FK_OK) {
        code = fk_file_write(fd, file.bytes, file.length, FK_WEIGHTS_FILE, err);
    }
    return code == FK_OK ? fk_file_close(&fd, FK_WEIGHTS_FILE, err) : code;
}

/* The target becomes one that an older program made. */
static fk_code prepare_migrate(fk_scene *scene, fk_store *store, fk_error *err) {
    FK_SCOPED(fk_file_closep) int directory = -1;
    fk_code code = open_target(scene, store, &directory, err);
    if (code == FK_OK) {
        code = fk_file_remove(directory, FK_MANIFEST_FILE, err);
    }
    if (code == FK_OK) {
        code = fk_file_remove(directory, FK_WEIGHTS_FILE, err);
    }
    return code == FK_OK ? write_old_weights(scene, directory, err) : code;
}

static fk_code run_migrate(const fk_scene *scene, fk_store *store, fk_error *err) {
    fk_change_list *changes = NULL;
    fk_code code =
        fk_migrate(store, FK_SCENE_FONT, scene->target.text, NULL, NULL, NULL, &changes, err);
    return check_changes(code, changes, "migrated", err);
}

/* ---- all of them -------------------------------------------------------------------------- */

const fk_operation fk_operations[FK_OPERATION_COUNT] = {
    {"save", NULL, run_save, {.new_runs = 1, .target_at_first = FK_COMPLETE, .target_live = true}},
    {"rm", NULL, run_rm, {.target_at_first = FK_COMPLETE, .target_live = false}},
    {"restore",
     prepare_restore,
     run_restore,
     {.target_at_first = FK_COMPLETE, .target_live = true}},
    {"adopt", prepare_adopt, run_adopt, {.target_at_first = FK_UNVERIFIED, .target_live = true}},
    {"regenerate",
     prepare_regenerate,
     run_regenerate,
     {.target_at_first = FK_INCOMPLETE, .remade = FK_SAMPLE_FILE, .target_live = true}},
    {"migrate",
     prepare_migrate,
     run_migrate,
     {.target_at_first = FK_UNVERIFIED, .remade = FK_WEIGHTS_FILE, .target_live = true}},
};
