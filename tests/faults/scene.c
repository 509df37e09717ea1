#include "scene.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_memory.h"
#include "harness.h"
#include "tree.h"

#define NOW_US INT64_C(1768120200000000) /* 2026-01-11T08:30:00.000000 */

enum { GLYPHS = 1 };

size_t scene_count_descriptors(void) {
    DIR *stream = opendir("/proc/self/fd");
    harness_check(stream != NULL, "/proc/self/fd");
    size_t count = 0;
    while (readdir(stream) != NULL) {
        count++;
    }
    closedir(stream);
    return count;
}

/* ---- steps ------------------------------------------------------------------------------- */

static bool fail(outcome *it, const char *what, const char *detail) {
    snprintf(it->wrong, sizeof it->wrong, "%s%s%.900s", what, detail[0] == '\0' ? "" : ": ",
             detail);
    return false;
}

static bool recover(outcome *it, const char *path) {
    fk_error err = {0};
    fk_store *store = NULL;
    fk_recovery *recovery = NULL;
    fk_code code = fk_store_open(path, NULL, &store, &err);
    if (code == FK_OK) {
        code = fk_recover(store, &recovery, &err);
    }
    fk_recovery_destroy(recovery);
    fk_store_close(store);
    return code == FK_OK || fail(it, "recover", err.message);
}

/* The names of a store in `text`, without those of its identity: they come by themselves. */
static void drop_identity(char *text) {
    char *into = text;
    for (const char *at = text; *at != '\0';) {
        size_t length = strcspn(at, "\n") + 1;
        if (strncmp(at, ".fontkeep/", 10) != 0) {
            memmove(into, at, length);
            into += length;
        }
        at += length;
    }
    *into = '\0';
}

/* ---- before the call ---------------------------------------------------------------------- */

static void prepare(const operation *it, char path[256]) {
    harness_make_directory(path);
    fake_kernel_install();
    fake_kernel_set_time(NOW_US);
    it->prepare(path, operation_model(GLYPHS));
    fake_kernel_record_clear();
    if ((it->flags & OPERATION_NO_EXCHANGE) != 0) {
        fake_kernel_refuse_flags();
    }
}

/* What is there before the call but for dead stages: recovery would take those away. */
static char *list_names(const operation *it) {
    char path[256];
    outcome unused = {0};
    prepare(it, path);
    harness_check(recover(&unused, path), unused.wrong);
    char *names = tree_listing(path, false);
    drop_identity(names);
    fake_kernel_remove();
    harness_remove_directory(path);
    return names;
}

scene scene_create(const operation *done) {
    char path[256];
    scene it = {.operation = done, .names = list_names(done)};
    prepare(done, path);
    volume_runs before = operation_count_runs(path);
    size_t calls = fake_kernel_count("*");
    fk_error err = {0};
    fk_code code = done->run(path, operation_model(GLYPHS), &err);
    harness_check(code == FK_OK, err.message);
    it.calls = fake_kernel_count("*") - calls;
    it.rules = operation_rules(done, operation_model(GLYPHS), before, operation_count_runs(path));
    fake_kernel_remove();
    harness_remove_directory(path);
    return it;
}

void scene_destroy(scene *it) {
    free(it->names);
}

/* ---- the judge ---------------------------------------------------------------------------- */

static fk_code expected_code(const fault *trouble) {
    switch (trouble->memory ? ENOMEM : trouble->system_errno) {
    case ENOSPC:
    case EDQUOT:
        return FK_E_NO_SPACE;
    case EROFS:
    case EACCES:
        return FK_E_ACCESS;
    case ENOMEM:
        return FK_E_NO_MEMORY;
    default:
        return FK_E_IO;
    }
}

/* A failure says what failed, where, and what to do. */
static bool check_error(outcome *it, const fault *trouble, const fk_error *err) {
    if (it->code == FK_OK || it->code == FK_E_NOT_DURABLE) {
        return true;
    }
    if (it->code != expected_code(trouble) && trouble->then == 0 &&
        !(it->code == FK_E_NO_MEMORY && strcmp(it->call, "mmap") == 0)) {
        return fail(it, fk_code_name(it->code), err->message);
    }
    if (err->code != it->code || err->message[0] == '\0') {
        return fail(it, "an error without a message", fk_code_name(it->code));
    }
    if (it->code != FK_E_NO_MEMORY && (err->path[0] == '\0' || err->hint[0] == '\0')) {
        return fail(it, "an error without path or hint", err->message);
    }
    return true;
}

static bool starts_with(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

/* The store's identity is not the run's business, nor is the entry whose content was restored;
 * after a signal fsync is done again. */
static bool is_harmless(const scene *from, const char *line, const char *before) {
    bool last = (from->operation->flags & OPERATION_ENTRY_LAST) != 0 &&
                starts_with(before, "renameat2 .trash-") && strstr(before, "-> .stage-") != NULL;
    return last || starts_with(line, "fsync .fontkeep") || starts_with(before, "fsync .fontkeep") ||
           strstr(line, "(EINTR)") != NULL;
}

/* A sync that failed and was not told is a promise that may be broken. */
static bool check_syncs(outcome *it, const scene *from) {
    char line[512] = "";
    char before[512];
    for (const char *at = fake_kernel_record(); *at != '\0' && it->code == FK_OK;) {
        size_t length = strcspn(at, "\n");
        memcpy(before, line, sizeof line);
        snprintf(line, sizeof line, "%.*s", (int)length, at);
        bool failed = starts_with(line, "fsync ") && line[strlen(line) - 1] == ')';
        if (failed && !is_harmless(from, line, before)) {
            return fail(it, "a failed sync was not told", line);
        }
        at += length + 1;
    }
    return true;
}

/* What failed has left nothing, and taken nothing away. */
static bool check_names(outcome *it, const scene *from, const char *path) {
    char *now = tree_listing(path, false);
    drop_identity(now);
    bool same = strcmp(now, from->names) == 0;
    if (!same) {
        size_t at = 0;
        while (now[at] == from->names[at]) {
            at++;
        }
        while (at > 0 && now[at - 1] != '\n') {
            at--;
        }
        now[at + strcspn(now + at, "\n")] = '\0';
        fail(it, "a failure left other names than before, first", now + at);
    }
    free(now);
    return same;
}

/* Whether nothing stood in the way of cleaning up. */
static bool could_clean_up(const outcome *it, const scene *from, const fault *trouble) {
    return trouble->duration == FAKE_ONCE && trouble->then == 0 &&
           (it->call == NULL || strcmp(it->call, "unlinkat") != 0) &&
           (from->operation->flags & OPERATION_NO_WAY_BACK) == 0;
}

/* With neither exchange nor a way to rename back, recovery ends what was begun. */
static bool could_undo(const scene *from, const fault *trouble) {
    unsigned flags = from->operation->flags;
    bool broken = trouble->duration == FAKE_EVER_AFTER || trouble->then > 0;
    return (flags & OPERATION_NO_WAY_BACK) == 0 &&
           !((flags & OPERATION_NO_EXCHANGE) != 0 && broken);
}

static bool check_store(outcome *it, const scene *from, const fault *trouble, const char *path) {
    oracle rules = from->rules;
    bool done = it->code == FK_OK || it->code == FK_E_NOT_DURABLE;
    if (!done) {
        if (!recover(it, path) ||
            (could_clean_up(it, from, trouble) && !check_names(it, from, path))) {
            return false;
        }
        if (could_undo(from, trouble)) {
            rules.after = rules.before;
        }
    }
    if (done && (from->operation->flags & OPERATION_ENTRY_LAST) != 0) {
        rules.before = rules.after; /* or between: the entry may stay */
        const char *last = oracle_judge(&rules, path, false);
        return last == NULL || fail(it, "after it was done", last);
    }
    const char *found = oracle_judge(&rules, path, done || rules.after == rules.before);
    return found == NULL || fail(it, done ? "after it was done" : "after it failed", found);
}

/* ---- the call ----------------------------------------------------------------------------- */

static void arm(const fault *trouble) {
    if (trouble->before_call != NULL) {
        trouble->before_call();
    }
    fake_kernel_move_at_most(trouble->bytes_at_once);
    if (trouble->memory && trouble->duration == FAKE_EVER_AFTER) {
        fake_memory_fail_ever_after(trouble->nth);
    } else if (trouble->memory) {
        fake_memory_fail(trouble->nth);
    } else if (trouble->nth > 0) {
        fake_kernel_fail("*", trouble->nth, trouble->system_errno, trouble->duration);
    }
    if (trouble->then > 0) {
        fake_kernel_fail("*", trouble->nth + trouble->then, EIO, FAKE_ONCE);
    }
}

static bool disarm(const fault *trouble) {
    if (trouble->behind_call != NULL) {
        trouble->behind_call();
    }
    bool starved = fake_memory_relent();
    fake_kernel_relent();
    fake_kernel_move_at_most(0);
    return trouble->memory ? starved : trouble->bytes_at_once > 0 || fake_kernel_failed() != NULL;
}

outcome scene_suffer(const scene *from, const fault *trouble) {
    char path[256];
    fk_error err = {0};
    outcome it = {0};
    prepare(from->operation, path);
    size_t descriptors = scene_count_descriptors();
    arm(trouble);
    it.code = from->operation->run(path, operation_model(GLYPHS), &err);
    it.call = fake_kernel_failed();
    it.reached = disarm(trouble);
    if (scene_count_descriptors() != descriptors) {
        fail(&it, "descriptors leak", "");
    }
    if (check_error(&it, trouble, &err) && check_syncs(&it, from)) {
        fake_kernel_remove();
        check_store(&it, from, trouble, path);
    }
    fake_kernel_remove();
    harness_remove_directory(path);
    return it;
}
