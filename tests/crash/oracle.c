#include "oracle.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "harness.h"

static char reason[1024];

static const char *wrong(const char *what, const fk_error *err) {
    snprintf(reason, sizeof reason, "%s: %.400s (%.400s)", what, err->message, err->path);
    return reason;
}

/* ---- recovery ----------------------------------------------------------------------------- */

static int age(const char *path, const struct stat *status, int type, struct FTW *place) {
    const time_t two_days = 2L * 24 * 60 * 60;
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = status->st_mtime - two_days}};
    (void)type;
    (void)place;
    return strstr(path, "/.stage-") == NULL ? 0 : utimensat(AT_FDCWD, path, times, 0);
}

/* `ret_left`: how many stages it kept. */
static const char *recover(fk_store *store, size_t *ret_removed, size_t *ret_kept) {
    fk_error err = {0};
    fk_recovery *recovery = NULL;
    if (fk_recover(store, &recovery, &err) != FK_OK) {
        return wrong("recover", &err);
    }
    *ret_removed = recovery->removed_count;
    *ret_kept = recovery->kept_count;
    fk_recovery_destroy(recovery);
    return NULL;
}

/* A stage whose lock file the power cut took is kept for a day: nobody knows who writes it. */
static const char *recover_at_last(fk_store *store, const char *path) {
    size_t removed = 0;
    size_t kept = 0;
    const char *found = recover(store, &removed, &kept);
    if (found == NULL && kept > 0) {
        harness_check(nftw(path, age, 16, FTW_PHYS) == 0, path);
        found = recover(store, &removed, &kept);
    }
    return found == NULL && kept > 0 ? "a stage survives recovery" : found;
}

static const char *recover_nothing(fk_store *store) {
    size_t removed = 0;
    size_t kept = 0;
    const char *found = recover(store, &removed, &kept);
    return found == NULL && removed + kept > 0 ? "a second recovery finds something" : found;
}

/* ---- what the user has -------------------------------------------------------------------- */

static const char *check_stages(fk_store *store) {
    fk_error err = {0};
    fk_store_report *report = NULL;
    if (fk_status(store, &report, &err) != FK_OK) {
        return wrong("status", &err);
    }
    bool clean = report->stages == 0 && report->stranger_count == 0;
    fk_store_report_destroy(report);
    return clean ? NULL : "stages or strangers are left";
}

static const char *check_runs(const oracle *it, const char *path, bool returned, size_t *ret_live) {
    volume disk;
    volume_read(&disk, path);
    volume_runs runs = volume_count_runs(&disk);
    volume_finish(&disk);
    *ret_live = runs.live;
    if (runs.digest == it->after) {
        return NULL;
    }
    if (returned) {
        return runs.digest == it->before ? "lost: the call had returned" : "torn, though returned";
    }
    bool well = runs.digest == it->before || runs.digest == it->between;
    return well ? NULL : "torn: neither before nor after";
}

static const char *check_health(const oracle *it, const fk_run_list *runs) {
    for (size_t i = 0; i < fk_run_list_count(runs); i++) {
        const fk_run_info *info = fk_run_list_at(runs, i);
        bool blemished = it->worst == FK_COMPLETE && info->problem_count > 0;
        if (info->health < it->worst || blemished) {
            snprintf(reason, sizeof reason, "run %s is %s", info->run_id,
                     fk_health_name(info->health));
            return reason;
        }
    }
    return NULL;
}

static const char *verify(const oracle *it, fk_store *store, size_t live) {
    fk_error err = {0};
    fk_run_list *runs = NULL;
    if (fk_verify(store, NULL, NULL, NULL, NULL, &runs, &err) != FK_OK) {
        return wrong("verify", &err);
    }
    const char *found =
        fk_run_list_count(runs) == live ? check_health(it, runs) : "verify misses runs";
    fk_run_list_destroy(runs);
    return found;
}

static const char *load(fk_store *store, const fk_font_info *font) {
    fk_error err = {0};
    fk_loaded *loaded = NULL;
    if (font->runs > 0 && fk_load_model(store, font->font_id, NULL, NULL, &loaded, &err) != FK_OK) {
        return wrong("load", &err);
    }
    fk_loaded_destroy(loaded);
    return NULL;
}

static const char *list_and_load(fk_store *store, size_t live) {
    fk_error err = {0};
    fk_font_list *fonts = NULL;
    const char *found = NULL;
    size_t runs = 0;
    if (fk_list_fonts(store, &fonts, &err) != FK_OK) {
        return wrong("list", &err);
    }
    for (size_t i = 0; found == NULL && i < fk_font_list_count(fonts); i++) {
        found = load(store, fk_font_list_at(fonts, i));
        runs += fk_font_list_at(fonts, i)->runs;
    }
    fk_font_list_destroy(fonts);
    return found == NULL && runs != live ? "the list misses runs" : found;
}

static const char *save_again(const oracle *it, fk_store *store, size_t live) {
    fk_error err = {0};
    fk_run_id id;
    if (fk_save_model(store, it->font_id, it->model, &id, &err) != FK_OK) {
        return wrong("save again", &err);
    }
    return list_and_load(store, live + 1);
}

/* ---- the verdict -------------------------------------------------------------------------- */

static const char *judge_store(const oracle *it, fk_store *store, const char *path, bool returned) {
    size_t live = 0;
    const char *found = recover_at_last(store, path);
    if (found == NULL) {
        found = check_runs(it, path, returned, &live);
    }
    if (found == NULL) {
        found = check_stages(store);
    }
    if (found == NULL) {
        found = list_and_load(store, live);
    }
    if (found == NULL) {
        found = verify(it, store, live);
    }
    if (found == NULL) {
        found = save_again(it, store, live);
    }
    return found == NULL ? recover_nothing(store) : found;
}

const char *oracle_judge(const oracle *it, const char *path, bool returned) {
    fk_error err = {0};
    fk_store *store = NULL;
    if (fk_store_open(path, NULL, &store, &err) != FK_OK) {
        return wrong("open", &err);
    }
    const char *found = judge_store(it, store, path, returned);
    fk_store_close(store);
    return found;
}
