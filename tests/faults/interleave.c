/* Two processes at one store, interleaved at every point: promises 9 and 10.
 *
 *     interleave            some of the interleavings of each pair
 *     interleave --full     all of them; 1,000 of each with the clock that jumps
 *     interleave --small    fewer: for slow builds
 *
 * The first goes on to its i-th call of the kernel, then the second to its j-th, then the first to
 * its end, then the second. Each has an open store of its own. The clock stands still, then all is
 * tried again with one that jumps at every call.
 * Behind it every run verifies, none is lost, no stage is left, and what only looked saw whole
 * runs.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "fake_kernel.h"
#include "harness.h"
#include "operation.h"

#define FONT    OPERATION_FONT
#define NOW_US  INT64_C(1768120200000000) /* 2026-01-11T08:30:00.000000 */
#define HOUR_US INT64_C(3600000000)

enum { FIRST, SECOND, BOTH, GLYPHS = 1, VIOLATIONS_SHOWN = 20, JUMPS = 1000 };

static bool jumping; /* the clock does */

/* ---- whose turn it is --------------------------------------------------------------------- */

static _Thread_local int self = -1;

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int turn;
    size_t calls[BOTH]; /* made so far */
    size_t stop[BOTH];  /* before this one it is the other's turn, once */
    bool over[BOTH];
} schedule = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void wait_for_turn(int me) {
    while (schedule.turn != me && !schedule.over[1 - me]) {
        pthread_cond_wait(&schedule.changed, &schedule.mutex);
    }
}

static void give_turn(int me) {
    schedule.turn = 1 - me;
    pthread_cond_broadcast(&schedule.changed);
}

/* Before each call of the kernel. */
static void take_part(void) {
    if (self < 0) {
        return;
    }
    pthread_mutex_lock(&schedule.mutex);
    if (++schedule.calls[self] == schedule.stop[self]) {
        give_turn(self);
    }
    wait_for_turn(self);
    if (jumping) { /* by up to three hours, there and back */
        int64_t hours = (int64_t)(volume_mix(schedule.calls[FIRST], schedule.calls[SECOND]) % 7);
        fake_kernel_set_time(NOW_US + (hours - 3) * HOUR_US);
    }
    pthread_mutex_unlock(&schedule.mutex);
}

static size_t added[BOTH];    /* runs or generations, by who says so */
static fk_run_id saved[BOTH]; /* the id that a save gave, or "" */

/* ---- two at once -------------------------------------------------------------------------- */

typedef struct party {
    int me;
    const operation *operation;
    const char *path;
    fk_code code;
    fk_error err;
} party;

static void *run_party(void *user) {
    party *it = user;
    self = it->me;
    it->code = it->operation->run(it->path, operation_model(GLYPHS), &it->err);
    pthread_mutex_lock(&schedule.mutex);
    schedule.over[it->me] = true;
    give_turn(it->me);
    pthread_mutex_unlock(&schedule.mutex);
    return NULL;
}

static void run_both(party parties[BOTH], size_t first_stop, size_t second_stop) {
    pthread_t threads[BOTH];
    schedule.turn = FIRST;
    for (int i = FIRST; i < BOTH; i++) {
        schedule.calls[i] = 0;
        schedule.over[i] = false;
        added[i] = 0;
        saved[i] = (fk_run_id){""};
    }
    schedule.stop[FIRST] = first_stop;
    schedule.stop[SECOND] = second_stop;
    for (int i = FIRST; i < BOTH; i++) {
        harness_check(pthread_create(&threads[i], NULL, run_party, &parties[i]) == 0, "thread");
    }
    for (int i = FIRST; i < BOTH; i++) {
        harness_check(pthread_join(threads[i], NULL) == 0, "thread");
    }
}

/* ---- what only looks ---------------------------------------------------------------------- */

static fk_health worst; /* that a run may have: what it had before */

static bool is_whole(const fk_run_info *info) {
    return info->health >= worst;
}

/* A run that went while it was looked at is no row, or one of the answers of a call for one run. */
static fk_code look(const char *path, bool deep, fk_error *err) {
    fk_store *store = NULL;
    fk_run_list *runs = NULL;
    fk_code code = fk_store_open(path, NULL, &store, err);
    if (code == FK_OK) {
        code = deep ? fk_verify(store, NULL, NULL, NULL, NULL, &runs, err)
                    : fk_list_runs(store, FONT, NULL, &runs, err);
    }
    for (size_t i = 0; code == FK_OK && i < fk_run_list_count(runs); i++) {
        const fk_run_info *info = fk_run_list_at(runs, i);
        if (!is_whole(info)) {
            snprintf(err->message, sizeof err->message, "run %s is listed as %s", info->run_id,
                     fk_health_name(info->health));
            code = FK_E_CORRUPT;
        }
    }
    fk_run_list_destroy(runs);
    fk_store_close(store);
    return code;
}

static fk_code list(const char *path, const fk_model *model, fk_error *err) {
    (void)model;
    return look(path, false, err);
}

static fk_code verify(const char *path, const fk_model *model, fk_error *err) {
    (void)model;
    return look(path, true, err);
}

static fk_code load(const char *path, const fk_model *model, fk_error *err) {
    fk_store *store = NULL;
    fk_loaded *loaded = NULL;
    (void)model;
    fk_code code = fk_store_open(path, NULL, &store, err);
    if (code == FK_OK) {
        code = fk_load_model(store, FONT, NULL, NULL, &loaded, err);
    }
    if (code == FK_OK && !is_whole(fk_loaded_info(loaded))) {
        code = FK_E_CORRUPT;
    }
    fk_loaded_destroy(loaded);
    fk_store_close(store);
    return code;
}

/* ---- what adds to the store --------------------------------------------------------------- */

static fk_code save(const char *path, const fk_model *model, fk_error *err) {
    fk_store *store = NULL;
    fk_code code = fk_store_open(path, NULL, &store, err);
    if (code == FK_OK) {
        code = fk_save_model(store, FONT, model, &saved[self], err);
    }
    fk_store_close(store);
    added[self] = code == FK_OK;
    return code;
}

typedef fk_code (*change_call)(fk_store *store, const fk_model *model, fk_change_list **ret_changes,
                               fk_error *err);

static fk_code change(const char *path, const fk_model *model, change_call call, fk_error *err) {
    fk_store *store = NULL;
    fk_change_list *changes = NULL;
    fk_code code = fk_store_open(path, NULL, &store, err);
    if (code == FK_OK) {
        code = call(store, model, &changes, err);
    }
    for (size_t i = 0; code == FK_OK && i < fk_change_list_count(changes); i++) {
        const fk_change *row = fk_change_list_at(changes, i);
        added[self] += row->code == FK_OK && row->changed_count > 0;
        code = row->code;
        snprintf(err->message, sizeof err->message, "%s", row->message);
    }
    fk_change_list_destroy(changes);
    fk_store_close(store);
    return code;
}

static fk_code call_adopt(fk_store *store, const fk_model *model, fk_change_list **ret_changes,
                          fk_error *err) {
    (void)model;
    return fk_adopt(store, FONT, NULL, NULL, ret_changes, err);
}

static fk_code call_migrate(fk_store *store, const fk_model *model, fk_change_list **ret_changes,
                            fk_error *err) {
    return fk_migrate(store, FONT, NULL, model->personality_vector, NULL, NULL, ret_changes, err);
}

static fk_code call_regenerate(fk_store *store, const fk_model *model, fk_change_list **ret_changes,
                               fk_error *err) {
    (void)model;
    return fk_regenerate(store, FONT, NULL, NULL, ret_changes, err);
}

static fk_code adopt(const char *path, const fk_model *model, fk_error *err) {
    return change(path, model, call_adopt, err);
}

static fk_code migrate(const char *path, const fk_model *model, fk_error *err) {
    return change(path, model, call_migrate, err);
}

static fk_code regenerate(const char *path, const fk_model *model, fk_error *err) {
    return change(path, model, call_regenerate, err);
}

static const operation op_save = {.name = "save", .run = save};
static const operation op_adopt = {.name = "adopt", .run = adopt};
static const operation op_migrate = {.name = "migrate", .run = migrate};
static const operation op_regenerate = {.name = "regenerate", .run = regenerate};
static const operation op_list = {.name = "list", .run = list};
static const operation op_verify = {.name = "verify", .run = verify};
static const operation op_load = {.name = "load", .run = load};
static const operation op_recover = {.name = "recover", .run = operation_recover};

/* ---- pairs -------------------------------------------------------------------------------- */

#define CHANGE(name) (&change_operations[CHANGE_##name])

static const struct {
    const operation *stands; /* what stands before: as for this one */
    const operation *first;
    const operation *second;
} pairs[] = {
    {&operation_first_save, &op_save, &op_save},
    {&operation_second_save, &op_save, &op_save},
    {&operation_second_save, &op_save, &op_recover},
    {&operation_second_save, &op_recover, &op_save},
    {&operation_second_save, &op_save, &op_list},
    {CHANGE(RM_RUN), CHANGE(RM_RUN), &op_save},
    {CHANGE(RM_RUN), &op_save, CHANGE(RM_RUN)},
    {CHANGE(RM_FONT), CHANGE(RM_FONT), &op_save},
    {CHANGE(RM_FONT), &op_save, CHANGE(RM_FONT)},
    {CHANGE(RM_RUN), CHANGE(RM_RUN), CHANGE(RM_RUN)},
    {CHANGE(RESTORE_RUN), CHANGE(RESTORE_RUN), CHANGE(RESTORE_RUN)},
    {CHANGE(RESTORE_RUN), CHANGE(RESTORE_RUN), CHANGE(RM_RUN)},
    {CHANGE(RESTORE_RUN), CHANGE(RM_RUN), CHANGE(RESTORE_RUN)},
    {CHANGE(RM_RUN), CHANGE(RM_RUN), &op_list},
    {CHANGE(RM_RUN), CHANGE(RM_RUN), &op_verify},
    {CHANGE(RM_RUN), CHANGE(RM_RUN), &op_load},
    {CHANGE(ADOPT), &op_adopt, &op_adopt},
    {CHANGE(MIGRATE), &op_migrate, &op_migrate},
    {CHANGE(MIGRATE), &op_migrate, CHANGE(RM_RUN)},
    {CHANGE(MIGRATE), CHANGE(RM_RUN), &op_migrate},
    {CHANGE(MIGRATE), &op_migrate, &op_recover},
    {CHANGE(MIGRATE), &op_migrate, &op_list},
    {CHANGE(MIGRATE), &op_migrate, &op_verify},
    {CHANGE(MIGRATE), &op_migrate, &op_load},
    {CHANGE(REGENERATE), &op_regenerate, &op_regenerate},
    {CHANGE(REGENERATE), &op_regenerate, &op_load},
    {CHANGE(REGENERATE), &op_load, &op_regenerate},
};

/* ---- the judge ---------------------------------------------------------------------------- */

static char wrong[1024];

static bool fail(const char *what, const char *detail) {
    snprintf(wrong, sizeof wrong, "%s: %.900s", what, detail);
    return false;
}

/* What a call may say to one who comes second. */
static bool is_answer(const party *it) {
    switch (it->code) {
    case FK_OK:
    case FK_E_BUSY:
    case FK_E_RUN_NOT_FOUND:
    case FK_E_FONT_NOT_FOUND:
    case FK_E_FONT_EXISTS:
        return true;
    case FK_E_INVALID:
        return strstr(it->err.hint, "restored it just now") != NULL;
    default:
        return false;
    }
}

/* Runs, live and in the trash, that a user may still reach. */
static size_t count_all(const char *path) {
    volume disk;
    volume_read(&disk, path);
    volume_runs runs = volume_count_runs(&disk);
    volume_finish(&disk);
    return runs.live + runs.trash_count;
}

static bool verify_all(fk_store *store) {
    fk_error err = {0};
    fk_run_list *runs = NULL;
    bool well = true;
    if (fk_verify(store, NULL, NULL, NULL, NULL, &runs, &err) != FK_OK) {
        return fail("verify", err.message);
    }
    for (size_t i = 0; i < fk_run_list_count(runs); i++) {
        const fk_run_info *info = fk_run_list_at(runs, i);
        well = well && (is_whole(info) || fail(info->run_id, fk_health_name(info->health)));
    }
    fk_run_list_destroy(runs);
    return well;
}

static bool leaves_no_stage(fk_store *store) {
    fk_error err = {0};
    fk_recovery *recovery = NULL;
    fk_store_report *report = NULL;
    if (fk_recover(store, &recovery, &err) != FK_OK) {
        return fail("recover", err.message);
    }
    bool well = recovery->kept_count == 0 || fail(recovery->kept[0], recovery->reasons[0]);
    fk_recovery_destroy(recovery);
    if (fk_status(store, &report, &err) != FK_OK) {
        return fail("status", err.message);
    }
    well = well && ((report->stages == 0 && report->stranger_count == 0) ||
                    fail("status", "stages or strangers are left"));
    fk_store_report_destroy(report);
    return well;
}

static bool judge(const party parties[BOTH], const char *path, size_t before) {
    fk_store *store = NULL;
    for (int i = FIRST; i < BOTH; i++) {
        if (!is_answer(&parties[i])) {
            return fail(fk_code_name(parties[i].code), parties[i].err.message);
        }
    }
    harness_check(fk_store_open(path, NULL, &store, NULL) == FK_OK, path);
    bool well = leaves_no_stage(store) && verify_all(store);
    fk_store_close(store);
    size_t wanted = before + added[FIRST] + added[SECOND];
    return well && (count_all(path) == wanted || fail("runs are lost, or there are too many", ""));
}

/* The newest id of the font, "" for none. A font that is made again has a history of its own. */
static fk_run_id newest_id(const char *path, const operation *stands) {
    fk_store *store = NULL;
    fk_run_list *runs = NULL;
    fk_run_id newest = {""};
    if (stands == CHANGE(RM_FONT)) {
        return newest;
    }
    harness_check(fk_store_open(path, NULL, &store, NULL) == FK_OK, path);
    if (fk_list_runs(store, FONT, NULL, &runs, NULL) == FK_OK && fk_run_list_count(runs) > 0) {
        const fk_run_info *last = fk_run_list_at(runs, fk_run_list_count(runs) - 1);
        snprintf(newest.text, sizeof newest.text, "%s", last->run_id);
    }
    fk_run_list_destroy(runs);
    fk_store_close(store);
    return newest;
}

/* Ids that were given are above those that stood there before, and never the same. */
static bool judge_ids(const fk_run_id *newest) {
    for (int i = FIRST; i < BOTH; i++) {
        if (saved[i].text[0] != '\0' && strcmp(saved[i].text, newest->text) <= 0) {
            return fail("an id that is not above those before", saved[i].text);
        }
    }
    return saved[FIRST].text[0] == '\0' || strcmp(saved[FIRST].text, saved[SECOND].text) != 0 ||
           fail("an id that was given twice", saved[FIRST].text);
}

/* ---- all of them -------------------------------------------------------------------------- */

typedef struct figures {
    size_t tried;
    size_t both_done;
    size_t wrong;
} figures;

/* Puts the length of both calls into `ret_calls`. */
static void try_one(size_t pair, size_t first_stop, size_t second_stop, size_t ret_calls[BOTH],
                    figures *sum) {
    char path[256];
    party parties[BOTH] = {{.me = FIRST, .operation = pairs[pair].first, .path = path},
                           {.me = SECOND, .operation = pairs[pair].second, .path = path}};
    harness_make_directory(path);
    fake_kernel_install();
    fake_kernel_set_time(NOW_US);
    pairs[pair].stands->prepare(path, operation_model(GLYPHS));
    worst =
        (pairs[pair].stands->flags & OPERATION_LOST_IMAGES) != 0 ? FK_INCOMPLETE : FK_UNVERIFIED;
    size_t before = count_all(path);
    fk_run_id newest = newest_id(path, pairs[pair].stands);
    fake_kernel_before_each(take_part);
    run_both(parties, first_stop, second_stop);
    fake_kernel_remove();
    bool well = judge(parties, path, before) && judge_ids(&newest);
    harness_remove_directory(path);
    ret_calls[FIRST] = schedule.calls[FIRST];
    ret_calls[SECOND] = schedule.calls[SECOND];
    sum->tried++;
    sum->both_done += parties[FIRST].code == FK_OK && parties[SECOND].code == FK_OK;
    sum->wrong += !well;
    if (!well && sum->wrong <= VIOLATIONS_SHOWN) {
        printf("VIOLATION %s to call %zu, %s to call %zu: %s\n", pairs[pair].first->name,
               first_stop, pairs[pair].second->name, second_stop, wrong);
    }
}

static void try_pair(size_t pair, size_t wanted, figures *sum) {
    size_t calls[BOTH];
    size_t unused[BOTH];
    figures before = *sum;
    try_one(pair, SIZE_MAX, SIZE_MAX, calls, sum);
    size_t all = calls[FIRST] * calls[SECOND];
    size_t step = wanted == 0 || all <= wanted ? 1 : all / wanted;
    step += step > 1 && calls[SECOND] % step == 0; /* or the second would stop at few places */
    for (size_t n = 0; n < all; n += step) {
        try_one(pair, 1 + n / calls[SECOND], 1 + n % calls[SECOND], unused, sum);
    }
    printf("%s and %s: %zu of %zu interleavings, both done in %zu, %zu wrong\n",
           pairs[pair].first->name, pairs[pair].second->name, sum->tried - before.tried, all,
           sum->both_done - before.both_done, sum->wrong - before.wrong);
    fflush(stdout);
}

static figures try_all(size_t wanted) {
    figures sum = {0};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        try_pair(i, wanted, &sum);
    }
    return sum;
}

int main(int count, char **arguments) {
    const char *size = count > 1 ? arguments[1] : "";
    size_t wanted = strcmp(size, "--full") == 0 ? 0 : strcmp(size, "--small") == 0 ? 10 : 60;
    const size_t pair_count = sizeof pairs / sizeof pairs[0];
    figures frozen = try_all(wanted);
    printf("promise 9: %zu pairs of calls in %zu interleavings, clock frozen: %zu wrong\n",
           pair_count, frozen.tried, frozen.wrong);
    jumping = true;
    figures jumped = try_all(wanted / 2 + (wanted == 0 ? JUMPS : 0));
    printf(
        "promise 10: %zu pairs of calls in %zu interleavings, clock jumping by hours: %zu wrong, "
        "ids rise\n",
        pair_count, jumped.tried, jumped.wrong);
    return frozen.wrong + jumped.wrong == 0 ? 0 : 1;
}
