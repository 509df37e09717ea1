#include "operation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "os/directory.h"
#include "os/file.h"
#include "recorder.h"
#include "sample_model.h"

static const char *dropped_syncs;

static void fill(sample_model *sample, size_t glyphs) {
    sample_model_init(sample, 16);
    fk_glyph *all = calloc(glyphs + 1, sizeof *all);
    harness_check(all != NULL, "memory");
    for (size_t i = 0; i < glyphs; i++) {
        char label[16];
        snprintf(label, sizeof label, i < 26 ? "%c" : "g%d", i < 26 ? 'A' + (int)i : (int)i);
        all[i] = (fk_glyph){.label = strdup(label), .image = sample->image};
    }
    sample->model.eval_glyphs = all;
    sample->model.eval_glyph_count = glyphs;
}

const fk_model *operation_model(size_t glyphs) {
    static sample_model samples[OPERATION_GLYPHS_MAX + 1];
    harness_check(glyphs <= OPERATION_GLYPHS_MAX, "so many glyphs");
    if (samples[glyphs].values == NULL) {
        fill(&samples[glyphs], glyphs);
    }
    return &samples[glyphs].model;
}

static fk_code save(const char *path, const char *font_id, const fk_model *model, fk_error *err) {
    fk_store *store = NULL;
    fk_run_id id;
    fk_code code = fk_store_open(path, NULL, &store, err);
    if (code == FK_OK) {
        code = fk_save_model(store, font_id, model, &id, err);
    }
    fk_store_close(store);
    return code;
}

static void prepare_nothing(const char *path, const fk_model *model) {
    (void)path;
    (void)model;
}

static void prepare_two_fonts(const char *path, const fk_model *model) {
    (void)model;
    harness_check(save(path, OPERATION_FONT, operation_model(1), NULL) == FK_OK, "save");
    harness_check(save(path, OPERATION_OTHER_FONT, operation_model(1), NULL) == FK_OK, "save");
}

static fk_code save_font(const char *path, const fk_model *model, fk_error *err) {
    return save(path, OPERATION_FONT, model, err);
}

const operation operation_first_save = {
    .name = "save, the first of a store", .prepare = prepare_nothing, .run = save_font};
const operation operation_second_save = {
    .name = "save", .prepare = prepare_two_fonts, .run = save_font};

static fk_code remove_in_place(const char *path, const fk_model *model, fk_error *err) {
    char name[512];
    fk_store *store = NULL;
    fk_run_info *info = NULL;
    FK_SCOPED(fk_file_closep) int runs = -1;
    (void)model;
    snprintf(name, sizeof name, "%s/%s/runs", path, OPERATION_FONT);
    fk_code code = fk_store_open(path, NULL, &store, err);
    if (code == FK_OK) {
        code = fk_get_run_info(store, OPERATION_FONT, NULL, &info, err);
    }
    if (code == FK_OK) {
        code = fk_directory_open_path(name, &runs, err);
    }
    if (code == FK_OK) {
        code = fk_directory_remove(runs, info->run_id, err);
    }
    fk_run_info_destroy(info);
    fk_store_close(store);
    return code;
}

const operation operation_removal_in_place = {
    .name = "a removal in place", .prepare = prepare_two_fonts, .run = remove_in_place};

fk_code operation_recover(const char *path, const fk_model *model, fk_error *err) {
    fk_store *store = NULL;
    fk_recovery *recovery = NULL;
    (void)model;
    fk_code code = fk_store_open(path, NULL, &store, err);
    if (code == FK_OK) {
        code = fk_recover(store, &recovery, err);
    }
    fk_recovery_destroy(recovery);
    fk_store_close(store);
    return code;
}

volume_runs operation_count_runs(const char *path) {
    volume disk;
    volume_read(&disk, path);
    volume_runs runs = volume_count_runs(&disk);
    volume_finish(&disk);
    return runs;
}

void operation_drop_syncs(const char *pattern) {
    dropped_syncs = pattern;
}

static void wish(const operation *it) {
    if (dropped_syncs != NULL) {
        recorder_drop_syncs(dropped_syncs);
        dropped_syncs = NULL;
    }
    if ((it->flags & OPERATION_NO_EXCHANGE) != 0) {
        recorder_refuse_exchange();
    }
}

static bool is_in_trash(const volume_runs *runs, uint64_t digest) {
    for (size_t i = 0; i < runs->trash_count; i++) {
        if (runs->trash[i] == digest) {
            return true;
        }
    }
    return false;
}

/* Of the entries that left the trash. */
static uint64_t sum_of_gone(const volume_runs *before, const volume_runs *after) {
    uint64_t sum = 0;
    for (size_t i = 0; i < before->trash_count; i++) {
        sum += is_in_trash(after, before->trash[i]) ? 0 : before->trash[i];
    }
    return sum;
}

oracle operation_rules(const operation *it, const fk_model *model, volume_runs before,
                       volume_runs after) {
    bool changes = before.digest != after.digest;
    harness_check(changes == ((it->flags & OPERATION_RUNS_STAY) == 0), "which runs change");
    return (oracle){
        .before = before.digest,
        .after = after.digest,
        .between = after.digest +
                   ((it->flags & OPERATION_ENTRY_LAST) != 0 ? sum_of_gone(&before, &after) : 0),
        .font_id = OPERATION_FONT,
        .worst = (it->flags & OPERATION_LOST_IMAGES) != 0 ? FK_INCOMPLETE
                 : (it->flags & OPERATION_OLD_RUNS) != 0  ? FK_UNVERIFIED
                                                          : FK_COMPLETE,
        .model = model,
    };
}

oplog operation_record(const operation *it, const fk_model *model, oracle *ret_oracle) {
    char path[256];
    harness_make_directory(path);
    recorder_start(path); /* for its clock */
    it->prepare(path, model);
    oplog unused = recorder_stop();
    oplog_finish(&unused);
    volume_runs before = operation_count_runs(path);
    wish(it);
    recorder_start(path);
    harness_check(it->run(path, model, NULL) == FK_OK, it->name);
    oplog log = recorder_stop();
    *ret_oracle = operation_rules(it, model, before, operation_count_runs(path));
    harness_remove_directory(path);
    return log;
}
