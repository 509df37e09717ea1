/* Faults in the calls that change a store. Each function prints its promises, and tells whether
 * they hold. `only`: changes with that in their name; "" for all. */
#ifndef CHANGING_H
#define CHANGING_H

#include <stdbool.h>

typedef enum faults_extent { FAULTS_SMALL, FAULTS_DAILY, FAULTS_FULL } faults_extent;

/* The n-th call of the kernel fails, for every n, once and ever after; or moves few bytes. */
bool changing_try_calls(faults_extent size, const char *only);
/* The n-th allocation fails. */
bool changing_try_memory(faults_extent size, const char *only);
/* Some call behind the one that failed fails, too. */
bool changing_try_pairs(faults_extent size, const char *only);

#endif
