#include "salvage.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "value/values.h"

/* The bytes that are not what was saved: up to the end of the file, where it was cut. */
typedef struct damage {
    size_t from;
    size_t to;
} damage;

/* What one salvage gave, tensor by tensor. */
typedef struct given {
    const scene *scene;
    bool is_there[SCENE_TENSORS_MAX];
    const char *why; /* what is wrong; NULL: nothing */
} given;

static void compare(given *it, const char *path, const fk_tensor *tensor) {
    for (size_t t = 0; t < it->scene->tensor_count; t++) {
        const scene_tensor *saved = &it->scene->tensors[t];
        if (strcmp(saved->name, path) != 0) {
            continue;
        }
        const unsigned char *bytes = it->scene->files[0].bytes + saved->view;
        bool same = fk_tensor_elements(tensor) * sizeof(float) == saved->view_bytes &&
                    memcmp(fk_tensor_data(tensor), bytes, saved->view_bytes) == 0;
        it->is_there[t] = true;
        it->why = same ? it->why : "a tensor has other bytes than were saved";
        return;
    }
    it->why = "a tensor was made up";
}

static fk_code visit(void *user, const char *path, const fk_value *value, fk_error *err) {
    (void)err;
    if (fk_value_kind(value) == FK_KIND_TENSOR) {
        compare(user, path, fk_value_as_tensor(value));
    }
    return FK_OK;
}

static bool is_named(const fk_run_info *info, const char *tensor) {
    for (size_t i = 0; i < info->problem_count; i++) {
        const fk_problem *problem = &info->problems[i];
        if (problem->tensor != NULL && strcmp(problem->tensor, tensor) == 0) {
            return strcmp(problem->code, "digest") == 0 && strcmp(problem->path, "weights") == 0;
        }
    }
    return false;
}

/* A descriptor stands behind each record, and has its CRC. */
enum { DESCRIPTOR_BYTES = 16 };

/* What must not be held back: all that was not hit, where damage is in tensors only; what is whole
 * of a file that was cut. */
static bool must_be_there(const scene *it, const scene_tensor *saved, const damage *done) {
    size_t end = saved->offset + saved->bytes;
    bool in_tensors = false;
    for (size_t t = 0; t < it->tensor_count; t++) {
        const scene_tensor *other = &it->tensors[t];
        in_tensors =
            in_tensors || (done->from >= other->offset && done->to <= other->offset + other->bytes);
    }
    return done->to == it->files[0].length ? end + DESCRIPTOR_BYTES <= done->from : in_tensors;
}

static bool is_hit(const scene_tensor *saved, const damage *done) {
    return done->from < saved->offset + saved->bytes && saved->offset < done->to;
}

/* Every tensor is there or named as lost. */
static void judge(given *it, const fk_run_info *info, const damage *done) {
    for (size_t t = 0; t < it->scene->tensor_count; t++) {
        const scene_tensor *saved = &it->scene->tensors[t];
        bool hit = is_hit(saved, done);
        if (it->is_there[t] == is_named(info, saved->name)) {
            it->why = it->is_there[t] ? "a tensor is there and named as lost"
                                      : "a lost tensor is not named";
        } else if (hit && it->is_there[t]) {
            it->why = "a damaged tensor is there";
        } else if (!hit && !it->is_there[t] && must_be_there(it->scene, saved, done)) {
            it->why = "an intact tensor is held back";
        }
    }
    if (info->health != FK_CORRUPT) {
        it->why = "the run is not corrupt";
    }
}

/* One byte costs the tensors of one storage at most; only the pickle is needed for all of them. */
static void judge_one_byte(given *it, bool is_given, const damage *done) {
    const scene *world = it->scene;
    size_t lost = SIZE_MAX;
    if (!is_given &&
        (done->from < world->pickle || done->from >= world->pickle + world->pickle_bytes)) {
        it->why = "a byte outside the pickle costs all tensors";
    }
    for (size_t t = 0; is_given && t < world->tensor_count; t++) {
        if (!it->is_there[t] && lost != SIZE_MAX && lost != world->tensors[t].offset) {
            it->why = "a byte costs the tensors of two storages";
        }
        lost = it->is_there[t] ? lost : world->tensors[t].offset;
    }
}

void salvage_try(const scene *it, size_t from, size_t to, salvage_figures *figures) {
    fk_error err = {0};
    fk_loaded *loaded = NULL;
    given found = {.scene = it};
    const damage done = {from, to};
    const fk_load_options options = {.size = sizeof options, .salvage = true};
    fk_code code = fk_load_model(it->store, SCENE_FONT, it->newer.text, &options, &loaded, &err);
    figures->tried++;
    if (code == FK_OK) {
        const fk_tensor *vector = fk_loaded_personality_vector(loaded);
        figures->given++;
        fk_value_walk(fk_loaded_weights(loaded), "model", visit, &found, NULL);
        if (vector != NULL) {
            compare(&found, "personality_vector", vector);
        }
        judge(&found, fk_loaded_info(loaded), &done);
    } else if (code != FK_E_CORRUPT || strstr(err.message, "nothing can be salvaged") == NULL) {
        found.why = "it fails with another error";
    }
    if (to - from == 1 && to < it->files[0].length) {
        judge_one_byte(&found, code == FK_OK, &done);
    }
    for (size_t t = 0; t < it->tensor_count; t++) {
        figures->tensors += found.is_there[t];
    }
    if (found.why != NULL && figures->wrong++ < 10) {
        printf("VIOLATION: salvage, bytes %zu to %zu: %s\n", from, to, found.why);
    }
    fk_loaded_destroy(loaded);
}
