/* A fuzz target is one function that takes any bytes and must come back, without a complaint of the
 * sanitizers and with all it requires held. libFuzzer feeds it; fuzz/replay.c feeds it a corpus. */
#ifndef FK_FUZZ_FUZZ_H
#define FK_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* libFuzzer's own mutation, and the one a target may put in front of it. */
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t length, size_t length_max);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t length_max, unsigned seed);

#define fuzz_require(condition)                                                                    \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: required: %s\n", __FILE__, __LINE__, #condition);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* A copy in memory of exactly that size, from malloc, so that a read beyond it is seen. */
static inline uint8_t *fuzz_copy(const uint8_t *bytes, size_t length) {
    uint8_t *copy = malloc(length);
    fuzz_require(copy != NULL || length == 0);
    if (length > 0) {
        memcpy(copy, bytes, length);
    }
    return copy;
}

/* The same as text, with a NUL behind. */
static inline char *fuzz_text(const uint8_t *bytes, size_t length) {
    char *text = malloc(length + 1);
    fuzz_require(text != NULL);
    if (length > 0) {
        memcpy(text, bytes, length);
    }
    text[length] = '\0';
    return text;
}

#endif
