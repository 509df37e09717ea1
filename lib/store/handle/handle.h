/* The inside of an open store, and the way from it to the directories of fonts and runs. */
#ifndef FK_STORE_HANDLE_H
#define FK_STORE_HANDLE_H

#include <stdbool.h>

#include "base/error.h"
#include "fontkeep/font.h"
#include "fontkeep/run.h"
#include "fontkeep/store.h"

/* What saving learnt, per font. Defined in font_memory.h. */
typedef struct fk_font_memories fk_font_memories;

struct fk_store {
    char *path;     /* as the user gave it, for messages */
    char *absolute; /* the same, independent of the working directory */
    bool no_create_runs;
    uint64_t max_weights_bytes;
    fk_durability durability;
    _Atomic(fk_font_memories *) memories;
};

/* Each call opens the store's directory afresh, so that one which was deleted or replaced is
 * noticed: FK_E_STORE_NOT_FOUND says that it vanished. The caller closes `*ret_fd`. */
fk_code fk_store_open_root(fk_store *store, int *ret_fd, fk_error *err);

/* The path of the store where none is named: $FONTKEEP_STORE, else "./networks". */
const char *fk_store_default_path(void);

/* A font's directory. FK_E_FONT_NOT_FOUND with the nearest ids of the store in the hint; an invalid
 * id is not found, too (reading), its hint shows the corrected id. */
fk_code fk_store_open_font(fk_store *store, int root, const char *font_id, int *ret_fd,
                           fk_error *err);

/* A font's runs/. When it is missing it is made; where that is impossible (read-only) `*ret_fd` is
 * -1 and `ret_warning` (may be NULL; 256 bytes) says so; with `no_create_runs`, FK_E_INCOMPLETE
 * naming the path. `ret_warning` is "" otherwise. */
fk_code fk_store_open_runs(fk_store *store, const char *font_id, int *ret_fd, char *ret_warning,
                           fk_error *err);

/* The store's id from .fontkeep/store.json; "" when there is none. FK_E_UNSUPPORTED (a newer store
 * format), FK_E_CORRUPT. */
fk_code fk_store_read_identity(int root, char ret_store_id[37], fk_error *err);

/* Writes .fontkeep/store.json when it is missing (the first write of a store). */
fk_code fk_store_ensure_identity(fk_store *store, int root, char ret_store_id[37], fk_error *err);

#endif
