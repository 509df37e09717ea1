/* A directory of its own for each test, removed with all that is in it: setup and teardown
 * functions for cmocka. The working directory of the test program stays where it is. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <stddef.h>

extern char scratch_path[4096]; /* where it is */
extern int scratch_fd;          /* open, for *at calls and for the library */

int scratch_setup(void **state); /* installs the fake kernel, too */
int scratch_teardown(void **state);

/* Writes a file, or reads one as text (free() it); relative to the scratch directory. The test
 * fails when that fails. */
void scratch_write(const char *path, const void *bytes, size_t length);
void scratch_write_text(const char *path, const char *text);
char *scratch_read(const char *path, size_t *ret_length);
void scratch_mkdir(const char *path);
int scratch_exists(const char *path);

#endif
