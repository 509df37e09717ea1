/* The states a power cut may leave behind at one point of a log.
 *
 * The weak model (W): what no sync has made durable is on the disk or not, each thing on its own.
 * Each is a variable. A change of entries has the values 0 and 1; a rename within a directory is
 * one change. The bytes of a file since its last sync are cut into slices, each of which is absent,
 * zeros, garbage or what was written; a size may so lead its data. A sync of a file does not make
 * its name durable; a sync of a directory makes the earlier changes of its entries durable. */
#ifndef STATE_H
#define STATE_H

#include "oplog.h"

enum { STATE_ABSENT = 0, STATE_ZEROS, STATE_GARBAGE, STATE_NEW };
/* Of a rename that is not atomic (model W+): the new name is there, the old one gone; only the
 * first; only the second. */
enum { STATE_RENAMED = 1, STATE_ONLY_NEW_NAME, STATE_ONLY_OLD_GONE };

typedef struct state_variable {
    int op;    /* of a change of entries, or -1 */
    int inode; /* of a slice */
    size_t begin;
    size_t end;
    uint8_t most; /* the highest value: all of it is there */
    uint8_t values;
} state_variable;

typedef struct state_options {
    unsigned weights_slices; /* of the largest file; others are one slice */
    bool renames_tear;       /* model W+ */
} state_options;

/* How a file stands: so much of it is durable, the rest are `count` variables from `first`. */
typedef struct state_file {
    size_t durable;
    size_t first;
    size_t count;
} state_file;

typedef struct state_point {
    const oplog *log;
    size_t ops;    /* so many were done */
    bool returned; /* all of them, and the caller was told so */
    state_variable *variables;
    size_t entry_variables; /* the first of them */
    size_t count;
    volume_directory *durable; /* [log->volume.count] entries that are on the disk */
    volume_directory *current; /* the same with those of one state */
    state_file *files;         /* [log->volume.count] */
} state_point;

void state_point_init(state_point *it, const oplog *log, size_t ops, const state_options *options);
void state_point_finish(state_point *it);
/* How many states there are, counted without looking at one. */
double state_point_combinations(const state_point *it);

/* What one state looks like. */
typedef struct state_digest {
    uint64_t visible; /* everything but stages and their locks */
    uint64_t whole;
    bool twice; /* a directory has two names: no file system can have that */
} state_digest;

/* Puts a state into `it->current`, and gives its digest. Glyphs of one run are taken for one
 * another. `reached`, [log->volume.count], tells of inodes that have a name: 1 visible, 2 only in a
 * stage. */
state_digest state_put(state_point *it, const uint8_t *values, uint8_t *reached);
/* Makes the state that was put last, on a real disk. */
void state_materialise(const state_point *it, const uint8_t *values, const char *path);

#endif
