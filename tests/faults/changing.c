#include "changing.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "operations.h"
#include "scene.h"

/* What each fault came to. */
typedef struct figures {
    size_t faults;
    size_t told;     /* the call failed and said so */
    size_t in_doubt; /* it was done, but said that its last sync had failed */
    size_t harmless; /* it was done all the same */
    size_t wrong;
} figures;

typedef void (*trial)(const scene *it, faults_extent size, figures *sum);

enum { VIOLATIONS_SHOWN = 20 };

static void print_violation(const scene *it, const fault *trouble, const outcome *end) {
    printf("VIOLATION %s: %s %zu (%s) fails with %s%s%s: %s\n", it->operation->name,
           trouble->memory ? "allocation" : "call", trouble->nth,
           end->call == NULL ? "none" : end->call,
           trouble->memory ? "NULL" : strerrorname_np(trouble->system_errno),
           trouble->duration == FAKE_EVER_AFTER ? " ever after" : "",
           trouble->then > 0 ? ", and a later one" : "", end->wrong);
}

/* Whether the trouble came at all: the call may be over before. */
static bool suffer(const scene *it, const fault *trouble, figures *sum) {
    outcome end = scene_suffer(it, trouble);
    if (!end.reached && end.wrong[0] == '\0') {
        return false;
    }
    sum->faults++;
    sum->in_doubt += end.code == FK_E_NOT_DURABLE;
    sum->harmless += end.code == FK_OK;
    sum->told += end.code != FK_OK && end.code != FK_E_NOT_DURABLE;
    sum->wrong += end.wrong[0] != '\0';
    if (end.wrong[0] != '\0' && sum->wrong <= VIOLATIONS_SHOWN) {
        print_violation(it, trouble, &end);
    }
    return end.reached;
}

/* From the first call or allocation on until the call is over before. */
static void suffer_each(const scene *it, fault trouble, size_t first, size_t step, figures *sum) {
    trouble.nth = first;
    while (suffer(it, &trouble, sum)) {
        trouble.nth += step;
    }
}

/* ---- calls that fail ---------------------------------------------------------------------- */

static const int errnos[] = {EIO, ENOSPC, EDQUOT, EROFS, EMFILE, EACCES, EINTR};
enum { ERRNOS = sizeof errnos / sizeof errnos[0] };

/* Every day each call fails with one errno once and with another one ever after. */
static size_t step_of(faults_extent size) {
    return size == FAULTS_FULL ? 1 : size == FAULTS_DAILY ? ERRNOS : 4 * ERRNOS;
}

static void try_moves(const scene *it, figures *sum) {
    static const size_t limits[] = {1, 7, 4095};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        fault trouble = {.bytes_at_once = limits[i]};
        suffer(it, &trouble, sum);
    }
}

static void try_calls(const scene *it, faults_extent size, figures *sum) {
    size_t step = step_of(size);
    for (size_t i = 0; i < ERRNOS; i++) {
        fault trouble = {.system_errno = errnos[i], .duration = FAKE_ONCE};
        suffer_each(it, trouble, 1 + i % step, step, sum);
        if (errnos[i] != EINTR) { /* signals do not come for ever */
            trouble.duration = FAKE_EVER_AFTER;
            suffer_each(it, trouble, 1 + (i + 3) % step, step, sum);
        }
    }
    try_moves(it, sum);
}

/* ---- allocations that fail ---------------------------------------------------------------- */

static void try_memory(const scene *it, faults_extent size, figures *sum) {
    size_t step = size == FAULTS_FULL ? 1 : size == FAULTS_DAILY ? 4 : 16;
    fault trouble = {.memory = true, .duration = FAKE_ONCE};
    suffer_each(it, trouble, 1, step, sum);
    trouble.duration = FAKE_EVER_AFTER;
    suffer_each(it, trouble, 1 + step / 2, step, sum);
}

/* ---- two faults --------------------------------------------------------------------------- */

/* The second one while the first is dealt with. */
static void try_pairs(const scene *it, faults_extent size, figures *sum) {
    size_t step = size == FAULTS_FULL ? 1 : size == FAULTS_DAILY ? 13 : 53;
    size_t far = size == FAULTS_FULL ? 12 : 6;
    for (size_t then = 1; then <= far; then++) {
        fault trouble = {.system_errno = errnos[then % (ERRNOS - 1)], .then = then};
        suffer_each(it, trouble, 1 + 2 * then % step, step, sum);
    }
}

/* ---- all of them -------------------------------------------------------------------------- */

static void print_figures(const char *what, const figures *it) {
    printf("%s: %zu faults, %zu told, %zu in doubt, %zu harmless, %zu wrong\n", what, it->faults,
           it->told, it->in_doubt, it->harmless, it->wrong);
    fflush(stdout);
}

static void add(figures *sum, const figures *more) {
    sum->faults += more->faults;
    sum->told += more->told;
    sum->in_doubt += more->in_doubt;
    sum->harmless += more->harmless;
    sum->wrong += more->wrong;
}

static figures try_all(trial one, faults_extent size, const char *only) {
    const operation *all[OPERATIONS_MAX];
    figures sum = {0};
    size_t count = operations_all(all);
    for (size_t i = 0; i < count; i++) {
        figures own = {0};
        if (strstr(all[i]->name, only) == NULL) {
            continue;
        }
        scene it = scene_create(all[i]);
        one(&it, size, &own);
        print_figures(it.operation->name, &own);
        add(&sum, &own);
        scene_destroy(&it);
    }
    return sum;
}

bool changing_try_calls(faults_extent size, const char *only) {
    figures sum = try_all(try_calls, size, only);
    print_figures("promise 6: calls of the kernel that fail in changes", &sum);
    printf("promise 8: %zu changes in doubt told apart: visible, whole, FK_E_NOT_DURABLE\n",
           sum.in_doubt);
    return sum.wrong == 0 && sum.told > 0 && sum.in_doubt > 0;
}

bool changing_try_memory(faults_extent size, const char *only) {
    figures sum = try_all(try_memory, size, only);
    print_figures("promise 6: allocations that fail in changes", &sum);
    return sum.wrong == 0 && sum.told > 0;
}

bool changing_try_pairs(faults_extent size, const char *only) {
    figures sum = try_all(try_pairs, size, only);
    print_figures("promise 6: second faults behind the first in changes", &sum);
    return sum.wrong == 0 && sum.told > 0;
}
