#include "judge.h"

#include <stdio.h>
#include <string.h>

#include "harness.h"

enum { PRINTED_MAX = 10 };

/* What was wrong with one answer; `why` NULL: nothing. */
typedef struct verdict {
    bool unnoticed;
    const char *why;
} verdict;

static void blame(verdict *it, bool unnoticed, const char *why) {
    it->unnoticed = it->unnoticed || unnoticed;
    it->why = it->why == NULL ? why : it->why;
}

static bool is_named(const wound *it, const char *name) {
    return strcmp(it->file->name, name) == 0;
}

static const wound *find(const wound *wounds, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (is_named(&wounds[i], name)) {
            return &wounds[i];
        }
    }
    return NULL;
}

/* Without a good manifest, the other files are not vouched for. */
static bool is_told(const wound *it, const wound *wounds, size_t count) {
    return is_named(it, "run.json") || find(wounds, count, "run.json") == NULL;
}

static bool has_no_manifest(const wound *wounds, size_t count) {
    const wound *manifest = find(wounds, count, "run.json");
    return manifest != NULL && strcmp(manifest->code, "unverified") == 0;
}

/* ---- verify ------------------------------------------------------------------------------- */

static bool covers(const fk_problem *problem, const wound *it) {
    if (problem->path == NULL || strcmp(problem->path, it->file->name) != 0 ||
        strcmp(problem->code, it->code) != 0) {
        return false;
    }
    bool no_bytes = it->from == it->to || strcmp(it->code, "manifest") == 0;
    return no_bytes || (problem->offset <= it->from && it->to <= problem->offset + problem->length);
}

static fk_health expected_health(const wound *wounds, size_t count) {
    fk_health worst = FK_COMPLETE;
    for (size_t i = 0; i < count; i++) {
        const char *code = wounds[i].code;
        fk_health health = strcmp(code, "unverified") == 0 ? FK_UNVERIFIED
                           : strcmp(code, "missing") == 0  ? FK_INCOMPLETE
                                                           : FK_CORRUPT;
        bool told = is_told(&wounds[i], wounds, count);
        worst = told && health < worst ? health : worst;
    }
    return worst;
}

static void judge_problems(const fk_run_info *info, const wound *wounds, size_t count,
                           verdict *it) {
    for (size_t i = 0; i < count; i++) {
        bool covered = !is_told(&wounds[i], wounds, count);
        for (size_t p = 0; !covered && p < info->problem_count; p++) {
            covered = covers(&info->problems[p], &wounds[i]);
        }
        if (!covered) {
            blame(it, false, "verify does not name the file, or the bytes");
        }
    }
    for (size_t p = 0; p < info->problem_count; p++) {
        const char *path = info->problems[p].path;
        if (path == NULL || find(wounds, count, path) == NULL) {
            blame(it, false, "verify blames another file");
        }
    }
}

static bool is_hit(const scene_tensor *tensor, const wound *it) {
    return it->from < tensor->offset + tensor->bytes && tensor->offset < it->to;
}

static bool is_reported(const fk_run_info *info, const char *tensor) {
    for (size_t p = 0; p < info->problem_count; p++) {
        const char *name = info->problems[p].tensor;
        if (name != NULL && strcmp(name, tensor) == 0) {
            return true;
        }
    }
    return false;
}

/* Exactly the tensors that were hit are named; where the file's own structure was, those that it
 * describes may be. */
static void judge_tensors(const scene *world, const fk_run_info *info, const wound *wounds,
                          size_t count, verdict *it) {
    bool hits_structure = false;
    for (size_t i = 0; i < count; i++) {
        bool elsewhere = is_named(&wounds[i], "weights");
        for (size_t t = 0; t < world->tensor_count; t++) {
            elsewhere = elsewhere && !is_hit(&world->tensors[t], &wounds[i]);
        }
        hits_structure = hits_structure || elsewhere ||
                         (is_named(&wounds[i], "weights") && strcmp(wounds[i].code, "digest") != 0);
    }
    bool blind = find(wounds, count, "run.json") != NULL;
    for (size_t t = 0; t < world->tensor_count; t++) {
        bool hit = false;
        for (size_t i = 0; i < count; i++) {
            hit =
                hit || (is_named(&wounds[i], "weights") && is_hit(&world->tensors[t], &wounds[i]));
        }
        bool reported = is_reported(info, world->tensors[t].name);
        if ((reported && !hit && !hits_structure) ||
            (hit && !reported && !hits_structure && !blind)) {
            blame(it, false, "verify does not name the tensors that were hit, and no others");
        }
    }
}

/* Of weights that were cut behind the pickle, exactly the tensors are named whose records are not
 * whole; a descriptor stands behind each. */
static void judge_cut(const scene *world, const fk_run_info *info, const wound *it,
                      verdict *judged) {
    enum { DESCRIPTOR_BYTES = 16 };
    bool cut =
        is_named(it, "weights") && strcmp(it->code, "size") == 0 && it->to == it->file->length;
    if (!cut || it->from < world->pickle + world->pickle_bytes + DESCRIPTOR_BYTES) {
        return;
    }
    for (size_t t = 0; t < world->tensor_count; t++) {
        const scene_tensor *tensor = &world->tensors[t];
        bool whole = tensor->offset + tensor->bytes + DESCRIPTOR_BYTES <= it->from;
        if (whole == is_reported(info, tensor->name)) {
            blame(judged, false,
                  "verify does not name the tensors that were cut off, and no others");
        }
    }
}

static void judge_verify(const scene *world, const wound *wounds, size_t count, verdict *it) {
    fk_run_list *runs = NULL;
    fk_error err = {0};
    fk_code code = fk_verify(world->store, SCENE_FONT, world->newer.text, NULL, NULL, &runs, &err);
    harness_check(code == FK_OK && fk_run_list_count(runs) == 1, err.message);
    const fk_run_info *info = fk_run_list_at(runs, 0);
    fk_health want = expected_health(wounds, count);
    bool worse = has_no_manifest(wounds, count) && info->health < want; /* names and CRCs tell it */
    if (info->health != want && !worse) {
        blame(it, info->health == FK_COMPLETE, "verify gives another health");
    }
    judge_problems(info, wounds, count, it);
    judge_tensors(world, info, wounds, count, it);
    for (size_t i = 0; i < count && find(wounds, count, "run.json") == NULL; i++) {
        judge_cut(world, info, &wounds[i], it);
    }
    fk_run_list_destroy(runs);
}

/* ---- load --------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text);
    size_t bytes = strlen(end);
    return length >= bytes && strcmp(text + length - bytes, end) == 0;
}

static void judge_error(const scene *world, const fk_error *err, const wound *cause, verdict *it) {
    fk_code want = strcmp(cause->code, "missing") == 0 ? FK_E_INCOMPLETE : FK_E_CORRUPT;
    if (err->code != want || !ends_with(err->path, cause->file->name)) {
        blame(it, false, "the error of a load has another code or path");
    } else if (strstr(err->hint, world->older.text) == NULL) {
        blame(it, false, "the error of a load does not name the run to take instead");
    }
}

static void judge_load(const scene *world, const wound *wounds, size_t count, bool mmap,
                       verdict *it) {
    bool no_manifest = has_no_manifest(wounds, count);
    const wound *manifest = no_manifest ? NULL : find(wounds, count, "run.json");
    const wound *cause = manifest != NULL ? manifest : find(wounds, count, "weights");
    fk_error err = {0};
    fk_loaded *loaded = NULL;
    fk_load_options options = {.size = sizeof options, .mmap = mmap};
    fk_code code =
        fk_load_model(world->store, SCENE_FONT, world->newer.text, &options, &loaded, &err);
    if (cause != NULL && code == FK_OK) {
        blame(it, true, "it loads");
    } else if (cause != NULL && !no_manifest) {
        judge_error(world, &err, cause, it);
    } else if (cause == NULL && code != FK_OK) {
        blame(it, false, "damaged assets make the weights unreadable");
    } else if (code == FK_OK && !no_manifest) {
        judge_problems(fk_loaded_info(loaded), wounds, count, it);
    }
    fk_loaded_destroy(loaded);
}

/* Damaged assets are errors of a strict load. */
static void judge_strict(const scene *world, verdict *it) {
    fk_error err = {0};
    fk_loaded *loaded = NULL;
    const fk_load_options options = {.size = sizeof options, .strict = true};
    fk_code code =
        fk_load_model(world->store, SCENE_FONT, world->newer.text, &options, &loaded, &err);
    if (code == FK_OK) {
        blame(it, true, "it loads strictly");
    }
    fk_loaded_destroy(loaded);
}

/* ---- the whole ---------------------------------------------------------------------------- */

static void judge_list(const scene *world, verdict *it) {
    fk_run_list *runs = NULL;
    fk_error err = {0};
    fk_code code = fk_list_runs(world->store, SCENE_FONT, NULL, &runs, &err);
    harness_check(code == FK_OK, err.message);
    if (fk_run_list_count(runs) != 2 ||
        strcmp(fk_run_list_at(runs, 0)->run_id, world->older.text) != 0 ||
        strcmp(fk_run_list_at(runs, 1)->run_id, world->newer.text) != 0 ||
        fk_run_list_at(runs, 0)->health != FK_COMPLETE) {
        blame(it, false, "the other run is not listed as it was");
    }
    fk_run_list_destroy(runs);
}

static void print_verdict(const wound *wounds, size_t count, const char *why) {
    printf("VIOLATION:");
    for (size_t i = 0; i < count; i++) {
        printf(" %s of %s (bytes %zu to %zu)", wounds[i].code, wounds[i].file->name, wounds[i].from,
               wounds[i].to);
    }
    printf(": %s\n", why);
    fflush(stdout);
}

static void conclude(const verdict *found, const wound *wounds, size_t count,
                     judge_figures *figures) {
    figures->tried++;
    figures->unnoticed += found->unnoticed;
    figures->misnamed += found->why != NULL && !found->unnoticed;
    if (found->why != NULL && figures->unnoticed + figures->misnamed <= PRINTED_MAX) {
        print_verdict(wounds, count, found->why);
    }
}

void judge(const scene *it, const wound *wounds, size_t count, judge_figures *figures) {
    verdict found = {0};
    judge_verify(it, wounds, count, &found);
    judge_load(it, wounds, count, false, &found);
    judge_load(it, wounds, count, true, &found);
    if (!has_no_manifest(wounds, count)) {
        judge_strict(it, &found);
    }
    judge_list(it, &found);
    conclude(&found, wounds, count, figures);
}

void judge_weights(const scene *it, const wound *hit, judge_figures *figures) {
    verdict found = {0};
    fk_error err = {0};
    fk_loaded *loaded = NULL;
    const fk_load_options options = {.size = sizeof options, .mmap = true};
    if (fk_load_model(it->store, SCENE_FONT, it->newer.text, &options, &loaded, &err) == FK_OK) {
        blame(&found, true, "it loads");
    } else {
        judge_error(it, &err, hit, &found);
    }
    for (size_t t = 0; t < it->tensor_count; t++) {
        char name[80];
        snprintf(name, sizeof name, "'%s'", it->tensors[t].name);
        if (is_hit(&it->tensors[t], hit) != (strstr(err.message, name) != NULL)) {
            blame(&found, false, "the error of a load does not name the tensor");
        }
    }
    fk_loaded_destroy(loaded);
    conclude(&found, hit, 1, figures);
}

void judge_tensors_apart(const scene *it, const wound *hits, size_t count, judge_figures *figures) {
    verdict found = {0};
    judge_verify(it, hits, count, &found);
    conclude(&found, hits, count, figures);
    figures->tried += count - 1;
}

bool judge_is_sound(const scene *it) {
    fk_loaded *loaded = NULL;
    const fk_load_options options = {.size = sizeof options, .strict = true};
    fk_error err = {0};
    fk_code code = fk_load_model(it->store, SCENE_FONT, it->newer.text, &options, &loaded, &err);
    bool sound = code == FK_OK && fk_loaded_info(loaded)->problem_count == 0;
    if (!sound) {
        printf("VIOLATION: the mended run does not load: %s\n", err.message);
    }
    fk_loaded_destroy(loaded);
    return sound;
}
