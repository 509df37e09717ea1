/* What every part of the crash tests needs: to stop where the test itself is broken. */
#ifndef HARNESS_H
#define HARNESS_H

#include <stdbool.h>

void harness_check(bool fine, const char *what);

/* A new empty directory, in memory where that can be had; remove with all in it. */
void harness_make_directory(char into[256]);
void harness_remove_directory(const char *path);

#endif
