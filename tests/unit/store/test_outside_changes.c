/* No path leaves the store (promise 16), when runs are removed, restored, purged, recovered,
 * adopted or migrated either. Outside stands a store of the same shape, its bytes all different. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "fake_kernel.h"
#include "make_run.h"
#include "tree.h"

#define FIRST   "2026-01-11T08:30:01.000000" /* in the trash */
#define SECOND  "2026-01-11T08:30:02.000000"
#define BY_HAND "2026-01-11T08:30:09.000000"
#define RUNS    "1-fruity/runs/"
#define ENTRY   RUNS ".trash-" FIRST ".1"
#define STAGE   RUNS ".stage-0123456789abcdef"

enum { MOST_SECONDS = 300 };

typedef enum kind { LINK, RELATIVE_LINK, FIFO, DEVICE, KINDS } kind;

static const char *const places[] = {
    "1-fruity",
    "1-fruity/runs",
    "1-fruity/font.json",
    ENTRY,
    ENTRY "/run.json",
    ENTRY "/weights",
    ENTRY "/eval-glyphs",
    ENTRY "/eval-glyphs/A.png",
    RUNS SECOND,
    RUNS SECOND "/run.json",
    RUNS SECOND "/sample.png",
    RUNS BY_HAND,
    RUNS BY_HAND "/weights.pt",
    RUNS BY_HAND "/sample.png",
    RUNS BY_HAND "/eval-glyphs",
    RUNS BY_HAND "/eval-glyphs/A.png",
    STAGE,
    STAGE ".lock",
    STAGE "/eval-glyphs",
    STAGE "/weights",
    ".trash-2-gone.1",
    ".trash-2-gone.1/runs",
};
enum { PLACES = sizeof places / sizeof places[0] };

/* ---- two stores of one shape */

static void make_stage(const run_bench *it) {
    static const char *const lock = "{}";
    assert_int_equal(mkdir(tree_path(it->path, STAGE), 0777), 0);
    assert_int_equal(mkdir(tree_path(it->path, STAGE "/eval-glyphs"), 0777), 0);
    tree_write(tree_path(it->path, STAGE "/weights"), it->sample.floats, 64);
    tree_write(tree_path(it->path, STAGE ".lock"), lock, strlen(lock));
    tree_age(tree_path(it->path, STAGE), 1000000);
    tree_age(tree_path(it->path, STAGE ".lock"), 1000000);
}

static void populate(run_bench *it) {
    char id[37];
    fk_trash_entry removed;
    it->saved = 0;
    assert_int_equal(fk_store_init(it->store, id, &it->err), FK_OK);
    assert_string_equal(run_bench_save(it), FIRST);
    assert_string_equal(run_bench_save(it), SECOND);
    run_bench_make_unverified(it, SECOND, BY_HAND, "weights.pt");
    assert_int_equal(fk_rm(it->store, RUN_FONT, FIRST, &removed, &it->err), FK_OK);
    assert_int_equal(fk_create_font(it->store, "2-gone", &it->err), FK_OK);
    assert_int_equal(fk_rm(it->store, "2-gone", NULL, &removed, &it->err), FK_OK);
    tree_write(tree_path(it->path, "1-fruity/font.json"), "{}", 2);
    make_stage(it);
}

static run_bench *outside_create(void) {
    static const unsigned char other[16] = {9, 9, 9};
    void *state = NULL;
    run_bench_setup(&state);
    run_bench *it = state;
    it->sample.floats[0] = 12345.0f;
    it->sample.image.bytes = other;
    for (size_t i = 0; i < it->sample.model.eval_glyph_count; i++) {
        it->sample.glyphs[i].image.bytes = other;
    }
    it->sample.model.feedback = sample_json(it->sample.values, "{\"notes\": \"outside\"}");
    populate(it);
    return it;
}

/* ---- all that changes a store */

static void change_everything(run_bench *it) {
    fk_change_list *changes = NULL;
    fk_trash_list *trash = NULL;
    fk_recovery *recovery = NULL;
    fk_trash_entry entry;
    fk_trash(it->store, &trash, NULL);
    fk_trash_list_destroy(trash);
    trash = NULL;
    fk_adopt(it->store, RUN_FONT, NULL, NULL, &changes, NULL);
    fk_change_list_destroy(changes);
    changes = NULL;
    fk_migrate(it->store, RUN_FONT, NULL, NULL, NULL, NULL, &changes, NULL);
    fk_change_list_destroy(changes);
    fk_rm(it->store, RUN_FONT, SECOND, &entry, NULL);
    fk_restore(it->store, RUN_FONT "/" FIRST ".1", &entry, NULL);
    fk_restore(it->store, "2-gone.1", &entry, NULL);
    fk_recover(it->store, &recovery, NULL);
    fk_recovery_destroy(recovery);
    fk_rm(it->store, RUN_FONT, FIRST, &entry, NULL);
    fk_purge(it->store, NULL, &trash, NULL);
    fk_trash_list_destroy(trash);
    trash = NULL;
    fk_rm(it->store, RUN_FONT, NULL, &entry, NULL);
    fk_purge(it->store, NULL, &trash, NULL);
    fk_trash_list_destroy(trash);
}

static bool put(const char *target, const char *path, kind what) {
    char relative[640];
    switch (what) {
    case LINK:
        return symlink(target, path) == 0;
    case RELATIVE_LINK:
        snprintf(relative, sizeof relative, "../../../../../../../../../../..%s", target);
        return symlink(relative, path) == 0;
    case FIFO:
        return mkfifo(path, 0666) == 0;
    default:
        return mknod(path, S_IFCHR | 0666, makedev(1, 5)) == 0; /* /dev/zero; root alone may */
    }
}

static int remove_what_is_no_file(const char *path, const struct stat *status, int type,
                                  struct FTW *walk) {
    (void)type;
    (void)walk;
    return S_ISDIR(status->st_mode) || S_ISREG(status->st_mode) ? 0 : unlink(path);
}

/* Nothing in the store holds the bytes of a file outside: not copied, not linked. */
static void assert_nothing_came_in(const char *before, const run_bench *it) {
    assert_int_equal(nftw(it->path, remove_what_is_no_file, 16, FTW_PHYS), 0);
    FK_SCOPED(fk_freep) char *outside = strdup(before);
    FK_SCOPED(fk_freep) char *inside = tree_listing(it->path, true);
    char *rest = NULL;
    for (char *line = strtok_r(outside, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        const char *bytes = strchr(line, ' '); /* " length hash" */
        bool telling = strstr(line, "weights") != NULL || strstr(line, ".png") != NULL;
        if (telling && strstr(line, ".stage") == NULL && strstr(inside, bytes) != NULL) {
            fail_msg("%s came in", line);
        }
    }
}

/* ---- the tests */

static void test_what_changes_a_store_does_not_reach_outside(void **state) {
    (void)state;
    unsigned tried = 0;
    run_bench *outside = outside_create();
    FK_SCOPED(fk_freep) char *before = tree_listing(outside->path, true);
    alarm(MOST_SECONDS); /* whoever waits for a FIFO ends here */
    for (size_t i = 0; i < PLACES * (size_t)KINDS; i++) {
        const char *place = places[i / KINDS];
        void *inside = NULL;
        run_bench_setup(&inside);
        run_bench *it = inside;
        populate(it);
        FK_SCOPED(fk_freep) char *path = strdup(tree_path(it->path, place));
        FK_SCOPED(fk_freep) char *aside = strdup(tree_path(it->path, "aside"));
        assert_int_equal(rename(path, aside), 0);
        if (put(tree_path(outside->path, place), path, (kind)(i % KINDS))) {
            change_everything(it);
            FK_SCOPED(fk_freep) char *after = tree_listing(outside->path, true);
            assert_string_equal(after, before);
            assert_nothing_came_in(before, it);
            tried++;
        }
        run_bench_teardown(&inside);
    }
    alarm(0);
    assert_true(tried >= PLACES * 3);
    printf("promise 16: %u replacements of %d places under all that changes a store: 0 read, "
           "written or waited for outside\n",
           tried, PLACES);
    void *gone = outside;
    run_bench_teardown(&gone);
}

int main(void) {
    if (access("/dev/shm", W_OK) == 0) {
        setenv("TMPDIR", "/dev/shm", 0); /* no sync matters here, and there are thousands */
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_changes_a_store_does_not_reach_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
