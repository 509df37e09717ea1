/* A place: an open directory and one name in it. Calls such as unlinkat follow symbolic links in
 * all but the last component of a path; through a place they cannot. Within lib/os only. */
#ifndef FK_OS_PLACE_H
#define FK_OS_PLACE_H

typedef struct fk_place {
    int directory;
    const char *name; /* points into the path */
    int opened;       /* what finish closes: `directory` when it was opened for this, else -1 */
} fk_place;

/* Finds the place of `path` beneath `directory`: all but its last component is opened without
 * following links. A path relative to AT_FDCWD is one the user named and is taken as it is. -1 and
 * errno on failure (the place is good to finish then, too). */
int fk_place_init(fk_place *place, int directory, const char *path);
/* Keeps errno. Also the scope attribute's function. */
void fk_place_finish(fk_place *place);

#endif
