#include "fake_memory.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The linker's --wrap: calls of malloc come to __wrap_malloc, __real_malloc is malloc. */
void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void *__real_reallocarray(void *memory, size_t count, size_t bytes);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
void *__wrap_reallocarray(void *memory, size_t count, size_t bytes);
char *__wrap_strdup(const char *text);

static atomic_size_t left; /* allocations until one fails; 0: none does */
static atomic_bool ever_after;
static atomic_bool failed;

static void fail(size_t nth, bool for_ever) {
    failed = false;
    ever_after = for_ever;
    left = nth;
}

void fake_memory_fail(size_t nth) {
    fail(nth, false);
}

void fake_memory_fail_ever_after(size_t nth) {
    fail(nth, true);
}

bool fake_memory_relent(void) {
    left = 0;
    return failed;
}

static bool is_short(void) {
    size_t now = left;
    while (now > 0 && !(now == 1 && ever_after) &&
           !atomic_compare_exchange_weak(&left, &now, now - 1)) {
    }
    if (now != 1) {
        return false;
    }
    failed = true;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t bytes) {
    return is_short() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes) {
    return is_short() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *memory, size_t bytes) {
    return is_short() ? NULL : __real_realloc(memory, bytes);
}

void *__wrap_reallocarray(void *memory, size_t count, size_t bytes) {
    return is_short() ? NULL : __real_reallocarray(memory, count, bytes);
}

char *__wrap_strdup(const char *text) {
    return is_short() ? NULL : __real_strdup(text);
}
