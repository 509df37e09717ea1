/* kill -9 at random moments: promise 5.
 *
 *     kills             100 times
 *     kills --full      1,000 times
 *     kills --small     30 times: for slow builds
 *
 * A process saves, removes, restores and recovers for as long as it lives. Behind each kill nothing
 * half-done is listed, every run verifies, all that was acknowledged is there, the next save works,
 * and recovery leaves no stage.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fontkeep/fontkeep.h"
#include "harness.h"
#include "operation.h"
#include "sample_model.h"

#define FONT OPERATION_FONT

enum { RUNS_MAX = 4096, FLOATS = 50000, MOMENT_MAX_US = 12000, RUNS_KEPT = 12 };

/* What the process says that it did, or is about to do: from its pipe. */
typedef struct message {
    char what; /* 's': this run is saved. 'r': it may be gone from now on */
    fk_run_id id;
} message;

static struct {
    char path[256];
    sample_model sample;
    fk_run_id saved[RUNS_MAX]; /* acknowledged, and not removed since */
    size_t saved_count;
    size_t half;       /* runs listed that are not whole */
    size_t lost;       /* acknowledged, and not there */
    size_t stuck;      /* stores in which a save or a recovery fails, or leaves something */
    size_t mid_change; /* kills that left a stage */
} it;

static fk_store *open_store(void) {
    fk_store *store = NULL;
    harness_check(fk_store_open(it.path, NULL, &store, NULL) == FK_OK, "open");
    return store;
}

/* ---- the process that is killed ----------------------------------------------------------- */

static void tell(int pipe_end, char what, const fk_run_id *id) {
    message text = {.what = what, .id = *id};
    harness_check(write(pipe_end, &text, sizeof text) == sizeof text, "pipe");
}

static void save(fk_store *store, int pipe_end) {
    fk_run_id id;
    if (fk_save_model(store, FONT, &it.sample.model, &id, NULL) == FK_OK) {
        tell(pipe_end, 's', &id);
    }
}

static void remove_latest(fk_store *store, int pipe_end) {
    fk_run_id id;
    fk_trash_entry entry;
    if (fk_resolve_run(store, FONT, "latest", &id, NULL) == FK_OK) {
        tell(pipe_end, 'r', &id);
        (void)fk_rm(store, FONT, id.text, &entry, NULL);
    }
}

static void restore_one(fk_store *store) {
    fk_trash_list *trash = NULL;
    fk_trash_entry entry;
    if (fk_trash(store, &trash, NULL) == FK_OK && fk_trash_list_count(trash) > 0) {
        (void)fk_restore(store, fk_trash_list_at(trash, 0)->trash_id, &entry, NULL);
    }
    fk_trash_list_destroy(trash);
}

static void purge(fk_store *store) {
    fk_trash_list *purged = NULL;
    (void)fk_purge(store, NULL, &purged, NULL);
    fk_trash_list_destroy(purged);
}

static void recover(fk_store *store) {
    fk_recovery *recovery = NULL;
    (void)fk_recover(store, &recovery, NULL);
    fk_recovery_destroy(recovery);
}

static void live(unsigned seed, int pipe_end) {
    fk_store *store = open_store();
    for (;;) {
        switch (rand_r(&seed) % 8) {
        case 0:
            remove_latest(store, pipe_end);
            break;
        case 1:
            restore_one(store);
            break;
        case 2:
            purge(store);
            break;
        case 3:
            recover(store);
            break;
        default:
            save(store, pipe_end);
        }
    }
}

/* ---- the one that kills and looks --------------------------------------------------------- */

static void forget(const fk_run_id *id) {
    for (size_t i = 0; i < it.saved_count; i++) {
        if (strcmp(it.saved[i].text, id->text) == 0) {
            it.saved[i] = it.saved[--it.saved_count];
            return;
        }
    }
}

static void read_messages(int pipe_end) {
    message text;
    while (read(pipe_end, &text, sizeof text) == sizeof text) {
        if (text.what == 'r') {
            forget(&text.id);
        } else {
            harness_check(it.saved_count < RUNS_MAX, "so many runs");
            it.saved[it.saved_count++] = text.id;
        }
    }
}

static bool is_listed(const fk_run_list *runs, const fk_run_id *id) {
    for (size_t i = 0; i < fk_run_list_count(runs); i++) {
        if (strcmp(fk_run_list_at(runs, i)->run_id, id->text) == 0) {
            return true;
        }
    }
    return false;
}

/* As the kill left it, before anybody cleaned up. */
static void look_at_runs(fk_store *store) {
    fk_run_list *runs = NULL;
    if (fk_verify(store, NULL, NULL, NULL, NULL, &runs, NULL) != FK_OK) {
        it.stuck++;
        return;
    }
    for (size_t i = 0; i < fk_run_list_count(runs); i++) {
        it.half += fk_run_list_at(runs, i)->health != FK_COMPLETE;
    }
    for (size_t i = 0; i < it.saved_count; i++) {
        it.lost += !is_listed(runs, &it.saved[i]);
    }
    fk_run_list_destroy(runs);
}

static size_t count_stages(fk_store *store) {
    fk_store_report *report = NULL;
    harness_check(fk_status(store, &report, NULL) == FK_OK, "status");
    size_t stages = report->stages + report->stranger_count;
    fk_store_report_destroy(report);
    return stages;
}

static void go_on(fk_store *store) {
    fk_run_id id;
    it.mid_change += count_stages(store) > 0;
    bool works = fk_save_model(store, FONT, &it.sample.model, &id, NULL) == FK_OK;
    recover(store);
    it.stuck += !works || count_stages(store) > 0;
    if (works) {
        it.saved[it.saved_count++] = id;
    }
}

/* A new font, before there are so many runs that looking at them takes long. */
static void begin_anew(fk_store *store) {
    fk_trash_entry entry;
    if (it.saved_count > RUNS_KEPT) {
        harness_check(fk_rm(store, FONT, NULL, &entry, NULL) == FK_OK, "rm");
        purge(store);
        it.saved_count = 0;
    }
}

static pid_t start(unsigned seed, int *ret_pipe_end) {
    int ends[2];
    harness_check(pipe(ends) == 0, "pipe");
    pid_t process = fork();
    harness_check(process >= 0, "fork");
    if (process == 0) {
        close(ends[0]);
        live(seed, ends[1]);
    }
    close(ends[1]);
    *ret_pipe_end = ends[0];
    return process;
}

static void kill_one(unsigned *seed) {
    int pipe_end = -1;
    pid_t process = start((unsigned)rand_r(seed), &pipe_end);
    const struct timespec moment = {.tv_nsec = rand_r(seed) % MOMENT_MAX_US * 1000L};
    nanosleep(&moment, NULL);
    kill(process, SIGKILL);
    int status = 0;
    waitpid(process, &status, 0);
    harness_check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "it ended by itself");
    read_messages(pipe_end);
    close(pipe_end);
    fk_store *store = open_store();
    look_at_runs(store);
    go_on(store);
    begin_anew(store);
    fk_store_close(store);
}

int main(int count, char **arguments) {
    unsigned seed = 1;
    const char *size = count > 1 ? arguments[1] : "";
    size_t kills = strcmp(size, "--full") == 0 ? 1000 : strcmp(size, "--small") == 0 ? 30 : 100;
    harness_make_directory(it.path);
    sample_model_init(&it.sample, FLOATS);
    fk_store *store = open_store();
    fk_run_id id;
    harness_check(fk_save_model(store, FONT, &it.sample.model, &id, NULL) == FK_OK, "save");
    fk_store_close(store);
    for (size_t i = 0; i < kills; i++) {
        kill_one(&seed);
    }
    printf("promise 5: kill -9 at %zu random moments, %zu of them within a change: %zu half runs "
           "listed, %zu acknowledged runs lost, %zu stores that need a hand\n",
           kills, it.mid_change, it.half, it.lost, it.stuck);
    sample_model_finish(&it.sample);
    harness_remove_directory(it.path);
    return it.half + it.lost + it.stuck == 0 && it.mid_change > 0 ? 0 : 1;
}
