#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "human.h"

enum { BAR_COLUMNS = 30 };

static const int stops[] = {SIGINT, SIGTERM, SIGHUP};

static volatile sig_atomic_t interrupted;

static void interrupt(int signal_number) {
    (void)signal_number;
    interrupted = 1;
}

/* A signal that whoever started us let be ignored (nohup) stays ignored. */
static void set_handlers(void (*from)(int), void (*to)(int)) {
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        if (signal(stops[i], to) != from) {
            signal(stops[i], SIG_IGN);
        }
    }
}

void cli_progress_begin(cli_progress *progress, const cli_context *context, const char *verb) {
    *progress = (cli_progress){.verb = verb, .shown_percent = -1};
    progress->visible = !context->quiet && isatty(STDERR_FILENO);
    set_handlers(SIG_DFL, interrupt);
}

void cli_progress_end(cli_progress *progress) {
    set_handlers(interrupt, SIG_DFL);
    if (progress->visible && progress->shown_percent >= 0) {
        fputs("\r\033[K", stderr);
    }
}

void cli_progress_add_signals(sigset_t *set) {
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        struct sigaction now = {0};
        if (sigaction(stops[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN) {
            sigaddset(set, stops[i]);
        }
    }
}

bool cli_progress_is_interrupted(void) {
    return interrupted != 0;
}

/* "1.2 MB of 3.4 MB", "12 of 345 processes" */
static void describe(const cli_progress *progress, uint64_t done, uint64_t total, char *into,
                     size_t capacity) {
    char done_text[CLI_HUMAN_BYTES];
    char total_text[CLI_HUMAN_BYTES];
    if (progress->things != NULL) {
        snprintf(into, capacity, "%" PRIu64 " of %" PRIu64 " %s", done, total, progress->things);
    } else {
        snprintf(into, capacity, "%s of %s", cli_human_size(done, done_text),
                 cli_human_size(total, total_text));
    }
}

int cli_progress_step(uint64_t done_bytes, uint64_t total_bytes, void *user) {
    cli_progress *progress = user;
    int percent = total_bytes == 0 ? 100 : (int)((double)done_bytes / (double)total_bytes * 100);
    if (progress->visible && percent != progress->shown_percent) {
        char amount[2 * CLI_HUMAN_BYTES];
        char bar[BAR_COLUMNS + 1];
        for (int i = 0; i < BAR_COLUMNS; i++) {
            bar[i] = i * 100 < percent * BAR_COLUMNS ? '#' : '.';
        }
        bar[BAR_COLUMNS] = '\0';
        describe(progress, done_bytes, total_bytes, amount, sizeof amount);
        fprintf(stderr, "\r%s [%s] %3d %%  %s\033[K", progress->verb, bar, percent, amount);
        fflush(stderr);
        progress->shown_percent = percent;
    }
    return interrupted;
}
