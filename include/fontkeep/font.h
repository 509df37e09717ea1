/* Fonts: the personalities a store keeps, each with a history of runs.
 *
 * A font id is `{number}-{personality-name}`: ^[0-9]+-[a-z0-9]+(-[a-z0-9]+)*$, at most 100 bytes.
 */
#ifndef FONTKEEP_FONT_H
#define FONTKEEP_FONT_H

#include "fontkeep/store.h"

FK_BEGIN_DECLS

typedef struct fk_font_id {
    char text[101];
} fk_font_id;

/* FK_OK, or FK_E_INVALID (subject font id) with the rule in the message and a corrected id in the
 * hint. */
FK_PUBLIC fk_code fk_font_id_check(const char *font_id, fk_error *err);

/* Makes an empty font. FK_E_FONT_EXISTS, FK_E_INVALID, FK_E_STORE_NOT_FOUND, FK_E_ACCESS. */
FK_PUBLIC fk_code fk_create_font(fk_store *store, const char *font_id, fk_error *err);

/* Makes the font `{n}-{name}`, n one above the highest number in the store, removed fonts counted
 * (1 in an empty store). Safe when several processes do it at once. */
FK_PUBLIC fk_code fk_create_next_font(fk_store *store, const char *name, fk_font_id *ret_font_id,
                                      fk_error *err);

typedef struct fk_font_info {
    const char *font_id;
    size_t runs;
    const char *latest_run_id; /* what run id NULL or "latest" means, or NULL when there is none */
} fk_font_info;

typedef struct fk_font_list fk_font_list;

/* All fonts, by number, then name. The caller destroys the list; what its getters return is
 * borrowed from it. */
FK_PUBLIC fk_code fk_list_fonts(fk_store *store, fk_font_list **ret_fonts, fk_error *err);
FK_PUBLIC void fk_font_list_destroy(fk_font_list *fonts);
FK_PUBLIC size_t fk_font_list_count(const fk_font_list *fonts);
FK_PUBLIC const fk_font_info *fk_font_list_at(const fk_font_list *fonts, size_t index);

/* Of `count` names, the one nearest to `name` in spelling, or NULL when none is near. For
 * did-you-mean. */
FK_PUBLIC const char *fk_nearest_name(const char *name, const char *const *names, size_t count);

FK_END_DECLS

#endif
