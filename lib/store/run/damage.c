#include "store/run/damage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "checkpoint/torch_read.h"
#include "digest/digest.h"
#include "os/map.h"
#include "store/names/layout.h"
#include "store/run/pieces.h"

/* The rows of fk_torch_locate_damage. */
typedef struct fk_damage_rows {
    fk_torch_damage *rows;
    size_t count;
    size_t tensors; /* in the file, in all */
} fk_damage_rows;

static void fk_damage_rows_finish(fk_damage_rows *rows) {
    for (size_t i = 0; i < rows->count; i++) {
        free(rows->rows[i].tensor);
    }
    free(rows->rows);
}

fk_byte_range fk_damage_range(const fk_run_file *listed, const bool *damaged, size_t from) {
    fk_byte_range range = {0};
    size_t first = from;
    while (first < listed->pieces && !damaged[first]) {
        first++;
    }
    if (first == listed->pieces) {
        return range;
    }
    size_t end = first;
    while (end < listed->pieces && damaged[end]) {
        end++;
    }
    uint64_t end_byte = end * FK_PIECE_BYTES;
    range.offset = first * FK_PIECE_BYTES;
    range.length = (end_byte < listed->bytes ? end_byte : listed->bytes) - range.offset;
    return range;
}

static void add_pieces(fk_damage *damage, fk_findings *findings) {
    const fk_run_file *listed = damage->listed;
    fk_byte_range range = fk_damage_range(listed, damage->damaged, 0);
    damage->offset = range.offset;
    while (range.length > 0) {
        fk_problem problem = FK_PROBLEM("digest", listed->path);
        problem.offset = range.offset;
        problem.length = range.length;
        fk_findings_add(findings, FK_CORRUPT, &problem,
                        "bytes %" PRIu64 " to %" PRIu64 " are not those that were saved%s%s",
                        range.offset, range.offset + range.length,
                        damage->summary[0] == '\0' ? "" : ": ", damage->summary);
        uint64_t end = range.offset + range.length;
        range = fk_damage_range(listed, damage->damaged,
                                (size_t)((end + FK_PIECE_BYTES - 1) / FK_PIECE_BYTES));
    }
}

/* Where the manifest has digests, a record counts only when it touches a damaged piece: a CRC that
 * was never right is no damage. */
static bool touches_damage(const fk_damage *damage, const fk_torch_damage *row) {
    if (damage->damaged == NULL) {
        return true;
    }
    uint64_t last = row->bytes == 0 ? row->offset : row->offset + row->bytes - 1;
    for (uint64_t piece = row->offset / FK_PIECE_BYTES; piece <= last / FK_PIECE_BYTES; piece++) {
        if (piece < damage->listed->pieces && damage->damaged[piece]) {
            return true;
        }
    }
    return false;
}

static void keep_touched(const fk_damage *damage, fk_damage_rows *rows) {
    size_t kept = 0;
    for (size_t i = 0; i < rows->count; i++) {
        if (touches_damage(damage, &rows->rows[i])) {
            rows->rows[kept++] = rows->rows[i];
        } else {
            free(rows->rows[i].tensor);
        }
    }
    rows->count = kept;
}

/* Tensors that no row names. */
static size_t count_intact(const fk_damage_rows *rows) {
    size_t intact = rows->tensors;
    for (size_t i = 0; i < rows->count; i++) {
        intact -= rows->rows[i].tensor != NULL && intact > 0;
    }
    return intact;
}

static void add_tensor(const fk_damage *damage, fk_findings *findings, const fk_damage_rows *rows,
                       const fk_torch_damage *row) {
    fk_problem problem = FK_PROBLEM("digest", damage->listed->path);
    problem.tensor = row->tensor;
    problem.offset = row->offset;
    problem.length = row->bytes;
    if (row->tensor != NULL) {
        fk_findings_add(findings, FK_CORRUPT, &problem,
                        "tensor '%s' (bytes %" PRIu64 " to %" PRIu64
                        ") is damaged; %zu of %zu tensors are intact",
                        row->tensor, row->offset, row->offset + row->bytes, count_intact(rows),
                        rows->tensors);
    } else {
        fk_findings_add(findings, FK_CORRUPT, &problem,
                        "bytes %" PRIu64 " to %" PRIu64 ", which belong to no tensor, are damaged",
                        row->offset, row->offset + row->bytes);
    }
}

static void summarise(fk_damage *damage, const fk_damage_rows *rows) {
    const fk_torch_damage *first = &rows->rows[0];
    size_t tensors = 0;
    for (size_t i = rows->count; i-- > 0;) {
        if (rows->rows[i].tensor != NULL) {
            first = &rows->rows[i];
            tensors++;
        }
    }
    damage->offset = first->offset;
    char *into = damage->summary;
    size_t room = sizeof damage->summary;
    uint64_t end = first->offset + first->bytes;
    if (rows->tensors == 0) {
        snprintf(into, room,
                 "bytes %" PRIu64 " to %" PRIu64 " are damaged; which tensors are "
                 "intact cannot be told",
                 first->offset, end);
    } else if (tensors == 0) {
        snprintf(into, room,
                 "bytes %" PRIu64 " to %" PRIu64 " are damaged; all %zu tensors are "
                 "intact",
                 first->offset, end, rows->tensors);
    } else if (rows->tensors > tensors) {
        snprintf(into, room,
                 "tensor '%.200s' (bytes %" PRIu64 " to %" PRIu64 ")%s damaged; the "
                 "other %zu of %zu tensors are intact",
                 first->tensor, first->offset, end, tensors > 1 ? " and others are" : " is",
                 rows->tensors - tensors, rows->tensors);
    } else {
        snprintf(into, room,
                 "tensor '%.200s' (bytes %" PRIu64 " to %" PRIu64 ")%s damaged; "
                 "no tensor is known to be intact",
                 first->tensor, first->offset, end, tensors > 1 ? " and others are" : " is");
    }
}

/* The file in memory, to look for tensors; damage in it is what we are after. NULL where it cannot
 * be had: then the pieces have to do. */
static const uint8_t *read_bytes(const fk_damage *damage, fk_map *map) {
    if (damage->bytes != NULL || damage->listed->bytes > SIZE_MAX) {
        return damage->bytes;
    }
    if (fk_map_allocate((size_t)damage->listed->bytes, map, NULL) != FK_OK) {
        return NULL;
    }
    fk_pieces_job job = {.fd = damage->fd,
                         .path = damage->listed->path,
                         .bytes = damage->listed->bytes,
                         .into = map->data};
    return map->data != NULL && fk_pieces_check(&job, NULL, NULL) == FK_OK ? map->data : NULL;
}

fk_code fk_damage_examine_tensors(fk_damage *damage, fk_findings *findings, bool *ret_found,
                                  fk_error *err) {
    FK_SCOPED(fk_map_finish) fk_map map = {0};
    FK_SCOPED(fk_damage_rows_finish) fk_damage_rows rows = {0};
    damage->summary[0] = '\0';
    *ret_found = false;
    const uint8_t *bytes = read_bytes(damage, &map);
    if (bytes == NULL) {
        return FK_OK;
    }
    fk_code code = fk_torch_locate_damage(bytes, (size_t)damage->listed->bytes, &rows.rows,
                                          &rows.count, &rows.tensors, err);
    if (code != FK_OK) {
        return code == FK_E_NO_MEMORY ? code : FK_OK;
    }
    keep_touched(damage, &rows);
    for (size_t i = 0; i < rows.count; i++) {
        add_tensor(damage, findings, &rows, &rows.rows[i]);
    }
    if (rows.count > 0) {
        summarise(damage, &rows);
    } else if (rows.tensors > 0) {
        snprintf(damage->summary, sizeof damage->summary,
                 "the damage is between its records; all %zu tensors are intact", rows.tensors);
    }
    *ret_found = rows.count > 0;
    return FK_OK;
}

fk_code fk_damage_examine(fk_damage *damage, fk_findings *findings, fk_error *err) {
    bool found = false;
    if (strcmp(damage->listed->path, FK_WEIGHTS_FILE) == 0) {
        fk_code code = fk_damage_examine_tensors(damage, findings, &found, err);
        if (code != FK_OK) {
            return code;
        }
    }
    if (!found) {
        add_pieces(damage, findings);
    }
    return FK_OK;
}
