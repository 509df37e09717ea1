/* The digests of one kind of all pieces of a file. Within lib/digest only. */
#ifndef FK_DIGEST_PIECE_LIST_H
#define FK_DIGEST_PIECE_LIST_H

#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

typedef enum fk_piece_kind { FK_PIECE_SHA256, FK_PIECE_XXH3 } fk_piece_kind;

typedef struct fk_piece_list fk_piece_list;
fk_code fk_piece_list_create(fk_piece_kind kind, fk_piece_list **ret_list, fk_error *err);
void fk_piece_list_destroy(fk_piece_list *list);
/* The file's next bytes; they may span pieces. */
fk_code fk_piece_list_update(fk_piece_list *list, const void *from, size_t bytes, fk_error *err);
/* Ends the last piece and hands the texts over, each of the kind's hex bytes with its NUL; the
 * caller frees them. */
fk_code fk_piece_list_finish(fk_piece_list *list, void **ret_texts, size_t *ret_pieces,
                             fk_error *err);

FK_DEFINE_SCOPED(fk_piece_list, fk_piece_list_destroy);

#endif
