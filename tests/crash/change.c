#include "change.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint/torch_write.h"
#include "digest/digest.h"
#include "harness.h"

#define FONT OPERATION_FONT

/* ---- one call on a store ------------------------------------------------------------------ */

typedef fk_code (*call)(fk_store *store, const fk_model *model, fk_error *err);

static fk_code with_store(const char *path, const fk_model *model, call run, fk_error *err) {
    fk_store *store = NULL;
    fk_code code = fk_store_open(path, NULL, &store, err);
    if (code == FK_OK) {
        code = run(store, model, err);
    }
    fk_store_close(store);
    return code;
}

static void prepare(const char *path, const fk_model *model, call run) {
    harness_check(with_store(path, model, run, NULL) == FK_OK, "prepare");
}

static fk_code save(fk_store *store, const fk_model *model, fk_error *err) {
    fk_run_id id;
    return fk_save_model(store, FONT, model, &id, err);
}

static fk_code remove_run(fk_store *store, const fk_model *model, fk_error *err) {
    fk_trash_entry entry;
    (void)model;
    return fk_rm(store, FONT, "latest", &entry, err);
}

static fk_code remove_font(fk_store *store, const fk_model *model, fk_error *err) {
    fk_trash_entry entry;
    (void)model;
    return fk_rm(store, FONT, NULL, &entry, err);
}

/* The last one listed is the newest. */
static fk_code restore(fk_store *store, const fk_model *model, fk_error *err) {
    fk_trash_list *trash = NULL;
    fk_trash_entry entry;
    (void)model;
    fk_code code = fk_trash(store, &trash, err);
    size_t count = code == FK_OK ? fk_trash_list_count(trash) : 0;
    if (count > 0) {
        code = fk_restore(store, fk_trash_list_at(trash, count - 1)->trash_id, &entry, err);
    } else if (code == FK_OK) {
        code = FK_E_RUN_NOT_FOUND;
    }
    fk_trash_list_destroy(trash);
    return code;
}

static fk_code purge(fk_store *store, const fk_model *model, fk_error *err) {
    fk_trash_list *purged = NULL;
    (void)model;
    fk_code code = fk_purge(store, NULL, &purged, err);
    fk_trash_list_destroy(purged);
    return code;
}

/* One run that was refused makes the call fail. */
static fk_code take_changes(fk_code code, fk_change_list *changes, fk_error *err) {
    for (size_t i = 0; code == FK_OK && i < fk_change_list_count(changes); i++) {
        const fk_change *change = fk_change_list_at(changes, i);
        code = change->code;
        if (code != FK_OK && err != NULL) {
            err->code = code;
            snprintf(err->message, sizeof err->message, "%s", change->message);
            snprintf(err->hint, sizeof err->hint, "%s", change->hint);
            snprintf(err->path, sizeof err->path, "%s", change->path);
        }
    }
    fk_change_list_destroy(changes);
    return code;
}

static fk_code adopt(fk_store *store, const fk_model *model, fk_error *err) {
    fk_change_list *changes = NULL;
    (void)model;
    fk_code code = fk_adopt(store, FONT, NULL, NULL, &changes, err);
    return take_changes(code, changes, err);
}

static fk_code migrate(fk_store *store, const fk_model *model, fk_error *err) {
    fk_change_list *changes = NULL;
    fk_code code =
        fk_migrate(store, FONT, NULL, model->personality_vector, NULL, NULL, &changes, err);
    return take_changes(code, changes, err);
}

static fk_code regenerate(fk_store *store, const fk_model *model, fk_error *err) {
    fk_change_list *changes = NULL;
    (void)model;
    fk_code code = fk_regenerate(store, FONT, NULL, NULL, &changes, err);
    return take_changes(code, changes, err);
}

static fk_code create(fk_store *store, const fk_model *model, fk_error *err) {
    (void)model;
    return fk_create_font(store, "3-aggressive-sans", err);
}

static fk_code init(fk_store *store, const fk_model *model, fk_error *err) {
    char id[37];
    (void)model;
    return fk_store_init(store, id, err);
}

/* ---- what stands before ------------------------------------------------------------------- */

static void prepare_font(const char *path, const fk_model *model) {
    prepare(path, model, save);
    prepare(path, model, save);
}

static void prepare_removed_run(const char *path, const fk_model *model) {
    prepare_font(path, model);
    prepare(path, model, remove_run);
}

static void prepare_removed_font(const char *path, const fk_model *model) {
    prepare(path, model, save);
    prepare(path, model, remove_font);
}

static fk_code write_to_file(void *user, const void *from, size_t bytes, uint32_t *crc32,
                             fk_error *err) {
    (void)err;
    if (crc32 != NULL) {
        *crc32 = fk_crc32_update(*crc32, from, bytes);
    }
    return fwrite(from, 1, bytes, user) == bytes ? FK_OK : FK_E_IO;
}

static void write_bare_weights(const char *path, const fk_model *model) {
    fk_torch_writer *writer = NULL;
    FILE *file = fopen(path, "w");
    harness_check(file != NULL, path);
    fk_sink sink = {.write = write_to_file, .user = file};
    harness_check(fk_torch_writer_create(model->weights, &writer, NULL) == FK_OK &&
                      fk_torch_writer_write(writer, &sink, NULL, NULL, NULL) == FK_OK,
                  "weights");
    fk_torch_writer_destroy(writer);
    harness_check(fclose(file) == 0, path);
}

static fk_code make_old(fk_store *store, const fk_model *model, fk_error *err) {
    char path[512];
    fk_run_info *info = NULL;
    fk_code code = fk_get_run_info(store, FONT, NULL, &info, err);
    if (code != FK_OK) {
        return code;
    }
    snprintf(path, sizeof path, "%s/run.json", info->path);
    harness_check(unlink(path) == 0, path);
    snprintf(path, sizeof path, "%s/weights", info->path);
    harness_check(unlink(path) == 0, path);
    snprintf(path, sizeof path, "%s/weights.pt", info->path);
    write_bare_weights(path, model);
    fk_run_info_destroy(info);
    return FK_OK;
}

/* By hand: no manifest, and weights as torch.save writes a state dict. */
static void prepare_old_run(const char *path, const fk_model *model) {
    prepare(path, model, save);
    prepare(path, model, make_old);
}

static void prepare_adopted_run(const char *path, const fk_model *model) {
    prepare_old_run(path, model);
    prepare(path, model, adopt);
}

static void prepare_migrated_run(const char *path, const fk_model *model) {
    prepare_adopted_run(path, model);
    prepare(path, model, migrate);
}

static fk_code lose_sample(fk_store *store, const fk_model *model, fk_error *err) {
    char path[512];
    fk_run_info *info = NULL;
    (void)model;
    fk_code code = fk_get_run_info(store, FONT, NULL, &info, err);
    if (code != FK_OK) {
        return code;
    }
    snprintf(path, sizeof path, "%s/sample.png", info->path);
    harness_check(unlink(path) == 0, path);
    fk_run_info_destroy(info);
    return FK_OK;
}

static void prepare_lost_sample(const char *path, const fk_model *model) {
    prepare(path, model, save);
    prepare(path, model, lose_sample);
}

static void prepare_nothing(const char *path, const fk_model *model) {
    (void)path;
    (void)model;
}

/* ---- the calls ---------------------------------------------------------------------------- */

#define RUN(name)                                                                                  \
    static fk_code run_##name(const char *path, const fk_model *model, fk_error *err) {            \
        return with_store(path, model, name, err);                                                 \
    }

RUN(remove_run)
RUN(remove_font)
RUN(restore)
RUN(purge)
RUN(adopt)
RUN(migrate)
RUN(regenerate)
RUN(create)
RUN(init)

const operation change_operations[CHANGE_COUNT] = {
    [CHANGE_RM_RUN] = {"rm of a run", prepare_font, run_remove_run, 0},
    [CHANGE_RM_FONT] = {"rm of a font", prepare_font, run_remove_font, 0},
    [CHANGE_RESTORE_RUN] = {"restore of a run", prepare_removed_run, run_restore, 0},
    [CHANGE_PURGE_RUN] = {"purge of a run", prepare_removed_run, run_purge, OPERATION_NO_WAY_BACK},
    [CHANGE_ADOPT] = {"adopt", prepare_old_run, run_adopt, OPERATION_OLD_RUNS},
    [CHANGE_MIGRATE] = {"migrate", prepare_adopted_run, run_migrate, OPERATION_OLD_RUNS},
    [CHANGE_REGENERATE] = {"regenerate", prepare_lost_sample, run_regenerate,
                           OPERATION_LOST_IMAGES},
    [CHANGE_OTHERS] = {"restore of a font", prepare_removed_font, run_restore, 0},
    {"restore of a generation", prepare_migrated_run, run_restore,
     OPERATION_OLD_RUNS | OPERATION_ENTRY_LAST},
    {"restore of what was adopted", prepare_adopted_run, run_restore, OPERATION_OLD_RUNS},
    {"purge of a font", prepare_removed_font, run_purge, OPERATION_NO_WAY_BACK},
    {"adopt, without exchange", prepare_old_run, run_adopt,
     OPERATION_OLD_RUNS | OPERATION_NO_EXCHANGE},
    {"migrate, without exchange", prepare_adopted_run, run_migrate,
     OPERATION_OLD_RUNS | OPERATION_NO_EXCHANGE},
    {"regenerate, without exchange", prepare_lost_sample, run_regenerate,
     OPERATION_LOST_IMAGES | OPERATION_NO_EXCHANGE},
    {"create", prepare_font, run_create, OPERATION_RUNS_STAY},
    {"init", prepare_nothing, run_init, OPERATION_RUNS_STAY},
};
