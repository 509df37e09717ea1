/* A recovery beside a save that is under way. */
#ifndef JANITOR_H
#define JANITOR_H

#include "operation.h"

typedef struct janitor_figures {
    size_t moments;    /* of a save, each with a recovery just then */
    size_t violations; /* saves that failed, or runs that do not verify */
} janitor_figures;

/* With `blind`, the recovery takes every lock for free. */
janitor_figures janitor_interrupt(const fk_model *model, bool blind);

#endif
