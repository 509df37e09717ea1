/* No path leaves the store (promise 16, invariant I4): whatever stands in the place of a file or
 * directory of a run, no call reads, writes or waits for what is outside. Outside stands another
 * store with the same run, its bytes all different. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "fake_kernel.h"
#include "make_run.h"
#include "tree.h"

enum { MOST_SECONDS = 300, SWAPS = 2000 };

typedef enum kind { LINK, RELATIVE_LINK, FIFO, SOCKET, DEVICE, KINDS } kind;

typedef struct ground {
    run_bench *it;
    char *outside; /* a store, too */
    const char *id;
    char *before; /* the outside as it was */
} ground;

static const char *const places[] = {
    ".fontkeep",
    ".fontkeep/store.json",
    "1-fruity",
    "1-fruity/runs",
    "RUN",
    "RUN/run.json",
    "RUN/weights",
    "RUN/sample.png",
    "RUN/feedback.json",
    "RUN/eval-glyphs",
    "RUN/eval-glyphs/A.png",
};
enum { PLACES = sizeof places / sizeof places[0] };
static const char *const files[] = {"run.json", "weights", "sample.png", "feedback.json",
                                    "eval-glyphs/A.png"};
enum { FILES = sizeof files / sizeof files[0] };

static void place_path(const ground *g, const char *store, const char *place, char into[512]) {
    bool in_run = strncmp(place, "RUN", 3) == 0;
    snprintf(into, 512, "%s/%s%s%s", store, in_run ? RUN_FONT "/runs/" : "", in_run ? g->id : "",
             in_run ? place + 3 : place);
}

/* ---- two stores */

static void save_outside(ground *g) {
    static const unsigned char other[16] = {9, 9, 9};
    run_bench *it = g->it;
    fk_store *inside = it->store;
    fk_image image = it->sample.image;
    char *path = it->path;
    char store_id[37];
    assert_int_equal(fk_store_init(inside, store_id, &it->err), FK_OK);
    g->outside = tree_create();
    it->path = g->outside;
    assert_int_equal(fk_store_open(g->outside, NULL, &it->store, &it->err), FK_OK);
    assert_int_equal(fk_store_init(it->store, store_id, &it->err), FK_OK);
    it->sample.floats[0] = 12345.0f;
    it->sample.image.bytes = it->sample.glyphs[0].image.bytes = other;
    it->sample.model.feedback = sample_json(it->sample.values, "{\"notes\": \"outside\"}");
    it->saved = 0;
    g->id = run_bench_save(it);
    fk_store_close(it->store);
    it->store = inside;
    it->path = path;
    it->sample.floats[0] = 0.0f;
    it->sample.image = it->sample.glyphs[0].image = image;
}

static int set_up(void **state) {
    ground *g = calloc(1, sizeof *g);
    run_bench_setup((void **)&g->it);
    g->id = run_bench_save(g->it);
    save_outside(g);
    g->before = tree_listing(g->outside, true);
    alarm(MOST_SECONDS); /* whoever waits for a FIFO ends here */
    *state = g;
    return 0;
}

static int tear_down(void **state) {
    ground *g = *state;
    alarm(0);
    free(g->before);
    tree_destroy(g->outside);
    run_bench_teardown((void **)&g->it);
    free(g);
    return 0;
}

/* ---- what stands in a place instead */

static bool put(const ground *g, const char *place, const char *path, kind what) {
    char target[512];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    place_path(g, g->outside, place, target);
    switch (what) {
    case LINK:
        return symlink(target, path) == 0;
    case RELATIVE_LINK: {
        char relative[640];
        snprintf(relative, sizeof relative, "../../../../../../../../../../..%s", target);
        return symlink(relative, path) == 0;
    }
    case FIFO:
        return mkfifo(path, 0666) == 0;
    case SOCKET: {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        bool bound = strlen(path) < sizeof address.sun_path;
        if (bound) {
            memcpy(address.sun_path, path, strlen(path) + 1);
            bound = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
        }
        close(fd);
        return bound;
    }
    default:
        return mknod(path, S_IFCHR | 0666, makedev(1, 5)) == 0; /* /dev/zero; root alone may */
    }
}

/* ---- every call that opens something */

static void check_bytes(const ground *g, const char *name, const void *bytes, size_t length) {
    char path[512];
    char place[64];
    size_t outside_length = 0;
    snprintf(place, sizeof place, "RUN/%s", name);
    place_path(g, g->outside, place, path);
    char *outside = tree_read(path, &outside_length);
    if (length == outside_length && memcmp(bytes, outside, length) == 0) {
        fail_msg("%s was read from outside", name);
    }
    free(outside);
}

static void read_files(const ground *g) {
    fk_run *run = NULL;
    if (fk_run_open(g->it->store, RUN_FONT, g->id, &run, NULL) != FK_OK) {
        return;
    }
    for (size_t i = 0; i < FILES; i++) {
        FK_SCOPED(fk_freep) void *bytes = NULL;
        size_t length = 0;
        if (fk_run_read_file(run, files[i], &bytes, &length, NULL) == FK_OK) {
            check_bytes(g, files[i], bytes, length);
        }
    }
    fk_run_close(run);
}

static void load(const ground *g, bool no_verify, bool mmap) {
    fk_load_options options = {.size = sizeof options, .no_verify = no_verify, .mmap = mmap};
    fk_loaded *loaded = NULL;
    if (fk_load_model(g->it->store, RUN_FONT, g->id, &options, &loaded, NULL) == FK_OK) {
        const fk_value *weights = fk_loaded_weights(loaded);
        const fk_tensor *layer = fk_value_as_tensor(fk_value_get(weights, "layer.weight"));
        assert_true(*(const float *)fk_tensor_data(layer) == 0.0f);
    }
    fk_loaded_destroy(loaded);
}

static void look(const ground *g) {
    fk_store *store = g->it->store;
    fk_run_list *runs = NULL;
    fk_font_list *fonts = NULL;
    fk_inspection *inspection = NULL;
    fk_store_report *report = NULL;
    fk_run_info *info = NULL;
    fk_verify(store, NULL, NULL, NULL, NULL, &runs, NULL);
    fk_run_list_destroy(runs);
    runs = NULL;
    fk_list_runs(store, RUN_FONT, NULL, &runs, NULL);
    fk_run_list_destroy(runs);
    fk_list_fonts(store, &fonts, NULL);
    fk_font_list_destroy(fonts);
    fk_get_run_info(store, RUN_FONT, g->id, &info, NULL);
    fk_run_info_destroy(info);
    fk_inspect_run(store, RUN_FONT, g->id, &inspection, NULL);
    fk_inspection_destroy(inspection);
    fk_status(store, &report, NULL);
    fk_store_report_destroy(report);
}

static void copy_out(const ground *g) {
    FK_SCOPED(fk_freep) char *directory = tree_create();
    char path[512];
    snprintf(path, sizeof path, "%s/copy", directory);
    fk_copy_run(g->it->store, RUN_FONT, g->id, path, NULL, NULL, NULL, NULL);
    for (size_t i = 0; i < FILES; i++) {
        char file[640];
        size_t length = 0;
        snprintf(file, sizeof file, "%s/%s", path, files[i]);
        if (tree_exists(file)) {
            char *bytes = tree_read(file, &length);
            check_bytes(g, files[i], bytes, length);
            free(bytes);
        }
    }
    tree_destroy(fk_take(directory));
}

static void write_into(const ground *g) {
    fk_recovery *recovery = NULL;
    fk_run_id id;
    fk_recover(g->it->store, &recovery, NULL);
    fk_recovery_destroy(recovery);
    fk_create_font(g->it->store, "2-other", NULL);
    fk_save_model(g->it->store, RUN_FONT, &g->it->sample.model, &id, NULL);
}

static void try_all_calls(const ground *g) {
    look(g);
    read_files(g);
    load(g, false, false);
    load(g, false, true);
    load(g, true, false);
    load(g, true, true);
    copy_out(g);
}

static void assert_outside_untouched(const ground *g) {
    char *after = tree_listing(g->outside, true);
    assert_string_equal(after, g->before);
    free(after);
}

/* ---- the tests */

static void test_nothing_in_the_place_of_a_file_or_directory_leads_outside(void **state) {
    const ground *g = *state;
    unsigned tried = 0;
    for (size_t i = 0; i < PLACES; i++) {
        for (kind what = LINK; what < KINDS; what++) {
            char path[512];
            char aside[520];
            place_path(g, g->it->path, places[i], path);
            snprintf(aside, sizeof aside, "%s.aside", path);
            assert_int_equal(rename(path, aside), 0);
            if (put(g, places[i], path, what)) {
                try_all_calls(g);
                write_into(g);
                assert_outside_untouched(g);
                tried++;
                remove(path);
            }
            assert_int_equal(rename(aside, path), 0);
        }
    }
    assert_true(tried >= PLACES * 3);
    printf("promise 16: %u replacements of %d places: 0 read, written or waited for outside\n",
           tried, PLACES);
}

/* A hard link is a file of the store; only its digests tell that it is another. */
static void test_a_hard_link_to_another_file_is_damage(void **state) {
    const ground *g = *state;
    for (size_t i = 0; i < FILES; i++) {
        char path[512];
        char aside[520];
        char target[512];
        char place[64];
        snprintf(place, sizeof place, "RUN/%s", files[i]);
        place_path(g, g->it->path, place, path);
        place_path(g, g->outside, place, target);
        snprintf(aside, sizeof aside, "%s.aside", path);
        assert_int_equal(rename(path, aside), 0);
        if (link(target, path) == 0) {
            load(g, false, false);
            load(g, false, true);
            fk_run_list *runs = NULL;
            assert_int_equal(
                fk_verify(g->it->store, RUN_FONT, g->id, NULL, NULL, &runs, &g->it->err), FK_OK);
            assert_int_equal(fk_run_list_at(runs, 0)->health, FK_CORRUPT);
            fk_run_list_destroy(runs);
            assert_int_equal(remove(path), 0);
        }
        assert_int_equal(rename(aside, path), 0);
    }
    assert_outside_untouched(g);
}

/* Exchanges each place with a link to its like outside, over and over; ends when told, and says how
 * often through the pipe. */
static void swap(const ground *g, int told, int tell) {
    char path[PLACES][512];
    char link_path[PLACES][520];
    uint64_t swaps = 0;
    char byte;
    for (size_t i = 0; i < PLACES; i++) {
        char target[512];
        place_path(g, g->it->path, places[i], path[i]);
        place_path(g, g->outside, places[i], target);
        snprintf(link_path[i], sizeof link_path[i], "%s/.swap-%zu", g->it->path, i);
        if (symlink(target, link_path[i]) != 0) {
            _exit(1);
        }
    }
    fcntl(told, F_SETFL, O_NONBLOCK);
    for (size_t i = 0; read(told, &byte, 1) < 0; i = (i + 1) % PLACES) {
        for (int there_and_back = 0; there_and_back < 2; there_and_back++) {
            const struct timespec pause = {.tv_nsec = (long)(swaps * 7919 % 40) * 1000};
            swaps += renameat2(AT_FDCWD, path[i], AT_FDCWD, link_path[i], RENAME_EXCHANGE) == 0;
            nanosleep(&pause, NULL); /* so that either state is met */
        }
    }
    _exit(write(tell, &swaps, sizeof swaps) == sizeof swaps ? 0 : 1);
}

static uint64_t swaps_wanted(void) {
    const char *text = getenv("FONTKEEP_SWAPS");
    return text != NULL ? strtoull(text, NULL, 10) : SWAPS;
}

/* Rounds of all calls while places are exchanged under them, until there were enough exchanges. */
static void test_places_exchanged_while_they_are_opened_lead_nowhere(void **state) {
    const ground *g = *state;
    uint64_t swaps = 0;
    unsigned rounds = 0;
    alarm(swaps_wanted() > SWAPS ? 0 : MOST_SECONDS);
    while (swaps < swaps_wanted()) {
        int stop[2];
        int count[2];
        uint64_t more = 0;
        int status = 0;
        assert_int_equal(pipe(stop) | pipe(count), 0);
        pid_t child = fork();
        if (child == 0) {
            close(stop[1]); /* so that it ends when its parent does */
            swap(g, stop[0], count[1]);
        }
        for (int i = 0; i < 20; i++, rounds++) {
            try_all_calls(g);
        }
        assert_int_equal(write(stop[1], "x", 1), 1);
        assert_int_equal(read(count[0], &more, sizeof more), sizeof more);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        swaps += more;
        close(stop[0]), close(stop[1]), close(count[0]), close(count[1]);
        for (size_t i = 0; i < PLACES; i++) {
            char path[512];
            snprintf(path, sizeof path, "%s/.swap-%zu", g->it->path, i);
            assert_int_equal(unlink(path), 0);
        }
    }
    assert_outside_untouched(g);
    load(g, false, false);
    printf("promise 16: %llu swaps under %u rounds of all opening calls: 0 escapes\n",
           (unsigned long long)swaps, rounds);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_nothing_in_the_place_of_a_file_or_directory_leads_outside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_hard_link_to_another_file_is_damage, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_places_exchanged_while_they_are_opened_lead_nowhere,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
