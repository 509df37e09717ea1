/* A kernel or file system that lacks a call: a seccomp filter answers in its stead. */
#ifndef OLD_KERNEL_H
#define OLD_KERNEL_H

/* A call that fails with `answer` without being made. */
typedef struct old_kernel {
    long call;         /* SYS_openat2, ... */
    int flag_argument; /* only where this argument (from 0) is not zero; -1: always */
    int answer;        /* an errno */
} old_kernel;

/* Takes them from the calling thread, and from all that it starts, for good. */
void old_kernel_take_away(const old_kernel *lacking, unsigned count);

/* Calls `body(user)` in a thread of its own, in which (and in what it starts) these calls fail: the
 * filter ends with the thread. Gives what `body` gave. */
int old_kernel_run(const old_kernel *lacking, unsigned count, int (*body)(void *user), void *user);

#endif
