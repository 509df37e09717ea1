/* Calls that change what is there: removal and the way back, new generations. */
#ifndef CHANGE_H
#define CHANGE_H

#include "operation.h"

enum {
    CHANGE_RM_RUN,
    CHANGE_RM_FONT,
    CHANGE_RESTORE_RUN,
    CHANGE_PURGE_RUN,
    CHANGE_ADOPT,
    CHANGE_MIGRATE,
    CHANGE_REGENERATE,
    CHANGE_OTHERS,
    CHANGE_COUNT = CHANGE_OTHERS + 9,
};

extern const operation change_operations[CHANGE_COUNT];

#endif
