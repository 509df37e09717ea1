/* Runs a command on a kernel that lacks calls: they fail with an errno, without being made.
 *
 *     lacking openat2=ENOSYS renameat2.4=EINVAL -- fontkeep selftest DIR
 *
 * "renameat2.4": only where argument 4 (the flags) is not zero. */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "old_kernel.h"

enum { LACKING_MAX = 8, USAGE = 2 };

static const struct {
    const char *name;
    long number;
} calls[] = {
    {"openat2", SYS_openat2}, {"renameat2", SYS_renameat2},
    {"linkat", SYS_linkat},   {"fallocate", SYS_fallocate},
    {"fsync", SYS_fsync},     {"sync_file_range", SYS_sync_file_range},
};

static const struct {
    const char *name;
    int number;
} errors[] = {{"ENOSYS", ENOSYS}, {"EINVAL", EINVAL}, {"EPERM", EPERM}, {"EOPNOTSUPP", EOPNOTSUPP}};

static void fail(const char *what, const char *word) {
    fprintf(stderr, "lacking: %s '%s'\n", what, word);
    exit(USAGE);
}

static long call_of(const char *name, size_t length) {
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (strlen(calls[i].name) == length && strncmp(calls[i].name, name, length) == 0) {
            return calls[i].number;
        }
    }
    fail("no such call", name);
    return -1;
}

static int error_of(const char *name) {
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        if (strcmp(errors[i].name, name) == 0) {
            return errors[i].number;
        }
    }
    fail("no such error", name);
    return -1;
}

static old_kernel parse(const char *word) {
    const char *equals = strchr(word, '=');
    const char *dot = strchr(word, '.');
    if (equals == NULL) {
        fail("no '=' in", word);
    }
    bool flagged = dot != NULL && dot < equals;
    return (old_kernel){.call = call_of(word, (size_t)((flagged ? dot : equals) - word)),
                        .flag_argument = flagged ? dot[1] - '0' : -1,
                        .answer = error_of(equals + 1)};
}

int main(int count, char **arguments) {
    old_kernel lacking[LACKING_MAX];
    unsigned lacks = 0;
    int at = 1;
    for (; at < count && strcmp(arguments[at], "--") != 0 && lacks < LACKING_MAX; at++) {
        lacking[lacks++] = parse(arguments[at]);
    }
    if (at + 1 >= count || strcmp(arguments[at], "--") != 0) {
        fail("no command behind '--'", "");
    }
    old_kernel_take_away(lacking, lacks);
    execvp(arguments[at + 1], arguments + at + 1);
    perror(arguments[at + 1]);
    return USAGE;
}
