/* One changing call, done again and again from the same start, each time with something that goes
 * wrong. Behind it stands the judge: what the user has is as it was, or the call did its work, and
 * the answer says which. */
#ifndef SCENE_H
#define SCENE_H

#include "fake_kernel.h"
#include "operation.h"

typedef struct scene {
    const operation *operation;
    oracle rules;
    char *names;  /* all that is there before the call */
    size_t calls; /* of the kernel that the call makes when all goes well */
} scene;

/* Does it once, with nothing wrong. */
scene scene_create(const operation *it);
void scene_destroy(scene *it);

typedef struct fault {
    bool memory; /* an allocation fails, or else a call of the kernel */
    size_t nth;  /* 1 is the first since the call began; 0: none */
    int system_errno;
    fake_duration duration;
    size_t then;               /* so many calls of the kernel later the next one fails; 0: none */
    size_t bytes_at_once;      /* no pread or write moves more; 0: no such limit */
    void (*before_call)(void); /* makes trouble of another kind; or NULL, */
    void (*behind_call)(void); /* and ends it */
} fault;

typedef struct outcome {
    bool reached;     /* what was to go wrong did */
    const char *call; /* of the kernel, that failed */
    fk_code code;     /* what the call said */
    char wrong[1024]; /* "" when that was right, else what was not */
} outcome;

outcome scene_suffer(const scene *it, const fault *trouble);

/* Open descriptors of this process. */
size_t scene_count_descriptors(void);

#endif
