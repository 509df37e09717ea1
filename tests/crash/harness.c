#include "harness.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void harness_check(bool fine, const char *what) {
    if (!fine) {
        fprintf(stderr, "%s: %s (%s)\n", program_invocation_short_name, what, strerror(errno));
        abort();
    }
}

void harness_make_directory(char into[256]) {
    const char *above = getenv("TMPDIR");
    if (above == NULL) {
        above = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    }
    snprintf(into, 256, "%s/fontkeep-XXXXXX", above);
    harness_check(mkdtemp(into) != NULL, into);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place) {
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

void harness_remove_directory(const char *path) {
    harness_check(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0, path);
}
