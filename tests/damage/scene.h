/* A store with two runs of one font, the newer of which is damaged and mended again and again. */
#ifndef SCENE_H
#define SCENE_H

#include <stddef.h>

#include "fontkeep/fontkeep.h"

#define SCENE_FONT "1-fruity"

enum { SCENE_FILES = 6, SCENE_TENSORS_MAX = 64 };

typedef struct scene_file {
    const char *name; /* relative to the run */
    char path[512];
    unsigned char *bytes; /* as they were saved */
    size_t length;
} scene_file;

/* Where the elements of a tensor lie in the weights file, found by looking for them. */
typedef struct scene_tensor {
    char name[64]; /* dotted path in the file */
    size_t offset; /* of its storage */
    size_t bytes;
    size_t view; /* of its own elements */
    size_t view_bytes;
} scene_tensor;

typedef struct scene {
    char directory[256]; /* the store */
    fk_store *store;
    fk_run_id older;
    fk_run_id newer;
    char run[400];                 /* directory of the newer */
    scene_file files[SCENE_FILES]; /* of the newer; the first are weights, the second run.json */
    scene_tensor tensors[SCENE_TENSORS_MAX];
    size_t tensor_count;
    size_t pickle; /* offset of data.pkl's payload in the weights */
    size_t pickle_bytes;
} scene;

/* Saves the runs. The weights have lists, shared storage and a vector; `large_bytes` of weights in
 * the newer one, or 0: a few KiB. */
void scene_init(scene *it, size_t large_bytes);
void scene_finish(scene *it);

/* Reads the bytes of `path`, from malloc. */
void scene_read(scene_file *file);
/* Writes bytes in the place of a file, whatever stands there. */
void scene_write(const char *path, const void *bytes, size_t length);
/* Removes what stands in the place of a file, whatever it is. */
void scene_remove(const char *path);
void scene_mend(const scene_file *file);
/* The damage of one byte: `mask` is flipped. */
void scene_flip(const scene_file *file, size_t at, unsigned char mask);

#endif
