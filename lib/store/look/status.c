#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/text.h"
#include "fontkeep/store.h"
#include "os/directory.h"
#include "os/file.h"
#include "store/handle/handle.h"
#include "store/look/run_list.h"
#include "store/names/font_id.h"
#include "store/names/layout.h"
#include "store/names/run_id.h"
#include "store/run/health.h"
#include "store/run/resolve.h"
#include "value/values.h"

/* A report while it is made. */
typedef struct status_report {
    fk_store_report report; /* stays the first member: what is handed out */
    fk_values *values;
    const char **strangers; /* from malloc */
    size_t capacity;
    fk_byte_sum trash;
    char store_id[37];
} status_report;

static void report_destroy(status_report *report) {
    if (report != NULL) {
        fk_values_destroy(report->values);
        fk_byte_sum_finish(&report->trash);
        free(report->strangers);
        free(report);
    }
}

FK_DEFINE_SCOPED(status_report, report_destroy);

static fk_code add_stranger(status_report *report, const char *parent, const char *name,
                            fk_error *err) {
    FK_SCOPED(fk_buffer_finish) fk_buffer path = {0};
    if (report->report.stranger_count == report->capacity) {
        size_t capacity = 2 * report->capacity + 8;
        const char **more = realloc(report->strangers, capacity * sizeof *more);
        if (more == NULL) {
            return fk_error_no_memory(err);
        }
        report->strangers = more;
        report->capacity = capacity;
    }
    fk_buffer_append_text(&path, parent);
    fk_buffer_append_text(&path, parent[0] == '\0' ? "" : "/");
    fk_value *text = fk_buffer_append_text(&path, name)
                         ? fk_value_text(report->values, FK_KIND_STRING, path.bytes, path.length)
                         : NULL;
    if (text == NULL) {
        return fk_error_no_memory(err);
    }
    report->strangers[report->report.stranger_count++] = fk_value_as_text(text, NULL);
    return FK_OK;
}

/* Trash that cannot be measured counts as far as it can. */
static void add_trash(status_report *report, int parent, const char *name) {
    fk_byte_sum_add(&report->trash, parent, name, NULL);
}

/* A stage, its lock file, or something that bears such a name. */
static fk_code look_at_stage(status_report *report, const char *path, const char *name,
                             bool directory, fk_error *err) {
    report->report.stages += directory;
    return directory || fk_text_ends_with(name, FK_LOCK_SUFFIX)
               ? FK_OK
               : add_stranger(report, path, name, err);
}

/* One name in runs/. */
static fk_code look_at_name(status_report *report, int runs, const char *path, const char *name,
                            bool directory, fk_error *err) {
    if (fk_text_starts_with(name, FK_TRASH_PREFIX) && directory) {
        add_trash(report, runs, name);
        return FK_OK;
    }
    if (fk_text_starts_with(name, FK_STAGE_PREFIX)) {
        return look_at_stage(report, path, name, directory, err);
    }
    fk_run_id id;
    bool is_run = directory && fk_run_id_parse(name, &id, NULL, NULL);
    return is_run ? FK_OK : add_stranger(report, path, name, err);
}

static fk_code look_at_names(status_report *report, int runs, const char *path, fk_error *err) {
    FK_SCOPED(fk_names_finish) fk_names names = {0};
    fk_code code = fk_directory_list(runs, path, &names, err);
    for (size_t i = 0; code == FK_OK && i < names.count; i++) {
        bool directory = false;
        code = fk_names_is_directory(&names, i, runs, &directory, err);
        if (code == FK_OK) {
            code = look_at_name(report, runs, path, names.names[i], directory, err);
        }
    }
    return code;
}

static fk_code look_at_run(status_report *report, fk_store *store, int runs, const char *font_id,
                           const fk_scan_run *place, fk_error *err) {
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    FK_SCOPED(fk_run_finish) fk_run run = {0};
    bool gone = false;
    if (values == NULL) {
        return fk_error_no_memory(err);
    }
    fk_code code = fk_run_list_open(store, runs, font_id, place, false, values, &run, &gone, err);
    if (code != FK_OK || gone) {
        return code;
    }
    if (run.directory >= 0) {
        code = fk_health_shallow(&run, err);
        if (code == FK_E_NO_MEMORY) {
            return code;
        }
        run.info.health = code == FK_OK ? run.info.health : FK_CORRUPT;
    }
    report->report.runs++;
    report->report.by_health[run.info.health]++;
    return FK_OK;
}

/* A runs/ that is missing is not made here: this call changes nothing. */
static fk_code look_at_runs(status_report *report, fk_store *store, int font, const char *font_id,
                            fk_error *err) {
    FK_SCOPED(fk_file_closep) int runs = -1;
    FK_SCOPED(fk_scan_finish) fk_scan scan = {0};
    char path[FK_LIMIT_FONT_ID_BYTES + sizeof "/" FK_RUNS_DIRECTORY];
    snprintf(path, sizeof path, "%s/" FK_RUNS_DIRECTORY, font_id);
    fk_code code = fk_directory_open(font, FK_RUNS_DIRECTORY, &runs, err);
    if (code == FK_E_INVALID) {
        return add_stranger(report, font_id, FK_RUNS_DIRECTORY, err);
    }
    if (code != FK_OK) {
        return code;
    }
    code = look_at_names(report, runs, path, err);
    if (code == FK_OK) {
        code = fk_scan_runs(runs, path, &scan, err);
    }
    for (size_t i = 0; code == FK_OK && i < scan.count; i++) {
        code = look_at_run(report, store, runs, font_id, &scan.runs[i], err);
    }
    return code;
}

static bool belongs_to_font(const char *name) {
    return strcmp(name, FK_RUNS_DIRECTORY) == 0 || strcmp(name, FK_FONT_FILE) == 0;
}

static fk_code look_at_font(status_report *report, fk_store *store, int root, const char *font_id,
                            fk_error *err) {
    FK_SCOPED(fk_file_closep) int font = -1;
    FK_SCOPED(fk_names_finish) fk_names names = {0};
    fk_code code = fk_directory_open(root, font_id, &font, err);
    if (code == FK_OK) {
        code = fk_directory_list(font, font_id, &names, err);
    }
    report->report.fonts++;
    for (size_t i = 0; code == FK_OK && i < names.count; i++) {
        if (!belongs_to_font(names.names[i])) {
            code = add_stranger(report, font_id, names.names[i], err);
        }
    }
    if (code == FK_OK && fk_names_contain(&names, FK_RUNS_DIRECTORY)) {
        code = look_at_runs(report, store, font, font_id, err);
    }
    return code;
}

/* One name in the store. A font that cannot be looked at is told as a stranger: it is there, and
 * nothing is known of it. */
static fk_code look_at_entry(status_report *report, fk_store *store, int root, const char *name,
                             bool directory, fk_error *err) {
    if (strcmp(name, FK_STORE_DIRECTORY) == 0) {
        return FK_OK;
    }
    if (directory && fk_text_starts_with(name, FK_TRASH_PREFIX)) {
        add_trash(report, root, name);
        return FK_OK;
    }
    if (fk_text_starts_with(name, FK_STAGE_PREFIX)) {
        return look_at_stage(report, "", name, directory, err);
    }
    if (!directory || !fk_font_id_is_valid(name)) {
        return add_stranger(report, "", name, err);
    }
    fk_code code = look_at_font(report, store, root, name, err);
    bool unreadable = code == FK_E_ACCESS || code == FK_E_IO || code == FK_E_INVALID;
    return unreadable ? add_stranger(report, "", name, err) : code;
}

static fk_code fill(status_report *report, fk_store *store, fk_error *err) {
    FK_SCOPED(fk_file_closep) int root = -1;
    FK_SCOPED(fk_names_finish) fk_names names = {0};
    fk_code code = fk_store_open_root(store, &root, err);
    if (code == FK_OK) {
        code = fk_store_read_identity(root, report->store_id, err);
    }
    if (code == FK_OK) {
        code = fk_directory_list(root, fk_store_path(store), &names, err);
    }
    for (size_t i = 0; code == FK_OK && i < names.count; i++) {
        bool directory = false;
        code = fk_names_is_directory(&names, i, root, &directory, err);
        if (code == FK_OK) {
            code = look_at_entry(report, store, root, names.names[i], directory, err);
        }
    }
    return code;
}

fk_code fk_status(fk_store *store, fk_store_report **ret_report, fk_error *err) {
    FK_SCOPED(report_destroyp) status_report *report = calloc(1, sizeof *report);
    if (report == NULL) {
        return fk_error_no_memory(err);
    }
    report->values = fk_values_create();
    fk_value *path =
        report->values == NULL ? NULL : fk_value_string(report->values, fk_store_path(store));
    if (path == NULL) {
        return fk_error_no_memory(err);
    }
    fk_code code = fill(report, store, err);
    if (code != FK_OK) {
        return code;
    }
    report->report.store = fk_value_as_text(path, NULL);
    report->report.store_id = report->store_id[0] == '\0' ? NULL : report->store_id;
    report->report.strangers = report->strangers;
    report->report.trash_bytes = fk_byte_sum_bytes(&report->trash);
    *ret_report = &fk_take(report)->report;
    return FK_OK;
}

void fk_store_report_destroy(fk_store_report *report) {
    report_destroy((status_report *)report);
}
