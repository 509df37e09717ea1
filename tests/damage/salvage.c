#include "salvage.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "value/values.h"

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

/* Every tensor is there or named as lost; with damage in a tensor, these are just those it hits. */
static void judge(given *it, const fk_run_info *info, size_t from, size_t to) {
    bool in_tensors = false;
    for (size_t t = 0; t < it->scene->tensor_count; t++) {
        const scene_tensor *saved = &it->scene->tensors[t];
        in_tensors = in_tensors || (from >= saved->offset && to <= saved->offset + saved->bytes);
    }
    for (size_t t = 0; t < it->scene->tensor_count; t++) {
        const scene_tensor *saved = &it->scene->tensors[t];
        bool hit = from < saved->offset + saved->bytes && saved->offset < to;
        if (it->is_there[t] == is_named(info, saved->name)) {
            it->why = it->is_there[t] ? "a tensor is there and named as lost"
                                      : "a lost tensor is not named";
        } else if (hit && it->is_there[t]) {
            it->why = "a damaged tensor is there";
        } else if (!hit && !it->is_there[t] && in_tensors) {
            it->why = "an intact tensor is held back";
        }
    }
    if (info->health != FK_CORRUPT) {
        it->why = "the run is not corrupt";
    }
}

void salvage_try(const scene *it, size_t from, size_t to, salvage_figures *figures) {
    fk_error err = {0};
    fk_loaded *loaded = NULL;
    given found = {.scene = it};
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
        judge(&found, fk_loaded_info(loaded), from, to);
    } else if (code != FK_E_CORRUPT || strstr(err.message, "nothing can be salvaged") == NULL) {
        found.why = "it fails with another error";
    }
    for (size_t t = 0; t < it->tensor_count; t++) {
        figures->tensors += found.is_there[t];
    }
    if (found.why != NULL && figures->wrong++ < 10) {
        printf("VIOLATION: salvage, bytes %zu to %zu: %s\n", from, to, found.why);
    }
    fk_loaded_destroy(loaded);
}
