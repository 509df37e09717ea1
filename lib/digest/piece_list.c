#include "digest/piece_list.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "digest/piece_digest.h"
#include "digest/sha256.h"
#include "digest/xxh3.h"

struct fk_piece_list {
    fk_piece_digest *digest;
    uint64_t in_piece; /* bytes of the present piece so far, less than FK_PIECE_BYTES */
    size_t pieces;     /* that ended */
    size_t text_bytes; /* of one text, its NUL included */
    bool sha256;       /* else XXH3 */
    fk_buffer texts;
};

fk_code fk_piece_list_create(fk_piece_kind kind, fk_piece_list **ret_list, fk_error *err) {
    FK_SCOPED(fk_piece_list_destroyp) fk_piece_list *list = calloc(1, sizeof *list);
    if (list == NULL) {
        return fk_error_no_memory(err);
    }
    list->sha256 = kind == FK_PIECE_SHA256;
    list->text_bytes = list->sha256 ? (size_t)FK_SHA256_HEX_BYTES : (size_t)FK_XXH3_HEX_BYTES;
    fk_code code = fk_piece_digest_create(list->sha256, !list->sha256, &list->digest, err);
    if (code == FK_OK) {
        *ret_list = fk_take(list);
    }
    return code;
}

void fk_piece_list_destroy(fk_piece_list *list) {
    if (list != NULL) {
        fk_piece_digest_destroy(list->digest);
        fk_buffer_finish(&list->texts);
        free(list);
    }
}

static fk_code end_piece(fk_piece_list *list, fk_error *err) {
    char *text = (char *)fk_buffer_extend(&list->texts, list->text_bytes);
    if (text == NULL) {
        return fk_error_no_memory(err);
    }
    list->pieces++;
    list->in_piece = 0;
    return list->sha256 ? fk_piece_digest_next(list->digest, text, NULL, err)
                        : fk_piece_digest_next(list->digest, NULL, text, err);
}

fk_code fk_piece_list_update(fk_piece_list *list, const void *from, size_t bytes, fk_error *err) {
    const uint8_t *next = from;
    fk_code code = FK_OK;
    while (code == FK_OK && bytes > 0) {
        uint64_t room = FK_PIECE_BYTES - list->in_piece;
        size_t part = bytes < room ? bytes : (size_t)room;
        code = fk_piece_digest_update(list->digest, next, part, err);
        list->in_piece += part;
        next += part;
        bytes -= part;
        if (code == FK_OK && list->in_piece == FK_PIECE_BYTES) {
            code = end_piece(list, err);
        }
    }
    return code;
}

fk_code fk_piece_list_finish(fk_piece_list *list, void **ret_texts, size_t *ret_pieces,
                             fk_error *err) {
    /* a file of whole pieces ended with the last of them; an empty one has one empty piece */
    if (list->in_piece > 0 || list->pieces == 0) {
        fk_code code = end_piece(list, err);
        if (code != FK_OK) {
            return code;
        }
    }
    *ret_texts = fk_buffer_take(&list->texts, NULL);
    *ret_pieces = list->pieces;
    return FK_OK;
}
