#include "state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"

/* ---- a point ------------------------------------------------------------------------------ */

/* Whether an operation was followed by a sync that covers it. */
static bool is_synced(const oplog *log, size_t ops, size_t op) {
    int covered = oplog_is_entry(&log->ops[op]) ? log->ops[op].directory : log->ops[op].inode;
    for (size_t i = op + 1; i < ops; i++) {
        if (log->ops[i].kind == OPLOG_SYNC && log->ops[i].inode == covered) {
            return true;
        }
    }
    return false;
}

static void add_variable(state_point *it, state_variable variable) {
    variable.values = variable.values == 0 ? variable.most + 1 : variable.values;
    it->variables[it->count++] = variable;
}

static void add_slices(state_point *it, int inode, size_t end, unsigned slices) {
    state_file *file = &it->files[inode];
    size_t begin = file->durable;
    file->first = it->count;
    for (unsigned i = 0; i < slices; i++) {
        size_t until = file->durable + (end - file->durable) * (i + 1) / slices;
        if (until > begin) {
            add_variable(
                it, (state_variable){
                        .op = -1, .inode = inode, .begin = begin, .end = until, .most = STATE_NEW});
            begin = until;
        }
    }
    file->count = it->count - file->first;
}

static void divide_file(state_point *it, int inode, const state_options *options) {
    const oplog *log = it->log;
    size_t written = log->volume.inodes[inode].start_length;
    it->files[inode].durable = written;
    for (size_t i = 0; i < it->ops; i++) {
        if (log->ops[i].kind == OPLOG_WRITE && log->ops[i].inode == inode) {
            written = log->ops[i].offset + log->ops[i].length;
            it->files[inode].durable =
                is_synced(log, it->ops, i) ? written : it->files[inode].durable;
        }
    }
    if (written > it->files[inode].durable) {
        const char *name = volume_name_text(log->volume.inodes[inode].name);
        add_slices(it, inode, written, strcmp(name, "weights") == 0 ? options->weights_slices : 1);
    }
}

void state_point_init(state_point *it, const oplog *log, size_t ops, const state_options *options) {
    size_t inodes = log->volume.count;
    *it = (state_point){.log = log, .ops = ops, .returned = ops == log->count};
    it->variables = calloc(ops + inodes * (options->weights_slices + 1), sizeof *it->variables);
    it->durable = calloc(inodes, sizeof *it->durable);
    it->current = calloc(inodes, sizeof *it->current);
    it->files = calloc(inodes, sizeof *it->files);
    for (size_t i = 0; i < inodes; i++) {
        volume_directory_copy(&it->durable[i], &log->volume.inodes[i].directory);
    }
    for (size_t i = 0; i < ops; i++) {
        const oplog_op *op = &log->ops[i];
        if (oplog_is_entry(op) && is_synced(log, ops, i)) {
            oplog_apply(op, &it->durable[op->directory]);
        } else if (oplog_is_entry(op)) {
            bool tears = options->renames_tear && op->kind == OPLOG_MOVE;
            add_variable(it, (state_variable){.op = (int)i, .most = 1, .values = tears ? 4 : 2});
        }
    }
    it->entry_variables = it->count;
    for (size_t i = 0; i < inodes; i++) {
        if (!log->volume.inodes[i].is_directory) {
            divide_file(it, (int)i, options);
        }
        volume_directory_copy(&it->current[i], &it->durable[i]);
    }
}

void state_point_finish(state_point *it) {
    for (size_t i = 0; i < it->log->volume.count; i++) {
        free(it->durable[i].entries);
        free(it->current[i].entries);
    }
    free(it->variables);
    free(it->durable);
    free(it->current);
    free(it->files);
}

double state_point_combinations(const state_point *it) {
    double combinations = 1;
    for (size_t i = 0; i < it->count; i++) {
        combinations *= it->variables[i].values;
    }
    return combinations;
}

/* ---- a state ------------------------------------------------------------------------------ */

static void put_entry(volume_directory *directory, const oplog_op *op, uint8_t value) {
    if (value == STATE_ONLY_NEW_NAME) {
        volume_directory_set(directory, op->other, op->inode);
    } else if (value == STATE_ONLY_OLD_GONE) {
        volume_directory_unset(directory, op->name);
    } else {
        oplog_apply(op, directory);
    }
}

static void put_entries(state_point *it, const uint8_t *values) {
    for (size_t i = 0; i < it->entry_variables; i++) {
        int directory = it->log->ops[it->variables[i].op].directory;
        volume_directory_copy(&it->current[directory], &it->durable[directory]);
    }
    for (size_t i = 0; i < it->entry_variables; i++) {
        const oplog_op *op = &it->log->ops[it->variables[i].op];
        if (values[i] != 0) {
            put_entry(&it->current[op->directory], op, values[i]);
        }
    }
}

/* What a file's slices look like; those at the end that are absent do not count, and others that
 * are absent read as zeros. */
static uint64_t digest_file(const state_point *it, int inode, const uint8_t *values) {
    const state_file *file = &it->files[inode];
    uint64_t digest = file->durable;
    size_t count = file->count;
    while (count > 0 && values[file->first + count - 1] == STATE_ABSENT) {
        count--;
    }
    bool whole = true;
    for (size_t i = 0; i < count; i++) {
        const state_variable *slice = &it->variables[file->first + i];
        uint8_t value = values[file->first + i];
        whole = whole && value == STATE_NEW;
        if (whole) {
            digest = slice->end;
        } else {
            value = value == STATE_ABSENT ? STATE_ZEROS : value;
            digest = volume_mix(digest, slice->end * 4 + value);
        }
    }
    return digest;
}

typedef struct digesting {
    const state_point *point;
    const uint8_t *values;
    uint8_t *reached;
    bool twice;
} digesting;

/* Stages are named at random; one is as good as the other. */
static uint64_t class_of_name(int name, bool is_directory) {
    return volume_name_is_stage(name) ? 7U + is_directory : volume_name_hash(name);
}

static uint64_t digest_directory(digesting *it, int inode, uint8_t how, uint64_t *hidden);

static uint64_t digest_entry(digesting *it, const volume_entry *entry, uint8_t how, bool glyphs,
                             uint64_t *hidden) {
    const volume_inode *node = &it->point->log->volume.inodes[entry->inode];
    uint64_t digest;
    if (node->is_directory) {
        it->twice = it->twice || it->reached[entry->inode] != 0;
        it->reached[entry->inode] = how;
        digest = digest_directory(it, entry->inode, how, hidden);
        digest = volume_mix(digest, volume_name_is_glyphs(entry->name));
    } else {
        it->reached[entry->inode] = it->reached[entry->inode] == 1 ? 1 : how;
        digest = digest_file(it->point, entry->inode, it->values);
        digest = glyphs ? digest : volume_mix(digest, (uint64_t)entry->inode);
    }
    return glyphs ? volume_mix(digest, 5)
                  : volume_mix(class_of_name(entry->name, node->is_directory), digest);
}

/* What is in a stage goes into *hidden. */
static uint64_t digest_directory(digesting *it, int inode, uint8_t how, uint64_t *hidden) {
    const volume_directory *directory = &it->point->current[inode];
    bool glyphs = volume_name_is_glyphs(it->point->log->volume.inodes[inode].name);
    uint64_t sum = 1;
    for (size_t i = 0; i < directory->count; i++) {
        const volume_entry *entry = &directory->entries[i];
        if (how == 1 && volume_name_is_stage(entry->name)) {
            *hidden += digest_entry(it, entry, 2, glyphs, hidden);
        } else {
            sum += digest_entry(it, entry, how, glyphs, hidden);
        }
    }
    return sum;
}

state_digest state_put(state_point *it, const uint8_t *values, uint8_t *reached) {
    uint64_t hidden = 0;
    digesting sum = {.point = it, .values = values, .reached = reached};
    put_entries(it, values);
    memset(reached, 0, it->log->volume.count);
    reached[VOLUME_ROOT] = 1;
    uint64_t visible = digest_directory(&sum, VOLUME_ROOT, 1, &hidden);
    visible = volume_mix(visible, it->returned);
    return (state_digest){
        .visible = visible,
        .whole = volume_mix(visible, hidden),
        .twice = sum.twice,
    };
}

/* ---- on a disk ---------------------------------------------------------------------------- */

typedef struct making {
    const state_point *point;
    const uint8_t *values;
    char (*paths)[512]; /* [inodes] of files that were made */
} making;

/* Bytes that no file of ours has. */
static void write_garbage(FILE *file, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        fputc(0xa5 ^ (int)(i % 251), file);
    }
}

static void write_slice(FILE *file, const state_variable *slice, uint8_t value,
                        const uint8_t *bytes) {
    fseek(file, (long)slice->begin, SEEK_SET);
    if (value == STATE_NEW) {
        fwrite(bytes + slice->begin, 1, slice->end - slice->begin, file);
    } else if (value == STATE_GARBAGE) {
        write_garbage(file, slice->end - slice->begin);
    } else if (value == STATE_ZEROS) {
        for (size_t i = slice->begin; i < slice->end; i++) {
            fputc(0, file);
        }
    }
}

static void make_file(const making *it, int inode, const char *path) {
    const state_file *file = &it->point->files[inode];
    const uint8_t *bytes = it->point->log->volume.inodes[inode].bytes;
    if (it->paths[inode][0] != '\0') {
        harness_check(link(it->paths[inode], path) == 0, path);
        return;
    }
    snprintf(it->paths[inode], sizeof it->paths[inode], "%s", path);
    FILE *stream = fopen(path, "w");
    harness_check(stream != NULL, path);
    if (file->durable > 0) {
        fwrite(bytes, 1, file->durable, stream);
    }
    for (size_t i = file->first; i < file->first + file->count; i++) {
        write_slice(stream, &it->point->variables[i], it->values[i], bytes);
    }
    harness_check(fclose(stream) == 0, path);
}

static void make_entries(const making *it, int inode, const char *path) {
    const volume_directory *directory = &it->point->current[inode];
    for (size_t i = 0; i < directory->count; i++) {
        char child[512];
        int entry = directory->entries[i].inode;
        int length = snprintf(child, sizeof child, "%s/%s", path,
                              volume_name_text(directory->entries[i].name));
        harness_check(length < (int)sizeof child, path);
        if (it->point->log->volume.inodes[entry].is_directory) {
            harness_check(mkdir(child, 0777) == 0, child);
            make_entries(it, entry, child);
        } else {
            make_file(it, entry, child);
        }
    }
}

void state_materialise(const state_point *it, const uint8_t *values, const char *path) {
    making files = {.point = it, .values = values};
    files.paths = calloc(it->log->volume.count, sizeof *files.paths);
    harness_check(files.paths != NULL, "memory");
    make_entries(&files, VOLUME_ROOT, path);
    free(files.paths);
}
