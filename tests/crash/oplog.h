/* What a call did to a file system, operation by operation. Inodes and directories are numbers of
 * `volume`, so a rename carries what is below. */
#ifndef OPLOG_H
#define OPLOG_H

#include "volume.h"

typedef enum oplog_kind {
    OPLOG_SET,   /* create, mkdir, link: `name` in `directory` leads to `inode` */
    OPLOG_UNSET, /* unlink, rmdir */
    OPLOG_MOVE,  /* rename within a directory, `name` to `other`: one name or the other */
    OPLOG_SWAP, /* RENAME_EXCHANGE within a directory: `name` led to `inode`, `other` to `second` */
    OPLOG_WRITE, /* at `offset` of `inode`, `length` bytes, which are in volume.inodes[inode] */
    OPLOG_SYNC,  /* of `inode`: a file's bytes and size; a directory's entries */
} oplog_kind;

typedef struct oplog_op {
    oplog_kind kind;
    int directory;
    int name;
    int other;
    int inode;
    int second;
    size_t offset;
    size_t length;
} oplog_op;

typedef struct oplog {
    volume volume; /* as it was at the start, with the inodes made since, which nothing leads to */
    oplog_op *ops;
    size_t count;
    size_t capacity;
} oplog;

void oplog_finish(oplog *it);
oplog_op *oplog_append(oplog *it, oplog_kind kind);
/* Puts an operation in front of the one at `place`, or takes that one out. */
void oplog_insert(oplog *it, size_t place, oplog_op op);
void oplog_remove(oplog *it, size_t place);

/* Whether an operation changes entries of a directory. */
bool oplog_is_entry(const oplog_op *op);
/* Does it to a directory. */
void oplog_apply(const oplog_op *op, volume_directory *directory);
/* "rename .stage-1 -> 2026-...", for people. Good until the next call. */
const char *oplog_text(const oplog *it, const oplog_op *op);

#endif
