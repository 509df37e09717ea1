/* The parts of the proof: each tries its damages, prints its figures and tells whether they are as
 * promised. */
#ifndef PARTS_H
#define PARTS_H

#include <stdbool.h>

typedef enum parts_extent { PARTS_SMALL, PARTS_DAILY, PARTS_FULL } parts_extent;

bool parts_flips(parts_extent extent);
bool parts_lengths(parts_extent extent);
bool parts_places(parts_extent extent);
bool parts_pairs(parts_extent extent);
bool parts_salvage(parts_extent extent);
bool parts_large(parts_extent extent);

#endif
