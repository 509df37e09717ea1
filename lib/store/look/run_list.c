#include "store/look/run_list.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "os/crew.h"
#include "store/handle/options.h"
#include "store/names/run_id.h"
#include "store/run/health.h"
#include "store/run/resolve.h"
#include "value/values.h"

struct fk_run_list {
    fk_values *values; /* owns what the rows point to */
    fk_run_info *rows;
    size_t count;
    size_t capacity;
    char warning[256];
};

fk_code fk_run_list_create(size_t capacity, fk_run_list **ret_runs, fk_error *err) {
    FK_SCOPED(fk_run_list_destroyp) fk_run_list *runs = calloc(1, sizeof *runs);
    if (runs == NULL) {
        return fk_error_no_memory(err);
    }
    runs->values = fk_values_create();
    runs->rows = calloc(capacity + 1, sizeof *runs->rows);
    runs->capacity = capacity;
    if (runs->values == NULL || runs->rows == NULL) {
        return fk_error_no_memory(err);
    }
    *ret_runs = fk_take(runs);
    return FK_OK;
}

void fk_run_list_destroy(fk_run_list *runs) {
    if (runs != NULL) {
        fk_values_destroy(runs->values);
        free(runs->rows);
        free(runs);
    }
}

size_t fk_run_list_count(const fk_run_list *runs) {
    return runs->count;
}

const fk_run_info *fk_run_list_at(const fk_run_list *runs, size_t index) {
    return index < runs->count ? &runs->rows[index] : NULL;
}

const char *fk_run_list_warning(const fk_run_list *runs) {
    return runs->warning[0] == '\0' ? NULL : runs->warning;
}

fk_values *fk_run_list_values(fk_run_list *runs) {
    return runs->values;
}

static void destroy_arena(void *arena) {
    fk_values_destroy(arena);
}

fk_code fk_run_list_arenas(fk_run_list *runs, size_t count, fk_values *ret_arenas[],
                           fk_error *err) {
    ret_arenas[0] = runs->values;
    for (size_t i = 1; i < count; i++) {
        FK_SCOPED(fk_values_destroyp) fk_values *arena = fk_values_create();
        if (arena == NULL || fk_values_on_destroy(runs->values, destroy_arena, arena) != FK_OK) {
            return fk_error_no_memory(err);
        }
        ret_arenas[i] = fk_take(arena);
    }
    return FK_OK;
}

void fk_run_list_add(fk_run_list *runs, const fk_run_info *info) {
    assert(runs->count < runs->capacity);
    runs->rows[runs->count++] = *info;
}

fk_code fk_run_list_open(fk_store *store, int runs, const char *font_id, const fk_scan_run *place,
                         bool with_files, fk_values *values, fk_run *ret_run, bool *ret_gone,
                         fk_error *err) {
    fk_error why = {0};
    fk_code code = fk_run_init(ret_run, store, runs, font_id, place, with_files, values, &why);
    *ret_gone = code == FK_E_IO && why.system_errno == ENOENT;
    if (code == FK_OK || *ret_gone) {
        return FK_OK;
    }
    if (code == FK_E_NO_MEMORY) {
        return fk_error_no_memory(err);
    }
    return fk_run_init_unopened(ret_run, store, font_id, place, values, &why, err);
}

/* One row: all that is done per run, with no state shared but the arena it is given. */
static fk_code look_at_run(fk_store *store, int runs, const char *font_id, const fk_scan_run *place,
                           fk_values *values, fk_run_info *ret_info, bool *ret_gone,
                           fk_error *err) {
    FK_SCOPED(fk_run_finish) fk_run run = {0};
    fk_code code =
        fk_run_list_open(store, runs, font_id, place, false, values, &run, ret_gone, err);
    if (code != FK_OK || *ret_gone) {
        return code;
    }
    if (run.directory >= 0) {
        fk_error why = {0};
        code = fk_health_shallow(&run, &why);
        if (code == FK_E_NO_MEMORY) {
            return fk_error_no_memory(err);
        }
        if (code != FK_OK) {
            fk_findings_add_error(&run.findings, FK_CORRUPT, &FK_PROBLEM("manifest", NULL), &why);
            code = fk_health_conclude(&run, err);
        }
    }
    *ret_info = run.info;
    return code;
}

/* Where a query starts: the index of the first run it may give, counted in its own direction. */
static fk_code find_start(fk_store *store, const char *font_id, const fk_history *history,
                          const fk_run_query *query, size_t *ret_start, fk_error *err) {
    const fk_scan *scan = &history->scan;
    fk_run_id id;
    if (query->after == NULL) {
        *ret_start = query->reverse ? scan->count : 0;
        return FK_OK;
    }
    /* an id need not exist (any more): paging goes on from where it would stand */
    if (!fk_run_id_parse(query->after, &id, NULL, NULL)) {
        const fk_scan_run *place = NULL;
        fk_code code = fk_resolve_place(store, font_id, history, query->after, &place, err);
        if (code != FK_OK) {
            return code;
        }
        id = place->id;
    }
    size_t low = 0;
    size_t high = scan->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(scan->runs[middle].id.text, id.text);
        if (order < 0 || (order == 0 && !query->reverse)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *ret_start = low;
    return FK_OK;
}

/* One batch of rows: the runs that are looked at by several threads, each with its own arena. */
typedef struct batch {
    fk_store *store;
    const char *font_id;
    const fk_history *history;
    size_t first; /* in the scan; with `reverse` the runs go down from there */
    bool reverse;
    fk_values *arenas[FK_CREW_MAX];
    fk_run_info *rows; /* where the first goes; no `run_id`: the run is gone */
} batch;

static fk_code add_row(void *user, const fk_crew_member *member, size_t item, fk_error *err) {
    batch *rows = user;
    size_t at = rows->reverse ? rows->first - item : rows->first + item;
    bool gone = false;
    return look_at_run(rows->store, rows->history->runs, rows->font_id,
                       &rows->history->scan.runs[at], rows->arenas[member->index],
                       &rows->rows[item], &gone, err);
}

/* Closes the gaps that runs left which went meanwhile. */
static void keep_rows(fk_run_list *list, size_t added) {
    size_t end = list->count + added;
    for (size_t i = list->count; i < end; i++) {
        if (list->rows[i].run_id != NULL) {
            list->rows[list->count++] = list->rows[i];
        }
    }
}

/* Rows from `start` on; with `reverse`, before it. */
static fk_code add_rows(fk_store *store, const char *font_id, const fk_history *history,
                        const fk_run_query *query, size_t start, fk_run_list *list, fk_error *err) {
    batch rows = {
        .store = store, .font_id = font_id, .history = history, .reverse = query->reverse};
    size_t left = query->reverse ? start : history->scan.count - start;
    size_t size = fk_crew_size_to_wait(list->capacity);
    fk_code code = fk_run_list_arenas(list, size, rows.arenas, err);
    while (code == FK_OK && list->count < list->capacity && left > 0) {
        size_t wanted = list->capacity - list->count;
        size_t count = wanted < left ? wanted : left;
        rows.first = query->reverse ? left - 1 : history->scan.count - left;
        rows.rows = &list->rows[list->count];
        memset(rows.rows, 0, count * sizeof *rows.rows);
        code = fk_crew_run(size, count, add_row, &rows, err);
        keep_rows(list, code == FK_OK ? count : 0);
        left -= count;
    }
    return code;
}

fk_code fk_list_runs(fk_store *store, const char *font_id, const fk_run_query *query,
                     fk_run_list **ret_runs, fk_error *err) {
    FK_SCOPED(fk_history_close) fk_history history = {.runs = -1};
    FK_SCOPED(fk_run_list_destroyp) fk_run_list *list = NULL;
    fk_run_query asked = {0};
    size_t start = 0;
    fk_code code = fk_options_copy(&asked, sizeof asked, query, "fk_run_query", err);
    if (code == FK_OK) {
        code = fk_history_open(store, font_id, &history, err);
    }
    if (code == FK_OK) {
        code = find_start(store, font_id, &history, &asked, &start, err);
    }
    if (code != FK_OK) {
        return code;
    }
    size_t room = asked.reverse ? start : history.scan.count - start;
    room = asked.limit != 0 && asked.limit < room ? asked.limit : room;
    code = fk_run_list_create(room, &list, err);
    if (code == FK_OK) {
        code = add_rows(store, font_id, &history, &asked, start, list, err);
    }
    if (code != FK_OK) {
        return code;
    }
    fk_text_copy(list->warning, sizeof list->warning, history.warning);
    *ret_runs = fk_take(list);
    return FK_OK;
}
