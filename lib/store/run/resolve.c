#include "store/run/resolve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "os/file.h"
#include "store/handle/handle.h"
#include "store/names/layout.h"
#include "store/names/run_id.h"
#include "store/run/run.h"
#include "value/values.h"

enum { NAMED_MAX = 4 }; /* runs that an ambiguous prefix names */

static fk_code open_runs(fk_store *store, const char *font_id, fk_history *history, fk_error *err) {
    return fk_store_open_runs(store, font_id, &history->runs, history->warning, err);
}

static fk_code scan(fk_history *history, fk_error *err) {
    fk_scan_finish(&history->scan);
    return history->runs >= 0 ? fk_scan_runs(history->runs, FK_RUNS_DIRECTORY, &history->scan, err)
                              : FK_OK;
}

fk_code fk_history_open(fk_store *store, const char *font_id, fk_history *ret_history,
                        fk_error *err) {
    FK_SCOPED(fk_history_close) fk_history history = {.runs = -1};
    fk_code code = open_runs(store, font_id, &history, err);
    if (code == FK_OK) {
        code = scan(&history, err);
    }
    if (code != FK_OK) {
        return code;
    }
    *ret_history = history;
    history = (fk_history){.runs = -1};
    return FK_OK;
}

void fk_history_close(fk_history *history) {
    fk_file_closep(&history->runs);
    fk_scan_finish(&history->scan);
}

bool fk_resolve_is_latest(const char *run_id) {
    return run_id == NULL || strcmp(run_id, "latest") == 0;
}

/* Whether a run may be the latest. One that cannot be looked at may: that it cannot be loaded is an
 * error, never a silent step back. */
static fk_code may_be_latest(fk_store *store, const char *font_id, const fk_history *history,
                             const fk_scan_run *place, bool *ret_may, fk_error *err) {
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    if (values == NULL) {
        return fk_error_no_memory(err);
    }
    FK_SCOPED(fk_run_finish) fk_run run = {0};
    fk_error why;
    fk_code code = fk_run_init(&run, store, history->runs, font_id, place, false, values, &why);
    if (code == FK_E_NO_MEMORY) {
        return fk_error_no_memory(err);
    }
    if (code != FK_OK) {
        *ret_may = why.system_errno != ENOENT;
        return FK_OK;
    }
    bool ended_early = run.manifest == FK_RUN_MANIFEST_GOOD && run.info.status != FK_COMPLETED;
    bool empty = run.manifest == FK_RUN_MANIFEST_NONE && run.weights_name == NULL;
    *ret_may = !ended_early && !empty;
    return FK_OK;
}

fk_code fk_resolve_latest(fk_store *store, const char *font_id, const fk_history *history,
                          const fk_scan_run **ret_place, fk_error *err) {
    for (size_t i = history->scan.count; i-- > 0;) {
        bool may = false;
        const fk_scan_run *place = &history->scan.runs[i];
        fk_code code = may_be_latest(store, font_id, history, place, &may, err);
        if (code != FK_OK) {
            return code;
        }
        if (may) {
            *ret_place = place;
            return FK_OK;
        }
    }
    *ret_place = NULL;
    return FK_OK;
}

static fk_code no_latest(const char *font_id, const fk_history *history, fk_error *err) {
    fk_error_set(err, FK_E_RUN_NOT_FOUND, "font '%s' has no completed run", font_id);
    if (history->warning[0] != '\0') {
        fk_error_hint(err, "%s", history->warning);
    } else if (history->scan.count > 0) {
        fk_error_hint(err, "name one of its %zu other runs, such as '%s'", history->scan.count,
                      history->scan.runs[history->scan.count - 1].id.text);
    } else {
        fk_error_hint(err, "save a run first");
    }
    return FK_E_RUN_NOT_FOUND;
}

static const char *nearest_run(const fk_history *history, const char *text) {
    const fk_scan *scan = &history->scan;
    FK_SCOPED(fk_freep) const char **names = calloc(scan->count + 1, sizeof *names);
    if (names == NULL) {
        return NULL;
    }
    /* newest first, so that of several equally near the newest is named */
    for (size_t i = 0; i < scan->count; i++) {
        names[i] = scan->runs[scan->count - 1 - i].id.text;
    }
    return fk_nearest_name(text, names, scan->count);
}

static fk_code run_not_found(const char *font_id, const fk_history *history, const char *text,
                             fk_error *err) {
    fk_error_set(err, FK_E_RUN_NOT_FOUND, "font '%s' has no run '%s'", font_id, text);
    const char *nearest = nearest_run(history, text);
    if (nearest != NULL) {
        fk_error_hint(err, "the nearest run is '%s'", nearest);
    } else if (history->scan.count > 0) {
        fk_error_hint(err, "list the runs; the newest is '%s'",
                      history->scan.runs[history->scan.count - 1].id.text);
    } else {
        fk_error_hint(err, "save a run first: the font has none");
    }
    return FK_E_RUN_NOT_FOUND;
}

fk_code fk_resolve_place(fk_store *store, const char *font_id, const fk_history *history,
                         const char *run_id, const fk_scan_run **ret_place, fk_error *err) {
    const fk_scan_run *place = NULL;
    if (fk_resolve_is_latest(run_id)) {
        fk_code code = fk_resolve_latest(store, font_id, history, &place, err);
        if (code != FK_OK) {
            return code;
        }
        if (place == NULL) {
            return no_latest(font_id, history, err);
        }
    } else {
        fk_run_id id;
        if (fk_run_id_parse(run_id, &id, NULL, NULL)) {
            place = fk_scan_find(&history->scan, id.text);
        }
        if (place == NULL) {
            return run_not_found(font_id, history, run_id, err);
        }
    }
    *ret_place = place;
    return FK_OK;
}

/* Whether runs/ has a directory of that name; it has none where names with ':' are refused. */
static fk_code has_directory(int runs, const char *name, bool *ret_has, fk_error *err) {
    struct stat status;
    bool missing = false;
    fk_error why = {0};
    fk_code code = fk_file_look(runs, name, &status, &missing, &why);
    if (code != FK_OK && why.system_errno != EINVAL && why.system_errno != EILSEQ) {
        fk_error_path_join(&why, FK_RUNS_DIRECTORY);
        if (err != NULL) {
            *err = why;
        }
        return code;
    }
    *ret_has = code == FK_OK && !missing && S_ISDIR(status.st_mode);
    return FK_OK;
}

/* Looks for a run by the names that its directory may have, the `:` form first. `ret_place->id` is
 * empty when there is none, or `run_id` is no id. */
static fk_code look_for(int runs, const char *run_id, fk_scan_run *ret_place, fk_error *err) {
    fk_run_id names[2];
    *ret_place = (fk_scan_run){0};
    if (runs < 0 || fk_resolve_is_latest(run_id) ||
        !fk_run_id_parse(run_id, &names[0], NULL, NULL)) {
        return FK_OK;
    }
    fk_run_id_twin(&names[0], &names[1]);
    for (size_t i = 0; i < 2; i++) {
        bool has = false;
        fk_code code = has_directory(runs, names[i].text, &has, err);
        if (code != FK_OK) {
            return code;
        }
        if (has) {
            ret_place->id = names[0];
            fk_text_copy(ret_place->directory.text, sizeof ret_place->directory.text,
                         names[i].text);
            return FK_OK;
        }
    }
    return FK_OK;
}

/* The run, and the history scanned if that was needed. */
static fk_code find(fk_store *store, const char *font_id, fk_history *history, const char *run_id,
                    fk_scan_run *ret_place, fk_error *err) {
    const fk_scan_run *place = NULL;
    fk_code code = look_for(history->runs, run_id, ret_place, err);
    if (code != FK_OK || ret_place->id.text[0] != '\0') {
        return code;
    }
    code = scan(history, err);
    if (code == FK_OK) {
        code = fk_resolve_place(store, font_id, history, run_id, &place, err);
    }
    if (code == FK_OK) {
        *ret_place = *place;
    }
    return code;
}

fk_code fk_resolve_in(fk_store *store, const fk_runs_directory *where, const char *run_id,
                      fk_scan_run *ret_place, fk_error *err) {
    fk_history history = {.runs = where->runs};
    fk_code code = find(store, where->font_id.text, &history, run_id, ret_place, err);
    fk_scan_finish(&history.scan);
    return code;
}

fk_code fk_resolve_and_open(fk_store *store, const char *font_id, const char *run_id,
                            fk_run **ret_run, fk_error *err) {
    FK_SCOPED(fk_history_close) fk_history history = {.runs = -1};
    fk_scan_run place;
    fk_code code = open_runs(store, font_id, &history, err);
    if (code == FK_OK) {
        code = find(store, font_id, &history, run_id, &place, err);
    }
    if (code != FK_OK) {
        return code;
    }
    fk_error why = {0};
    code = fk_run_open_place(store, history.runs, font_id, &place, ret_run, &why);
    if (code == FK_E_IO && why.system_errno == ENOENT) { /* it went just now */
        code = scan(&history, err);
        return code == FK_OK ? run_not_found(font_id, &history, place.id.text, err) : code;
    }
    if (code != FK_OK && err != NULL) {
        *err = why;
    }
    return code;
}

/* Runs whose id, or its twin, starts with `text`; gives the first few of them. */
static size_t match_prefix(const fk_scan *scan, const char *text,
                           const fk_scan_run *ret_matches[NAMED_MAX]) {
    size_t count = 0;
    for (size_t i = 0; i < scan->count; i++) {
        fk_run_id twin;
        fk_run_id_twin(&scan->runs[i].id, &twin);
        if (fk_text_starts_with(scan->runs[i].id.text, text) ||
            fk_text_starts_with(twin.text, text)) {
            if (count < NAMED_MAX) {
                ret_matches[count] = &scan->runs[i];
            }
            count++;
        }
    }
    return count;
}

static fk_code ambiguous(const char *text, size_t count,
                         const fk_scan_run *const matches[NAMED_MAX], fk_error *err) {
    char names[NAMED_MAX * sizeof matches[0]->id.text + 32] = "";
    size_t used = 0;
    for (size_t i = 0; i < count && i < NAMED_MAX; i++) {
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i == 0 ? "" : ", ",
                                 matches[i]->id.text);
    }
    fk_error_set(err, FK_E_INVALID, "'%s' is the start of %zu runs: %s%s", text, count, names,
                 count > NAMED_MAX ? ", ..." : "");
    fk_error_hint(err, "give more of the run id");
    return FK_E_INVALID;
}

fk_code fk_resolve_run(fk_store *store, const char *font_id, const char *text,
                       fk_run_id *ret_run_id, fk_error *err) {
    FK_SCOPED(fk_history_close) fk_history history = {.runs = -1};
    fk_scan_run place;
    fk_error why;
    fk_code code = open_runs(store, font_id, &history, err);
    if (code != FK_OK) {
        return code;
    }
    code = find(store, font_id, &history, text, &place, &why);
    if (code == FK_E_RUN_NOT_FOUND && !fk_resolve_is_latest(text) && text[0] != '\0') {
        const fk_scan_run *matches[NAMED_MAX];
        size_t count = match_prefix(&history.scan, text, matches);
        if (count > 1) {
            return ambiguous(text, count, matches, err);
        }
        if (count == 1) {
            place = *matches[0];
            code = FK_OK;
        }
    }
    if (code == FK_OK) {
        *ret_run_id = place.id;
    } else if (err != NULL) {
        *err = why;
    }
    return code;
}
