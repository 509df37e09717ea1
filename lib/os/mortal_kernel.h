/* A table of kernel calls that counts, and kills the process at one of them. Within lib/os only. */
#ifndef FK_OS_MORTAL_KERNEL_H
#define FK_OS_MORTAL_KERNEL_H

#include <stddef.h>

/* Where a process is on its way. */
typedef struct fk_mortal_state {
    size_t calls;     /* made so far */
    const char *call; /* the last one it came to; static text */
} fk_mortal_state;

/* Puts itself in front of the table in force, for the rest of this process's life: for a fork that
 * has one thread, and gets no more. The state is told from now on. */
void fk_mortal_kernel_install(size_t kill_at, volatile fk_mortal_state *state);

#endif
