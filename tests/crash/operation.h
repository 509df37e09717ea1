/* The calls whose power cuts are tried: what stands before, and the call itself. */
#ifndef OPERATION_H
#define OPERATION_H

#include "oplog.h"
#include "oracle.h"

#define OPERATION_FONT       "1-fruity"
#define OPERATION_OTHER_FONT "2-dumb"

typedef struct operation {
    const char *name;
    void (*prepare)(const char *path, const fk_model *model);
    fk_code (*run)(const char *path, const fk_model *model, fk_error *err);
    unsigned flags;
} operation;

enum {
    OPERATION_OLD_RUNS = 1,     /* there are runs without manifest, or of version v0 */
    OPERATION_NO_EXCHANGE = 2,  /* the file system knows no RENAME_EXCHANGE */
    OPERATION_RUNS_STAY = 4,    /* no run comes or goes */
    OPERATION_ENTRY_LAST = 8,   /* what was in the trash goes when all else is done */
    OPERATION_NO_WAY_BACK = 16, /* what failed half-way is ended by recovery, not undone */
    OPERATION_LOST_IMAGES = 32, /* a run lacks an image before */
};

extern const operation operation_first_save;  /* into an empty directory */
extern const operation operation_second_save; /* of a font, beside another font */
/* What no call does: the files of a run are removed one by one while the run has its name. */
extern const operation operation_removal_in_place;

/* A `run` of an operation: fk_recover. */
fk_code operation_recover(const char *path, const fk_model *model, fk_error *err);

/* What the runs below a directory come to. */
volume_runs operation_count_runs(const char *path);

/* What may be found from a call on, by what stood before it and behind it. */
oracle operation_rules(const operation *it, const fk_model *model, volume_runs before,
                       volume_runs after);

enum { OPERATION_GLYPHS_MAX = 200 };

/* The model of so many glyphs; it lives for ever. */
const fk_model *operation_model(size_t glyphs);

/* In the next record, syncs of what has such a name are answered and not done: recorder.h. */
void operation_drop_syncs(const char *pattern);
/* Does it in a directory of its own, and tells what may be found from now on. The caller finishes
 * the log. */
oplog operation_record(const operation *it, const fk_model *model, oracle *ret_oracle);

#endif
