#include "parts.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "judge.h"
#include "salvage.h"
#include "scene.h"

enum { LARGE_BYTES = 50000000, APART = 40 };

static const char *manifest_or(const scene_file *file, const char *code) {
    return strcmp(file->name, "run.json") == 0 ? "manifest" : code;
}

static bool conclude(const char *what, const judge_figures *figures) {
    printf("promise 11: %s: %zu tried, %zu unnoticed, %zu with a wrong place\n", what,
           figures->tried, figures->unnoticed, figures->misnamed);
    fflush(stdout);
    return figures->tried > 0 && figures->unnoticed + figures->misnamed == 0;
}

/* ---- flips -------------------------------------------------------------------------------- */

static void try_flip(const scene *it, const scene_file *file, size_t at, unsigned char mask,
                     judge_figures *figures) {
    const wound hit = {file, manifest_or(file, "digest"), at, at + 1};
    scene_flip(file, at, mask);
    judge(it, &hit, 1, figures);
    scene_flip(file, at, 0);
}

/* The store's own file tells nothing about runs: damaged, it may look like a newer store's, which
 * is refused by its name, or changes nothing. */
static bool is_open_to(const scene *it, const char *identity) {
    fk_error err = {0};
    fk_store *store = NULL;
    fk_run_list *runs = NULL;
    fk_code code = fk_store_open(it->directory, NULL, &store, &err);
    if (code == FK_E_UNSUPPORTED) {
        return strcmp(err.path, identity) == 0;
    }
    bool well = code == FK_OK && fk_verify(store, NULL, NULL, NULL, NULL, &runs, &err) == FK_OK &&
                fk_run_list_count(runs) == 2 && fk_run_list_at(runs, 1)->health == FK_COMPLETE;
    fk_run_list_destroy(runs);
    fk_store_close(store);
    return well;
}

static bool try_identity(const scene *it) {
    scene_file file = {.name = ".fontkeep/store.json"};
    size_t harmful = 0;
    snprintf(file.path, sizeof file.path, "%s/%s", it->directory, file.name);
    scene_read(&file);
    for (size_t at = 0; at < file.length; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            scene_flip(&file, at, (unsigned char)(1u << bit));
            harmful += !is_open_to(it, file.path);
        }
        scene_flip(&file, at, 0);
    }
    printf("each bit of store.json flipped: %zu of %zu hide or harm a run\n", harmful,
           8 * file.length);
    free(file.bytes);
    return harmful == 0;
}

bool parts_flips(parts_extent extent) {
    scene it;
    judge_figures figures = {0};
    scene_init(&it, 0);
    bool well = judge_is_sound(&it);
    size_t step = extent == PARTS_SMALL ? 5 : 1;
    for (size_t f = 0; f < SCENE_FILES; f++) {
        const scene_file *file = &it.files[f];
        for (size_t at = 0; at < file->length; at += step) {
            for (unsigned bit = 0; bit < 8; bit++) {
                if (extent == PARTS_FULL || bit == (at + f) % 8) {
                    try_flip(&it, file, at, (unsigned char)(1u << bit), &figures);
                }
            }
        }
        well = judge_is_sound(&it) && well;
    }
    well = try_identity(&it) && well;
    scene_finish(&it);
    return conclude(extent == PARTS_FULL ? "each bit of each byte of a small run flipped"
                                         : "a bit of each byte of a small run flipped",
                    &figures) &&
           well;
}

/* ---- lengths ------------------------------------------------------------------------------ */

static void try_length(const scene *it, const scene_file *file, const unsigned char *bytes,
                       size_t length, judge_figures *figures) {
    bool cut = length < file->length;
    const wound hit = {file, manifest_or(file, "size"), cut ? length : file->length,
                       cut ? file->length : length};
    scene_write(file->path, bytes, length);
    judge(it, &hit, 1, figures);
}

/* Zeros, what the file begins with, and what it ends with, behind its end. */
static void try_extensions(const scene *it, const scene_file *file, judge_figures *figures) {
    static const size_t more[] = {1, 2, 3, 7, 16, 100, 4096, 70000};
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        for (unsigned filling = 0; filling < 3; filling++) {
            size_t length = file->length + more[i];
            unsigned char *bytes = calloc(length, 1);
            harness_check(bytes != NULL, "memory");
            memcpy(bytes, file->bytes, file->length);
            size_t known = more[i] < file->length ? more[i] : file->length;
            if (filling > 0) {
                memcpy(bytes + file->length,
                       file->bytes + (filling == 1 ? 0 : file->length - known), known);
            }
            try_length(it, file, bytes, length, figures);
            free(bytes);
        }
    }
}

bool parts_lengths(parts_extent extent) {
    scene it;
    judge_figures figures = {0};
    scene_init(&it, 0);
    size_t step = extent == PARTS_SMALL ? 7 : 1;
    for (size_t f = 0; f < SCENE_FILES; f++) {
        const scene_file *file = &it.files[f];
        for (size_t length = 0; length < file->length; length += step) {
            try_length(&it, file, file->bytes, length, &figures);
        }
        try_extensions(&it, file, &figures);
        scene_mend(file);
    }
    bool well = judge_is_sound(&it);
    scene_finish(&it);
    return conclude("each truncation and 24 extensions of each file", &figures) && well;
}

/* ---- places ------------------------------------------------------------------------------- */

typedef void (*replacement)(const scene *it, const scene_file *file);

static void put_directory(const scene *it, const scene_file *file) {
    (void)it;
    harness_check(mkdir(file->path, 0777) == 0, file->path);
}

static void put_fifo(const scene *it, const scene_file *file) {
    (void)it;
    harness_check(mkfifo(file->path, 0666) == 0, file->path);
}

static void put_link(const char *target, const scene_file *file) {
    harness_check(symlink(target, file->path) == 0, file->path);
}

/* A link to the very bytes that should be there. */
static void put_link_to_copy(const scene *it, const scene_file *file) {
    char copy[300];
    snprintf(copy, sizeof copy, "%s/.copy", it->directory);
    scene_write(copy, file->bytes, file->length);
    put_link(copy, file);
}

static void put_dangling_link(const scene *it, const scene_file *file) {
    (void)it;
    put_link("nowhere", file);
}

static void put_link_to_itself(const scene *it, const scene_file *file) {
    (void)it;
    put_link(strrchr(file->path, '/') + 1, file);
}

static void put_device_link(const scene *it, const scene_file *file) {
    (void)it;
    put_link("/dev/zero", file);
}

static void try_replacements(const scene *it, const scene_file *file, judge_figures *figures) {
    static const replacement replacements[] = {put_directory,      put_fifo,
                                               put_link_to_copy,   put_dangling_link,
                                               put_link_to_itself, put_device_link};
    for (size_t i = 0; i < sizeof replacements / sizeof replacements[0]; i++) {
        const wound hit = {file, manifest_or(file, "digest"), 0, 0};
        scene_remove(file->path);
        replacements[i](it, file);
        judge(it, &hit, 1, figures);
    }
    bool manifest = strcmp(file->name, "run.json") == 0;
    const wound gone = {file, manifest ? "unverified" : "missing", 0, 0};
    scene_remove(file->path);
    judge(it, &gone, 1, figures);
    scene_mend(file);
}

/* Sizes differ or they do not: the first difference tells which problem it is. */
static wound swapped(const scene_file *file, const scene_file *by) {
    bool same_size = file->length == by->length;
    return (wound){file, manifest_or(file, same_size ? "digest" : "size"), 0, 0};
}

static void try_swaps(const scene *it, judge_figures *figures) {
    for (size_t a = 0; a < SCENE_FILES; a++) {
        for (size_t b = a + 1; b < SCENE_FILES; b++) {
            const scene_file *one = &it->files[a];
            const scene_file *other = &it->files[b];
            const wound both[] = {swapped(one, other), swapped(other, one)};
            scene_write(one->path, other->bytes, other->length);
            scene_write(other->path, one->bytes, one->length);
            judge(it, both, 2, figures);
            scene_mend(one);
            scene_mend(other);
        }
    }
}

bool parts_places(parts_extent extent) {
    (void)extent;
    scene it;
    judge_figures figures = {0};
    scene_init(&it, 0);
    for (size_t f = 0; f < SCENE_FILES; f++) {
        try_replacements(&it, &it.files[f], &figures);
    }
    try_swaps(&it, &figures);
    bool well = judge_is_sound(&it);
    scene_finish(&it);
    return conclude("each file missing, a directory, a FIFO, a link; each two swapped", &figures) &&
           well;
}

/* ---- pairs -------------------------------------------------------------------------------- */

enum { FLIP_START, FLIP_END, CUT, LONGER, MISSING, DIRECTORY, KINDS };

static wound inflict(const scene_file *file, unsigned kind) {
    size_t last = file->length - 1;
    bool manifest = strcmp(file->name, "run.json") == 0;
    switch (kind) {
    case FLIP_START:
        scene_flip(file, 0, 1);
        return (wound){file, manifest_or(file, "digest"), 0, 1};
    case FLIP_END:
        scene_flip(file, last, 1);
        return (wound){file, manifest_or(file, "digest"), last, last + 1};
    case CUT:
        scene_write(file->path, file->bytes, last);
        return (wound){file, manifest_or(file, "size"), last, last + 1};
    case LONGER: /* the byte behind the others is ours */
        file->bytes[file->length] = '\0';
        scene_write(file->path, file->bytes, file->length + 1);
        return (wound){file, manifest_or(file, "size"), last + 1, last + 2};
    case MISSING:
        scene_remove(file->path);
        return (wound){file, manifest ? "unverified" : "missing", 0, 0};
    default:
        scene_remove(file->path);
        harness_check(mkdir(file->path, 0777) == 0, file->path);
        return (wound){file, manifest_or(file, "digest"), 0, 0};
    }
}

static void try_pairs_of_files(const scene *it, judge_figures *figures) {
    for (size_t a = 0; a < SCENE_FILES; a++) {
        for (size_t b = a + 1; b < SCENE_FILES; b++) {
            for (unsigned kinds = 0; kinds < KINDS * KINDS; kinds++) {
                const wound both[] = {inflict(&it->files[a], kinds / KINDS),
                                      inflict(&it->files[b], kinds % KINDS)};
                judge(it, both, 2, figures);
                scene_mend(&it->files[a]);
                scene_mend(&it->files[b]);
            }
        }
    }
}

/* Two tensors of one file: both are named, and what is intact. */
static void try_pairs_of_tensors(const scene *it, judge_figures *figures) {
    const scene_file *weights = &it->files[0];
    for (size_t a = 0; a < it->tensor_count; a++) {
        for (size_t b = 0; b < it->tensor_count; b++) {
            size_t one = it->tensors[a].offset;
            size_t other = it->tensors[b].offset + it->tensors[b].bytes - 1;
            const wound both[] = {{weights, "digest", one, one + 1},
                                  {weights, "digest", other, other + 1}};
            scene_flip(weights, one, 1);
            scene_flip(weights, other, 128);
            judge(it, both, 2, figures);
            scene_flip(weights, one, 0);
            scene_flip(weights, other, 0);
        }
    }
}

bool parts_pairs(parts_extent extent) {
    (void)extent;
    scene it;
    judge_figures figures = {0};
    scene_init(&it, 0);
    try_pairs_of_files(&it, &figures);
    try_pairs_of_tensors(&it, &figures);
    bool well = judge_is_sound(&it);
    scene_finish(&it);
    return conclude("two damages at once", &figures) && well;
}

/* ---- salvage ------------------------------------------------------------------------------ */

static bool conclude_salvage(const char *what, const salvage_figures *figures) {
    printf("promise 11: salvage, %s: %zu tried, %zu gave %zu tensors in all, %zu wrong\n", what,
           figures->tried, figures->given, figures->tensors, figures->wrong);
    fflush(stdout);
    return figures->given > 0 && figures->wrong == 0;
}

/* Blocks of zeros, as a disk leaves them. */
static void salvage_blocks(const scene *it, const scene_file *weights, salvage_figures *figures) {
    static const size_t sizes[] = {16, 64, 512};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (size_t at = 0; at + sizes[s] <= weights->length; at += sizes[s] / 2) {
            unsigned char *bytes = malloc(weights->length);
            harness_check(bytes != NULL, "memory");
            memcpy(bytes, weights->bytes, weights->length);
            memset(bytes + at, 0, sizes[s]);
            scene_write(weights->path, bytes, weights->length);
            if (memcmp(bytes, weights->bytes, weights->length) != 0) {
                salvage_try(it, at, at + sizes[s], figures);
            }
            free(bytes);
        }
    }
}

/* Cut off, and overwritten up to the end. */
static void salvage_ends(const scene *it, const scene_file *weights, size_t step,
                         salvage_figures *figures) {
    unsigned char *bytes = malloc(weights->length);
    harness_check(bytes != NULL, "memory");
    for (size_t at = 1; at < weights->length; at += step) {
        scene_write(weights->path, weights->bytes, at);
        salvage_try(it, at, weights->length, figures);
        memcpy(bytes, weights->bytes, at);
        for (size_t i = at; i < weights->length; i++) {
            bytes[i] = (unsigned char)~weights->bytes[i];
        }
        scene_write(weights->path, bytes, weights->length);
        salvage_try(it, at, weights->length, figures);
    }
    free(bytes);
}

bool parts_salvage(parts_extent extent) {
    scene it;
    salvage_figures flips = {0};
    salvage_figures blocks = {0};
    salvage_figures ends = {0};
    scene_init(&it, 0);
    const scene_file *weights = &it.files[0];
    for (size_t at = 0; at < weights->length; at += extent == PARTS_SMALL ? 3 : 1) {
        for (unsigned bit = 0; bit < 8; bit++) {
            if (extent == PARTS_FULL || bit == at % 8 || bit == (at + 5) % 8) {
                scene_flip(weights, at, (unsigned char)(1u << bit));
                salvage_try(&it, at, at + 1, &flips);
            }
        }
        scene_flip(weights, at, 0);
    }
    salvage_blocks(&it, weights, &blocks);
    salvage_ends(&it, weights, extent == PARTS_SMALL ? 7 : 1, &ends);
    scene_mend(weights);
    bool well = judge_is_sound(&it);
    scene_finish(&it);
    well = conclude_salvage("a byte of the weights flipped", &flips) && well;
    well = conclude_salvage("a block of the weights zeroed", &blocks) && well;
    return conclude_salvage("the weights cut, or overwritten from there on, at each byte", &ends) &&
           well;
}

/* ---- a large run -------------------------------------------------------------------------- */

static uint64_t random_state = 88172645463325252u;

static uint64_t random_next(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* A bit in each of many tensors; the others change from time to time. */
static void flip_apart(const scene *it, size_t round, judge_figures *figures) {
    const scene_file *weights = &it->files[0];
    wound hits[APART];
    for (size_t i = 0; i < APART; i++) {
        const scene_tensor *tensor = &it->tensors[(round + i) % it->tensor_count];
        size_t at = tensor->offset + (size_t)(random_next() % tensor->bytes);
        hits[i] = (wound){weights, "digest", at, at + 1};
        scene_flip(weights, at, (unsigned char)(1u << random_next() % 8));
    }
    judge_tensors_apart(it, hits, APART, figures);
    for (size_t i = 0; i < APART; i++) {
        scene_flip(weights, hits[i].from, 0);
    }
}

bool parts_large(parts_extent extent) {
    scene it;
    judge_figures figures = {0};
    salvage_figures left = {0};
    salvage_figures cuts = {0};
    judge_figures apart = {0};
    scene_init(&it, LARGE_BYTES);
    size_t flips = extent == PARTS_FULL ? 1000 : extent == PARTS_DAILY ? 200 : 5;
    size_t rounds = extent == PARTS_FULL ? 100000 / APART : extent == PARTS_DAILY ? 10 : 1;
    const scene_file *weights = &it.files[0];
    for (size_t i = 0; i < flips; i++) {
        size_t at = (size_t)(random_next() % weights->length);
        const wound hit = {weights, "digest", at, at + 1};
        scene_flip(weights, at, (unsigned char)(1u << random_next() % 8));
        judge_weights(&it, &hit, &figures);
        if (i % 50 == 0) {
            judge(&it, &hit, 1, &figures);
            salvage_try(&it, at, at + 1, &left);
        }
        scene_flip(weights, at, 0);
    }
    for (size_t round = 0; round < rounds; round++) {
        flip_apart(&it, round, &apart);
    }
    for (size_t i = 0; i < (extent == PARTS_FULL ? 50 : rounds / 4); i++) {
        size_t at = (size_t)(random_next() % weights->length);
        scene_write(weights->path, weights->bytes, at);
        salvage_try(&it, at, weights->length, &cuts);
    }
    scene_mend(weights);
    bool well = judge_is_sound(&it);
    scene_finish(&it);
    well = conclude_salvage("a byte of 50 MB flipped", &left) && well;
    well = (rounds < 4 || conclude_salvage("50 MB cut anywhere", &cuts)) && well;
    well = conclude("random bits of a run of 50 MB flipped, one by one", &figures) && well;
    return conclude("random bits of a run of 50 MB flipped, 40 at once in 40 tensors", &apart) &&
           well;
}
