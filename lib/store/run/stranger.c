#include "store/run/stranger.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "store/names/layout.h"

static bool is_usual(const char *name) {
    static const char *const names[] = {FK_MANIFEST_FILE, FK_WEIGHTS_FILE, FK_SAMPLE_FILE,
                                        FK_FEEDBACK_FILE, FK_GLYPHS_DIRECTORY};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool looks_out_of_place(const fk_run *run, const fk_inside *inside) {
    for (size_t i = 0; i < inside->top.count; i++) {
        if (!is_usual(inside->top.names[i])) {
            return true;
        }
    }
    return inside->glyphs.count > run->info.glyphs;
}

/* Whether the manifest lists `path`, or files beneath it. */
static bool is_listed(const fk_run_info *listing, const char *path) {
    if (fk_run_find_file(listing, path) != NULL) {
        return true;
    }
    size_t length = strlen(path);
    for (size_t i = 0; i < listing->file_count; i++) {
        const char *listed = listing->files[i].path;
        if (strncmp(listed, path, length) == 0 && listed[length] == '/') {
            return true;
        }
    }
    return false;
}

static void note(fk_run *run, const fk_run_info *listing, const char *path) {
    if (!is_listed(listing, path)) {
        fk_problem problem = FK_PROBLEM("stranger", path);
        fk_findings_add(&run->findings, FK_COMPLETE, &problem, "run.json does not list it");
    }
}

fk_code fk_stranger_find(fk_run *run, const fk_inside *inside, fk_error *err) {
    fk_run_info read = {0};
    const fk_run_info *listing = &run->info;
    if (listing->files == NULL) {
        if (!looks_out_of_place(run, inside)) {
            return FK_OK;
        }
        fk_code code = fk_run_read_files(run, &read, err);
        if (code != FK_OK) {
            /* the file changed or went meanwhile: nothing is known about strangers */
            return code == FK_E_NO_MEMORY ? code : FK_OK;
        }
        listing = &read;
    }
    for (size_t i = 0; i < inside->top.count; i++) {
        const char *name = inside->top.names[i];
        if (strcmp(name, FK_MANIFEST_FILE) != 0 && strcmp(name, FK_GLYPHS_DIRECTORY) != 0) {
            note(run, listing, name);
        }
    }
    for (size_t i = 0; i < inside->glyphs.count; i++) {
        char path[sizeof FK_GLYPHS_DIRECTORY + NAME_MAX + 2];
        snprintf(path, sizeof path, FK_GLYPHS_DIRECTORY "/%s", inside->glyphs.names[i]);
        note(run, listing, path);
    }
    return FK_OK;
}
