/* What must hold of a store whose newer run is damaged. */
#ifndef JUDGE_H
#define JUDGE_H

#include <stdbool.h>
#include <stddef.h>

#include "scene.h"

/* One damage. */
typedef struct wound {
    const scene_file *file;
    const char *code; /* of the problem that must tell it: "digest", "size", "missing", ... */
    size_t from;      /* bytes of the file that are not as they were: the problem covers them; */
    size_t to;        /* equal: there are none to tell */
} wound;

typedef struct judge_figures {
    size_t tried;
    size_t unnoticed; /* by verify, or by load */
    size_t misnamed;  /* noticed, but file, bytes, tensors or the run to take instead were wrong */
} judge_figures;

/* Has the run verified, loaded and listed: every wound is noticed, its file and bytes named, of
 * weights the tensors, and nothing else; the other run is as it was. Counts, and prints the first
 * that is wrong. */
void judge(const scene *it, const wound *wounds, size_t count, judge_figures *figures);

/* The same of a flipped byte in weights whose tensors share nothing, by one load alone: for files
 * that take long to read. */
void judge_weights(const scene *it, const wound *hit, judge_figures *figures);

/* Several flipped bytes in weights, each in a tensor of its own, by one verification: each tensor
 * is named with its bytes, and no other. Each counts as tried. */
void judge_tensors_apart(const scene *it, const wound *hits, size_t count, judge_figures *figures);

/* The run is as it was saved. */
bool judge_is_sound(const scene *it);

#endif
