#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "store/manifest/manifest.h"

enum { CAPACITY_MIN = 16 };

static void file_finish(fk_manifest_file *file) {
    free(file->path);
    free(file->label);
    fk_file_digests_finish(&file->digests);
    *file = (fk_manifest_file){0};
}

void fk_manifest_files_finish(fk_manifest_files *files) {
    for (size_t i = 0; i < files->count; i++) {
        file_finish(&files->items[i]);
    }
    free(files->items);
    *files = (fk_manifest_files){0};
}

static bool reserve(fk_manifest_files *files) {
    if (files->count < files->capacity) {
        return true;
    }
    size_t capacity = files->capacity == 0 ? CAPACITY_MIN : files->capacity * 2;
    fk_manifest_file *items = reallocarray(files->items, capacity, sizeof *items);
    if (items == NULL) {
        return false;
    }
    files->items = items;
    files->capacity = capacity;
    return true;
}

fk_code fk_manifest_files_add(fk_manifest_files *files, const char *path, const char *label,
                              fk_file_digests *digests, fk_error *err) {
    FK_SCOPED(file_finish) fk_manifest_file file = {.digests = *digests};
    *digests = (fk_file_digests){0};
    if (files->count == FK_LIMIT_RUN_FILES) {
        fk_code code =
            fk_error_set(err, FK_E_LIMIT, "more than %u files in one run", FK_LIMIT_RUN_FILES);
        fk_error_hint(err, "save fewer glyphs");
        return code;
    }
    file.path = strdup(path);
    file.label = label == NULL ? NULL : strdup(label);
    if (file.path == NULL || (label != NULL && file.label == NULL) || !reserve(files)) {
        return fk_error_no_memory(err);
    }
    files->items[files->count++] = file;
    file = (fk_manifest_file){0};
    return FK_OK;
}

bool fk_manifest_files_have(const fk_manifest_files *files, const char *path) {
    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->items[i].path, path) == 0) {
            return true;
        }
    }
    return false;
}
