#include <string.h>

#include "base/cleanup.h"
#include "checkpoint/inspection.h"
#include "checkpoint/npy.h"
#include "checkpoint/torch_read.h"
#include "os/file.h"
#include "os/map.h"
#include "store/run/pieces.h"
#include "store/run/resolve.h"
#include "store/run/run.h"
#include "store/run/run_file.h"
#include "value/values.h"

/* The whole file in memory: a bad sector is an error, and nobody can change it under us. */
static fk_code read_file(int fd, uint64_t bytes, const char *path, fk_map *ret_map, fk_error *err) {
    fk_code code = fk_map_allocate((size_t)bytes, ret_map, err);
    if (code != FK_OK || bytes == 0) {
        return code;
    }
    fk_pieces_job job = {.fd = fd, .path = path, .bytes = bytes, .into = ret_map->data};
    return fk_pieces_check(&job, NULL, err);
}

static fk_code inspect_npy(const fk_map *map, fk_inspection **ret_inspection, fk_error *err) {
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    FK_SCOPED(fk_inspection_destroyp)
    fk_inspection *inspection = fk_inspection_create("npy", map->bytes);
    fk_value *tensor = NULL;
    if (values == NULL || inspection == NULL) {
        return fk_error_no_memory(err);
    }
    fk_code code = fk_npy_read(map->data, map->bytes, values, &tensor, err);
    if (code == FK_OK) {
        code = fk_inspection_add_tensor(inspection, "", fk_value_as_tensor(tensor), err);
    }
    if (code == FK_OK) {
        *ret_inspection = fk_take(inspection);
    }
    return code;
}

static fk_code inspect(const fk_map *map, fk_inspection **ret_inspection, fk_error *err) {
    static const uint8_t nothing[1];
    const uint8_t *bytes = map->bytes == 0 ? nothing : map->data;
    if (fk_npy_recognise(bytes, map->bytes)) {
        return inspect_npy(map, ret_inspection, err);
    }
    return fk_torch_inspect(bytes, map->bytes, ret_inspection, err);
}

fk_code fk_inspect_file(const char *path, fk_inspection **ret_inspection, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    FK_SCOPED(fk_map_finish) fk_map map = {0};
    struct stat status;
    fk_code code = fk_file_open_path(path, &fd, &status, err);
    if (code == FK_OK) {
        code = read_file(fd, (uint64_t)status.st_size, path, &map, err);
    }
    if (code != FK_OK) {
        return code;
    }
    code = inspect(&map, ret_inspection, err);
    if (code != FK_OK) {
        fk_error_path(err, path);
    }
    return code;
}

static fk_code read_weights(const fk_run *run, fk_map *ret_map, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    uint64_t bytes = 0;
    const char *name = run->weights_name != NULL ? run->weights_name : "weights";
    fk_code code = fk_run_file_open(run, name, NULL, &fd, &bytes, NULL, err);
    return code == FK_OK ? read_file(fd, bytes, name, ret_map, err) : code;
}

fk_code fk_inspect_run(fk_store *store, const char *font_id, const char *run_id,
                       fk_inspection **ret_inspection, fk_error *err) {
    FK_SCOPED(fk_run_closep) fk_run *run = NULL;
    FK_SCOPED(fk_map_finish) fk_map map = {0};
    fk_code code = fk_resolve_and_open(store, font_id, run_id, &run, err);
    if (code != FK_OK) {
        return code;
    }
    code = read_weights(run, &map, err);
    if (code != FK_OK) {
        return fk_run_error_path(run, code, err);
    }
    code = inspect(&map, ret_inspection, err);
    if (code != FK_OK) {
        fk_error_path(err, run->weights_name);
        fk_run_error_path(run, code, err);
    }
    return code;
}
