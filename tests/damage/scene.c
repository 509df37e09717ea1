#include "scene.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "sample_model.h"

enum { SMALL_FLOATS = 300, LARGE_TENSORS = 48 };

static const char *const file_names[SCENE_FILES] = {"weights",           "run.json",
                                                    "sample.png",        "feedback.json",
                                                    "eval-glyphs/A.png", "eval-glyphs/uni00E9.png"};

/* ---- the model ---------------------------------------------------------------------------- */

/* No two elements are equal, so that what is looked for in the file is found once. */
static float *make_floats(size_t count, size_t first) {
    float *floats = malloc(count * sizeof *floats);
    harness_check(floats != NULL, "memory");
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = (uint32_t)(0x3F000000u + first + i);
        memcpy(&floats[i], &bits, sizeof bits);
    }
    return floats;
}

/* The floats [`from`, `from` + `count`) of a storage. */
static fk_value *make_tensor(fk_values *values, fk_storage *storage, size_t from, size_t count) {
    const int64_t shape[1] = {(int64_t)count};
    const fk_tensor tensor = {
        .dtype = FK_FLOAT32, .rank = 1, .shape = shape, .offset = from, .storage = storage};
    return fk_value_tensor(values, &tensor);
}

typedef struct model_parts {
    fk_values *values;
    float *floats; /* all of them */
    size_t used;
} model_parts;

static fk_storage *next_storage(model_parts *parts, size_t count) {
    float *floats = parts->floats + parts->used;
    parts->used += count;
    return fk_storage_create(parts->values, floats, count * sizeof *floats);
}

static void put(fk_value *dict, const char *key, fk_value *item) {
    harness_check(fk_value_set(dict, key, item) == FK_OK, key);
}

/* {"layer.weight", "layer.bias", "blocks": [a, (b, 7)], "tied": part of layer.weight, "step"} */
static fk_value *small_weights(model_parts *parts) {
    fk_values *values = parts->values;
    fk_value *weights = fk_value_container(values, FK_KIND_DICT);
    fk_value *blocks = fk_value_container(values, FK_KIND_LIST);
    fk_value *pair = fk_value_container(values, FK_KIND_TUPLE);
    fk_storage *storage = next_storage(parts, 200);
    put(weights, "layer.weight", make_tensor(values, storage, 0, 200));
    put(weights, "layer.bias", make_tensor(values, next_storage(parts, 10), 0, 10));
    bool good =
        fk_value_append(blocks, make_tensor(values, next_storage(parts, 40), 0, 40)) == FK_OK &&
        fk_value_append(pair, make_tensor(values, next_storage(parts, 20), 0, 20)) == FK_OK &&
        fk_value_append(pair, fk_value_int(values, 7)) == FK_OK &&
        fk_value_append(blocks, pair) == FK_OK;
    harness_check(good, "blocks");
    put(weights, "blocks", blocks);
    put(weights, "tied", make_tensor(values, storage, 100, 50));
    put(weights, "step", fk_value_int(values, 12));
    return weights;
}

static fk_value *large_weights(model_parts *parts, size_t floats) {
    fk_value *weights = fk_value_container(parts->values, FK_KIND_DICT);
    for (size_t i = 0; i < LARGE_TENSORS; i++) {
        char key[32];
        snprintf(key, sizeof key, "t%zu", i);
        size_t count = floats / LARGE_TENSORS;
        put(weights, key, make_tensor(parts->values, next_storage(parts, count), 0, count));
    }
    return weights;
}

/* Every file of a run differs from every other, in every run. */
static void save(scene *it, size_t large_bytes, unsigned seed, fk_run_id *ret_id) {
    size_t floats = large_bytes > 0 ? large_bytes / sizeof(float) : SMALL_FLOATS;
    sample_model sample;
    sample_model_init(&sample, 4);
    model_parts parts = {.values = sample.values};
    parts.floats = make_floats(floats, seed * 1000);
    sample.model.weights = large_bytes > 0 ? large_weights(&parts, floats) : small_weights(&parts);
    unsigned char pixels[3][16];
    fk_image images[3];
    for (size_t i = 0; i < 3; i++) {
        memset(pixels[i], (int)(seed + i), sizeof pixels[i]);
        images[i] =
            (fk_image){.bytes = pixels[i], .length = 16, .width = 4, .height = 4, .channels = 1};
    }
    sample.model.sample_image = &images[0];
    sample.glyphs[0].image = images[1];
    sample.glyphs[1].image = images[2];
    fk_value *feedback = sample_json(sample.values, "{}");
    put(feedback, "seed", fk_value_int(sample.values, seed));
    sample.model.feedback = feedback;
    fk_error err = {0};
    fk_code code = fk_save_model(it->store, SCENE_FONT, &sample.model, ret_id, &err);
    harness_check(code == FK_OK, err.message);
    free(parts.floats);
    sample_model_finish(&sample);
}

/* ---- what was saved ----------------------------------------------------------------------- */

void scene_read(scene_file *file) {
    struct stat status;
    int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    harness_check(fd >= 0 && fstat(fd, &status) == 0, file->path);
    file->length = (size_t)status.st_size;
    file->bytes = malloc(file->length + 1);
    harness_check(file->bytes != NULL, "memory");
    size_t at = 0;
    while (at < file->length) {
        ssize_t got = read(fd, file->bytes + at, file->length - at);
        harness_check(got > 0, file->path);
        at += (size_t)got;
    }
    close(fd);
}

static void add_tensor(scene *it, const char *name, const void *elements, size_t bytes) {
    const scene_file *weights = &it->files[0];
    const unsigned char *found = memmem(weights->bytes, weights->length, elements, bytes);
    harness_check(found != NULL && it->tensor_count < SCENE_TENSORS_MAX, name);
    scene_tensor *tensor = &it->tensors[it->tensor_count++];
    snprintf(tensor->name, sizeof tensor->name, "%s", name);
    tensor->offset = (size_t)(found - weights->bytes);
    tensor->bytes = bytes;
    tensor->view = tensor->offset;
    tensor->view_bytes = bytes;
}

/* data.pkl is the first record: behind its header, in front of its descriptor. */
static void find_pickle(scene *it) {
    const scene_file *weights = &it->files[0];
    const unsigned char *start = memmem(weights->bytes, weights->length, "\x80\2", 2);
    const unsigned char *end = memmem(weights->bytes, weights->length, "PK\7\10", 4);
    harness_check(start != NULL && end > start && end[-1] == '.', "pickle");
    it->pickle = (size_t)(start - weights->bytes);
    it->pickle_bytes = (size_t)(end - start);
}

/* A view is damaged where its storage is: it counts with all of it. */
static void find_tensors(scene *it, size_t large_bytes) {
    static const float vector[4] = {0.25f, -1.5f, 3.0f, 0.0f};
    size_t count = large_bytes > 0 ? large_bytes / sizeof(float) : SMALL_FLOATS;
    float *floats = make_floats(count, 2000);
    add_tensor(it, "personality_vector", vector, sizeof vector);
    if (large_bytes > 0) {
        size_t each = count / LARGE_TENSORS;
        for (size_t i = 0; i < LARGE_TENSORS; i++) {
            char name[32];
            snprintf(name, sizeof name, "model.t%zu", i);
            add_tensor(it, name, floats + i * each, each * sizeof *floats);
        }
    } else {
        add_tensor(it, "model.layer.weight", floats, 200 * sizeof *floats);
        add_tensor(it, "model.tied", floats, 200 * sizeof *floats);
        it->tensors[it->tensor_count - 1].view += 100 * sizeof *floats;
        it->tensors[it->tensor_count - 1].view_bytes = 50 * sizeof *floats;
        add_tensor(it, "model.layer.bias", floats + 200, 10 * sizeof *floats);
        add_tensor(it, "model.blocks.0", floats + 210, 40 * sizeof *floats);
        add_tensor(it, "model.blocks.1.0", floats + 250, 20 * sizeof *floats);
    }
    free(floats);
}

void scene_init(scene *it, size_t large_bytes) {
    *it = (scene){0};
    harness_make_directory(it->directory);
    const fk_store_options options = {.size = sizeof options, .durability = FK_DURABILITY_NONE};
    harness_check(fk_store_open(it->directory, &options, &it->store, NULL) == FK_OK, "store");
    save(it, 0, 1, &it->older);
    save(it, large_bytes, 2, &it->newer);
    snprintf(it->run, sizeof it->run, "%s/" SCENE_FONT "/runs/%s", it->directory, it->newer.text);
    for (size_t i = 0; i < SCENE_FILES; i++) {
        it->files[i].name = file_names[i];
        snprintf(it->files[i].path, sizeof it->files[i].path, "%s/%s", it->run, file_names[i]);
        scene_read(&it->files[i]);
    }
    find_pickle(it);
    find_tensors(it, large_bytes);
}

void scene_finish(scene *it) {
    for (size_t i = 0; i < SCENE_FILES; i++) {
        free(it->files[i].bytes);
    }
    fk_store_close(it->store);
    harness_remove_directory(it->directory);
}

/* ---- damage and mending ------------------------------------------------------------------- */

void scene_remove(const char *path) {
    struct stat status;
    if (lstat(path, &status) == 0) {
        harness_check((S_ISDIR(status.st_mode) ? rmdir(path) : unlink(path)) == 0, path);
    }
}

void scene_write(const char *path, const void *bytes, size_t length) {
    struct stat status;
    if (lstat(path, &status) != 0 || !S_ISREG(status.st_mode)) {
        scene_remove(path);
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    harness_check(fd >= 0 && write(fd, bytes, length) == (ssize_t)length && close(fd) == 0, path);
}

void scene_mend(const scene_file *file) {
    scene_write(file->path, file->bytes, file->length);
}

void scene_flip(const scene_file *file, size_t at, unsigned char mask) {
    unsigned char byte = (unsigned char)(file->bytes[at] ^ mask);
    int fd = open(file->path, O_WRONLY | O_CLOEXEC);
    harness_check(fd >= 0 && pwrite(fd, &byte, 1, (off_t)at) == 1 && close(fd) == 0, file->path);
}
