#include "os/trial.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "os/file.h"
#include "os/file_error.h"
#include "os/kernel.h"
#include "os/mortal_kernel.h"

enum { SECONDS_MAX = 60 };

/* What both processes see. */
typedef struct shared {
    volatile fk_mortal_state state;
    fk_code code;
    fk_error error;
} shared;

static shared *map_shared(void) {
    shared *it = fk_kernel_current->mmap(NULL, sizeof *it, PROT_READ | PROT_WRITE,
                                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return it == MAP_FAILED ? NULL : it;
}

static void unmap_shared(shared **it) {
    if (*it != NULL) {
        fk_kernel_current->munmap(*it, sizeof **it);
    }
}

/* The fork's whole life. It leaves without the cleanup of a process: nothing of it is its own. */
static void live(shared *it, fk_trial_work work, void *user, size_t kill_at) {
    const fk_kernel *kernel = fk_kernel_current;
    kernel->alarm(SECONDS_MAX);
    fk_mortal_kernel_install(kill_at, &it->state);
    it->code = work(user, &it->error);
    kernel->leave(0);
}

static fk_code no_process(int system_errno, const char *what, fk_error *err) {
    fk_code code = fk_file_error(err, system_errno, what, "a process for a trial");
    fk_error_hint(err, "let this process have children (ulimit -u), and wait for them (SIGCHLD)");
    return code;
}

static fk_code wait_for(pid_t child, int *ret_status, fk_error *err) {
    pid_t ended;
    do {
        ended = fk_kernel_current->waitpid(child, ret_status, 0);
    } while (ended < 0 && errno == EINTR);
    return ended == child ? FK_OK : no_process(errno, "wait for", err);
}

static fk_code judge(int status, const shared *it, fk_trial *ret_trial, fk_error *err) {
    bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    const char *call = it->state.call == NULL ? "" : it->state.call;
    if (!killed && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
        fk_error_set(err, FK_E_IO, "a trial ended by %s %d at its call %zu (%s)",
                     WIFSIGNALED(status) ? "signal" : "status",
                     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
                     it->state.calls + 1, call);
        fk_error_hint(err, WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM
                               ? "it hung for a minute: look for what blocks on this file system"
                               : "run it again; report it when it happens twice");
        return FK_E_IO;
    }
    *ret_trial = (fk_trial){.killed = killed, .calls = it->state.calls, .call = call};
    if (!killed) {
        ret_trial->code = it->code;
        ret_trial->error = it->error;
    }
    return FK_OK;
}

fk_code fk_trial_run(fk_trial_work work, void *user, size_t kill_at, fk_trial *ret_trial,
                     fk_error *err) {
    FK_SCOPED(unmap_shared) shared *it = map_shared();
    int status = 0;
    if (it == NULL) {
        return fk_error_no_memory(err);
    }
    pid_t child = fk_kernel_current->fork();
    if (child < 0) {
        return no_process(errno, "start", err);
    }
    if (child == 0) {
        live(it, work, user, kill_at);
    }
    fk_code code = wait_for(child, &status, err);
    return code == FK_OK ? judge(status, it, ret_trial, err) : code;
}

fk_code fk_trial_flip(int directory, const char *path, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    uint8_t byte = 0;
    fd = fk_kernel_current->openat_beneath(directory, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0);
    if (fd < 0) {
        return fk_file_error(err, errno, "open", path);
    }
    fk_code code = fk_file_read_at(fd, &byte, 1, 0, path, err);
    if (code == FK_OK) {
        byte ^= 1;
        code = fk_file_write(fd, &byte, 1, path, err);
    }
    return code == FK_OK ? fk_file_close(&fd, path, err) : code;
}
