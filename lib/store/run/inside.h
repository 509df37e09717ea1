/* What stands in a run's directory, by name. */
#ifndef FK_STORE_INSIDE_H
#define FK_STORE_INSIDE_H

#include <stdbool.h>

#include "base/error.h"
#include "os/directory.h"
#include "store/run/run.h"

typedef struct fk_inside {
    fk_names top;       /* of the run's directory */
    fk_names glyphs;    /* of eval-glyphs/ */
    bool has_glyphs;    /* whether that is a directory that could be opened */
    fk_error no_glyphs; /* why it could not, when the name is there */
} fk_inside;

fk_code fk_inside_read(const fk_run *run, fk_inside *ret_inside, fk_error *err);
void fk_inside_finish(fk_inside *inside); /* also the scope attribute's function */

/* "file", "missing", or what it is instead: "a symbolic link", "a FIFO", ... `directory` tells
 * which kind is right. `*ret_wrong` is NULL when it is right or missing. */
fk_code fk_inside_kind(const fk_run *run, const fk_inside *inside, const char *name, bool directory,
                       bool *ret_missing, const char **ret_wrong, fk_error *err);

/* Names in eval-glyphs/ that end in ".png". */
size_t fk_inside_png_count(const fk_inside *inside);

#endif
