#include "store/names/scan.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "os/directory.h"
#include "os/file.h"
#include "store/names/layout.h"
#include "store/names/run_id.h"
#include "store/names/trash_name.h"

static void note_newest(fk_scan *scan, const fk_run_id *id) {
    if (!scan->has_newest || strcmp(id->text, scan->newest.text) > 0) {
        scan->newest = *id;
        scan->has_newest = true;
    }
}

/* `.trash-<run id>.<n>`: an id that was given. */
static void note_trash(fk_scan *scan, const char *name) {
    fk_trash_name trashed;
    fk_run_id id;
    if (fk_trash_name_parse(name, &trashed) && fk_run_id_parse(trashed.subject, &id, NULL, NULL)) {
        note_newest(scan, &id);
    }
}

/* By id; of a run that stands there under both names, the `:` form comes first. */
static int compare_runs(const void *one, const void *other) {
    const fk_scan_run *a = one;
    const fk_scan_run *b = other;
    int order = strcmp(a->id.text, b->id.text);
    return order != 0 ? order : -strcmp(a->directory.text, b->directory.text);
}

static void drop_doubles(fk_scan *scan) {
    size_t kept = 0;
    for (size_t i = 0; i < scan->count; i++) {
        if (kept == 0 || strcmp(scan->runs[kept - 1].id.text, scan->runs[i].id.text) != 0) {
            scan->runs[kept++] = scan->runs[i];
        }
    }
    scan->count = kept;
}

static fk_code add_name(fk_scan *scan, int runs, const fk_names *names, size_t index,
                        fk_error *err) {
    const char *name = names->names[index];
    fk_scan_run run;
    if (fk_text_starts_with(name, FK_TRASH_PREFIX)) {
        note_trash(scan, name);
        return FK_OK;
    }
    if (strlen(name) >= sizeof run.directory.text || !fk_run_id_parse(name, &run.id, NULL, NULL)) {
        return FK_OK;
    }
    bool is_run = false;
    fk_code code = fk_names_is_directory(names, index, runs, &is_run, err);
    if (code == FK_OK && is_run) {
        fk_text_copy(run.directory.text, sizeof run.directory.text, name);
        scan->runs[scan->count++] = run;
        note_newest(scan, &run.id);
    }
    return code;
}

fk_code fk_scan_runs(int runs, const char *path, fk_scan *ret_scan, fk_error *err) {
    FK_SCOPED(fk_names_finish) fk_names names = {0};
    FK_SCOPED(fk_scan_finish) fk_scan scan = {0};
    fk_code code = fk_directory_list(runs, path, &names, err);
    if (code != FK_OK) {
        return code;
    }
    scan.runs = calloc(names.count + 1, sizeof *scan.runs);
    if (scan.runs == NULL) {
        return fk_error_no_memory(err);
    }
    for (size_t i = 0; i < names.count; i++) {
        code = add_name(&scan, runs, &names, i, err);
        if (code != FK_OK) {
            return code;
        }
    }
    qsort(scan.runs, scan.count, sizeof *scan.runs, compare_runs);
    drop_doubles(&scan);
    *ret_scan = scan;
    scan = (fk_scan){0};
    return FK_OK;
}

void fk_scan_finish(fk_scan *scan) {
    free(scan->runs);
    *scan = (fk_scan){0};
}

static int compare_id(const void *id, const void *run) {
    return strcmp(id, ((const fk_scan_run *)run)->id.text);
}

const fk_scan_run *fk_scan_find(const fk_scan *scan, const char *run_id) {
    return scan->count == 0
               ? NULL
               : bsearch(run_id, scan->runs, scan->count, sizeof *scan->runs, compare_id);
}
