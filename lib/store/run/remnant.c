#include "store/run/remnant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "os/file.h"
#include "os/map.h"
#include "store/run/damage.h"
#include "store/run/pieces.h"
#include "store/run/run_file.h"

fk_run_file fk_remnant_of(const fk_run_file *listed, uint64_t bytes) {
    fk_run_file left = *listed;
    if (bytes < listed->bytes) {
        left.bytes = bytes;
        left.pieces = fk_pieces_count(bytes);
    }
    return left;
}

static fk_code examine(const fk_run_file *left, uint64_t saved_bytes, int fd, fk_watch *watch,
                       fk_findings *findings, fk_remnant *remnant, fk_error *err) {
    FK_SCOPED(fk_map_finish) fk_map map = {0};
    FK_SCOPED(fk_freep) bool *damaged = calloc(left->pieces, sizeof *damaged);
    if (damaged == NULL) {
        return fk_error_no_memory(err);
    }
    if (fk_map_allocate((size_t)left->bytes, &map, NULL) != FK_OK) {
        return FK_OK; /* without so much memory, nothing is known */
    }
    fk_pieces_job job = {.fd = fd,
                         .path = left->path,
                         .bytes = left->bytes,
                         .file = left,
                         .past_failures = true,
                         .into = map.data,
                         .watch = watch};
    fk_code code = fk_pieces_check(&job, damaged, err);
    if (code != FK_OK) {
        return code;
    }
    fk_damage damage = {.listed = left,
                        .damaged = damaged,
                        .is_weights = true,
                        .fd = fd,
                        .bytes = map.data,
                        .saved_bytes = saved_bytes};
    code = fk_damage_examine(&damage, findings, err);
    snprintf(remnant->summary, sizeof remnant->summary, "%s", damage.summary);
    remnant->intact = damage.intact;
    return code;
}

fk_code fk_remnant_examine(const fk_run *run, const fk_run_file *listed, fk_watch *watch,
                           fk_findings *findings, fk_remnant *ret_remnant, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    uint64_t bytes = 0;
    fk_remnant remnant = {0};
    fk_error why = {0};
    fk_code code = fk_run_file_open(run, listed->path, NULL, &fd, &bytes, NULL, &why);
    if (code == FK_OK && bytes > 0 && bytes < listed->bytes) {
        const fk_run_file left = fk_remnant_of(listed, bytes);
        code = examine(&left, listed->bytes, fd, watch, findings, &remnant, &why);
    }
    if (code == FK_E_NO_MEMORY || code == FK_E_CANCELLED) {
        return fk_error_pass(err, &why);
    }
    *ret_remnant = remnant;
    return FK_OK;
}

void fk_remnant_tell(const fk_remnant *remnant, fk_error *err) {
    if (remnant->summary[0] != '\0') {
        fk_error_add(err, ": %s", remnant->summary);
    }
}
