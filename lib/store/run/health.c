#include "store/run/health.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "os/file.h"
#include "store/names/layout.h"
#include "store/run/inside.h"
#include "store/run/run_file.h"
#include "store/run/stranger.h"
#include "store/run/weights_check.h"

const char *fk_health_name(fk_health health) {
    static const char *const names[FK_HEALTH_COUNT] = {"corrupt", "unsupported", "incomplete",
                                                       "unverified", "complete"};
    return health < FK_HEALTH_COUNT ? names[health] : "unknown";
}

fk_code fk_health_conclude(fk_run *run, fk_error *err) {
    if (run->findings.failed) {
        return fk_error_no_memory(err);
    }
    run->info.health = run->findings.health;
    run->info.problems = run->findings.problems;
    run->info.problem_count = run->findings.count;
    return FK_OK;
}

bool fk_health_is_newer(const char *version, unsigned ours) {
    if (version == NULL) {
        return false;
    }
    const char *digits = version[0] == 'v' ? version + 1 : version;
    char *end = NULL;
    unsigned long major = strtoul(digits, &end, 10);
    return digits[0] >= '0' && digits[0] <= '9' && major > ours;
}

static void judge_versions(fk_run *run) {
    const fk_run_info *info = &run->info;
    if (fk_health_is_newer(info->weights_version, 1)) {
        fk_problem problem = FK_PROBLEM("version", FK_WEIGHTS_FILE);
        fk_findings_add(&run->findings, FK_UNSUPPORTED, &problem,
                        "weights are of version '%s', this fontkeep reads up to '%s'",
                        info->weights_version, FK_WEIGHTS_VERSION);
    }
    if (fk_health_is_newer(info->feedback_schema, 1)) {
        fk_problem problem = FK_PROBLEM("version", FK_FEEDBACK_FILE);
        fk_findings_add(&run->findings, FK_COMPLETE, &problem,
                        "feedback is of schema '%s', newer than '%s'", info->feedback_schema,
                        FK_FEEDBACK_SCHEMA);
    }
    if (run->written_for_run != NULL) {
        fk_problem problem = FK_PROBLEM("manifest", FK_MANIFEST_FILE);
        fk_findings_add(&run->findings, FK_COMPLETE, &problem,
                        "it was written for run '%s' of font '%s'", run->written_for_run,
                        run->written_for_font);
    }
}

static void judge_manifest(fk_run *run) {
    fk_findings *findings = &run->findings;
    fk_problem none = FK_PROBLEM("unverified", FK_MANIFEST_FILE);
    switch (run->manifest) {
    case FK_RUN_MANIFEST_GOOD:
        judge_versions(run);
        break;
    case FK_RUN_MANIFEST_NONE:
        fk_findings_add(findings, FK_UNVERIFIED, &none,
                        "it is not there: nothing tells whether the files are as they were");
        break;
    case FK_RUN_MANIFEST_NEWER:
        fk_findings_add_error(findings, FK_UNSUPPORTED, &FK_PROBLEM("version", FK_MANIFEST_FILE),
                              &run->manifest_error);
        break;
    default:
        fk_findings_add_error(findings, FK_CORRUPT, &FK_PROBLEM("manifest", FK_MANIFEST_FILE),
                              &run->manifest_error);
    }
}

/* Whether one of the four names should be there. The deep check knows the files of the manifest,
 * and asks here for what a completed run needs besides. */
static bool is_wanted(const fk_run *run, const char *name) {
    const fk_run_info *info = &run->info;
    if (run->manifest == FK_RUN_MANIFEST_NONE || info->status == FK_COMPLETED) {
        return true;
    }
    if (strcmp(name, FK_GLYPHS_DIRECTORY) == 0) {
        return info->glyphs > 0;
    }
    return strcmp(name, FK_WEIGHTS_FILE) == 0 && info->has_weights;
}

static const char *name_on_disk(const fk_run *run, const char *name) {
    bool other = strcmp(name, FK_WEIGHTS_FILE) == 0 && run->weights_name != NULL;
    return other ? run->weights_name : name;
}

/* One of the four names; `*ret_good` when it is there and of the right kind. */
static fk_code judge_name(fk_run *run, const fk_inside *inside, const char *name, bool *ret_good,
                          fk_error *err) {
    bool missing = false;
    const char *wrong = NULL;
    fk_problem problem = FK_PROBLEM("missing", name_on_disk(run, name));
    bool directory = strcmp(name, FK_GLYPHS_DIRECTORY) == 0;
    fk_code code = fk_inside_kind(run, inside, problem.path, directory, &missing, &wrong, err);
    if (code != FK_OK) {
        return code;
    }
    if (missing) {
        fk_findings_add(&run->findings, FK_INCOMPLETE, &problem, "it is missing");
    } else if (wrong != NULL) {
        problem.code = "digest";
        fk_findings_add(&run->findings, FK_CORRUPT, &problem, "it is %s", wrong);
    }
    *ret_good = !missing && wrong == NULL;
    return FK_OK;
}

static fk_code judge_weights_size(fk_run *run, fk_error *err) {
    struct stat status;
    bool missing = false;
    fk_code code = fk_file_look(run->directory, FK_WEIGHTS_FILE, &status, &missing, err);
    if (code != FK_OK || missing || (uint64_t)status.st_size == run->info.weights_bytes) {
        return code;
    }
    uint64_t bytes = (uint64_t)status.st_size;
    uint64_t listed = run->info.weights_bytes;
    fk_problem problem = FK_PROBLEM("size", FK_WEIGHTS_FILE);
    problem.offset = bytes < listed ? bytes : listed;
    problem.length = bytes < listed ? listed - bytes : bytes - listed;
    fk_findings_add(&run->findings, FK_CORRUPT, &problem, "it has %ju bytes, its manifest says %ju",
                    (uintmax_t)bytes, (uintmax_t)listed);
    return FK_OK;
}

static void judge_glyphs(fk_run *run, const fk_inside *inside) {
    fk_problem problem = FK_PROBLEM("missing", FK_GLYPHS_DIRECTORY);
    if (!inside->has_glyphs) {
        problem.code = "digest";
        fk_findings_add_error(&run->findings, FK_CORRUPT, &problem, &inside->no_glyphs);
        return;
    }
    size_t count = fk_inside_png_count(inside);
    if (count < run->info.glyphs) {
        fk_findings_add(&run->findings, FK_INCOMPLETE, &problem,
                        "it holds %zu images, its manifest says %zu", count, run->info.glyphs);
    }
}

/* The four names, as a listing sees them. */
static fk_code judge_names(fk_run *run, const fk_inside *inside, fk_error *err) {
    static const char *const names[] = {FK_WEIGHTS_FILE, FK_SAMPLE_FILE, FK_FEEDBACK_FILE,
                                        FK_GLYPHS_DIRECTORY};
    bool with_manifest = run->manifest == FK_RUN_MANIFEST_GOOD;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        bool good = false;
        if (!is_wanted(run, names[i])) {
            continue;
        }
        fk_code code = judge_name(run, inside, names[i], &good, err);
        if (code == FK_OK && good && with_manifest && strcmp(names[i], FK_WEIGHTS_FILE) == 0) {
            code = judge_weights_size(run, err);
        }
        if (code != FK_OK) {
            return code;
        }
        if (good && strcmp(names[i], FK_GLYPHS_DIRECTORY) == 0) {
            judge_glyphs(run, inside);
        }
    }
    return FK_OK;
}

static fk_code add_size(const fk_run *run, const char *path, uint64_t *sum, fk_error *err) {
    struct stat status;
    bool missing = false;
    fk_code code = fk_file_look(run->directory, path, &status, &missing, err);
    if (code == FK_OK && !missing && S_ISREG(status.st_mode)) {
        *sum += (uint64_t)status.st_size;
    }
    return code;
}

/* Without a usable manifest: what the disk tells about numbers and sizes. */
static fk_code measure(fk_run *run, const fk_inside *inside, fk_error *err) {
    fk_run_info *info = &run->info;
    uint64_t bytes = 0;
    info->has_weights = run->weights_name != NULL;
    fk_code code = info->has_weights ? add_size(run, run->weights_name, &bytes, err) : FK_OK;
    info->weights_bytes = bytes;
    if (code == FK_OK) {
        code = add_size(run, FK_SAMPLE_FILE, &bytes, err);
    }
    if (code == FK_OK) {
        code = add_size(run, FK_FEEDBACK_FILE, &bytes, err);
    }
    for (size_t i = 0; code == FK_OK && i < inside->glyphs.count; i++) {
        char path[sizeof FK_GLYPHS_DIRECTORY + NAME_MAX + 2];
        snprintf(path, sizeof path, FK_GLYPHS_DIRECTORY "/%s", inside->glyphs.names[i]);
        code = add_size(run, path, &bytes, err);
    }
    info->glyphs = fk_inside_png_count(inside);
    info->size_bytes = bytes;
    return code;
}

/* What shallow and deep have in common. */
static fk_code begin(fk_run *run, fk_inside *ret_inside, fk_error *err) {
    fk_findings_init(&run->findings, run->values);
    judge_manifest(run);
    fk_code code = fk_inside_read(run, ret_inside, err);
    if (code == FK_OK && run->manifest != FK_RUN_MANIFEST_GOOD) {
        code = measure(run, ret_inside, err);
    }
    return code;
}

static bool has_names_to_judge(const fk_run *run) {
    return run->manifest == FK_RUN_MANIFEST_GOOD || run->manifest == FK_RUN_MANIFEST_NONE;
}

fk_code fk_health_shallow(fk_run *run, fk_error *err) {
    FK_SCOPED(fk_inside_finish) fk_inside inside = {0};
    fk_code code = begin(run, &inside, err);
    if (code == FK_OK && has_names_to_judge(run)) {
        code = judge_names(run, &inside, err);
    }
    if (code == FK_OK && run->manifest == FK_RUN_MANIFEST_GOOD) {
        code = fk_stranger_find(run, &inside, err);
    }
    return code == FK_OK ? fk_health_conclude(run, err) : code;
}

/* What a completed run needs, though its manifest does not list it. */
static fk_code judge_unlisted(fk_run *run, const fk_inside *inside, fk_error *err) {
    static const char *const names[] = {FK_WEIGHTS_FILE, FK_SAMPLE_FILE, FK_FEEDBACK_FILE,
                                        FK_GLYPHS_DIRECTORY};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        bool good = false;
        bool listed = fk_run_find_file(&run->info, names[i]) != NULL;
        if (listed || !is_wanted(run, names[i])) {
            continue;
        }
        fk_code code = judge_name(run, inside, names[i], &good, err);
        if (code != FK_OK) {
            return code;
        }
    }
    return FK_OK;
}

static fk_code examine_files(fk_run *run, fk_depth depth, bool skip_weights, fk_watch *watch,
                             fk_error *err) {
    for (size_t i = 0; i < run->info.file_count; i++) {
        const fk_run_file *file = &run->info.files[i];
        if (skip_weights && strcmp(file->path, FK_WEIGHTS_FILE) == 0) {
            continue;
        }
        fk_code code = fk_run_file_examine(run, file, depth, watch, err);
        if (code == FK_OK && !fk_watch_tell(watch)) {
            code = fk_error_set(err, FK_E_CANCELLED, "cancelled");
        }
        if (code != FK_OK) {
            return code;
        }
    }
    return FK_OK;
}

fk_code fk_health_deep(fk_run *run, fk_depth depth, bool skip_weights, fk_watch *watch,
                       fk_error *err) {
    FK_SCOPED(fk_inside_finish) fk_inside inside = {0};
    fk_code code = begin(run, &inside, err);
    if (code == FK_OK && run->manifest == FK_RUN_MANIFEST_NONE) {
        code = judge_names(run, &inside, err);
        bool check = !skip_weights && depth != FK_DEPTH_SIZES;
        if (code == FK_OK && check && run->weights_name != NULL) {
            code = fk_weights_check_unverified(run, watch, err);
        }
    } else if (code == FK_OK && run->manifest == FK_RUN_MANIFEST_GOOD) {
        code = judge_unlisted(run, &inside, err);
        if (code == FK_OK) {
            code = examine_files(run, depth, skip_weights, watch, err);
        }
        if (code == FK_OK) {
            code = fk_stranger_find(run, &inside, err);
        }
    }
    return code == FK_OK ? fk_health_conclude(run, err) : code;
}
