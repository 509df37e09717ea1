/* What the bare programs share: the time, and an end with a message. */
#ifndef STOPWATCH_H
#define STOPWATCH_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline int64_t stopwatch_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* One line per measurement, at once: the driver waits for it. */
static inline void stopwatch_print(int64_t began_ns) {
    printf("%.9f\n", (double)(stopwatch_now_ns() - began_ns) / 1e9);
    fflush(stdout);
}

/* A call that failed ends the program: a figure taken past it would be a lie. */
static inline void must(int ok, const char *what) {
    if (!ok) {
        fprintf(stderr, "%s: %s\n", what, strerror(errno));
        exit(1);
    }
}

#endif
