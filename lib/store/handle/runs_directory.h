/* The runs/ of a font, opened to be written into; font and runs/ are made when they are missing. */
#ifndef FK_STORE_RUNS_DIRECTORY_H
#define FK_STORE_RUNS_DIRECTORY_H

#include <stdbool.h>

#include "base/error.h"
#include "store/handle/handle.h"

typedef struct fk_runs_directory {
    int root; /* descriptors */
    int font;
    int runs;
    fk_font_id font_id;
    char *path; /* of runs/ for messages, from malloc */
    bool made_font;
    bool made_runs;
} fk_runs_directory;

#define FK_RUNS_DIRECTORY_CLOSED ((fk_runs_directory){.root = -1, .font = -1, .runs = -1})

/* `font_id` is valid. Without `create_font` a missing font is FK_E_FONT_NOT_FOUND. On failure
 * nothing is left that was made. */
fk_code fk_runs_directory_open(fk_store *store, const char *font_id, bool create_font,
                               fk_runs_directory *ret_directory, fk_error *err);
/* Whether the file system refuses ':' in names, found out with an empty file. */
fk_code fk_runs_directory_probe_colon(fk_runs_directory *directory, bool *ret_refused,
                                      fk_error *err);
/* Whether font and runs/ still stand where they were opened. What is written into a font that was
 * removed meanwhile would come to the trash unseen: FK_E_FONT_NOT_FOUND, and what opening made is
 * no longer ours to remove. */
fk_code fk_runs_directory_check(fk_runs_directory *directory, fk_error *err);
/* Makes the names of font and runs/ durable. */
fk_code fk_runs_directory_sync(fk_runs_directory *directory, fk_error *err);
/* Removes again what opening made, unless something was put there since. */
void fk_runs_directory_abandon(fk_runs_directory *directory);
void fk_runs_directory_close(fk_runs_directory *directory);

#endif
