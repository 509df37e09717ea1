/* fk_selftest: primitives, flips, kills, and a verdict of it all. */
#include "fontkeep/selftest.h"

#include <stdlib.h>

#include "os/directory.h"
#include "os/file.h"
#include "selftest/flips.h"
#include "selftest/kills.h"
#include "selftest/primitives.h"
#include "selftest/report.h"
#include "selftest/sample.h"
#include "selftest/scene.h"
#include "selftest/scratch.h"
#include "store/handle/handle.h"
#include "store/handle/options.h"

FK_DEFINE_SCOPED(fk_report, fk_report_destroy);

void fk_selftest_report_destroy(fk_selftest_report *open) {
    fk_report_destroy((fk_report *)open);
}

/* The default store, where that is there, else the working directory. */
static const char *default_directory(void) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    const char *path = fk_store_default_path();
    return fk_directory_open_path(path, &fd, NULL) == FK_OK ? path : ".";
}

static fk_code describe(const char *path, const fk_scratch *scratch, fk_report *report,
                        fk_error *err) {
    const char *name = fk_directory_file_system(scratch->directory);
    report->open.file_system = name[0] == '\0' ? "unknown" : name;
    report->open.dir = fk_report_text(report, "%s", path);
    return report->open.dir != NULL ? FK_OK : fk_error_no_memory(err);
}

/* Whether runs can be saved here at all, and are whole then; a full disk says nothing about that.
 */
static fk_code try_save(const fk_scratch *scratch, const fk_sample *sample, fk_report *report,
                        fk_error *err) {
    FK_SCOPED(fk_scene_finish) fk_scene scene;
    fk_error cause = {0};
    const fk_scene_rules nothing_happened = {.target_live = true};
    fk_scene_init(&scene, scratch, sample, report);
    fk_code code = fk_scene_make(&scene, &cause);
    if (code == FK_OK) {
        code = fk_scene_check(&scene, &nothing_happened, true, &cause);
    }
    if (code == FK_OK) {
        code = fk_scene_remove(&scene, &cause);
    }
    if (code == FK_E_NO_SPACE || code == FK_E_NO_MEMORY) {
        if (err != NULL) {
            *err = cause;
        }
        return code;
    }
    return code == FK_OK
               ? FK_OK
               : fk_report_add_violation(report, err, "runs cannot be kept: %s", cause.message);
}

/* What is not fit anyway is not tried any further. */
static fk_code try_promises(const fk_scratch *scratch, const fk_selftest_options *options,
                            fk_report *report, fk_error *err) {
    FK_SCOPED(fk_sample_finish) fk_sample sample = {.values = NULL};
    if (report->open.fitness == FK_NOT_FIT) {
        return FK_OK;
    }
    fk_code code = fk_sample_init(&sample, err);
    if (code == FK_OK) {
        code = try_save(scratch, &sample, report, err);
    }
    if (code != FK_OK || report->open.fitness == FK_NOT_FIT) {
        return code;
    }
    code = fk_flips_try(scratch, &sample, report, err);
    return code == FK_OK ? fk_kills_try(scratch, &sample, options, report, err) : code;
}

fk_code fk_selftest(const char *directory, const fk_selftest_options *options,
                    fk_selftest_report **ret_report, fk_error *err) {
    fk_selftest_options chosen = {0};
    FK_SCOPED(fk_scratch_destroy) fk_scratch scratch = FK_SCRATCH_CLOSED;
    FK_SCOPED(fk_report_destroyp) fk_report *report = fk_report_create();
    const char *path = directory != NULL ? directory : default_directory();
    fk_code code = fk_options_copy(&chosen, sizeof chosen, options, "fk_selftest_options", err);
    if (code == FK_OK && report == NULL) {
        code = fk_error_no_memory(err);
    }
    if (code == FK_OK) {
        code = fk_scratch_create(path, &scratch, err);
    }
    if (code == FK_OK) {
        code = describe(path, &scratch, report, err);
    }
    if (code == FK_OK) {
        code = fk_primitives_try(&scratch, report, err);
    }
    if (code == FK_OK) {
        code = try_promises(&scratch, &chosen, report, err);
    }
    if (code == FK_OK) {
        code = fk_report_judge(report, err);
    }
    if (code == FK_OK) {
        *ret_report = &fk_take(report)->open;
    }
    return code;
}
