#include "mutant.h"

#include <string.h>

#include "change.h"
#include "harness.h"

static size_t find(const oplog *log, oplog_kind kind, const char *name) {
    for (size_t i = 0; i < log->count; i++) {
        const oplog_op *op = &log->ops[i];
        int found = oplog_is_entry(op) ? op->name : log->volume.inodes[op->inode].name;
        if (op->kind == kind && (name == NULL || strcmp(volume_name_text(found), name) == 0)) {
            return i;
        }
    }
    harness_check(false, "the protocol has no such step");
    return 0;
}

static void move_op(oplog *log, size_t from, size_t to) {
    oplog_op op = log->ops[from];
    oplog_remove(log, from);
    oplog_insert(log, to, op);
}

/* The first of its syncs is the barrier's. */
static void rename_before_the_barrier(oplog *log) {
    move_op(log, find(log, OPLOG_MOVE, NULL), find(log, OPLOG_SYNC, NULL));
}

static void rename_before_the_manifest(oplog *log) {
    move_op(log, find(log, OPLOG_MOVE, NULL), find(log, OPLOG_SET, "run.json"));
}

static void sync_before_the_write(oplog *log) {
    move_op(log, find(log, OPLOG_SYNC, "weights"), find(log, OPLOG_WRITE, "weights"));
}

static void sync_stage_before_the_manifest(oplog *log) {
    int stage = log->ops[find(log, OPLOG_MOVE, NULL)].inode;
    for (size_t i = 0; i < log->count; i++) {
        if (log->ops[i].kind == OPLOG_SYNC && log->ops[i].inode == stage) {
            move_op(log, i, find(log, OPLOG_SET, "run.json"));
            return;
        }
    }
}

/* mkdir of the final name, and a rename that replaces it. */
static void rename_over_an_empty_directory(oplog *log) {
    size_t rename = find(log, OPLOG_MOVE, NULL);
    oplog_op op = log->ops[rename];
    op.kind = OPLOG_SET;
    op.name = op.other;
    op.inode = volume_add(&log->volume, true, 0);
    oplog_insert(log, rename, op);
}

/* The rename of a stage that stands in another font's runs/: two directories change, and only one
 * of them is synced. */
static void stage_in_another_directory(oplog *log) {
    size_t rename = find(log, OPLOG_MOVE, NULL);
    oplog_op *moved = &log->ops[rename];
    int font = volume_directory_find(&log->volume.inodes[VOLUME_ROOT].directory,
                                     volume_name(OPERATION_OTHER_FONT));
    int runs = volume_directory_find(&log->volume.inodes[font].directory, volume_name("runs"));
    oplog_op gone = {.kind = OPLOG_UNSET, .directory = runs, .name = moved->name};
    for (size_t i = 0; i < rename; i++) {
        if (log->ops[i].kind == OPLOG_SET && log->ops[i].inode == moved->inode) {
            log->ops[i].directory = runs;
        }
    }
    moved->kind = OPLOG_SET;
    moved->name = moved->other;
    oplog_insert(log, rename, gone);
}

/* The generation takes its place before a byte of it is synced. */
static void exchange_before_the_barrier(oplog *log) {
    move_op(log, find(log, OPLOG_SWAP, NULL), find(log, OPLOG_SYNC, NULL));
    move_op(log, find(log, OPLOG_MOVE, NULL), find(log, OPLOG_SYNC, NULL));
}

/* The sync between the rename into the trash and the exchange is left out. */
static void exchange_before_the_name(oplog *log) {
    size_t sync = find(log, OPLOG_SWAP, NULL) - 1;
    harness_check(log->ops[sync].kind == OPLOG_SYNC, "the exchange follows a sync");
    oplog_remove(log, sync);
}

#define SAVE  &operation_second_save
#define FIRST &operation_first_save
#define ADOPT &change_operations[CHANGE_ADOPT]

const mutant mutants[] = {
    {"the weights are not synced", SAVE, "weights", NULL},
    {"the sample is not synced", SAVE, "sample.png", NULL},
    {"the feedback is not synced", SAVE, "feedback.json", NULL},
    {"one glyph is not synced", SAVE, "B.png", NULL},
    {"the manifest is not synced", SAVE, "run.json", NULL},
    {"eval-glyphs/ is not synced", SAVE, "eval-glyphs", NULL},
    {"the stage is not synced", SAVE, ".stage-*", NULL},
    {"runs/ is not synced", SAVE, "runs", NULL},
    {"a new font is not synced", FIRST, "1-fruity", NULL},
    {"the store is not synced for a new font", FIRST, "", NULL},
    {"nothing is synced", SAVE, "*", NULL},
    {"the rename goes before the barrier", SAVE, NULL, rename_before_the_barrier},
    {"the rename goes before the manifest", SAVE, NULL, rename_before_the_manifest},
    {"the weights are synced before they are written", SAVE, NULL, sync_before_the_write},
    {"the stage is synced before the manifest is made", SAVE, NULL, sync_stage_before_the_manifest},
    {"the rename replaces an empty directory", SAVE, NULL, rename_over_an_empty_directory},
    {"the stage stands in another directory", SAVE, NULL, stage_in_another_directory},
    {"a run is removed in its place", &operation_removal_in_place, NULL, NULL},
    {"rm does not sync runs/", &change_operations[CHANGE_RM_RUN], "runs", NULL},
    {"rm of a font does not sync the store", &change_operations[CHANGE_RM_FONT], "", NULL},
    {"restore does not sync runs/", &change_operations[CHANGE_RESTORE_RUN], "runs", NULL},
    {"purge removes before it has hidden", &change_operations[CHANGE_PURGE_RUN], "runs", NULL},
    {"an adopted run's manifest is not synced", ADOPT, "run.json", NULL},
    {"an adopted run's stage is not synced", ADOPT, ".stage-*", NULL},
    {"migrated weights are not synced", &change_operations[CHANGE_MIGRATE], "weights", NULL},
    {"the exchange goes before the barrier", ADOPT, NULL, exchange_before_the_barrier},
    {"the exchange goes before the name is synced", ADOPT, NULL, exchange_before_the_name},
};

const size_t mutant_count = sizeof mutants / sizeof *mutants;
