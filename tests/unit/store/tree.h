/* A directory of its own for each test. Not through lib/os: what a test finds there must not depend
 * on what it tests. */
#ifndef TREE_H
#define TREE_H

#include <stdbool.h>
#include <stddef.h>

/* A new empty directory; destroy removes it with all in it and frees the path. */
char *tree_create(void);
void tree_destroy(char *directory);

/* "directory/name", good until the third call behind this one. */
const char *tree_path(const char *directory, const char *name);

/* All that is below a directory, one path a line, sorted; directories end with '/'. With
 * `contents`, each file's length and bytes hashed stand behind its name. The caller frees it. */
char *tree_listing(const char *directory, bool contents);

void tree_write(const char *path, const void *bytes, size_t length);
/* The caller frees it; a NUL stands behind. */
char *tree_read(const char *path, size_t *ret_length);
bool tree_exists(const char *path);
/* Names in a directory that start with `start`; the first is copied into `ret_first` (256 bytes) if
 * that is not NULL. */
size_t tree_count(const char *directory, const char *start, char *ret_first);
/* Makes a file or directory look as if it had not changed for `seconds`. */
void tree_age(const char *path, long seconds);

#endif
