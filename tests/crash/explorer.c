#include "explorer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "operation.h"
#include "recorder.h"

/* ---- what was seen ------------------------------------------------------------------------ */

typedef struct digest_set {
    uint64_t *slots;
    size_t count;
    size_t capacity; /* a power of two */
} digest_set;

static bool put_digest(digest_set *set, uint64_t digest) {
    size_t at = digest & (set->capacity - 1);
    while (set->slots[at] != 0 && set->slots[at] != digest) {
        at = (at + 1) & (set->capacity - 1);
    }
    bool fresh = set->slots[at] == 0;
    set->slots[at] = digest;
    return fresh;
}

static void grow_set(digest_set *set) {
    digest_set larger = {.capacity = set->capacity == 0 ? 1024 : 2 * set->capacity};
    larger.slots = calloc(larger.capacity, sizeof *larger.slots);
    harness_check(larger.slots != NULL, "memory");
    for (size_t i = 0; i < set->capacity; i++) {
        if (set->slots[i] != 0) {
            put_digest(&larger, set->slots[i]);
        }
    }
    larger.count = set->count;
    free(set->slots);
    *set = larger;
}

/* Whether it is new. */
static bool add_digest(digest_set *set, uint64_t digest) {
    if (2 * set->count >= set->capacity) {
        grow_set(set);
    }
    bool fresh = put_digest(set, digest | 1);
    set->count += fresh;
    return fresh;
}

/* ---- one state ---------------------------------------------------------------------------- */

typedef struct walk {
    const explorer_plan *plan;
    const oracle *oracle;
    explorer_result *result;
    explorer_figures *figures;
    state_point point;
    uint8_t *values;
    uint8_t *reached;
    digest_set whole;
    digest_set visible;
    bool in_recovery;
    uint64_t seed;
} walk;

static bool is_over(const walk *it) {
    return it->plan->stop_at_first && it->figures->violations > 0;
}

static void describe(const walk *it, const char *found) {
    const state_point *point = &it->point;
    char *text = it->result->first;
    size_t size = sizeof it->result->first;
    size_t used = (size_t)snprintf(text, size, "%s%s; power cut after %zu of %zu operations",
                                   it->in_recovery ? "in recovery: " : "", found, point->ops,
                                   point->log->count);
    if (point->ops > 0 && used < size) {
        used += (size_t)snprintf(text + used, size - used, " (%s)",
                                 oplog_text(point->log, &point->log->ops[point->ops - 1]));
    }
    for (size_t i = 0; i < point->count && used < size; i++) {
        const state_variable *variable = &point->variables[i];
        if (it->values[i] != variable->most) {
            const char *what =
                variable->op >= 0
                    ? oplog_text(point->log, &point->log->ops[variable->op])
                    : volume_name_text(point->log->volume.inodes[variable->inode].name);
            used += (size_t)snprintf(text + used, size - used, "; %s: %d", what, it->values[i]);
        }
    }
}

static void violate(walk *it, const char *found) {
    if (it->result->saves.violations + it->result->recoveries.violations == 0) {
        describe(it, found);
    }
    it->figures->violations++;
    it->figures->lost += it->point.returned;
}

static void walk_recovery(walk *it);

static void judge(walk *it) {
    char path[256];
    harness_make_directory(path);
    state_materialise(&it->point, it->values, path);
    const char *found = oracle_judge(it->oracle, path, it->point.returned);
    harness_remove_directory(path);
    it->figures->judged++;
    if (found != NULL) {
        violate(it, found);
    }
    unsigned one_in = it->plan->recovery_one_in;
    if (!it->in_recovery && one_in > 0 && it->figures->judged % one_in == 0 && found == NULL) {
        walk_recovery(it);
    }
}

/* States that differ only within a stage: readers pass it by, whatever is in it, so that a sample
 * of them shows that recovery does, too. */
static void visit(walk *it) {
    state_digest digest = state_put(&it->point, it->values, it->reached);
    it->figures->states++;
    if (!add_digest(&it->whole, digest.whole)) {
        return;
    }
    it->figures->trees++;
    it->figures->returned += it->point.returned;
    bool fresh = add_digest(&it->visible, digest.visible);
    if (digest.twice) {
        violate(it, "one directory has two names");
    } else if (fresh || digest.whole / 2 % it->plan->hidden_one_in == 0) {
        judge(it);
    }
}

/* ---- all of them -------------------------------------------------------------------------- */

/* Counts up; false when it is over. */
static bool next_entries(walk *it) {
    for (size_t i = 0; i < it->point.entry_variables; i++) {
        if (++it->values[i] < it->point.variables[i].values) {
            return true;
        }
        it->values[i] = 0;
    }
    return false;
}

static bool is_slice_of(const walk *it, size_t variable, uint8_t reached) {
    return it->reached[it->point.variables[variable].inode] == reached;
}

static bool next_visible_slices(walk *it) {
    for (size_t i = it->point.entry_variables; i < it->point.count; i++) {
        if (it->reached[it->point.variables[i].inode] != 1) {
            continue;
        }
        if (++it->values[i] < it->point.variables[i].values) {
            return true;
        }
        it->values[i] = 0;
    }
    return false;
}

static void set_hidden_slices(walk *it, uint8_t value) {
    for (size_t i = it->point.entry_variables; i < it->point.count; i++) {
        if (is_slice_of(it, i, 2)) {
            it->values[i] = value;
        }
    }
}

/* Each slice of a stage alone in each of its ways. */
static void vary_hidden_slices(walk *it) {
    for (size_t i = it->point.entry_variables; i < it->point.count; i++) {
        for (uint8_t value = 0; is_slice_of(it, i, 2) && value < STATE_NEW; value++) {
            it->values[i] = value;
            visit(it);
            it->values[i] = STATE_NEW;
        }
    }
}

static void visit_hidden_slices(walk *it) {
    for (uint8_t value = 0; value <= STATE_NEW; value++) {
        set_hidden_slices(it, value);
        visit(it);
    }
    vary_hidden_slices(it);
}

/* A change in a directory that is not there is none: the state without it is the same. */
static bool is_canonical(const walk *it) {
    for (size_t i = 0; i < it->point.entry_variables; i++) {
        int directory = it->point.log->ops[it->point.variables[i].op].directory;
        if (it->values[i] != 0 && it->reached[directory] == 0) {
            return false;
        }
    }
    return true;
}

static void visit_slices(walk *it) {
    memset(it->values + it->point.entry_variables, 0, it->point.count - it->point.entry_variables);
    state_put(&it->point, it->values, it->reached);
    if (!is_canonical(it)) {
        return;
    }
    do {
        visit_hidden_slices(it);
    } while (!is_over(it) && next_visible_slices(it));
}

static void visit_all(walk *it) {
    harness_check(it->point.entry_variables <= 24, "too many changes for all their combinations");
    do {
        visit_slices(it);
    } while (!is_over(it) && next_entries(it));
}

/* ---- few deviations, samples, prefixes ---------------------------------------------------- */

static void deviate(walk *it, size_t first, unsigned left) {
    visit(it);
    for (size_t i = first; left > 0 && i < it->point.count && !is_over(it); i++) {
        uint8_t kept = it->values[i];
        for (uint8_t value = 0; value < it->point.variables[i].values; value++) {
            if (value != kept) {
                it->values[i] = value;
                deviate(it, i + 1, left - 1);
            }
        }
        it->values[i] = kept;
    }
}

static void set_all(walk *it) {
    for (size_t i = 0; i < it->point.count; i++) {
        it->values[i] = it->point.variables[i].most;
    }
}

static void set_none(walk *it) {
    memset(it->values, 0, it->point.count);
}

static uint64_t next_random(walk *it) {
    return volume_mix(++it->seed, 11);
}

/* From nearly nothing to nearly everything. */
static void visit_sample(walk *it) {
    uint64_t often = next_random(it) % 17;
    for (size_t i = 0; i < it->point.count; i++) {
        uint64_t number = next_random(it);
        it->values[i] = number % 16 < often ? it->point.variables[i].most
                                            : number / 16 % it->point.variables[i].values;
    }
    visit(it);
}

static void visit_point(walk *it) {
    if (it->plan->mode == EXPLORER_ALL) {
        set_none(it);
        visit_all(it);
        return;
    }
    set_all(it);
    deviate(it, 0, it->plan->mode == EXPLORER_DEVIATIONS ? it->plan->many : 0);
    if (it->plan->mode != EXPLORER_PREFIXES) {
        set_none(it);
        deviate(it, 0, it->plan->mode == EXPLORER_DEVIATIONS ? it->plan->many : 0);
    }
    for (unsigned i = 0; it->plan->mode == EXPLORER_SAMPLE && i < it->plan->many; i++) {
        visit_sample(it);
    }
}

/* ---- a log -------------------------------------------------------------------------------- */

/* From its end, where the mistakes of protocols show. */
static void walk_log(walk *it, const oplog *log) {
    for (size_t ops = log->count + 1; ops-- > 0 && !is_over(it);) {
        state_point_init(&it->point, log, ops, &it->plan->options);
        it->figures->combinations +=
            it->plan->mode == EXPLORER_PREFIXES ? 1 : state_point_combinations(&it->point);
        it->values = calloc(it->point.count + 1, 1);
        it->reached = calloc(log->volume.count, 1);
        harness_check(it->values != NULL && it->reached != NULL, "memory");
        visit_point(it);
        free(it->values);
        free(it->reached);
        state_point_finish(&it->point);
    }
    free(it->whole.slots);
    free(it->visible.slots);
}

/* `ret_rules`: a power cut in the recovery leaves what would have been there without one. */
static oplog record_recovery(const walk *it, oracle *ret_rules) {
    char path[256];
    fk_store *store = NULL;
    fk_recovery *recovery = NULL;
    harness_make_directory(path);
    state_materialise(&it->point, it->values, path);
    recorder_start(path);
    harness_check(fk_store_open(path, NULL, &store, NULL) == FK_OK, "open");
    harness_check(fk_recover(store, &recovery, NULL) == FK_OK, "recover");
    fk_recovery_destroy(recovery);
    fk_store_close(store);
    oplog log = recorder_stop();
    *ret_rules = *it->oracle;
    ret_rules->after = operation_count_runs(path).digest;
    ret_rules->before = ret_rules->after;
    ret_rules->between = ret_rules->after;
    harness_remove_directory(path);
    return log;
}

static void walk_recovery(walk *it) {
    oracle same_runs;
    oplog log = record_recovery(it, &same_runs);
    walk deeper = {
        .plan = it->plan,
        .oracle = &same_runs,
        .result = it->result,
        .figures = &it->result->recoveries,
        .in_recovery = true,
    };
    walk_log(&deeper, &log);
    oplog_finish(&log);
}

void explorer_walk(const oplog *log, const explorer_plan *plan, const oracle *rules,
                   explorer_result *result) {
    walk first = {
        .plan = plan, .oracle = rules, .result = result, .figures = &result->saves, .seed = 1};
    walk_log(&first, log);
}
