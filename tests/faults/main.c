/* Faults: what fontkeep promises about them, tried out.
 *
 *     faults                  everything, in the size for every day
 *     faults calls            calls of the kernel that fail, or move few bytes: promises 6 and 8
 *     faults memory           allocations that fail: promise 6
 *     faults pairs            a second fault while the first is dealt with: promise 6
 *     faults reading          the same in calls that only look: promise 6
 *     faults ... --full       every error at every call
 *     faults ... --small      fewer: for slow builds
 *     faults ... --only TEXT  changes with that in their name
 *
 * Prints what was tried, and a line "promise N: ..." for each promise. Exit 1: one does not hold;
 * 2: what was asked for is not known.
 */
#include <stdio.h>
#include <string.h>

#include "changing.h"
#include "reading.h"

int main(int count, char **arguments) {
    faults_extent size = FAULTS_DAILY;
    const char *part = "";
    const char *only = "";
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--full") == 0) {
            size = FAULTS_FULL;
        } else if (strcmp(arguments[i], "--small") == 0) {
            size = FAULTS_SMALL;
        } else if (strcmp(arguments[i], "--only") == 0 && i + 1 < count) {
            only = arguments[++i];
        } else {
            part = arguments[i];
        }
    }
    if (*part != '\0' && strcmp(part, "calls") != 0 && strcmp(part, "memory") != 0 &&
        strcmp(part, "pairs") != 0 && strcmp(part, "reading") != 0) {
        fprintf(stderr, "faults: there is no part '%s'\n", part);
        return 2;
    }
    bool well = true;
    if (*part == '\0' || strcmp(part, "calls") == 0) {
        well = changing_try_calls(size, only);
    }
    if (*part == '\0' || strcmp(part, "memory") == 0) {
        well = changing_try_memory(size, only) && well;
    }
    if (*part == '\0' || strcmp(part, "pairs") == 0) {
        well = changing_try_pairs(size, only) && well;
    }
    if (*part == '\0' || strcmp(part, "reading") == 0) {
        well = reading_try(size) && well;
    }
    return well ? 0 : 1;
}
