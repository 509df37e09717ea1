#include "old_kernel.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

typedef struct running {
    const old_kernel *lacking;
    unsigned count;
    int (*body)(void *user);
    void *user;
    int result;
} running;

static void fail_test(const char *what) {
    perror(what);
    abort();
}

/* The lower half of an argument, on a little-endian machine. */
static uint32_t offset_of_argument(int argument) {
    return (uint32_t)(offsetof(struct seccomp_data, args) + 8 * (size_t)argument);
}

static void take_away(const old_kernel *lacking) {
    uint32_t call = (uint32_t)lacking->call;
    uint32_t flags = lacking->flag_argument < 0 ? 0 : offset_of_argument(lacking->flag_argument);
    uint8_t to_denial = lacking->flag_argument < 0 ? 2 : 0;
    uint8_t when_zero = 1;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, to_denial, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, flags),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, when_zero, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)lacking->answer),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        fail_test("seccomp");
    }
}

void old_kernel_take_away(const old_kernel *lacking, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        take_away(&lacking[i]);
    }
}

static void *run(void *user) {
    running *it = user;
    old_kernel_take_away(it->lacking, it->count);
    it->result = it->body(it->user);
    return NULL;
}

int old_kernel_run(const old_kernel *lacking, unsigned count, int (*body)(void *user), void *user) {
    running it = {.lacking = lacking, .count = count, .body = body, .user = user};
    pthread_t thread;
    errno = pthread_create(&thread, NULL, run, &it);
    if (errno != 0 || pthread_join(thread, NULL) != 0) {
        fail_test("thread");
    }
    return it.result;
}
