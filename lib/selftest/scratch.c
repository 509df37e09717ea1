#include "selftest/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "os/directory.h"
#include "os/file.h"

static fk_code make_path(const char *parent, fk_scratch *scratch, fk_error *err) {
    FK_SCOPED(fk_buffer_finish) fk_buffer path = {0};
    size_t length = 0;
    FK_SCOPED(fk_freep) char *absolute = NULL;
    fk_code code = fk_directory_absolute(parent, &absolute, err);
    if (code != FK_OK) {
        return code;
    }
    fk_buffer_append_format(&path, "%s/%s", absolute, scratch->name);
    scratch->path = fk_buffer_take(&path, &length);
    return scratch->path != NULL ? FK_OK : fk_error_no_memory(err);
}

fk_code fk_scratch_create(const char *path, fk_scratch *ret_scratch, fk_error *err) {
    FK_SCOPED(fk_scratch_destroy) fk_scratch scratch = FK_SCRATCH_CLOSED;
    fk_code code = fk_directory_open_path(path, &scratch.parent, err);
    if (code != FK_OK) {
        return code;
    }
    code = fk_stage_lock_make(scratch.parent, scratch.name, scratch.lock_name, &scratch.lock, err);
    if (code == FK_OK) {
        code = fk_directory_make(scratch.parent, scratch.name, NULL, err);
    }
    if (code == FK_OK) {
        code = fk_directory_open(scratch.parent, scratch.name, &scratch.directory, err);
    }
    if (code != FK_OK) {
        fk_error_path_join(err, path);
        return code;
    }
    code = make_path(path, &scratch, err);
    if (code == FK_OK) {
        *ret_scratch = scratch;
        scratch = FK_SCRATCH_CLOSED;
    }
    return code;
}

void fk_scratch_destroy(fk_scratch *scratch) {
    if (scratch->parent >= 0 && scratch->name[0] != '\0' &&
        fk_directory_remove(scratch->parent, scratch->name, NULL) == FK_OK) {
        fk_file_remove(scratch->parent, scratch->lock_name, NULL);
    }
    fk_file_closep(&scratch->directory);
    fk_file_closep(&scratch->lock);
    fk_file_closep(&scratch->parent);
    free(scratch->path);
    *scratch = FK_SCRATCH_CLOSED;
}

fk_code fk_scratch_make(const fk_scratch *scratch, const char *name, int *ret_fd, fk_error *err) {
    fk_code code = fk_directory_make(scratch->directory, name, NULL, err);
    return code == FK_OK ? fk_directory_open(scratch->directory, name, ret_fd, err) : code;
}
