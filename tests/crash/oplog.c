#include "oplog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void oplog_finish(oplog *it) {
    volume_finish(&it->volume);
    free(it->ops);
    *it = (oplog){0};
}

oplog_op *oplog_append(oplog *it, oplog_kind kind) {
    it->ops = volume_grow(it->ops, it->count, &it->capacity, sizeof *it->ops);
    it->ops[it->count] = (oplog_op){.kind = kind, .directory = VOLUME_NONE, .inode = VOLUME_NONE};
    return &it->ops[it->count++];
}

void oplog_insert(oplog *it, size_t place, oplog_op op) {
    oplog_append(it, op.kind);
    memmove(&it->ops[place + 1], &it->ops[place], (it->count - 1 - place) * sizeof *it->ops);
    it->ops[place] = op;
}

void oplog_remove(oplog *it, size_t place) {
    it->count--;
    memmove(&it->ops[place], &it->ops[place + 1], (it->count - place) * sizeof *it->ops);
}

bool oplog_is_entry(const oplog_op *op) {
    return op->kind != OPLOG_WRITE && op->kind != OPLOG_SYNC;
}

void oplog_apply(const oplog_op *op, volume_directory *directory) {
    if (op->kind == OPLOG_SET) {
        volume_directory_set(directory, op->name, op->inode);
    } else if (op->kind == OPLOG_UNSET) {
        volume_directory_unset(directory, op->name);
    } else if (op->kind == OPLOG_MOVE) {
        volume_directory_unset(directory, op->name);
        volume_directory_set(directory, op->other, op->inode);
    } else {
        volume_directory_set(directory, op->name, op->second);
        volume_directory_set(directory, op->other, op->inode);
    }
}

const char *oplog_text(const oplog *it, const oplog_op *op) {
    static char text[1024];
    static const char *const verbs[] = {"name", "unname", "rename", "exchange", "write", "sync"};
    bool two = op->kind == OPLOG_MOVE || op->kind == OPLOG_SWAP;
    int name = oplog_is_entry(op) ? op->name : it->volume.inodes[op->inode].name;
    snprintf(text, sizeof text, "%s %s%s%s", verbs[op->kind], volume_name_text(name),
             two ? " -> " : "", two ? volume_name_text(op->other) : "");
    return text;
}
