/* The changing calls that a self-test kills: what each needs, what it does, what must hold. */
#ifndef FK_SELFTEST_OPERATIONS_H
#define FK_SELFTEST_OPERATIONS_H

#include "base/error.h"
#include "fontkeep/store.h"
#include "selftest/scene.h"

typedef struct fk_operation {
    const char *name;
    fk_code (*prepare)(fk_scene *scene, fk_store *store, fk_error *err);   /* or NULL */
    fk_code (*run)(const fk_scene *scene, fk_store *store, fk_error *err); /* in the process that
                                                                              is killed */
    fk_scene_rules rules;
} fk_operation;

enum { FK_OPERATION_COUNT = 6 };

extern const fk_operation fk_operations[FK_OPERATION_COUNT];

#endif
