/* Damage: what fontkeep promises about it, tried out.
 *
 *     damage               everything, in the size for every day
 *     damage flips         every byte of every file of a run flipped
 *     damage lengths       every truncation, and extensions
 *     damage places        files missing, swapped, replaced by directories, links, FIFOs
 *     damage pairs         two damages at once
 *     damage salvage       what salvage gives of weights with each byte flipped, cut at each length
 *     damage large         random bytes of a run of 50 MB flipped
 *     damage ... --full    every bit of every byte, 101,000 random flips
 *     damage ... --small   smaller: for slow builds
 *
 * Prints what was tried, and a line "promise 11: ..." for each part. Exit 1: it does not hold; 2:
 * what was asked for is not known.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "parts.h"

static const struct {
    const char *name;
    bool (*run)(parts_extent extent);
} all_parts[] = {
    {"flips", parts_flips}, {"lengths", parts_lengths}, {"places", parts_places},
    {"pairs", parts_pairs}, {"salvage", parts_salvage}, {"large", parts_large},
};

int main(int count, char **arguments) {
    parts_extent extent = PARTS_DAILY;
    const char *part = "";
    bool well = true;
    bool known = false;
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--full") == 0) {
            extent = PARTS_FULL;
        } else if (strcmp(arguments[i], "--small") == 0) {
            extent = PARTS_SMALL;
        } else {
            part = arguments[i];
        }
    }
    for (size_t i = 0; i < sizeof all_parts / sizeof all_parts[0]; i++) {
        if (*part == '\0' || strcmp(part, all_parts[i].name) == 0) {
            known = true;
            well = all_parts[i].run(extent) && well;
        }
    }
    if (!known) {
        fprintf(stderr, "damage: there is no part '%s'\n", part);
        return 2;
    }
    return well ? 0 : 1;
}
