#include "reading.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "fake_kernel.h"
#include "fake_memory.h"
#include "fontkeep/fontkeep.h"
#include "harness.h"
#include "operation.h"
#include "scene.h"
#include "tree.h"

#define FONT OPERATION_FONT

/* What a call answers, as text: a line for each row. A line that starts with '!' is marked: it says
 * itself that something is wrong. */
typedef fk_code (*reader)(fk_store *store, FILE *answer, fk_error *err);

/* ---- the calls ---------------------------------------------------------------------------- */

static fk_code read_fonts(fk_store *store, FILE *answer, fk_error *err) {
    fk_font_list *fonts = NULL;
    fk_code code = fk_list_fonts(store, &fonts, err);
    for (size_t i = 0; code == FK_OK && i < fk_font_list_count(fonts); i++) {
        const fk_font_info *font = fk_font_list_at(fonts, i);
        const char *latest = font->latest_run_id;
        fprintf(answer, "%s%s %zu %s\n", latest == NULL ? "!" : "", font->font_id, font->runs,
                latest == NULL ? "-" : latest);
    }
    fk_font_list_destroy(fonts);
    return code;
}

static void write_info(FILE *answer, const fk_run_info *info) {
    bool marked = info->health != FK_COMPLETE || info->problem_count > 0;
    fprintf(answer, "%s%s %s %s %d %llu %zu\n", marked ? "!" : "", info->font_id, info->run_id,
            fk_health_name(info->health), info->status, (unsigned long long)info->size_bytes,
            info->glyphs);
}

static fk_code write_runs(fk_code code, fk_run_list *runs, FILE *answer) {
    if (code == FK_OK && fk_run_list_warning(runs) != NULL) {
        fprintf(answer, "!");
    }
    for (size_t i = 0; code == FK_OK && i < fk_run_list_count(runs); i++) {
        write_info(answer, fk_run_list_at(runs, i));
    }
    fk_run_list_destroy(runs);
    return code;
}

static fk_code read_runs(fk_store *store, FILE *answer, fk_error *err) {
    fk_run_list *runs = NULL;
    fk_code code = fk_list_runs(store, FONT, NULL, &runs, err);
    return write_runs(code, runs, answer);
}

static fk_code read_verify(fk_store *store, FILE *answer, fk_error *err) {
    fk_run_list *runs = NULL;
    fk_code code = fk_verify(store, NULL, NULL, NULL, NULL, &runs, err);
    return write_runs(code, runs, answer);
}

static fk_code read_latest(fk_store *store, FILE *answer, fk_error *err) {
    fk_run_id id;
    fk_code code = fk_resolve_run(store, FONT, "latest", &id, err);
    if (code == FK_OK) {
        fprintf(answer, "%s\n", id.text);
    }
    return code;
}

static fk_code read_info(fk_store *store, FILE *answer, fk_error *err) {
    fk_run_info *info = NULL;
    fk_code code = fk_get_run_info(store, FONT, NULL, &info, err);
    if (code == FK_OK) {
        write_info(answer, info);
    }
    fk_run_info_destroy(info);
    return code;
}

static fk_code read_status(fk_store *store, FILE *answer, fk_error *err) {
    fk_store_report *report = NULL;
    fk_code code = fk_status(store, &report, err);
    if (code == FK_OK) {
        bool marked = report->by_health[FK_COMPLETE] != report->runs || report->stranger_count > 0;
        fprintf(answer, "%s%zu fonts %zu runs %zu stages\n", marked ? "!" : "", report->fonts,
                report->runs, report->stages);
    }
    fk_store_report_destroy(report);
    return code;
}

static fk_code read_trash(fk_store *store, FILE *answer, fk_error *err) {
    fk_trash_list *trash = NULL;
    fk_code code = fk_trash(store, &trash, err);
    for (size_t i = 0; code == FK_OK && i < fk_trash_list_count(trash); i++) {
        fprintf(answer, "%s\n", fk_trash_list_at(trash, i)->trash_id);
    }
    fk_trash_list_destroy(trash);
    return code;
}

static fk_code read_inspection(fk_store *store, FILE *answer, fk_error *err) {
    fk_inspection *inspection = NULL;
    fk_code code = fk_inspect_run(store, FONT, NULL, &inspection, err);
    for (size_t i = 0; code == FK_OK && i < inspection->tensor_count; i++) {
        fprintf(answer, "%s %llu\n", inspection->tensors[i].name,
                (unsigned long long)inspection->tensors[i].bytes);
    }
    fk_inspection_destroy(inspection);
    return code;
}

static void write_loaded(FILE *answer, const fk_loaded *loaded) {
    const fk_value *weights = fk_value_get(fk_loaded_weights(loaded), "layer.weight");
    const fk_tensor *tensor = fk_value_as_tensor(weights);
    uint64_t bytes = fk_tensor_elements(tensor) * fk_dtype_bytes(tensor->dtype);
    fprintf(answer, "%llx\n",
            (unsigned long long)volume_hash(fk_tensor_data(tensor), (size_t)bytes));
    write_info(answer, fk_loaded_info(loaded));
}

static fk_code load(fk_store *store, FILE *answer, bool mapped, fk_error *err) {
    const fk_load_options options = {.size = sizeof options, .mmap = mapped};
    fk_loaded *loaded = NULL;
    fk_code code = fk_load_model(store, FONT, NULL, &options, &loaded, err);
    if (code == FK_OK) {
        write_loaded(answer, loaded);
    }
    fk_loaded_destroy(loaded);
    return code;
}

static fk_code read_into_memory(fk_store *store, FILE *answer, fk_error *err) {
    return load(store, answer, false, err);
}

static fk_code read_mapped(fk_store *store, FILE *answer, fk_error *err) {
    return load(store, answer, true, err);
}

static fk_code read_one_file(fk_store *store, FILE *answer, fk_error *err) {
    fk_run *run = NULL;
    void *bytes = NULL;
    size_t length = 0;
    fk_code code = fk_run_open(store, FONT, NULL, &run, err);
    if (code == FK_OK) {
        code = fk_run_read_file(run, "sample.png", &bytes, &length, err);
    }
    if (code == FK_OK) {
        fprintf(answer, "%llx\n", (unsigned long long)volume_hash(bytes, length));
    }
    free(bytes);
    fk_run_close(run);
    return code;
}

static fk_code read_vector(fk_store *store, FILE *answer, fk_error *err) {
    void *bytes = NULL;
    size_t length = 0;
    fk_code code = fk_read_personality(store, FONT, NULL, "json", &bytes, &length, err);
    if (code == FK_OK) {
        fprintf(answer, "%llx\n", (unsigned long long)volume_hash(bytes, length));
    }
    free(bytes);
    return code;
}

/* Where a copy goes: beside the store. */
static char copy_path[300];

static fk_code read_copy(fk_store *store, FILE *answer, fk_error *err) {
    fk_run_info *info = NULL;
    fk_code code = fk_copy_run(store, FONT, NULL, copy_path, NULL, NULL, &info, err);
    if (code == FK_OK) {
        bool marked = info->health != FK_COMPLETE || info->problem_count > 0;
        fake_memory_relent(); /* the listing needs some */
        char *files = tree_listing(copy_path, true);
        fprintf(answer, "%s%llx\n", marked ? "!" : "",
                (unsigned long long)volume_hash(files, strlen(files)));
        free(files);
    }
    fk_run_info_destroy(info);
    return code;
}

/* Removes the copy; whether there was one. */
static bool remove_copy(void) {
    bool is_there = tree_exists(copy_path);
    if (is_there) {
        tree_destroy(strdup(copy_path));
    }
    return is_there;
}

static const struct {
    const char *name;
    reader read;
} readers[] = {
    {"list of fonts", read_fonts}, {"list of runs", read_runs},  {"latest run", read_latest},
    {"show", read_info},           {"verify", read_verify},      {"status", read_status},
    {"trash", read_trash},         {"inspect", read_inspection}, {"load", read_into_memory},
    {"load, mapped", read_mapped}, {"one file", read_one_file},  {"personality", read_vector},
    {"load --out", read_copy},
};

/* ---- one fault ---------------------------------------------------------------------------- */

typedef struct figures {
    size_t faults;
    size_t told;
    size_t marked;
    size_t harmless;
    size_t wrong;
} figures;

typedef struct answer {
    fk_code code;
    fk_error err;
    char *text;
    size_t length;
} answer;

static answer ask(const char *path, reader read) {
    answer it = {0};
    fk_store *store = NULL;
    FILE *stream = open_memstream(&it.text, &it.length);
    harness_check(stream != NULL, "memory");
    it.code = fk_store_open(path, NULL, &store, &it.err);
    if (it.code == FK_OK) {
        it.code = read(store, stream, &it.err);
    }
    fk_store_close(store);
    fake_memory_relent(); /* the stream needs some */
    fclose(stream);
    return it;
}

/* Whether each row is right, or marked. */
static bool is_right(const char *text, const char *healthy) {
    while (*text != '\0' && *healthy != '\0') {
        size_t length = strcspn(text, "\n");
        size_t healthy_length = strcspn(healthy, "\n");
        bool same = length == healthy_length && memcmp(text, healthy, length) == 0;
        if (!same && *text != '!') {
            return false;
        }
        text += length + 1;
        healthy += healthy_length + 1;
    }
    return *text == *healthy;
}

static const char *judge(const answer *it, const char *healthy, figures *sum) {
    sum->faults++;
    if (it->code != FK_OK) {
        sum->told++;
        return it->err.code != it->code || it->err.message[0] == '\0' ? "an error without a message"
                                                                      : NULL;
    }
    bool same = strcmp(it->text, healthy) == 0;
    sum->harmless += same;
    sum->marked += !same;
    return is_right(it->text, healthy) ? NULL : "a wrong answer that is not marked";
}

/* ---- all of them -------------------------------------------------------------------------- */

static const int errnos[] = {EIO, ENOSPC, EDQUOT, EROFS, EMFILE, EACCES, EINTR};
enum { ERRNOS = sizeof errnos / sizeof errnos[0], VIOLATIONS_SHOWN = 20 };

typedef struct stage {
    char path[256];
    char *before;
} stage;

static void arm(bool memory, size_t nth, int system_errno, fake_duration duration) {
    fake_kernel_install();
    if (!memory) {
        fake_kernel_fail("*", nth, system_errno, duration);
    } else if (duration == FAKE_ONCE) {
        fake_memory_fail(nth);
    } else {
        fake_memory_fail_ever_after(nth);
    }
}

static bool suffer(const stage *at, size_t index, const char *healthy, bool memory, size_t nth,
                   int system_errno, fake_duration duration, figures *sum) {
    size_t descriptors = scene_count_descriptors();
    arm(memory, nth, system_errno, duration);
    answer it = ask(at->path, readers[index].read);
    const char *call = fake_kernel_failed();
    bool reached = fake_memory_relent() || call != NULL;
    fake_kernel_remove();
    const char *wrong = reached ? judge(&it, healthy, sum) : NULL;
    /* where every call fails from now on, so do those that clean up */
    bool cleans_up = memory || duration == FAKE_ONCE;
    if (remove_copy() && it.code != FK_OK && cleans_up) {
        wrong = "half a copy is left";
    }
    if (scene_count_descriptors() != descriptors) {
        wrong = "descriptors leak";
    }
    sum->wrong += wrong != NULL;
    if (wrong != NULL && sum->wrong <= VIOLATIONS_SHOWN) {
        printf("VIOLATION %s: %s %zu (%s) fails with %s%s: %s: %s\n", readers[index].name,
               memory ? "allocation" : "call", nth, call == NULL ? "none" : call,
               memory ? "NULL" : strerrorname_np(system_errno),
               duration == FAKE_EVER_AFTER ? " ever after" : "", wrong, it.text);
    }
    free(it.text);
    return reached;
}

static void try_reader(const stage *at, size_t index, faults_extent size, figures *sum) {
    size_t step = size == FAULTS_FULL ? 1 : size == FAULTS_DAILY ? 3 : ERRNOS;
    fake_kernel_install();
    answer healthy = ask(at->path, readers[index].read);
    fake_kernel_remove();
    remove_copy();
    harness_check(healthy.code == FK_OK && strchr(healthy.text, '!') == NULL, readers[index].name);
    for (size_t i = 0; i <= ERRNOS; i++) {
        bool memory = i == ERRNOS;
        int system_errno = memory ? 0 : errnos[i];
        for (fake_duration duration = FAKE_ONCE; duration <= FAKE_EVER_AFTER; duration++) {
            size_t nth = 1 + (i + duration) % step;
            bool endless = system_errno == EINTR && duration == FAKE_EVER_AFTER;
            while (!endless &&
                   suffer(at, index, healthy.text, memory, nth, system_errno, duration, sum)) {
                nth += step;
            }
        }
    }
    free(healthy.text);
}

static stage make_stage(void) {
    stage it;
    harness_make_directory(it.path);
    snprintf(copy_path, sizeof copy_path, "%s.copy", it.path);
    const operation *removal = &change_operations[CHANGE_RM_RUN];
    removal->prepare(it.path, operation_model(1));
    harness_check(removal->run(it.path, operation_model(1), NULL) == FK_OK, "remove");
    it.before = tree_listing(it.path, true);
    return it;
}

bool reading_try(faults_extent size) {
    stage at = make_stage();
    figures sum = {0};
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        try_reader(&at, i, size, &sum);
    }
    char *after = tree_listing(at.path, true);
    bool unchanged = strcmp(at.before, after) == 0;
    printf("promise 6: faults in calls that look: %zu faults, %zu told, %zu marked, %zu harmless, "
           "%zu wrong, store %s\n",
           sum.faults, sum.told, sum.marked, sum.harmless, sum.wrong,
           unchanged ? "unchanged" : "CHANGED");
    free(after);
    free(at.before);
    harness_remove_directory(at.path);
    return sum.wrong == 0 && unchanged && sum.told > 0 && sum.marked > 0;
}
