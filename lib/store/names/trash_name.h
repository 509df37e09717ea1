/* Names of what is in the trash: on disk `.trash-<subject>.<n>`, where the subject is a font id (in
 * the store) or a run's directory name (in runs/); for people the trash id, `1-fruity.1` or
 * `1-fruity/2026-01-11T08:30:00.000000.1`. Numbers count from 1. */
#ifndef FK_STORE_TRASH_NAME_H
#define FK_STORE_TRASH_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "fontkeep/trash.h"

enum { FK_TRASH_NAME_BYTES = 128 };

#define FK_TRASH_NUMBER_MAX UINT32_C(999999999)

/* What a name on disk says. */
typedef struct fk_trash_name {
    char subject[sizeof(fk_font_id)];
    uint32_t number;
} fk_trash_name;

/* False for any other name. Whether the subject is a font or a run is not looked at. */
bool fk_trash_name_parse(const char *text, fk_trash_name *ret_name);
void fk_trash_name_format(const fk_trash_name *name, char into[FK_TRASH_NAME_BYTES]);

/* A trash id in its parts. */
typedef struct fk_trash_id {
    fk_font_id font_id;
    fk_run_id run_id; /* in `:` form; "" for a font */
    uint32_t number;
} fk_trash_id;

/* FK_E_INVALID. */
fk_code fk_trash_id_parse(const char *text, fk_trash_id *ret_id, fk_error *err);
void fk_trash_id_format(const fk_trash_id *id, char into[FK_TRASH_ID_BYTES]);
bool fk_trash_id_is_font(const fk_trash_id *id);

#endif
