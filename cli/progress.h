/* A progress bar on stderr, when that is a terminal; and Ctrl-C, SIGTERM and SIGHUP, which cancel
 * cleanly. */
#ifndef FK_CLI_PROGRESS_H
#define FK_CLI_PROGRESS_H

#include <signal.h>

#include "command.h"

typedef struct cli_progress {
    const char *verb;   /* "verifying" */
    const char *things; /* what is counted: "processes"; NULL (at the beginning): bytes */
    bool visible;
    int shown_percent;
} cli_progress;

/* From here to the end, these signals are not death but a cancelled call. */
void cli_progress_begin(cli_progress *progress, const cli_context *context, const char *verb);
void cli_progress_end(cli_progress *progress);

/* Whether one of them came since. */
bool cli_progress_is_interrupted(void);
/* Adds the signals that stop such work: those that are not ignored (nohup). */
void cli_progress_add_signals(sigset_t *set);

/* The fk_progress to hand to the library, with the cli_progress as `user`. */
int cli_progress_step(uint64_t done_bytes, uint64_t total_bytes, void *user);

#endif
