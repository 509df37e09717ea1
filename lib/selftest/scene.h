/* A store in the scratch directory with two runs in it: what an operation of a self-test begins
 * with, and the promises that hold whatever became of it. */
#ifndef FK_SELFTEST_SCENE_H
#define FK_SELFTEST_SCENE_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "fontkeep/store.h"
#include "fontkeep/trash.h"
#include "selftest/report.h"
#include "selftest/sample.h"
#include "selftest/scratch.h"

#define FK_SCENE_FONT "1-selftest"

typedef struct fk_scene {
    const fk_scratch *scratch;
    const fk_sample *sample;
    bool recover_waits;               /* for a day, where it cannot know what is dead */
    char *path;                       /* of the store */
    fk_buffer files;                  /* of every run, by name and digest, as text */
    fk_run_id old;                    /* a run that nobody touches */
    fk_run_id target;                 /* a run that may be removed, restored, changed */
    char trash_id[FK_TRASH_ID_BYTES]; /* of the target, where it is in the trash at first */
} fk_scene;

/* What may have become of the runs; and, once the operation has ended, what must. */
typedef struct fk_scene_rules {
    size_t new_runs;           /* a save's */
    fk_health target_at_first; /* FK_COMPLETE, or what the operation mends */
    const char *remade;        /* the file of the target that it makes anew, or NULL */
    bool target_live;          /* at the end */
} fk_scene_rules;

void fk_scene_init(fk_scene *scene, const fk_scratch *scratch, const fk_sample *sample,
                   const fk_report *report);
void fk_scene_finish(fk_scene *scene);

/* A new store with the two runs. Nothing is synced: what is tested comes behind it. */
fk_code fk_scene_make(fk_scene *scene, fk_error *err);
/* Removes the store. */
fk_code fk_scene_remove(fk_scene *scene, fk_error *err);
/* A handle of it, as everybody has. */
fk_code fk_scene_open(const fk_scene *scene, fk_durability durability, fk_store **ret_store,
                      fk_error *err);

/* Holds the store against the promises: what can be seen is whole, recover cleans up, the next save
 * works. FK_OK, or FK_E_CORRUPT with what is broken in the message; any other failure of a call
 * breaks a promise, too. `ended`: the operation had come to its end. */
fk_code fk_scene_check(fk_scene *scene, const fk_scene_rules *rules, bool ended, fk_error *err);

#endif
