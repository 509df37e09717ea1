#include "store/run/damage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "digest/digest.h"
#include "os/map.h"
#include "store/names/layout.h"
#include "store/run/pieces.h"

/* The first piece from `from` on that is damaged, or that is not; else the number of pieces. */
static size_t find_piece(const fk_run_file *listed, const bool *damaged, bool wanted, size_t from) {
    while (from < listed->pieces && damaged[from] != wanted) {
        from++;
    }
    return from;
}

static fk_byte_range range_of(const fk_run_file *listed, size_t first, size_t end) {
    uint64_t offset = first * FK_PIECE_BYTES;
    uint64_t end_byte = end * FK_PIECE_BYTES;
    end_byte = end_byte < listed->bytes ? end_byte : listed->bytes;
    return (fk_byte_range){.offset = offset, .length = end_byte - offset};
}

fk_byte_range fk_damage_range(const fk_run_file *listed, const bool *damaged) {
    size_t first = find_piece(listed, damaged, true, 0);
    return first == listed->pieces
               ? (fk_byte_range){0}
               : range_of(listed, first, find_piece(listed, damaged, false, first));
}

/* One row per run of pieces; an empty file has a piece, too. */
static void add_pieces(const fk_damage *damage, const bool *damaged, fk_findings *findings) {
    const fk_run_file *listed = damage->listed;
    size_t first = find_piece(listed, damaged, true, 0);
    while (first < listed->pieces) {
        size_t end = find_piece(listed, damaged, false, first);
        fk_byte_range range = range_of(listed, first, end);
        fk_problem problem = FK_PROBLEM("digest", listed->path);
        problem.offset = range.offset;
        problem.length = range.length;
        fk_findings_add(findings, FK_CORRUPT, &problem,
                        "bytes %" PRIu64 " to %" PRIu64 " are not those that were saved%s%s",
                        range.offset, range.offset + range.length,
                        damage->summary[0] == '\0' ? "" : ": ", damage->summary);
        first = find_piece(listed, damaged, true, end);
    }
}

/* Whether no damaged piece touches bytes of the file. */
static bool pieces_hold(void *user, uint64_t offset, uint64_t bytes) {
    const fk_damage *damage = user;
    if (damage->damaged == NULL) {
        return false;
    }
    uint64_t last = bytes == 0 ? offset : offset + bytes - 1;
    for (uint64_t piece = offset / FK_PIECE_BYTES; piece <= last / FK_PIECE_BYTES; piece++) {
        if (piece >= damage->listed->pieces || damage->damaged[piece]) {
            return false;
        }
    }
    return true;
}

fk_torch_proof fk_damage_proof(const fk_damage *damage) {
    return (fk_torch_proof){pieces_hold, (void *)(uintptr_t)damage};
}

/* Tensors that no row names. */
static size_t count_intact(const fk_torch_losses *losses) {
    size_t intact = losses->tensors;
    for (size_t i = 0; i < losses->count; i++) {
        intact -= losses->rows[i].tensor != NULL && intact > 0;
    }
    return intact;
}

static bool is_cut(const fk_damage *damage) {
    return damage->saved_bytes > damage->listed->bytes;
}

/* What is lost up to the end of a file that was cut, went on behind it. */
static bool is_cut_off(const fk_damage *damage, const fk_torch_loss *row) {
    return is_cut(damage) && row->undescribed && row->offset + row->bytes == damage->listed->bytes;
}

static uint64_t row_bytes(const fk_damage *damage, const fk_torch_loss *row) {
    return is_cut_off(damage, row) ? damage->saved_bytes - row->offset : row->bytes;
}

/* "bytes 64 to 128", or what is said where that is not known. */
static const char *place(const fk_damage *damage, const fk_torch_loss *row, char into[64]) {
    if (row->offset == FK_NO_OFFSET) {
        return "its record is not found";
    }
    snprintf(into, 64, "bytes %" PRIu64 " to %" PRIu64, row->offset,
             row->offset + row_bytes(damage, row));
    return into;
}

static void add_row(const fk_damage *damage, fk_findings *findings, const fk_torch_losses *losses,
                    const fk_torch_loss *row) {
    char where[64];
    fk_problem problem = FK_PROBLEM("digest", damage->listed->path);
    problem.tensor = row->tensor;
    problem.offset = row->offset;
    problem.length = row_bytes(damage, row);
    if (row->tensor != NULL && is_cut_off(damage, row)) {
        fk_findings_add(findings, FK_CORRUPT, &problem,
                        "tensor '%s' was cut off (%s); %zu of %zu tensors are intact", row->tensor,
                        place(damage, row, where), damage->intact, losses->tensors);
    } else if (row->tensor != NULL && row->undescribed) {
        fk_findings_add(findings, FK_CORRUPT, &problem,
                        "tensor '%s' is lost: what the file says of it is damaged (%s); %zu of %zu "
                        "tensors are intact",
                        row->tensor, place(damage, row, where), damage->intact, losses->tensors);
    } else if (row->tensor != NULL) {
        fk_findings_add(findings, FK_CORRUPT, &problem,
                        "tensor '%s' (%s) is damaged; %zu of %zu tensors are intact", row->tensor,
                        place(damage, row, where), damage->intact, losses->tensors);
    } else if (losses->tensors == 0) {
        fk_findings_add(findings, FK_CORRUPT, &problem,
                        "%s are damaged; which tensors are intact cannot be told",
                        place(damage, row, where));
    } else {
        fk_findings_add(findings, FK_CORRUPT, &problem,
                        "%s, which belong to no tensor, are damaged", place(damage, row, where));
    }
}

/* No record fails its CRC: the bytes between them do, unless all of it is something else. */
static void summarise_between(fk_damage *damage, size_t tensors) {
    const bool *damaged = damage->damaged;
    if (is_cut(damage)) {
        snprintf(damage->summary, sizeof damage->summary, "all %zu tensors are intact", tensors);
        return;
    }
    bool all = damaged == NULL || memchr(damaged, false, damage->listed->pieces) == NULL;
    snprintf(damage->summary, sizeof damage->summary,
             all ? "each of its %zu tensors has the CRC-32 noted beside it, so bytes between them "
                   "changed, or another checkpoint stands in its place"
                 : "the damage is between its records; all %zu tensors are intact",
             tensors);
}

static void summarise(fk_damage *damage, const fk_torch_losses *losses) {
    char where[64];
    const fk_torch_loss *first = &losses->rows[0];
    size_t lost = losses->tensors - damage->intact;
    for (size_t i = losses->count; i-- > 0;) {
        first = losses->rows[i].tensor != NULL ? &losses->rows[i] : first;
    }
    damage->offset = first->offset;
    char *into = damage->summary;
    size_t room = sizeof damage->summary;
    const char *what = place(damage, first, where);
    const char *others = lost > 1 ? " and others are" : " is";
    if (losses->tensors == 0) {
        snprintf(into, room, "%s are damaged; which tensors are intact cannot be told", what);
    } else if (lost == 0) {
        snprintf(into, room, "%s are damaged; all %zu tensors are intact", what, losses->tensors);
    } else if (losses->tensors > lost) {
        snprintf(into, room,
                 "tensor '%.200s' (%s)%s damaged; the other %zu of %zu tensors are intact",
                 first->tensor, what, others, losses->tensors - lost, losses->tensors);
    } else {
        snprintf(into, room, "tensor '%.200s' (%s)%s damaged; no tensor is known to be intact",
                 first->tensor, what, others);
    }
}

/* Damaged pieces that no row explains: a record may be lost for damage in the directory. Of a part
 * of a piece, nothing is known. */
static fk_code add_other_pieces(const fk_damage *damage, const fk_torch_losses *losses,
                                fk_findings *findings, fk_error *err) {
    size_t pieces = damage->listed->pieces;
    FK_SCOPED(fk_freep) bool *others = calloc(pieces + 1, sizeof *others);
    if (others == NULL) {
        return fk_error_no_memory(err);
    }
    memcpy(others, damage->damaged, pieces * sizeof *others);
    if (is_cut(damage) && damage->listed->bytes % FK_PIECE_BYTES != 0) {
        others[pieces - 1] = false;
    }
    for (size_t i = 0; i < losses->count; i++) {
        const fk_torch_loss *row = &losses->rows[i];
        uint64_t last = row->bytes == 0 ? row->offset : row->offset + row->bytes - 1;
        uint64_t piece = row->undescribed ? pieces : row->offset / FK_PIECE_BYTES;
        for (; piece < pieces && piece <= last / FK_PIECE_BYTES; piece++) {
            others[piece] = false;
        }
    }
    add_pieces(damage, others, findings);
    return FK_OK;
}

fk_code fk_damage_report(fk_damage *damage, const fk_torch_losses *losses, fk_findings *findings,
                         fk_error *err) {
    damage->summary[0] = '\0';
    damage->intact = count_intact(losses);
    damage->offset = damage->damaged == NULL
                         ? FK_NO_OFFSET
                         : fk_damage_range(damage->listed, damage->damaged).offset;
    for (size_t i = 0; i < losses->count; i++) {
        add_row(damage, findings, losses, &losses->rows[i]);
    }
    if (losses->count == 0 && losses->tensors > 0) {
        summarise_between(damage, losses->tensors);
    }
    fk_code code =
        damage->damaged != NULL ? add_other_pieces(damage, losses, findings, err) : FK_OK;
    if (losses->count > 0) {
        summarise(damage, losses);
    }
    return code;
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

/* Without rows where the tensors cannot be looked for. */
static fk_code locate(const fk_damage *damage, fk_torch_losses *ret_losses, fk_error *err) {
    FK_SCOPED(fk_map_finish) fk_map map = {0};
    const fk_torch_proof proof = fk_damage_proof(damage);
    const uint8_t *bytes = read_bytes(damage, &map);
    return bytes == NULL
               ? FK_OK
               : fk_torch_locate_damage(bytes, (size_t)damage->listed->bytes,
                                        damage->damaged == NULL ? NULL : &proof, ret_losses, err);
}

fk_code fk_damage_examine(fk_damage *damage, fk_findings *findings, fk_error *err) {
    FK_SCOPED(fk_torch_losses_finish) fk_torch_losses losses = {0};
    fk_code code = damage->is_weights ? locate(damage, &losses, err) : FK_OK;
    return code == FK_OK ? fk_damage_report(damage, &losses, findings, err) : code;
}
