/* Real full disks: promise 7.
 *
 *     full_disk            some fill levels for each change
 *     full_disk --full     all of them, a page or an inode apart
 *     full_disk --small    fewer: for slow builds
 *
 * In a user namespace of its own, without privilege: tmpfs of 64 MiB is made as small as what is
 * there and a little, before each change. It fails with FK_E_NO_SPACE and leaves the store as it
 * was, every byte of it, or it is done; rm and purge, which make room, are always done. Exit 77
 * where namespaces are forbidden: not tried.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "change.h"
#include "harness.h"
#include "operations.h"
#include "sample_model.h"
#include "scene.h"

enum { SKIPPED = 77, PAGE_BYTES = 4096, WHOLE_MIB = 64, LARGE_FLOATS = 4 << 20, DONE_ENOUGH = 3 };

/* What runs out. */
typedef struct shortage {
    const char *what;
    bool inodes;
    size_t step; /* pages or inodes from one level to the next */
} shortage;

static struct {
    char path[256]; /* where tmpfs is mounted */
    bool inodes;
    size_t left; /* pages or inodes at this level */
    uint64_t smallest;
    uint64_t largest;
} disk;

typedef struct figures {
    size_t levels;
    size_t refused;
    size_t done;
    size_t wrong;
} figures;

/* ---- the namespace ------------------------------------------------------------------------ */

static bool write_text(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool fine = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0) {
        close(fd);
    }
    return fine;
}

/* Root of its own, with mounts of its own. */
static bool enter_namespace(void) {
    char users[64];
    char groups[64];
    snprintf(users, sizeof users, "0 %u 1", geteuid());
    snprintf(groups, sizeof groups, "0 %u 1", getegid());
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
           write_text("/proc/self/setgroups", "deny") && write_text("/proc/self/uid_map", users) &&
           write_text("/proc/self/gid_map", groups);
}

static bool mount_disk(void) {
    char options[64];
    snprintf(options, sizeof options, "size=%dm", WHOLE_MIB);
    return mount("tmpfs", disk.path, "tmpfs", 0, options) == 0;
}

/* ---- levels ------------------------------------------------------------------------------- */

static void remount(uint64_t kib, uint64_t inodes) {
    char options[96];
    snprintf(options, sizeof options, "size=%lluk,nr_inodes=%llu", (unsigned long long)kib,
             (unsigned long long)inodes);
    harness_check(mount(NULL, disk.path, NULL, MS_REMOUNT, options) == 0, options);
}

static void make_small(void) {
    struct statvfs now;
    harness_check(statvfs(disk.path, &now) == 0, disk.path);
    uint64_t kib = (now.f_blocks - now.f_bfree) * now.f_frsize / 1024;
    uint64_t inodes = now.f_files - now.f_ffree;
    kib = disk.inodes ? WHOLE_MIB << 10 : kib + disk.left * (PAGE_BYTES / 1024);
    kib = kib == 0 ? PAGE_BYTES / 1024 : kib; /* 0 would mean: no limit */
    inodes = disk.inodes ? inodes + disk.left : 1 << 20;
    disk.smallest = disk.smallest == 0 || kib < disk.smallest ? kib : disk.smallest;
    disk.largest = kib > disk.largest ? kib : disk.largest;
    remount(kib, inodes);
}

static void make_large(void) {
    remount(WHOLE_MIB << 10, 1 << 20);
}

static bool makes_some_room(const operation *it) {
    return (it->flags & OPERATION_NO_WAY_BACK) != 0 || it == &change_operations[CHANGE_RM_RUN] ||
           it == &change_operations[CHANGE_RM_FONT];
}

static void try_levels(const scene *it, const shortage *what, figures *sum) {
    const fault trouble = {
        .system_errno = ENOSPC, .before_call = make_small, .behind_call = make_large};
    bool makes_room = makes_some_room(it->operation);
    size_t done = 0;
    disk.inodes = what->inodes;
    for (disk.left = 0; done < DONE_ENOUGH; disk.left += what->step) {
        outcome end = scene_suffer(it, &trouble);
        if (makes_room && end.code != FK_OK) {
            snprintf(end.wrong, sizeof end.wrong, "no room can be made: %s",
                     fk_code_name(end.code));
        }
        sum->levels++;
        sum->refused += end.code == FK_E_NO_SPACE;
        done = end.code == FK_OK ? done + 1 : 0;
        sum->done += end.code == FK_OK;
        sum->wrong += end.wrong[0] != '\0';
        if (end.wrong[0] != '\0') {
            printf("VIOLATION %s, %zu %s left: %s\n", it->operation->name, disk.left, what->what,
                   end.wrong);
        }
        harness_check(disk.left < WHOLE_MIB << 8, "it never fits");
    }
}

/* ---- a large model ------------------------------------------------------------------------ */

static fk_code save_large(const char *path, const fk_model *model, fk_error *err) {
    static sample_model sample;
    fk_store *store = NULL;
    fk_run_id id;
    (void)model;
    if (sample.values == NULL) {
        sample_model_init(&sample, LARGE_FLOATS);
    }
    fk_code code = fk_store_open(path, NULL, &store, err);
    if (code == FK_OK) {
        code = fk_save_model(store, OPERATION_FONT, &sample.model, &id, err);
    }
    fk_store_close(store);
    return code;
}

/* ---- all of them -------------------------------------------------------------------------- */

static void try_operation(const operation *it, const shortage *what, figures *sum) {
    figures own = {0};
    scene before = scene_create(it);
    try_levels(&before, what, &own);
    scene_destroy(&before);
    printf("%s, %s: %zu levels, %zu refused, %zu done, %zu wrong\n", it->name, what->what,
           own.levels, own.refused, own.done, own.wrong);
    fflush(stdout);
    sum->levels += own.levels;
    sum->refused += own.refused;
    sum->done += own.done;
    sum->wrong += own.wrong;
}

static int try_all(size_t step) {
    const operation *all[OPERATIONS_MAX];
    size_t count = operations_all(all);
    const shortage pages = {"pages", false, step};
    const shortage inodes = {"inodes", true, step};
    const shortage many_pages = {"pages", false, 100 * step};
    operation large = {"save of 16 MiB", operation_second_save.prepare, save_large, 0};
    figures sum = {0};
    for (size_t i = 0; i < count; i++) {
        try_operation(all[i], &pages, &sum);
        try_operation(all[i], &inodes, &sum);
    }
    try_operation(&large, &many_pages, &sum);
    printf("promise 7: real full disks of %llu KiB to %llu KiB: %zu fill levels, %zu refused, "
           "%zu done, %zu wrong\n",
           (unsigned long long)disk.smallest, (unsigned long long)disk.largest, sum.levels,
           sum.refused, sum.done, sum.wrong);
    return sum.wrong == 0 && sum.refused > 0 ? 0 : 1;
}

static int run_inside(size_t step) {
    if (!enter_namespace() || !mount_disk()) {
        printf("promise 7: not tried on real disks: user namespaces are forbidden here (%s)\n",
               strerror(errno));
        return SKIPPED;
    }
    setenv("TMPDIR", disk.path, 1);
    return try_all(step);
}

int main(int count, char **arguments) {
    const char *size = count > 1 ? arguments[1] : "";
    size_t step = strcmp(size, "--full") == 0 ? 1 : strcmp(size, "--small") == 0 ? 9 : 3;
    harness_make_directory(disk.path);
    pid_t inside = fork();
    harness_check(inside >= 0, "fork");
    if (inside == 0) {
        int status = run_inside(step);
        fflush(stdout);
        exit(status);
    }
    int status = 0;
    harness_check(waitpid(inside, &status, 0) == inside, "waitpid");
    harness_remove_directory(disk.path);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
