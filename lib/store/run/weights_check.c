#include "store/run/weights_check.h"

#include "checkpoint/torch_read.h"
#include "os/file.h"
#include "os/map.h"
#include "store/manifest/weights.h"
#include "store/run/damage.h"
#include "store/run/pieces.h"
#include "store/run/run_file.h"
#include "value/values.h"

static bool is_ours(fk_code code) {
    return code == FK_E_NO_MEMORY || code == FK_E_CANCELLED;
}

static fk_code read_checkpoint(fk_map *map, fk_error *err) {
    if (map->bytes == 0) {
        fk_code code = fk_error_set(err, FK_E_CORRUPT, "the file is empty");
        fk_error_offset(err, 0);
        return code;
    }
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    if (values == NULL) {
        return fk_error_no_memory(err);
    }
    fk_value *top = NULL;
    fk_weights weights;
    fk_code code = fk_torch_read(map->data, map->bytes, FK_READ_CHECK_CRC, values, &top, err);
    return code == FK_OK ? fk_weights_unwrap(top, &weights, err) : code;
}

void fk_weights_note_format(fk_run *run, const fk_map *map) {
    fk_problem problem = FK_PROBLEM("unverified", run->weights_name);
    if (!fk_torch_has_crcs(map->data, map->bytes)) {
        fk_findings_add(&run->findings, FK_UNVERIFIED, &problem,
                        "the format before PyTorch 1.6 has no checksums: damage in tensors cannot "
                        "be seen");
    }
}

static fk_code judge(fk_run *run, fk_map *map, int fd, fk_error *err) {
    fk_error error = {0};
    fk_code code = read_checkpoint(map, &error);
    if (is_ours(code)) {
        return fk_error_pass(err, &error);
    }
    if (code == FK_OK) {
        fk_weights_note_format(run, map);
        return FK_OK;
    }
    if (code != FK_E_CORRUPT) {
        fk_findings_add_error(&run->findings, FK_UNSUPPORTED,
                              &FK_PROBLEM("version", run->weights_name), &error);
        return FK_OK;
    }
    fk_run_file file = {.path = run->weights_name, .bytes = map->bytes};
    fk_damage damage = {.listed = &file, .is_weights = true, .fd = fd, .bytes = map->data};
    size_t before = run->findings.count;
    if (map->bytes > 0) {
        code = fk_damage_examine(&damage, &run->findings, err);
        if (code != FK_OK) {
            return code;
        }
    }
    if (run->findings.count == before) {
        fk_findings_add_error(&run->findings, FK_CORRUPT, &FK_PROBLEM("digest", run->weights_name),
                              &error);
    }
    return FK_OK;
}

fk_code fk_weights_check_unverified(fk_run *run, fk_watch *watch, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    FK_SCOPED(fk_map_finish) fk_map map = {0};
    fk_error error = {0};
    uint64_t bytes = 0;
    fk_problem problem;
    fk_code code = fk_run_file_open(run, run->weights_name, NULL, &fd, &bytes, &problem, &error);
    if (code == FK_OK) {
        code = fk_map_allocate((size_t)bytes, &map, &error);
    }
    if (code == FK_OK) {
        fk_pieces_job job = {
            .fd = fd, .path = run->weights_name, .bytes = bytes, .into = map.data, .watch = watch};
        code = bytes > 0 ? fk_pieces_check(&job, NULL, &error) : FK_OK;
    }
    if (code == FK_OK) {
        return judge(run, &map, fd, err);
    }
    if (is_ours(code)) {
        return fk_error_pass(err, &error);
    }
    bool no_file = code == FK_E_CORRUPT && error.offset == FK_NO_OFFSET;
    if (code == FK_E_INCOMPLETE || no_file) {
        return FK_OK; /* the name itself was judged already */
    }
    fk_findings_add_error(&run->findings, FK_CORRUPT, &FK_PROBLEM("digest", run->weights_name),
                          &error);
    return FK_OK;
}
