/* Power cuts: what fontkeep promises about them, tried out.
 *
 *     crash                      everything, in the size for every day
 *     crash save                 power cuts in a save: promises 1, 2 and 4
 *     crash change               power cuts in removals, restores, new generations: the same
 *     crash mutants              mistakes that must be noticed: promise 3
 *     crash ... --full           larger
 *     crash ... --small          smaller: for slow builds
 *
 * Prints what was tried, and a line "promise N: ..." for each promise. Exit 1: one does not hold;
 * 2: what was asked for is not known.
 */
#include <stdio.h>
#include <string.h>

#include "change.h"
#include "explorer.h"
#include "janitor.h"
#include "mutant.h"
#include "operation.h"
#include "recorder.h"

enum { WEIGHTS_SLICES = 2, SMALL_SAVES = 3 };

typedef struct scene {
    const operation *operation;
    size_t glyphs;
    explorer_mode mode;
    unsigned many;
    unsigned hidden_one_in;
    unsigned recovery_one_in;
} scene;

typedef enum extent { SMALL, DAILY, FULL } extent;

/* For every day. The full size judges 16 times as many, the small one does without the last ones.
 */
static const scene saves[] = {
    {&operation_first_save, 1, EXPLORER_ALL, 0, 8, 8},
    {&operation_second_save, 0, EXPLORER_ALL, 0, 8, 8},
    {&operation_second_save, 1, EXPLORER_ALL, 0, 8, 8},
    {&operation_second_save, 2, EXPLORER_ALL, 0, 16, 16},
    {&operation_second_save, 3, EXPLORER_ALL, 0, 32, 0},
    {&operation_second_save, 26, EXPLORER_DEVIATIONS, 2, 64, 0},
    {&operation_second_save, 200, EXPLORER_SAMPLE, 8, 64, 0},
    {&operation_first_save, 3, EXPLORER_PREFIXES, 0, 1, 1},
    {&operation_second_save, 26, EXPLORER_PREFIXES, 0, 1, 0},
};

static const char *const mode_names[] = {"all states", "deviations from all or none", "at random",
                                         "prefixes"};

/* ---- figures ------------------------------------------------------------------------------ */

static void add(explorer_figures *sum, const explorer_figures *more) {
    sum->combinations += more->combinations;
    sum->states += more->states;
    sum->trees += more->trees;
    sum->judged += more->judged;
    sum->violations += more->violations;
    sum->returned += more->returned;
    sum->lost += more->lost;
}

static void print_figures(const char *what, const explorer_figures *figures) {
    printf("%s: %.4g legal states, %zu looked at, %zu trees, %zu of them judged, %zu violations\n",
           what, figures->combinations, figures->states, figures->trees, figures->judged,
           figures->violations);
    fflush(stdout);
}

/* ---- the walks ---------------------------------------------------------------------------- */

static unsigned one_in(unsigned many, extent size) {
    return size != FULL || many == 0 ? many : (many + 15) / 16;
}

static explorer_plan plan_of(const scene *it, extent size) {
    return (explorer_plan){
        .mode = it->mode,
        .many = it->many * (size == FULL && it->mode == EXPLORER_SAMPLE ? 8 : 1),
        .hidden_one_in = one_in(it->hidden_one_in, size),
        .recovery_one_in = one_in(it->recovery_one_in, size),
        .options = {.weights_slices = WEIGHTS_SLICES},
    };
}

static explorer_result walk_scene(const scene *it, extent size) {
    oracle rules;
    char what[128];
    explorer_result result = {0};
    explorer_plan plan = plan_of(it, size);
    oplog log = operation_record(it->operation, operation_model(it->glyphs), &rules);
    explorer_walk(&log, &plan, &rules, &result);
    oplog_finish(&log);
    snprintf(what, sizeof what, "%s, %zu glyphs, %s", it->operation->name, it->glyphs,
             mode_names[it->mode]);
    print_figures(what, &result.saves);
    if (result.recoveries.trees > 0) {
        print_figures("  recoveries of these", &result.recoveries);
    }
    if (result.first[0] != '\0') {
        printf("VIOLATION %s\n", result.first);
    }
    return result;
}

/* Not a promise: how much rests on renames being atomic. */
static void measure_torn_renames(void) {
    oracle rules;
    explorer_result result = {0};
    explorer_plan plan = {
        .mode = EXPLORER_ALL,
        .hidden_one_in = 64,
        .options = {.weights_slices = 1, .renames_tear = true},
    };
    oplog log = operation_record(&operation_second_save, operation_model(1), &rules);
    explorer_walk(&log, &plan, &rules, &result);
    oplog_finish(&log);
    printf(
        "were renames not atomic: %zu of %zu trees would be violations (measured, not promised)\n",
        result.saves.violations, result.saves.trees);
}

static bool try_saves(extent size) {
    explorer_figures saves_sum = {0};
    explorer_figures recoveries = {0};
    size_t count = size == SMALL ? SMALL_SAVES : sizeof saves / sizeof *saves;
    for (size_t i = 0; i < count; i++) {
        explorer_result result = walk_scene(&saves[i], size);
        add(&saves_sum, &result.saves);
        add(&recoveries, &result.recoveries);
    }
    measure_torn_renames();
    print_figures("promise 1: power cuts in a save", &saves_sum);
    printf("promise 2: %zu trees behind the return of a save, %zu without its run\n",
           saves_sum.returned, saves_sum.lost);
    print_figures("promise 4: power cuts in a recovery", &recoveries);
    return saves_sum.violations + recoveries.violations == 0 && saves_sum.returned > 0 &&
           recoveries.trees > 0;
}

/* ---- changes of what is there ------------------------------------------------------------- */

static bool try_changes(extent size) {
    explorer_figures changes = {0};
    explorer_figures recoveries = {0};
    for (size_t i = 0; i < CHANGE_COUNT; i++) {
        scene it = {&change_operations[i], 1, EXPLORER_ALL, 0, 16, size == SMALL ? 0 : 16};
        explorer_result result = walk_scene(&it, size);
        add(&changes, &result.saves);
        add(&recoveries, &result.recoveries);
    }
    print_figures("promise 1: power cuts in changes", &changes);
    printf("promise 2: %zu trees behind the return of a change, %zu without it\n", changes.returned,
           changes.lost);
    print_figures("promise 4: power cuts in recoveries of changes", &recoveries);
    return changes.violations + recoveries.violations == 0 && changes.returned > 0;
}

/* ---- the mutants -------------------------------------------------------------------------- */

static bool is_caught(const mutant *it) {
    oracle rules;
    explorer_result result = {0};
    explorer_plan plan = {
        .mode = EXPLORER_ALL,
        .hidden_one_in = 64,
        .stop_at_first = true,
        .options = {.weights_slices = 1},
    };
    if (it->dropped_syncs != NULL) {
        operation_drop_syncs(it->dropped_syncs);
    }
    oplog log = operation_record(it->operation, operation_model(2), &rules);
    if (it->spoil != NULL) {
        it->spoil(&log);
    }
    explorer_walk(&log, &plan, &rules, &result);
    oplog_finish(&log);
    bool caught = result.saves.violations > 0;
    printf("%s: %s: %s\n", caught ? "caught" : "MISSED", it->name, result.first);
    return caught;
}

/* As small as can be, whatever the size of the rest. */
static bool try_mutants(extent size) {
    (void)size;
    size_t caught = 0;
    for (size_t i = 0; i < mutant_count; i++) {
        caught += is_caught(&mutants[i]);
    }
    janitor_figures right = janitor_interrupt(operation_model(2), false);
    janitor_figures blind = janitor_interrupt(operation_model(2), true);
    printf("%s: recovery looks at no lock: %zu of %zu saves spoiled\n",
           blind.violations > 0 ? "caught" : "MISSED", blind.violations, blind.moments);
    caught += blind.violations > 0;
    printf("recovery beside a save, at each of %zu changes: %zu saves spoiled\n", right.moments,
           right.violations);
    printf("promise 3: %zu of %zu mutants of the protocol are caught\n", caught, mutant_count + 1);
    return caught == mutant_count + 1 && right.violations == 0 && right.moments > 0;
}

/* ---- main --------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    bool (*run)(extent size);
} all_parts[] = {{"save", try_saves}, {"change", try_changes}, {"mutants", try_mutants}};

int main(int count, char **arguments) {
    extent size = DAILY;
    const char *part = "";
    bool well = true;
    bool known = false;
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--full") == 0) {
            size = FULL;
        } else if (strcmp(arguments[i], "--small") == 0) {
            size = SMALL;
        } else {
            part = arguments[i];
        }
    }
    for (size_t i = 0; i < sizeof all_parts / sizeof *all_parts; i++) {
        if (*part == '\0' || strcmp(part, all_parts[i].name) == 0) {
            known = true;
            well = all_parts[i].run(size) && well;
        }
    }
    if (!known) {
        fprintf(stderr, "crash: there is no part '%s'; give save, change or mutants\n", part);
        return 2;
    }
    return well ? 0 : 1;
}
