#include "make_run.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "digest/digest.h"
#include "fake_kernel.h"
#include "store/run/run.h"
#include "tree.h"

#define START_US INT64_C(1768120200000000) /* 2026-01-11T08:30:00.000000 */

int run_bench_setup(void **state) {
    run_bench *it = calloc(1, sizeof *it);
    it->path = tree_create();
    fake_kernel_install();
    assert_int_equal(fk_store_open(it->path, NULL, &it->store, &it->err), FK_OK);
    sample_model_init(&it->sample, 1000);
    *state = it;
    return 0;
}

int run_bench_teardown(void **state) {
    run_bench *it = *state;
    sample_model_finish(&it->sample);
    fk_store_close(it->store);
    fake_kernel_remove();
    tree_destroy(it->path);
    free(it);
    return 0;
}

const char *run_bench_save(run_bench *it) {
    fk_run_id *id = &it->ids[it->saved++];
    fake_kernel_set_time(START_US + it->saved * INT64_C(1000000));
    if (fk_save_model(it->store, RUN_FONT, &it->sample.model, id, &it->err) != FK_OK) {
        fail_msg("%s", it->err.message);
    }
    return id->text;
}

const char *run_bench_file(run_bench *it, const char *run_id, const char *name) {
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/" RUN_FONT "/runs/%s%s%s", it->path, run_id,
             name[0] == '\0' ? "" : "/", name);
    return path;
}

static void copy(run_bench *it, const char *from, const char *to, const char *name,
                 const char *new_name) {
    size_t length = 0;
    char *bytes = tree_read(run_bench_file(it, from, name), &length);
    tree_write(run_bench_file(it, to, new_name), bytes, length);
    free(bytes);
}

void run_bench_make_unverified(run_bench *it, const char *from, const char *run_id,
                               const char *weights_name) {
    assert_int_equal(mkdir(run_bench_file(it, run_id, ""), 0777), 0);
    assert_int_equal(mkdir(run_bench_file(it, run_id, "eval-glyphs"), 0777), 0);
    copy(it, from, run_id, "weights", weights_name);
    copy(it, from, run_id, "sample.png", "sample.png");
    copy(it, from, run_id, "feedback.json", "feedback.json");
    copy(it, from, run_id, "eval-glyphs/A.png", "eval-glyphs/A.png");
}

void run_damage_flip(const char *path, size_t offset) {
    size_t length = 0;
    char *bytes = tree_read(path, &length);
    assert_true(offset < length);
    bytes[offset] ^= 0x10;
    tree_write(path, bytes, length);
    free(bytes);
}

void run_damage_truncate(const char *path, size_t bytes) {
    assert_int_equal(truncate(path, (off_t)bytes), 0);
}

void run_damage_append(const char *path, const char *text) {
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

void run_damage_fifo(const char *path) {
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0666), 0);
}

void run_damage_link(const char *path) {
    char target[600];
    snprintf(target, sizeof target, "%s.moved", path);
    assert_int_equal(rename(path, target), 0);
    assert_int_equal(symlink(target, path), 0);
}

void run_damage_rewrite(run_bench *it, const char *run_id, const char *text, const char *by) {
    const char *path = run_bench_file(it, run_id, "run.json");
    size_t length = 0;
    char *old = tree_read(path, &length);
    char *at = strstr(old, text);
    if (at == NULL) {
        fail_msg("no '%s' in %s", text, old);
        return;
    }
    size_t room = length + strlen(by) + 200;
    char *fresh = malloc(room);
    snprintf(fresh, room, "%.*s%s%s", (int)(at - old), old, by, at + strlen(text));
    char *ending = strstr(fresh, ",\n  \"self\": \"");
    assert_non_null(ending);
    char self[FK_SHA256_HEX_BYTES];
    assert_int_equal(fk_sha256_hex(fresh, (size_t)(ending - fresh), self, NULL), FK_OK);
    snprintf(ending, room - (size_t)(ending - fresh), ",\n  \"self\": \"%s\"\n}\n", self);
    tree_write(path, fresh, strlen(fresh));
    free(fresh);
    free(old);
}

static void rewrite_number(run_bench *it, const char *id, const char *before, uint64_t number,
                           uint64_t by) {
    char old[400];
    char fresh[400];
    snprintf(old, sizeof old, "%s%" PRIu64, before, number);
    snprintf(fresh, sizeof fresh, "%s%" PRIu64, before, by);
    run_damage_rewrite(it, id, old, fresh);
}

void run_damage_list_bytes(run_bench *it, const char *run_id, const char *name, uint64_t bytes) {
    fk_run_info *info = NULL;
    char size[300];
    assert_int_equal(fk_get_run_info(it->store, RUN_FONT, run_id, &info, &it->err), FK_OK);
    const uint64_t listed = fk_run_find_file(info, name)->bytes;
    snprintf(size, sizeof size, "%s\", \"size\": ", name);
    rewrite_number(it, run_id, size, listed, bytes);
    rewrite_number(it, run_id, "\"size_bytes\": ", info->size_bytes,
                   info->size_bytes - listed + bytes);
    if (strcmp(name, "weights") == 0) {
        rewrite_number(it, run_id, "\"weights_bytes\": ", listed, bytes);
    }
    fk_run_info_destroy(info);
}

static size_t offset_of(const char *path, const void *bytes, size_t count) {
    size_t length = 0;
    char *file = tree_read(path, &length);
    char *at = memmem(file, length, bytes, count);
    assert_non_null(at);
    size_t offset = (size_t)(at - file);
    free(file);
    return offset;
}

void run_damage_flip_bytes(const char *path, const void *bytes, size_t count) {
    run_damage_flip(path, offset_of(path, bytes, count));
}

size_t run_weights_offset(run_bench *it, const char *path) {
    return offset_of(path, it->sample.floats, it->sample.count * sizeof(float));
}

const fk_problem *run_find_problem(const fk_run_info *info, const char *code, const char *path) {
    for (size_t i = 0; i < info->problem_count; i++) {
        const fk_problem *problem = &info->problems[i];
        bool same_path = path == NULL ? problem->path == NULL
                                      : problem->path != NULL && strcmp(problem->path, path) == 0;
        if (strcmp(problem->code, code) == 0 && same_path) {
            return problem;
        }
    }
    return NULL;
}
