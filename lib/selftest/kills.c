#include "selftest/kills.h"

#include "os/trial.h"
#include "selftest/operations.h"
#include "selftest/scene.h"

/* ---- one process -------------------------------------------------------------------------- */

typedef struct work {
    const fk_operation *operation;
    fk_scene *scene;
} work;

/* In the process that is killed. */
static fk_code do_work(void *user, fk_error *err) {
    const work *it = user;
    fk_store *store = NULL;
    fk_code code = fk_scene_open(it->scene, FK_DURABILITY_FULL, &store, err);
    if (code == FK_OK) {
        code = it->operation->run(it->scene, store, err);
    }
    fk_store_close(store);
    return code;
}

static fk_code make_scene(const work *it, fk_error *err) {
    fk_store *store = NULL;
    fk_code code = fk_scene_make(it->scene, err);
    if (code != FK_OK || it->operation->prepare == NULL) {
        return code;
    }
    code = fk_scene_open(it->scene, FK_DURABILITY_NONE, &store, err);
    if (code == FK_OK) {
        code = it->operation->prepare(it->scene, store, err);
    }
    fk_store_close(store);
    return code;
}

/* A full disk, or too little memory, says nothing about promises. */
static bool is_no_violation(fk_code code) {
    return code == FK_E_NO_SPACE || code == FK_E_NO_MEMORY;
}

static fk_code judge(const work *it, const fk_trial *trial, fk_report *report, fk_error *err) {
    fk_error cause = {0};
    const char *name = it->operation->name;
    if (!trial->killed && trial->code != FK_OK) {
        return is_no_violation(trial->code)
                   ? fk_error_set(err, trial->code, "%s", trial->error.message)
                   : fk_report_add_violation(report, err, "%s does not work here: %s", name,
                                             trial->error.message);
    }
    fk_code code = fk_scene_check(it->scene, &it->operation->rules, !trial->killed, &cause);
    if (code == FK_OK) {
        return FK_OK;
    }
    if (is_no_violation(code)) {
        return fk_error_set(err, code, "%s", cause.message);
    }
    return trial->killed
               ? fk_report_add_violation(report, err, "%s, killed at its call %zu (%s): %s", name,
                                         trial->calls + 1, trial->call, cause.message)
               : fk_report_add_violation(report, err, "%s: %s", name, cause.message);
}

static fk_code try_once(const work *it, size_t kill_at, fk_report *report, size_t *ret_calls,
                        fk_error *err) {
    fk_trial trial = {false};
    fk_code code = make_scene(it, err);
    if (code == FK_OK) {
        code = fk_trial_run(do_work, (void *)(uintptr_t)it, kill_at, &trial, err);
    }
    if (code == FK_OK) {
        report->open.kills += trial.killed;
        code = judge(it, &trial, report, err);
    }
    if (code == FK_OK) {
        *ret_calls = trial.calls;
        code = fk_scene_remove(it->scene, err);
    }
    return code;
}

/* ---- all of them -------------------------------------------------------------------------- */

static fk_code go_on(const fk_selftest_options *options, size_t done, size_t total, fk_error *err) {
    if (options->progress == NULL || options->progress(done, total, options->progress_user) == 0) {
        return FK_OK;
    }
    return fk_error_set(err, FK_E_CANCELLED, "the self-test was cancelled");
}

/* Each operation to its end: how many calls it takes. One that fails is not killed. */
static fk_code count_calls(work works[FK_OPERATION_COUNT], size_t calls[FK_OPERATION_COUNT],
                           fk_report *report, fk_error *err) {
    for (size_t i = 0; i < FK_OPERATION_COUNT; i++) {
        size_t before = report->open.violations;
        fk_code code = try_once(&works[i], 0, report, &calls[i], err);
        if (code != FK_OK) {
            return code;
        }
        if (report->open.violations > before) {
            calls[i] = 0;
        }
    }
    return FK_OK;
}

static fk_code kill_all(work works[FK_OPERATION_COUNT], const size_t calls[FK_OPERATION_COUNT],
                        const fk_selftest_options *options, fk_report *report, fk_error *err) {
    size_t done = 0;
    size_t total = 0;
    for (size_t i = 0; i < FK_OPERATION_COUNT; i++) {
        total += calls[i];
    }
    for (size_t i = 0; i < FK_OPERATION_COUNT; i++) {
        for (size_t kill_at = 1; kill_at <= calls[i]; kill_at++) {
            size_t made = 0;
            fk_code code = go_on(options, done++, total, err);
            if (code == FK_OK) {
                code = try_once(&works[i], kill_at, report, &made, err);
            }
            if (code != FK_OK) {
                return code;
            }
        }
    }
    return go_on(options, total, total, err);
}

fk_code fk_kills_try(const fk_scratch *scratch, const fk_sample *sample,
                     const fk_selftest_options *options, fk_report *report, fk_error *err) {
    FK_SCOPED(fk_scene_finish) fk_scene scene;
    work works[FK_OPERATION_COUNT];
    size_t calls[FK_OPERATION_COUNT] = {0};
    fk_scene_init(&scene, scratch, sample, report);
    for (size_t i = 0; i < FK_OPERATION_COUNT; i++) {
        works[i] = (work){.operation = &fk_operations[i], .scene = &scene};
    }
    fk_code code = count_calls(works, calls, report, err);
    return code == FK_OK ? kill_all(works, calls, options, report, err) : code;
}
