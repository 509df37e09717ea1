#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"
#include "progress.h"

enum { GRACE_SECONDS = 2 }; /* between SIGTERM and SIGKILL */

extern char **environ;

/* ---- starting ----------------------------------------------------------------------------- */

/* `mask`: the signals that are blocked for the child. */
static int start(char *const words[], const sigset_t *mask, pid_t *ret_child) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGINT);
    sigaddset(&defaults, SIGXFSZ);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, mask);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    int failure = posix_spawnp(ret_child, words[0], &files, &attributes, words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return failure;
}

/* ---- waiting ------------------------------------------------------------------------------ */

static bool has_ended(pid_t child, int *ret_status) {
    return waitpid(child, ret_status, WNOHANG) == child;
}

/* The whole group, and the child itself in the end, whatever it does with SIGTERM. */
static void end(pid_t child) {
    const struct timespec grace = {.tv_sec = GRACE_SECONDS};
    sigset_t ended;
    int status = 0;
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    kill(-child, SIGTERM);
    if (!has_ended(child, &status)) {
        sigtimedwait(&ended, NULL, &grace);
        if (!has_ended(child, &status)) {
            kill(-child, SIGKILL);
            waitpid(child, &status, 0);
        }
    }
}

/* The signals of `watched` are blocked: they are taken here, one by one, so none is missed. False:
 * the user wants to stop, and the child is gone. */
static bool wait_for(pid_t child, const sigset_t *watched, int *ret_status) {
    while (!has_ended(child, ret_status)) {
        int signal_number = sigwaitinfo(watched, NULL);
        if (signal_number > 0 && signal_number != SIGCHLD) {
            end(child);
            return false;
        }
    }
    return true;
}

/* ---- the call ----------------------------------------------------------------------------- */

static fk_code fail(cli_context *context, const char *hint, fk_code code) {
    context->error.code = code;
    cli_fail_hint(context, "%s", hint);
    return code;
}

static fk_code judge(cli_context *context, char *const words[], const char *what, int status) {
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return FK_OK;
    }
    if (WIFEXITED(status)) {
        cli_fail_usage(context, "'%s' failed for %s: exit status %d", words[0], what,
                       WEXITSTATUS(status));
    } else {
        cli_fail_usage(context, "'%s' was killed while it drew %s: %s", words[0], what,
                       strsignal(WTERMSIG(status)));
    }
    return fail(context, "see what it printed; nothing was changed", FK_E_INVALID);
}

fk_code cli_child_run(cli_context *context, char *const words[], const char *what) {
    sigset_t watched;
    sigset_t before;
    pid_t child = 0;
    int status = 0;
    signal(SIGCHLD, SIG_DFL); /* whoever started us may have had no use for it */
    sigemptyset(&watched);
    sigaddset(&watched, SIGCHLD);
    cli_progress_add_signals(&watched);
    sigprocmask(SIG_BLOCK, &watched, &before);
    bool stop = cli_progress_is_interrupted();
    int failure = stop ? 0 : start(words, &before, &child);
    stop = stop || (failure == 0 && !wait_for(child, &watched, &status));
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (stop) {
        cli_fail_usage(context, "cancelled");
        return fail(context, "nothing was changed", FK_E_CANCELLED);
    }
    if (failure != 0) {
        cli_fail_usage(context, "cannot run '%s': %s", words[0], strerror(failure));
        return fail(context, "name a program; it is run without a shell", FK_E_INVALID);
    }
    return judge(context, words, what, status);
}
